//! Facts about the account behind a connection: asked now and then where the manifest says so, so
//! that a token which was revoked is noticed before its expiry.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::{info, warn};

use crate::catalogue::Catalogue;
use crate::model::attempt::Outcome;
use crate::model::clock::Clock;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::refresher::ask::Ask;
use crate::refresher::attempts::Attempts;
use crate::refresher::breaker::Verdict;
use crate::refresher::fault::{host_fault, load};
use crate::refresher::flights::AttemptResult;
use crate::refresher::secrets;
use crate::refresher::slots::Rank;
use crate::refresher::turns::Turns;
use crate::sandbox::NoJournal;
use crate::storage::{Loaded, Storage};
use crate::vault::Vault;

/// Asks for profiles.
pub struct Profiles {
    storage: Storage,
    vault: Vault,
    catalogue: Catalogue,
    clock: Clock,
    turns: Turns,
    attempts: Arc<Attempts>,
}

impl Profiles {
    pub(super) fn new(
        storage: &Storage,
        vault: &Vault,
        catalogue: &Catalogue,
        clock: &Clock,
        turns: &Turns,
        attempts: &Arc<Attempts>,
    ) -> Self {
        let (storage, vault, catalogue) = (storage.clone(), vault.clone(), catalogue.clone());
        let (clock, turns, attempts) = (clock.clone(), turns.clone(), Arc::clone(attempts));
        Self { storage, vault, catalogue, clock, turns, attempts }
    }

    /// Asks the plugin's `profile` and stores what it says. A refused token is refreshed, and asked
    /// about once more. Returns false if there is nothing to ask, or nothing to ask with.
    pub async fn probe(&self, id: &ConnectionId) -> Result<bool, Failure> {
        let profile = match self.ask_twice(id).await? {
            Some(Ok(profile)) => Some(profile),
            Some(Err(failure)) => {
                warn!(connection.id = %id.full(), error.code = %failure.code, "the profile of {id} could not be fetched: {failure}");
                None
            }
            None => None,
        };
        let found = profile.is_some();
        self.store(id, profile).await?;
        Ok(found)
    }

    /// Asks `profile` for what a new token brings, where the manifest wants to know.
    pub async fn learn_after(&self, result: &AttemptResult) {
        let Ok(attempt) = result else { return };
        let id = &attempt.connection;
        if attempt.outcome() == Some(Outcome::Success) && self.next(id).is_some() {
            self.learn(id).await;
        }
    }

    /// Asks `profile` for what is new, once; what it says is worth knowing and not failing for.
    pub async fn learn(&self, id: &ConnectionId) {
        let learned = match self.ask(id).await {
            Some(Ok(profile)) => self.store(id, Some(profile)).await,
            Some(Err(failure)) => Err(failure),
            None => Ok(()),
        };
        if let Err(failure) = learned {
            info!(connection.id = %id.full(), error.code = %failure.code, "the profile of {id} could not be fetched: {failure}");
        }
    }

    /// When `profile` is asked next, if the manifest wants that.
    pub fn next(&self, id: &ConnectionId) -> Option<Timestamp> {
        let plugin = self.catalogue.plugin(id.provider()).ok()?;
        Some(self.clock.now() + plugin.provider().probe?)
    }

    async fn store(&self, id: &ConnectionId, profile: Option<String>) -> Result<(), Failure> {
        let stored = self.storage.set_profile(id, profile, self.next(id)).await;
        stored.map_err(|it| host_fault(&it))
    }

    async fn ask_twice(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<Result<String, Failure>>, Failure> {
        let generation = load(&self.storage, id).await?.connection.generation;
        let refused = match self.ask(id).await {
            Some(Err(failure)) if failure.case == Case::TokenRejected => failure,
            other => return Ok(other),
        };
        info!(connection.id = %id.full(), "the provider rejected the token of {id} before its expiry");
        // What comes of it is told by its own record; here it is only asked once more.
        Ok(match self.attempts.refresh(id, Ask::replacing(generation)).await {
            Ok(it) if it.generation > generation => self.ask(id).await,
            _ => Some(Err(refused)),
        })
    }

    async fn ask(&self, id: &ConnectionId) -> Option<Result<String, Failure>> {
        let loaded = load(&self.storage, id).await.ok()?;
        if !self.may_ask(&loaded) {
            return None;
        }
        let plugin = self.catalogue.plugin(id.provider()).ok()?;
        let current = secrets::current(&self.vault, &loaded).ok()??;
        // A profile is nobody's token: it waits behind all of those.
        let _slot = self.turns.slot(plugin.provider(), id, Rank::Usual).await?;
        let own = secrets::own(&self.vault, &loaded).ok()?;
        let (journal, now) = (Arc::new(NoJournal), self.clock.now());
        let input = match plugin.input(id, own, Some(current), journal, now).await {
            Ok(input) => input,
            Err(failure) => return Some(Err(failure)),
        };
        let asked = plugin.program().profile(&input).await?;
        self.turns.learn_limit(id.provider(), &asked, &input.heard);
        Some(asked)
    }

    /// With a token that should work, nobody working on it, and a provider that may be asked.
    fn may_ask(&self, loaded: &Loaded) -> bool {
        let connection = &loaded.connection;
        let valid = connection.token.as_ref().is_some_and(|it| it.is_valid(self.clock.now()));
        let undisturbed = connection.pause.is_none() && connection.problem.is_none();
        let asked = self.turns.verdict(connection.id.provider()) == Verdict::All;
        valid && loaded.open.is_none() && undisturbed && asked
    }
}
