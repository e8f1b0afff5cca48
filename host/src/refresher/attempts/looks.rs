//! A look at a connection, and what an ask comes to after it: the same for whoever acts on it and for whoever
//! only wants to know.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::catalogue::{Catalogue, Plugin};
use crate::model::clock::Clock;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::refresher::ask::Ask;
use crate::refresher::decide::{Answers, Decision, Facts, Way, decide};
use crate::refresher::fault::load;
use crate::refresher::journal;
use crate::refresher::pauses::Pauses;
use crate::refresher::secrets;
use crate::storage::{Captured, Loaded, Storage};
use crate::vault::Vault;

/// Looks at connections.
pub(in crate::refresher) struct Looks {
    storage: Storage,
    vault: Vault,
    catalogue: Catalogue,
    clock: Clock,
    pauses: Pauses,
}

/// What a look comes to.
pub(super) struct Found {
    /// What to do.
    pub(super) decision: Decision,
    /// Answers that were captured and nobody has spent.
    pub(super) answers: Option<Answers>,
}

impl Looks {
    pub(in crate::refresher) fn new(
        storage: &Storage,
        vault: &Vault,
        catalogue: &Catalogue,
        clock: &Clock,
        pauses: &Pauses,
    ) -> Self {
        let (storage, vault, catalogue) = (storage.clone(), vault.clone(), catalogue.clone());
        Self { storage, vault, catalogue, clock: clock.clone(), pauses: pauses.clone() }
    }

    /// The time of a look.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The row as an attempt finds it: a pause whose time is over has ended.
    pub(super) async fn wake_up(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Loaded, Failure> {
        self.pauses.wake_up(load(&self.storage, id).await?, now).await
    }

    /// The row as an attempt would find it; nothing is written.
    pub(super) async fn peek(&self, id: &ConnectionId, now: Timestamp) -> Result<Loaded, Failure> {
        let mut loaded = load(&self.storage, id).await?;
        self.pauses.end(&mut loaded, now);
        Ok(loaded)
    }

    /// The plugin of `id`, or why it has none.
    pub(super) fn plugin(&self, id: &ConnectionId) -> Result<Arc<Plugin>, Failure> {
        self.catalogue.plugin(id.provider())
    }

    /// What `ask` comes to.
    pub(super) fn decide(
        &self,
        loaded: &Loaded,
        plugin: &Plugin,
        ask: Ask,
        now: Timestamp,
    ) -> Result<Found, Failure> {
        let facts = facts(&self.vault, loaded, plugin, now)?;
        let decision = decide(&loaded.connection, ask, &facts);
        Ok(Found { decision, answers: facts.captured })
    }
}

/// What the decision about a connection rests on, besides the connection.
fn facts(
    vault: &Vault,
    loaded: &Loaded,
    plugin: &Plugin,
    now: Timestamp,
) -> Result<Facts, Failure> {
    let open = loaded.open.as_ref();
    Ok(Facts {
        rotation: open.map_or_else(|| plugin.rotation(), |it| it.rotation),
        unattended: secrets::logs_in(vault, plugin, loaded)?,
        interrupted: open.map(|it| it.started_at),
        captured: answers(vault, loaded),
        given: loaded.given,
        unanswered: loaded.unanswered,
        idle: is_idle(loaded, plugin.provider().active_within, now),
        now,
    })
}

/// What can be done with the answers that wait.
fn answers(vault: &Vault, loaded: &Loaded) -> Option<Answers> {
    let readings = loaded.captures.iter().map(|it| it.readings).max()?;
    if !journal::can_open(vault, &loaded.captures) {
        return Some(Answers::Unopenable);
    }
    Some(Answers::Readable { readings })
}

/// Whether no caller has asked for its token within what the manifest says.
fn is_idle(loaded: &Loaded, within: Option<Duration>, now: Timestamp) -> bool {
    let asked = loaded.connection.active_at;
    within.is_some_and(|within| asked.is_none_or(|it| it + within < now))
}

/// What a call does with captured answers: sending anew gives them up. A login reads what an
/// interrupted one has captured, but not what failed twice.
pub(super) fn use_of(answers: Option<Answers>, way: Way, interrupted: bool) -> Captured {
    let reads = match (answers, way) {
        (None, _) => return Captured::Stay,
        (Some(Answers::Unopenable), _) => false,
        (Some(Answers::Readable { readings }), Way::Login) => readings < 2 || interrupted,
        (Some(Answers::Readable { .. }), way) => way == Way::Replay,
    };
    if reads { Captured::AreRead } else { Captured::AreGivenUp }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_by_a_replay_and_by_a_login_that_may_understand_them() {
        let read = |readings| Some(Answers::Readable { readings });
        for (answers, way, interrupted, then) in [
            (None, Way::Refresh, true, Captured::Stay),
            (read(1), Way::Replay, false, Captured::AreRead),
            (read(9), Way::Replay, false, Captured::AreRead),
            (read(1), Way::Refresh, false, Captured::AreGivenUp),
            (read(1), Way::Login, false, Captured::AreRead),
            (read(2), Way::Login, false, Captured::AreGivenUp),
            (read(2), Way::Login, true, Captured::AreRead),
            (Some(Answers::Unopenable), Way::Login, true, Captured::AreGivenUp),
        ] {
            assert_eq!(use_of(answers, way, interrupted), then, "{answers:?} {way:?}");
        }
    }
}
