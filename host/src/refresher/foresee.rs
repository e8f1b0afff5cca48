//! What an ask comes to, found out in one way for whoever acts on it and whoever only wants to know.

use jiff::Timestamp;

use crate::model::connection::Connection;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::refresher::Refresher;
use crate::refresher::ask::Ask;
use crate::refresher::breaker::{Pass, Verdict, Wait};
use crate::refresher::decide::{Decision, decide};
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
        self.end_pause(&mut loaded, now);
        let plugin = self.catalogue.plugin(id.provider())?;
        let decision = decide(&loaded.connection, ask, &self.facts(&plugin, &loaded, now)?);
        let wait = self.wait_for(id.provider()).filter(|_| decision.sends() && !ask.insists());
        Ok(wait.map_or(Foreseen::Decided(decision), Foreseen::Waits))
    }

    /// Ends a pause whose time is over, in `loaded` alone; whether there was one.
    pub(super) fn end_pause(&self, loaded: &mut Loaded, now: Timestamp) -> bool {
        let until = loaded.connection.pause.as_ref().and_then(|it| it.until);
        if until.is_none_or(|it| it > now) {
            return false;
        }
        let connection = Connection { pause: None, due: None, ..loaded.connection.clone() };
        let due = self.due_as(loaded, &connection);
        loaded.connection = Connection { due, ..connection };
        true
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
