//! Refreshing: what an ask comes to, and one attempt from there to the stored outcome. Whatever ends it, what
//! is stored says what happened. Callers who want the same connection at the same time share one attempt.

/// A look at a connection, and what it comes to.
mod looks;

/// An attempt that sends.
mod sending;

/// The call within it.
mod calls;

/// Attempts that end before anything could be sent.
mod unsent;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub(super) use calls::Calls;
pub(super) use looks::Looks;
pub(super) use sending::Sending;
pub(super) use unsent::Unsent;

use crate::model::attempt::Attempt;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::refresher::ask::Ask;
use crate::refresher::breaker::Wait;
use crate::refresher::claims::Claims;
use crate::refresher::decide::Decision;
use crate::refresher::flights::{AttemptResult, Flights};
use crate::refresher::held::HeldAnswers;
use crate::refresher::running::Running;
use crate::refresher::turns::Turns;
use crate::telemetry::metrics;

/// How often a lost race is looked at again before giving up.
const LOOKS: u32 = 3;

/// Refreshes connections.
pub struct Attempts {
    pub(super) flights: Flights,
    pub(super) held: Arc<HeldAnswers>,
    pub(super) looks: Looks,
    pub(super) claims: Claims,
    pub(super) turns: Turns,
    pub(super) unsent: Unsent,
    pub(super) sending: Sending,
}

/// What an ask would come to.
#[derive(Debug)]
pub enum Foreseen {
    /// This.
    Decided(Decision),
    /// Nothing yet: the provider is not asked for now.
    Waits(Wait),
}

impl Attempts {
    /// Refreshes `id` if `ask` finds that it needs it, joining an attempt that is already running.
    pub async fn refresh(self: &Arc<Self>, id: &ConnectionId, ask: Ask) -> AttemptResult {
        self.turns.hurry(id, ask);
        let run = || {
            let (this, own) = (Arc::clone(self), id.clone());
            self.flights.join_or_run(id, move || async move { this.attempt(&own, ask).await })
        };
        let (result, joined) = run().await;
        if joined && !ask.is_content_with(&result) {
            return run().await.0;
        }
        result
    }

    /// What `ask` would come to for `id` now. Nothing is done, and no turn is spent.
    pub async fn foresee(&self, id: &ConnectionId, ask: Ask) -> Result<Foreseen, Failure> {
        let now = self.looks.now();
        let loaded = self.looks.peek(id, now).await?;
        let plugin = self.looks.plugin(id)?;
        let decision = self.looks.decide(&loaded, &plugin, ask, now)?.decision;
        let wait = match decision {
            Decision::Call(way) => self.turns.wait_of(id.provider(), ask, way),
            _ => None,
        };
        Ok(wait.map_or(Foreseen::Decided(decision), Foreseen::Waits))
    }

    /// Stores answers for `id` that could not be stored when they came.
    pub async fn settle(&self, id: &ConnectionId) -> Result<(), Failure> {
        self.held.settle(id).await
    }

    /// Runs one attempt; the caller sees to it that there is only one for each connection here.
    async fn attempt(&self, id: &ConnectionId, ask: Ask) -> AttemptResult {
        for _ in 0..LOOKS {
            if let Some(attempt) = self.try_attempt(id, ask).await? {
                return Ok(attempt);
            }
        }
        let message = format!("another process is still refreshing {id}; try again in a minute");
        Err(Failure::new(Case::HostFault, code::Refresh::Held, message))
    }

    /// `None` if somebody was faster and the facts have to be read again.
    async fn try_attempt(&self, id: &ConnectionId, ask: Ask) -> Result<Option<Attempt>, Failure> {
        self.held.settle(id).await?;
        let now = self.looks.now();
        let loaded = self.looks.wake_up(id, now).await?;
        self.claims.check(&loaded, now)?;
        let plugin = match self.looks.plugin(id) {
            Ok(plugin) => plugin,
            Err(failure) => return self.unsent.refuse(&loaded, ask, failure).await.map(Some),
        };
        let found = self.looks.decide(&loaded, &plugin, ask, now)?;
        let running = Running::new(loaded, plugin, ask, now);
        let ended = match found.decision {
            Decision::Call(way) => {
                count_lag(&running, now);
                let captured = looks::use_of(found.answers, way, running.loaded.open.is_some());
                return self.sending.send(running, way, captured).await;
            }
            Decision::Skip(reason) => self.unsent.skip(&running, reason).await,
            Decision::WaitUntil(at) => self.unsent.wait(&running, at).await,
            Decision::Rest => self.unsent.rest(&running).await,
            Decision::Unopenable => self.unsent.unopenable(&running).await,
            Decision::NeedsPerson => self.unsent.needs_person(&running).await,
        };
        ended.map(Some)
    }
}

/// How long what was due by itself has waited for this.
fn count_lag(running: &Running, now: Timestamp) {
    let due = running.loaded.connection.due.filter(|_| !running.ask.trigger.is_on_request());
    if let Some(lag) = due.and_then(|it| Duration::try_from(now.duration_since(it.at)).ok()) {
        metrics::begun_after(lag);
    }
}
