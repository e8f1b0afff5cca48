//! One sink at work: looks at everything once, and from then on at what has changed, and tries again what could not be
//! delivered. How far it has got is noted with what came of it, so that a restart forgets nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::delivery::sinks::Kit;
use crate::delivery::sinks::delivering::Deliverer;
use crate::delivery::sinks::health::PROBES;
use crate::delivery::sinks::kit::Lane;
use crate::delivery::sinks::round::Round;
use crate::lifecycle::Lifecycle;
use crate::manifest::sink::{How, Of, Sink};
use crate::model::clock;
use crate::storage::{LogFilter, Selected, SinkState, StorageError, Sweep, Swept, ToLookAt};

/// Connections in one go: what came of them is noted then.
pub(super) const AT_ONCE: u32 = 32;

/// How often it looks when nothing wakes it.
const LOOKS_EVERY: Duration = Duration::from_mins(1);

/// A refresh changes its connection several times; one look serves all of them.
const QUIET: Duration = Duration::from_millis(100);

/// A sink at work.
pub(crate) struct Worker {
    deliverer: Deliverer,
    lane: Arc<Lane>,
    lifecycle: Lifecycle,
    changes: watch::Receiver<u64>,
}

impl Worker {
    /// Goes on where it left off.
    pub(crate) fn new(kit: &Kit, sink: &Arc<Sink>, lifecycle: &Lifecycle) -> Self {
        Self {
            deliverer: Deliverer::new(kit, sink),
            lane: kit.lane(&sink.outlet()),
            lifecycle: lifecycle.clone(),
            changes: kit.storage.changes(),
        }
    }

    /// Works until it is stopped.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let lifecycle = self.lifecycle.clone();
        loop {
            let soft = stop.child_token();
            let ended = async {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = lifecycle.wait_for_soft_stop() => {}
                }
                soft.cancel();
                // A file is written to its end; whoever else is asked need not be waited for.
                if matches!(self.deliverer.sink().how, How::File(_)) {
                    std::future::pending::<()>().await;
                }
            };
            let turn = tokio::select! {
                turn = self.turn(&soft) => turn,
                () = ended => return,
            };
            if soft.is_cancelled() || stop.is_cancelled() || lifecycle.stopping() {
                return;
            }
            let next = self.next(turn);
            tokio::select! {
                () = self.woken(next) => {}
                () = stop.cancelled() => return,
                () = lifecycle.wait_for_soft_stop() => return,
            }
        }
    }

    fn next(&self, turn: Result<Option<Timestamp>, StorageError>) -> Timestamp {
        if let Err(error) = &turn {
            let (code, name) = (error.code(), &self.deliverer.sink().name);
            warn!(error.code = code.text(), "the sink {name} cannot work: {error}");
        }
        let usual = clock::after(self.deliverer.kit.clock.now(), LOOKS_EVERY);
        turn.ok().flatten().map_or(usual, |it| it.min(usual))
    }

    async fn woken(&mut self, next: Timestamp) {
        tokio::select! {
            _ = self.changes.changed() => tokio::time::sleep(QUIET).await,
            () = self.lane.worked.notified() => {}
            () = self.deliverer.kit.clock.sleep_until(next) => {}
        }
    }

    /// Does what there is to do; when to look again at the latest, if that is known.
    async fn turn(&self, stop: &CancellationToken) -> Result<Option<Timestamp>, StorageError> {
        loop {
            let now = self.deliverer.kit.clock.now();
            // One round at a time, so that whoever asks gets a turn between two.
            let mut health = self.lane.health.lock().await;
            let state = self.deliverer.kit.storage.sink_state(&self.deliverer.outlet, now).await?;
            let Some(state) = state else { return Ok(None) };
            let mut round = Round::new(&self.deliverer, &mut health);
            // Where the other side wants nothing, nothing is lost: what is current then is delivered once it is on.
            let is_done = state.disabled || {
                let retried = self.retry(&state, &mut round, now, stop).await?;
                let fed = self.feed(&state, &mut round, stop).await?;
                fed && retried
            };
            round.note().await?;
            let state = self.deliverer.kit.storage.sink_state(&self.deliverer.outlet, now).await?;
            if is_done || stop.is_cancelled() {
                let next = state.filter(|it| !it.disabled).and_then(|it| it.next);
                return Ok(next.map(|it| health.down_until().map_or(it, |until| it.max(until))));
            }
        }
    }

    /// Tries again what waits; whether there is no more of it for now.
    async fn retry(
        &self,
        state: &SinkState,
        round: &mut Round<'_>,
        now: Timestamp,
        stop: &CancellationToken,
    ) -> Result<bool, StorageError> {
        let mut due = state.due.as_slice();
        if let Some(until) = round.health.down_until() {
            if now < until {
                return Ok(true);
            }
            due = &due[..due.len().min(PROBES)];
            round.probes = true;
        }
        round.go(due, stop).await?;
        round.probes = false;
        Ok(due.is_empty())
    }

    /// Goes on with what is there, or with what has changed; whether it is at the end of it.
    async fn feed(
        &self,
        state: &SinkState,
        round: &mut Round<'_>,
        stop: &CancellationToken,
    ) -> Result<bool, StorageError> {
        let storage = &self.deliverer.kit.storage;
        if let Some(ended) = state.ended {
            let ends = storage.ends(&self.of_attempts(), Some(ended)).await?;
            ends.unreadable.iter().for_each(|it| storage.report(it));
            let keys = ends.attempts.iter().map(|it| it.id.to_string()).collect::<Vec<_>>();
            if round.go(&keys, stop).await? {
                round.done.ended = Some(ends.next).filter(|it| *it != ended);
            }
            return Ok(!ends.more);
        }
        if let Some(after) = &state.swept {
            let of = selected(&self.deliverer.sink().of);
            let sweep = Sweep { sink: &self.deliverer.outlet, of: &of, after };
            let keys = storage.to_sweep(sweep, AT_ONCE).await?;
            if round.go(&keys, stop).await? {
                round.done.swept = Some(keys.last().cloned().map_or(Swept::End, Swept::To));
            }
            return Ok(false);
        }
        let ToLookAt { connections, seen } = storage.changed_behind(state.seen, AT_ONCE).await?;
        let mine = connections.into_iter().filter(|it| self.is_mine(it)).collect::<Vec<_>>();
        if round.go(&mine, stop).await? {
            round.done.seen = seen;
        }
        Ok(seen.is_none())
    }

    /// Labels are known by the rows alone.
    fn is_mine(&self, key: &str) -> bool {
        match &self.deliverer.sink().of {
            Of::Connection(id) => id.full() == key,
            Of::Provider(name) => key.split('/').next() == Some(name),
            Of::Label(_) => true,
        }
    }

    fn of_attempts(&self) -> LogFilter {
        let (provider, connection) = match &self.deliverer.sink().of {
            Of::Connection(id) => (None, Some(id.clone())),
            Of::Provider(name) => (Some(name.clone()), None),
            Of::Label(_) => (None, None),
        };
        LogFilter { provider, connection, limit: AT_ONCE, ..LogFilter::default() }
    }
}

/// As the database is asked for it.
pub(super) fn selected(of: &Of) -> Selected {
    match of {
        Of::Connection(id) => Selected::One(id.clone()),
        Of::Provider(name) => Selected::Provider(name.clone()),
        Of::Label(label) => Selected::Label(label.clone()),
    }
}
