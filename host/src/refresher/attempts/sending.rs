//! An attempt that sends: a turn, the durable intent, the call, and its end. Nothing is sent before the intent
//! is durable, and what was sent has an end that is.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::Instrument as _;

use crate::model::attempt::Attempt;
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::refresher::attempts::calls::{Brought, Calls};
use crate::refresher::attempts::unsent::Unsent;
use crate::refresher::breaker::Lesson;
use crate::refresher::claims::Claims;
use crate::refresher::decide::Way;
use crate::refresher::endings::Endings;
use crate::refresher::flights::AttemptResult;
use crate::refresher::held::HeldAnswers;
use crate::refresher::running::Running;
use crate::refresher::turns::Turns;
use crate::storage::Captured;
use crate::telemetry::spans;

/// Sends what was decided.
pub(in crate::refresher) struct Sending {
    clock: Clock,
    turns: Turns,
    claims: Claims,
    calls: Calls,
    endings: Endings,
    unsent: Unsent,
    held: Arc<HeldAnswers>,
}

impl Sending {
    pub(in crate::refresher) fn new(
        clock: &Clock,
        turns: &Turns,
        claims: &Claims,
        calls: Calls,
        endings: Endings,
        unsent: &Unsent,
        held: &Arc<HeldAnswers>,
    ) -> Self {
        let (clock, turns, claims) = (clock.clone(), turns.clone(), claims.clone());
        let (unsent, held) = (unsent.clone(), Arc::clone(held));
        Self { clock, turns, claims, calls, endings, unsent, held }
    }

    /// Calls the plugin that way; `captured` is what becomes of answers that wait. `None` if somebody was
    /// faster. One trace has all of it.
    pub(super) async fn send(
        &self,
        running: Running,
        way: Way,
        captured: Captured,
    ) -> Result<Option<Attempt>, Failure> {
        let (plugin, id) = (Arc::clone(&running.plugin), running.connection.clone());
        let begun = running.begun("token.refresh", &plugin, id.full());
        // Boxed: what a call holds is large, and moved about otherwise.
        spans::attempt(&begun, Box::pin(self.take_turn(running, way, captured))).await
    }

    async fn take_turn(
        &self,
        mut running: Running,
        way: Way,
        captured: Captured,
    ) -> Result<Option<Attempt>, Failure> {
        let (provider, ask) = (running.connection.provider().to_owned(), running.ask);
        // Who would be turned away at the end of the line need not stand in it.
        if let Some(wait) = self.turns.wait_of(&provider, ask, way) {
            return self.unsent.turn_away(&running, wait).await.map(Some);
        }
        let rank = self.turns.rank(ask, &running.loaded.connection);
        let (plugin, id) = (&running.plugin, &running.connection);
        let line = Instant::now();
        let slot = self.turns.slot(plugin.provider(), id, rank).instrument(spans::wait());
        let Some(_slot) = slot.await else {
            return Err(stopping(&running.connection));
        };
        running.note_turn(line.elapsed());
        let turn = match self.turns.enter(&provider, ask, way) {
            Ok(turn) => turn,
            Err(wait) => return self.unsent.turn_away(&running, wait).await.map(Some),
        };
        if !self.claims.begin(&running, captured).await? {
            return Ok(None);
        }
        if captured == Captured::AreGivenUp {
            running.loaded.captures.clear();
        }
        // Boxed: what a call holds is large, and moved about otherwise.
        let call = Box::pin(self.calls.call(&running, way));
        let called = self.claims.hold(running.id, &running.connection, call).await;
        turn.learn(Lesson::of(&called, &running.heard), self.clock.now());
        self.end(&running, called).await.map(Some)
    }

    async fn end(&self, running: &Running, called: Result<Brought, Failure>) -> AttemptResult {
        let committed = match called {
            Ok(Brought { token, reason }) => self.endings.commit(running, token, reason).await,
            Err(failure) => Err(failure),
        };
        let failure = match committed {
            Ok(attempt) => return Ok(attempt),
            Err(failure) => failure,
        };
        let concluded = self.endings.conclude(running, failure).await;
        if concluded.is_err() {
            self.held.look_again(&running.connection);
        }
        concluded
    }
}

/// It was not its turn before the end: it is as due as it was.
fn stopping(id: &ConnectionId) -> Failure {
    let message = format!("keepfresh was stopped before it refreshed {id}; nothing was sent");
    Failure::new(Case::HostFault, code::Internal::Stopping, message)
}
