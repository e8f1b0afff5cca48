//! Facts about the account behind a connection: asked now and then where the manifest says so, so
//! that a token which was revoked is noticed before its expiry.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::{info, warn};

use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::refresher::breaker::{Lesson, Verdict};
use crate::refresher::{Ask, Refresher, host_fault};
use crate::sandbox::NoJournal;
use crate::storage::Loaded;

impl Refresher {
    /// Asks the plugin's `profile` and stores what it says. A refused token is refreshed, and asked
    /// about once more. Returns false if there is nothing to ask, or nothing to ask with.
    pub async fn probe(&self, id: &ConnectionId) -> Result<bool, Failure> {
        let generation = self.load(id).await?.connection.generation;
        let first = self.ask_profile(id).await;
        let asked = match first {
            Some(Err(failure)) if failure.case == Case::TokenRejected => {
                info!(connection.id = %id, "the token of {id} was refused before its expiry");
                // What comes of it is told by its own record; here it is only asked once more.
                match self.refresh(id, Ask::replacing(generation)).await {
                    Ok(it) if it.generation > generation => self.ask_profile(id).await,
                    _ => Some(Err(failure)),
                }
            }
            other => other,
        };
        let profile = match asked {
            Some(Ok(profile)) => Some(profile),
            Some(Err(failure)) => {
                warn!(connection.id = %id, error.code = %failure.code, "the profile of {id} could not be read: {failure}");
                None
            }
            None => None,
        };
        let found = profile.is_some();
        let next = self.next_probe(id);
        self.storage.set_profile(id, profile, next).await.map_err(|it| host_fault(&it))?;
        Ok(found)
    }

    /// Asks `profile` once and stores what it says.
    pub(super) async fn learn_profile(&self, id: &ConnectionId) -> Result<(), Failure> {
        let Some(profile) = self.ask_profile(id).await.transpose()? else { return Ok(()) };
        let next = self.next_probe(id);
        self.storage.set_profile(id, Some(profile), next).await.map_err(|it| host_fault(&it))
    }

    /// Whether the manifest wants to know what a new token brings.
    pub fn wants_profile(&self, provider: &str) -> bool {
        self.catalogue.plugin(provider).is_ok_and(|it| it.provider().probe.is_some())
    }

    /// When `profile` is asked next, if the manifest wants that.
    pub fn next_probe(&self, id: &ConnectionId) -> Option<Timestamp> {
        let plugin = self.catalogue.plugin(id.provider()).ok()?;
        Some(self.clock.now() + plugin.provider().probe?)
    }

    async fn ask_profile(&self, id: &ConnectionId) -> Option<Result<String, Failure>> {
        let loaded = self.load(id).await.ok()?;
        if !self.may_probe(&loaded) {
            return None;
        }
        let plugin = self.catalogue.plugin(id.provider()).ok()?;
        let current = self.current(&loaded).ok()??;
        let _slot = self.throttle.enter(plugin.provider(), &self.lifecycle).await?;
        let journal = Arc::new(NoJournal);
        let own = self.own(&loaded).ok()?;
        let input = plugin.input(id, own, Some(current), journal, self.clock.now()).await;
        let input = match input {
            Ok(input) => input,
            Err(failure) => return Some(Err(failure)),
        };
        let asked = plugin.program().profile(&input).await?;
        // Another address of the provider: its limit is one for all, its outage may be its own.
        let lesson = Lesson::of(&asked, &input.heard);
        if matches!(lesson, Lesson::Slow(_)) {
            self.breakers.learn(id.provider(), lesson, self.clock.now());
        }
        Some(asked)
    }

    /// With a token that should work, nobody working on it, and a provider that may be asked.
    fn may_probe(&self, loaded: &Loaded) -> bool {
        let connection = &loaded.connection;
        let valid = connection.token.as_ref().is_some_and(|it| it.is_valid(self.clock.now()));
        let undisturbed = connection.pause.is_none() && connection.problem.is_none();
        let asked = self.verdict(connection.id.provider()) == Verdict::All;
        valid && loaded.open.is_none() && undisturbed && asked
    }
}
