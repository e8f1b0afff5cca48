//! What an ask comes to, found out in one way for whoever acts on it and whoever only wants to know.

use std::time::Duration;

use jiff::Timestamp;

use crate::catalogue::Plugin;
use crate::model::attempt::Trigger;
use crate::model::connection::{Due, Pause};
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::refresher::Refresher;
use crate::refresher::ask::Ask;
use crate::refresher::breaker::{Pass, Verdict, Wait};
use crate::refresher::decide::{Decision, Facts, decide};
use crate::storage::Loaded;

/// What an ask would come to.
#[derive(Debug)]
pub enum Foreseen {
    /// This.
    Decided(Decision),
    /// Nothing yet: the provider is not asked for now.
    Waits(Wait),
}

impl Refresher {
    /// What `ask` would come to for `id` now. Nothing is done, and no turn is spent.
    pub async fn foresee(&self, id: &ConnectionId, ask: Ask) -> Result<Foreseen, Failure> {
        let now = self.clock.now();
        let mut loaded = self.load(id).await?;
        if let Some(due) = woken(loaded.connection.pause.as_ref(), now) {
            loaded.connection.pause = None;
            loaded.connection.due = Some(due);
        }
        let plugin = self.catalogue.plugin(id.provider())?;
        let decision = decide(&loaded.connection, ask, &self.facts(&plugin, &loaded, now)?);
        let wait = self.wait_for(id.provider()).filter(|_| decision.sends() && !ask.insists());
        Ok(wait.map_or(Foreseen::Decided(decision), Foreseen::Waits))
    }

    /// What a decision about `loaded` rests on.
    pub(super) fn facts(
        &self,
        plugin: &Plugin,
        loaded: &Loaded,
        now: Timestamp,
    ) -> Result<Facts, Failure> {
        let open = loaded.open.as_ref();
        Ok(Facts {
            rotation: open.map_or_else(|| plugin.rotation(), |it| it.rotation),
            unattended: self.logs_in(plugin, loaded)?,
            interrupted: open.map(|it| it.started_at),
            captured: !loaded.captures.is_empty(),
            idle: is_idle(loaded, plugin.provider().active_within, now),
            given: loaded.given,
            now,
        })
    }

    /// Who may ask the provider now.
    pub fn verdict(&self, provider: &str) -> Verdict {
        self.breakers.verdict(provider, self.clock.now())
    }

    /// Until when the provider is not asked, if it is not.
    pub fn wait_for(&self, provider: &str) -> Option<Wait> {
        self.breakers.wait(provider, self.clock.now())
    }

    /// A turn to send what was decided. A person who insists has one, and so has whoever only reads what
    /// was captured.
    pub(super) fn turn(&self, provider: &str, ask: Ask, way: &Decision) -> Result<Pass, Wait> {
        self.breakers.enter(provider, way.sends() && !ask.insists(), self.clock.now())
    }
}

/// When a connection is due whose pause is over; `None` if it is not paused, or still is.
pub(super) fn woken(pause: Option<&Pause>, now: Timestamp) -> Option<Due> {
    let over = pause?.until.is_some_and(|it| it <= now);
    over.then_some(Due { at: now, trigger: Trigger::Expiry })
}

/// Whether no caller has asked for its token within what the manifest says.
fn is_idle(loaded: &Loaded, within: Option<Duration>, now: Timestamp) -> bool {
    let asked = loaded.connection.active_at;
    within.is_some_and(|within| asked.is_none_or(|it| it + within < now))
}
