//! An attempt under way, and how it looks from outside.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::catalogue::{Config, Plugin};
use crate::model::attempt::{Attempt, Course, Trigger};
use crate::model::code::Code;
use crate::model::event::{Event, EventKind};
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::schedule::Schedule;
use crate::refresher::ask::Ask;
use crate::sandbox::Heard;
use crate::storage::Loaded;
use crate::vault::place::Place;

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
    /// What the call works with, once it is known.
    pub(super) config: OnceLock<Config>,
}

impl Running {
    pub(super) fn trigger(&self) -> Trigger {
        let trigger = self.ask.trigger;
        let recovers = !trigger.is_on_request() && self.loaded.open.is_some();
        if recovers { Trigger::Recovery } else { trigger }
    }

    /// When the first request began whose outcome is unknown. A grace is over so long after the first
    /// use of a token, however often it is used.
    pub(super) fn doubt_since(&self) -> Option<Timestamp> {
        self.loaded.doubt_since()
    }

    pub(super) fn report(&self, course: Course, now: Timestamp) -> Attempt {
        let took = now.duration_since(self.started).as_millis();
        Attempt {
            id: self.id,
            connection: self.connection.clone(),
            trigger: self.trigger(),
            course,
            started_at: self.started,
            duration_ms: u64::try_from(took).ok(),
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
}

/// The plugin's own schedule, which holds when the manifest has none.
pub(super) fn declared_schedule(plugin: &Plugin) -> Option<Schedule> {
    let expression = plugin.descriptor().schedule.as_deref()?;
    Schedule::new(expression, plugin.provider().timezone.clone()).ok()
}

/// The key of a connection's token row, as the associated data has it.
pub(super) fn token_row(id: &ConnectionId) -> String {
    format!("{}/{}", id.provider(), id.name())
}

/// The place that a token set is sealed for.
pub(super) fn token_place(row: &str, generation: u64) -> Place<'_> {
    Place { table: "generations", column: "sealed", row, generation }
}
