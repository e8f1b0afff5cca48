//! One attempt for each connection: who wants the same while it flies joins it, and dropping a caller never
//! ends it. Knows nothing of what an attempt does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

use crate::lifecycle::Lifecycle;
use crate::model::attempt::Attempt;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::telemetry::metrics;

/// What an attempt came to; an error is one that could not even be recorded.
pub type AttemptResult = Result<Attempt, Failure>;

type Flight = Shared<BoxFuture<'static, AttemptResult>>;

/// Attempts under way in this process. A clone means the same ones.
#[derive(Clone)]
pub(super) struct Flights {
    lifecycle: Lifecycle,
    all: Arc<Mutex<HashMap<ConnectionId, Flight>>>,
}

/// What a wish to begin comes to.
enum Takeoff<W> {
    /// The work is under way.
    Own(Flight),
    /// Another is, and the work has not begun.
    Other(Flight, W),
}

impl Flights {
    pub(super) fn new(lifecycle: &Lifecycle) -> Self {
        Self { lifecycle: lifecycle.clone(), all: Arc::default() }
    }

    /// What comes of the attempt that runs for `id`, or of `work` if none does; and whether it was
    /// another's.
    pub(super) async fn join_or_run<W, F>(
        &self,
        id: &ConnectionId,
        work: W,
    ) -> (AttemptResult, bool)
    where
        W: FnOnce() -> F + Send + 'static,
        F: Future<Output = AttemptResult> + Send,
    {
        let (flight, joined) = match self.begin(id, work) {
            Takeoff::Own(flight) => (flight, false),
            Takeoff::Other(flight, _) => (flight, true),
        };
        (flight.await, joined)
    }

    /// What comes of `work`, once no other attempt runs for `id`.
    pub(super) async fn run_next<W, F>(&self, id: &ConnectionId, mut work: W) -> AttemptResult
    where
        W: FnOnce() -> F + Send + 'static,
        F: Future<Output = AttemptResult> + Send,
    {
        loop {
            let other = match self.begin(id, work) {
                Takeoff::Own(flight) => return flight.await,
                Takeoff::Other(flight, kept) => {
                    work = kept;
                    flight
                }
            };
            drop(other.await);
        }
    }

    /// Whether an attempt runs for `id`.
    pub(super) fn is_under_way(&self, id: &ConnectionId) -> bool {
        self.lock().contains_key(id)
    }

    fn begin<W, F>(&self, id: &ConnectionId, work: W) -> Takeoff<W>
    where
        W: FnOnce() -> F + Send + 'static,
        F: Future<Output = AttemptResult> + Send,
    {
        let mut all = self.lock();
        if let Some(other) = all.get(id) {
            return Takeoff::Other(other.clone(), work);
        }
        let flight = self.take_off(id.clone(), work);
        all.insert(id.clone(), flight.clone());
        Takeoff::Own(flight)
    }

    /// Does `work` in a task of its own: when the caller goes away, it goes on.
    fn take_off<W, F>(&self, id: ConnectionId, work: W) -> Flight
    where
        W: FnOnce() -> F + Send + 'static,
        F: Future<Output = AttemptResult> + Send,
    {
        let (this, own) = (self.clone(), id.clone());
        let task = self.lifecycle.spawn("refresh", async move {
            let result = work().await;
            count(&own, &result);
            this.lock().remove(&own);
            result
        });
        let this = self.clone();
        let ended = async move {
            task.await.unwrap_or_else(|| {
                this.lock().remove(&id);
                Err(panicked(&id))
            })
        };
        ended.boxed().shared()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Flight>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each attempt is counted once, however many have joined it.
fn count(id: &ConnectionId, result: &AttemptResult) {
    let Ok(attempt) = result else { return };
    let Some(outcome) = attempt.outcome() else { return };
    let took = Duration::from_millis(attempt.duration_ms.unwrap_or_default());
    metrics::refreshed(id.provider(), outcome, took);
    if attempt.error().is_some_and(|it| it.case == Case::PluginFault) {
        metrics::plugin_failed(id.provider());
    }
}

fn panicked(id: &ConnectionId) -> Failure {
    let message =
        format!("refreshing {id} failed inside keepfresh; see the log, and please report it");
    Failure::new(Case::HostFault, code::Internal::Panic, message)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn id() -> ConnectionId {
        "x".parse().unwrap()
    }

    /// An end that is told from others by its words.
    fn end(words: &str) -> AttemptResult {
        Err(Failure::new(Case::Unavailable, code::Token::None, words))
    }

    /// Flights with one under way, which ends so once it is told to.
    fn one_under_way(words: &'static str) -> (Flights, oneshot::Sender<()>) {
        let flights = Flights::new(&Lifecycle::new());
        let (land, landed) = oneshot::channel();
        let begun = flights.begin(&id(), move || async move {
            let _ = landed.await;
            end(words)
        });
        assert!(matches!(begun, Takeoff::Own(_)));
        (flights, land)
    }

    #[tokio::test]
    async fn who_comes_meanwhile_joins_and_who_comes_later_begins_anew() {
        let (flights, land) = one_under_way("first");
        assert!(flights.is_under_way(&id()));
        let (x, y) = (id(), "y".parse().unwrap());
        let joins = flights.join_or_run(&x, || async { end("second") });
        let lands = async { land.send(()) };
        assert_eq!(tokio::join!(joins, lands).0, (end("first"), true));
        assert!(!flights.is_under_way(&x));
        assert_eq!(flights.join_or_run(&x, || async { end("third") }).await, (end("third"), false));
        assert_eq!(flights.join_or_run(&y, || async { end("other") }).await, (end("other"), false));
    }

    #[tokio::test]
    async fn what_must_run_itself_runs_after_the_others() {
        let (flights, land) = one_under_way("first");
        let x = id();
        let runs = flights.run_next(&x, || async { end("second") });
        let lands = async { land.send(()) };
        assert_eq!(tokio::join!(runs, lands).0, end("second"));
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_and_is_not_in_the_way_of_the_next() {
        let (flights, x) = (Flights::new(&Lifecycle::new()), id());
        let fails = || async { panic!("as a test") };
        let (failed, _) = flights.join_or_run(&x, fails).await;
        assert_eq!(failed, Err(panicked(&x)));
        assert_eq!(flights.join_or_run(&x, || async { end("next") }).await, (end("next"), false));
    }
}
