//! Several in a row: connections, or attempts, each tried or put off, and what came of it noted in one step.

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::delivery::sinks::delivering::Deliverer;
use crate::delivery::sinks::health::Health;
use crate::manifest::sink::{Columns, How};
use crate::storage::{Came, Done, StorageError};
use crate::telemetry::metrics;

/// A round under way.
pub(super) struct Round<'a> {
    pub(super) deliverer: &'a Deliverer,
    pub(super) health: &'a mut Health,
    pub(super) done: Done,
    /// Whether those are delivered again that were.
    pub(super) forced: bool,
    /// Whether it is tried although the sink is down.
    pub(super) probes: bool,
    /// Whether the other side has said that it wants nothing any more.
    is_off: bool,
}

impl<'a> Round<'a> {
    /// An empty one.
    pub(super) fn new(deliverer: &'a Deliverer, health: &'a mut Health) -> Self {
        let at = deliverer.kit.clock.now();
        // A round that the database has refused has not let go of its files.
        deliverer.kit.release(&deliverer.outlet);
        let done = Done { sink: deliverer.outlet.clone(), at, ..Done::default() };
        Self { deliverer, health, done, forced: false, probes: false, is_off: false }
    }

    /// Delivers them, one after the other or a few at a time, until it is stopped; whether it came to the end.
    pub(super) async fn go(
        &mut self,
        keys: &[String],
        stop: &CancellationToken,
    ) -> Result<bool, StorageError> {
        for group in keys.chunks(self.deliverer.end.width()) {
            if stop.is_cancelled() || self.is_off {
                return Ok(false);
            }
            if !self.probes
                && let Some(put_off) = self.health.put_off()
            {
                self.done.came.extend(group.iter().map(|it| (it.clone(), put_off.clone())));
                continue;
            }
            let came = join_all(group.iter().map(|it| self.one(it))).await;
            for (key, came) in group.iter().zip(came) {
                if let Some(came) = came? {
                    self.learn(key, came);
                }
            }
        }
        Ok(!self.is_off)
    }

    async fn one(&self, key: &str) -> Result<Option<Came>, StorageError> {
        if is_of_attempts(self.deliverer) {
            return self.deliverer.attempt(key).await;
        }
        self.deliverer.connection(key, self.forced).await
    }

    fn learn(&mut self, key: &str, came: Came) {
        let was_down = self.health.down_until().is_some();
        let now = self.deliverer.kit.clock.now();
        let recovers = match (&came, is_of_attempts(self.deliverer)) {
            // The row of an attempt is written once, and nothing of it is kept.
            (Came::Gone, true) => {
                let written = crate::storage::Delivered { digest: None, place: None };
                self.health.learns(&Came::Delivered(written), now)
            }
            _ => self.health.learns(&came, now),
        };
        self.done.releases |= recovers;
        self.is_off |= matches!(came, Came::Disabled(..));
        let name = &self.deliverer.sink().name;
        tell(name, key, &came);
        match (was_down, self.health.down_until().is_some()) {
            (false, true) => {
                warn!("the sink {name} cannot deliver; the others wait and are not tried");
            }
            (true, false) => info!("the sink {name} delivers again"),
            _ => {}
        }
        self.done.came.push((key.to_owned(), came));
    }

    /// Notes what came of it.
    pub(super) async fn note(self) -> Result<(), StorageError> {
        let Done { came, seen, ended, swept, .. } = &self.done;
        if came.is_empty() && seen.is_none() && ended.is_none() && swept.is_none() {
            return Ok(());
        }
        let noted = self.deliverer.kit.storage.note_done(self.done).await;
        self.deliverer.kit.release(&self.deliverer.outlet);
        noted
    }
}

/// Whether the sink adds a row for each attempt.
pub(super) fn is_of_attempts(deliverer: &Deliverer) -> bool {
    matches!(&deliverer.sink().how, How::Sql(it) if matches!(it.columns, Columns::Attempts(_)))
}

fn tell(sink: &str, key: &str, came: &Came) {
    match came {
        Came::Delivered(_) => {
            metrics::sink_written(sink, "delivered");
            debug!("the sink {sink} has delivered {key}");
        }
        Came::Gone => debug!("{key} is nothing to the sink {sink} any more"),
        Came::Same => {}
        Came::Failed { code, message, .. } => {
            metrics::sink_written(sink, "failed");
            warn!(
                error.code = code.text(),
                "the sink {sink} could not deliver {key} and tries again: {message}"
            );
        }
        Came::Disabled(code, message) => {
            metrics::sink_written(sink, "failed");
            warn!(
                error.code = code.text(),
                "the sink {sink} is off until this succeeds: keepfresh sink run {sink}: {message}"
            );
        }
    }
}
