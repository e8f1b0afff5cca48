//! The test's hand on a fake: its clock, its faults, its credentials, and what it saw.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::provider::{
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

    /// How many requests it saw, whether or not the journal kept them.
    pub fn seen(&self) -> u64 {
        self.shared.state().journal.seen()
    }

    /// The audit of every family, oldest first. Empty at Eskiz.
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

    /// Changes one credential: `email`, `password`, `apiKey`, `secretKey`, `key`, `client_id` or `client_secret`.
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
}
