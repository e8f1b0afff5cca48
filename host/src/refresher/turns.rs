//! Whose turn it is to ask a provider: what an outage or a limit says, how many at once, how many in a second.
//! Whoever wants something sent comes through here.

use jiff::Timestamp;

use crate::lifecycle::Lifecycle;
use crate::manifest::provider::Provider;
use crate::model::clock::Clock;
use crate::model::connection::Connection;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::refresher::ask::Ask;
use crate::refresher::breaker::{Breakers, Lesson, Pass, Verdict, Wait};
use crate::refresher::decide::Way;
use crate::refresher::slots::{Rank, Slot};
use crate::refresher::throttle::Throttle;
use crate::sandbox::Heard;
use crate::storage::Held;

/// Gives turns to ask. A clone means the same ones.
#[derive(Clone)]
pub struct Turns {
    breakers: Breakers,
    throttle: Throttle,
    clock: Clock,
    lifecycle: Lifecycle,
}

impl Turns {
    pub(super) fn new(clock: &Clock, lifecycle: &Lifecycle) -> Self {
        let (breakers, throttle) = (Breakers::default(), Throttle::default());
        Self { breakers, throttle, clock: clock.clone(), lifecycle: lifecycle.clone() }
    }

    /// Who may ask the provider now. Spends nothing.
    pub fn verdict(&self, provider: &str) -> Verdict {
        self.breakers.verdict(provider, self.now())
    }

    /// Until when the provider is not asked, if it is not.
    pub fn wait_for(&self, provider: &str) -> Option<Wait> {
        self.breakers.wait(provider, self.now())
    }

    /// Those of `providers` that are not asked now, and until when.
    pub fn held<'a>(&self, providers: impl Iterator<Item = &'a String>) -> Vec<Held> {
        let now = self.now();
        let until = |name: &String| match self.verdict(name) {
            Verdict::All => None,
            Verdict::One => Some(now),
            Verdict::Asked(wait) | Verdict::Wait(wait) => Some(wait.until.max(now)),
        };
        providers.filter_map(|it| Some((it.clone(), until(it)?))).collect()
    }

    /// Until when `ask` waits to be sent that way, if it does.
    pub(super) fn wait_of(&self, provider: &str, ask: Ask, way: Way) -> Option<Wait> {
        self.wait_for(provider).filter(|_| waits(ask, way))
    }

    /// A place among those who ask at once, when the rate allows it; it is free again once it is dropped.
    /// `None` when keepfresh is told to stop before that.
    pub(super) async fn slot(
        &self,
        provider: &Provider,
        id: &ConnectionId,
        rank: Rank,
    ) -> Option<Slot> {
        self.throttle.enter(provider, id, rank, &self.lifecycle).await
    }

    /// How much `ask` wants a place for `connection`.
    pub(super) fn rank(&self, ask: Ask, connection: &Connection) -> Rank {
        let works = connection.token.as_ref().is_some_and(|it| it.is_valid(self.now()));
        match (ask.is_awaited(), works) {
            (true, false) => Rank::Stranded,
            (true, true) => Rank::Caller,
            (false, false) => Rank::Ended,
            (false, true) => Rank::Usual,
        }
    }

    /// `ask` joins what may be waiting for a place already.
    pub(super) fn hurry(&self, id: &ConnectionId, ask: Ask) {
        if ask.is_awaited() {
            self.throttle.hurry(id);
        }
    }

    /// A turn to send that way.
    pub(super) fn enter(&self, provider: &str, ask: Ask, way: Way) -> Result<Pass, Wait> {
        self.breakers.enter(provider, waits(ask, way), self.now())
    }

    /// Learns of what came to a request for another address of the provider, which has no turn: its limit
    /// is one for all, its outage may be its own.
    pub(super) fn learn_limit<T>(&self, provider: &str, ended: &Result<T, Failure>, heard: &Heard) {
        let lesson = Lesson::of(ended, heard);
        if matches!(lesson, Lesson::Slow(_)) {
            self.breakers.learn(provider, lesson, self.now());
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Whether it waits like everybody else. A person who insists does not, and neither does whoever only reads
/// what was captured.
fn waits(ask: Ask, way: Way) -> bool {
    way.sends() && !ask.insists()
}
