//! An attempt under way, and how it looks from outside.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use crate::catalogue::{Config, Plugin};
use crate::model::attempt::{Attempt, Course, Spent, Trigger};
use crate::model::code::Code;
use crate::model::event::{Event, EventKind};
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};
use crate::refresher::ask::Ask;
use crate::sandbox::{CallInput, Heard};
use crate::storage::Loaded;
use crate::telemetry::spans;
use crate::vault::Vault;

/// An attempt under way.
pub(super) struct Running {
    pub(super) id: AttemptId,
    pub(super) connection: ConnectionId,
    pub(super) ask: Ask,
    pub(super) plugin: Arc<Plugin>,
    pub(super) loaded: Loaded,
    /// What the provider does meanwhile.
    pub(super) heard: Arc<Heard>,
    pub(super) started: Timestamp,
    /// How long it has waited for its turn, once it has it.
    waited: OnceLock<Duration>,
    /// What the call works with, once it is known.
    config: OnceLock<Config>,
}

impl Running {
    /// One that begins.
    pub(super) fn new(loaded: Loaded, plugin: Arc<Plugin>, ask: Ask, started: Timestamp) -> Self {
        let (id, connection) = (AttemptId::generate(), loaded.connection.id.clone());
        let (heard, waited, config) = (Arc::default(), OnceLock::new(), OnceLock::new());
        Self { id, connection, ask, plugin, loaded, heard, started, waited, config }
    }

    /// What a trace says of it.
    pub(super) fn begun<'a>(
        &self,
        name: &'static str,
        plugin: &'a Plugin,
        connection: &'a str,
    ) -> spans::Begun<'a> {
        spans::Begun {
            name,
            connection,
            provider: plugin.provider().name.as_str(),
            plugin: (&plugin.provider().plugin, &plugin.descriptor().version),
            attempt: self.id,
            number: self.loaded.connection.failures + 1,
            trigger: self.trigger(),
        }
    }

    pub(super) fn trigger(&self) -> Trigger {
        let trigger = self.ask.trigger;
        let recovers = !trigger.is_on_request() && self.loaded.open.is_some();
        if recovers { Trigger::Recovery } else { trigger }
    }

    /// It has its turn, after so long.
    pub(super) fn note_turn(&self, waited: Duration) {
        let _ = self.waited.set(waited);
    }

    /// What it has spent its time on so far.
    fn spent(&self) -> Spent {
        let ms = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
        Spent {
            waited_ms: self.waited.get().copied().map(ms),
            provider_ms: self.heard.took().map(ms),
        }
    }

    /// How it looks with that course.
    pub(super) fn report(&self, course: Course, now: Timestamp) -> Attempt {
        let took = now.duration_since(self.started).as_millis();
        Attempt {
            id: self.id,
            connection: self.connection.clone(),
            trigger: self.trigger(),
            course,
            started_at: self.started,
            duration_ms: u64::try_from(took).ok(),
            spent: self.spent(),
            generation: self.loaded.connection.generation,
        }
    }

    pub(super) fn failed(&self, failure: &Failure, now: Timestamp) -> Attempt {
        self.report(Course::Failed(failure.clone()), now)
    }

    pub(super) fn event(
        &self,
        kind: EventKind,
        generation: u64,
        code: Option<Code>,
        at: Timestamp,
    ) -> Event {
        Event { kind, connection: self.connection.clone(), at, generation, code }
    }

    /// Keeps in mind what the call works with, for the generation that may come of it.
    pub(super) fn note_config(&self, vault: &Vault, input: &CallInput) {
        let brings_secrets = self.loaded.credentials.is_some();
        let secrets = (!brings_secrets).then_some(input.secrets.as_slice());
        let config = self.plugin.config_of(self.connection.name(), &input.settings, secrets, vault);
        // A second call of one attempt works with the same.
        let _ = self.config.set(config);
    }

    /// What its token came of. A code from another machine was traded before it began.
    pub(super) async fn config(&self, vault: &Vault) -> Option<Vec<u8>> {
        if let Some(config) = self.config.get() {
            return Some(config.clone().into_bytes());
        }
        let (name, own) = (self.connection.name(), &self.loaded.connection.settings);
        let config = self.plugin.config_now(name, own, false, vault).await;
        Some(config.into_bytes()).filter(|_| self.loaded.credentials.is_none())
    }
}
