//! The test's hand on a fake: its clock, its faults, its credentials, and what it saw.

use std::sync::{Arc, atomic::Ordering};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::provider::{
    authorization::behaviour::Behaviour,
    google,
    journal::Entry,
    ledger::Audit,
    script::{Fate, Scenario},
    service::Pair,
    shared::Shared,
};

/// A handle. Cheap to clone, and good for as long as the fake runs.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// What it saw, oldest first.
    pub fn journal(&self) -> Vec<Entry> {
        self.shared.state().journal.entries()
    }

    /// Forgets what it saw; the numbering goes on.
    pub fn clear_journal(&self) {
        self.shared.state().journal.clear();
    }

    /// Keeps the latest so many entries; zero turns the journal off.
    pub fn limit_journal(&self, entries: usize) {
        self.shared.state().journal.limit(entries);
    }

    /// How many connections were made to it.
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many requests it saw, whether or not the journal kept them.
    pub fn seen(&self) -> u64 {
        self.shared.state().journal.seen()
    }

    /// The audit of every family, oldest first. Empty at Eskiz and `PlayMobile`.
    pub fn families(&self) -> Vec<Audit> {
        self.shared.state().service.ledger().map(|ledger| ledger.audits()).unwrap_or_default()
    }

    /// The audit of the latest family of this name.
    pub fn family(&self, name: &str) -> Option<Audit> {
        self.shared.state().service.ledger()?.audit(name)
    }

    /// Adds a scenario: a [`Scenario`], a bare [`Fate`], or an [`Answer`](crate::provider::answer::Answer) to give.
    pub fn script(&self, scenario: impl Into<Scenario>) {
        self.shared.state().script.push(scenario.into());
    }

    /// Drops every scenario, the standing ones too.
    pub fn clear_script(&self) {
        self.shared.state().script.clear();
    }

    /// How often a counted scenario has yet to happen.
    pub fn pending_script(&self) -> u64 {
        self.shared.state().script.pending()
    }

    /// Adds members to the next answer that is JSON.
    pub fn merge_next(&self, members: Map<String, Value>) {
        self.script(Fate::Merge(members));
    }

    /// Moves the clock that tokens expire by.
    pub fn advance(&self, seconds: i64) {
        self.shared.state().clock.advance(seconds);
    }

    /// The time by that clock.
    pub fn now(&self) -> Timestamp {
        self.shared.state().clock.now()
    }

    /// Changes one credential: `email`, `password`, `apiKey`, `secretKey`, `key`, `client_id`, `client_secret`,
    /// `username`, `login`, `nid`, or `api_key` of PropelAuth's backend.
    pub fn set_credential(&self, name: &str, value: &str) {
        self.shared.state().service.credentials().set(name, value);
    }

    /// Takes no credentials, whatever they are, until told otherwise.
    pub fn reject_credentials(&self, rejecting: bool) {
        self.shared.state().service.credentials().reject(rejecting);
    }

    /// Revokes every token it gave.
    pub fn revoke_everything(&self) {
        self.shared.state().service.revoke_everything();
    }

    /// Starts a family of this name without a login. At Jibit its tokens are of the product `ide`.
    pub fn issue_family(&self, name: &str) -> Pair {
        let mut state = self.shared.state();
        let now = state.clock.now();
        state.service.issue(name, now)
    }

    /// What the person says to the next requests for consent: no, or yes again.
    pub fn deny_consent(&self, denying: bool) {
        if let Some(authorization) = self.shared.state().service.authorization() {
            authorization.denying = denying;
        }
    }

    /// Changes how the next logins go.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        if let Some(authorization) = self.shared.state().service.authorization() {
            change(&mut authorization.behaviour);
        }
    }

    /// Says yes to the device that shows this code. False when none waits under it.
    pub fn approve_device(&self, user_code: &str) -> bool {
        self.decide_device(user_code, true)
    }

    /// Says no to the device that shows this code. False when none waits under it.
    pub fn deny_device(&self, user_code: &str) -> bool {
        self.decide_device(user_code, false)
    }

    /// The codes of the devices that wait for somebody, oldest first.
    pub fn waiting_devices(&self) -> Vec<String> {
        let mut state = self.shared.state();
        state.service.authorization().map(|it| it.devices.waiting()).unwrap_or_default()
    }

    /// Why Google takes no refresh token from now on; none to take them again. Nothing elsewhere.
    pub fn fail_refreshes(&self, failure: Option<google::Failure>) {
        self.shared.state().service.fail_refreshes(failure);
    }

    /// How many messages `PlayMobile` took. Nothing elsewhere.
    pub fn sent_messages(&self) -> u64 {
        self.shared.state().service.sent_messages()
    }

    /// How many wrong logins in a row there were at `Login`, which locks the account after a few. Nothing elsewhere.
    pub fn wrong_logins(&self) -> u32 {
        self.shared.state().service.wrong_logins()
    }

    /// Locks or unlocks the account at `PlayMobile`; unlocks it at `Login`, where only wrong logins lock it.
    pub fn lock_account(&self, locked: bool) {
        self.shared.state().service.lock(locked);
    }

    fn decide_device(&self, user_code: &str, approve: bool) -> bool {
        let mut state = self.shared.state();
        state.service.authorization().is_some_and(|it| it.devices.decide(user_code, approve))
    }
}
