//! Starting, tracking and stopping work: the only code besides `main` that spawns tasks, so that a
//! stop waits for all of them and a panic in one ends one. Knows nothing of what the tasks do.
//!
//! A stop is soft first: work that runs is finished, none is begun. A second request is hard: the
//! drain gives up. Dropping a `Task` never cancels it, so a write that was begun is finished even
//! when the one who asked for it has gone; whatever must not be cut in half runs in a task.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::lifecycle::signals::{Signal, Signals};
use crate::model::code;
use crate::telemetry::cause;

/// Limits that are set at start: no core dumps, no memory for other processes, quiet panics.
pub mod hardening;

/// How many files may be open.
pub mod limits;

/// How much room is left.
pub mod disk;

/// One process at a time on one database.
pub mod lock;

/// What process 1 of a container does besides.
pub mod init;

/// Whose files are.
pub mod owner;

/// SIGTERM, SIGINT and SIGHUP.
pub mod signals;

/// What systemd is told.
pub mod systemd;

/// A name for this run of the program that no other one has, on whatever machine: a process id comes
/// again after a restart, and is the same in every container.
pub fn instance() -> String {
    format!("{} (pid {})", uuid::Uuid::now_v7(), std::process::id())
}

/// Spawns tasks and tells them to stop. A clone is cheap and shares the tasks.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    tasks: TaskTracker,
    soft: CancellationToken,
    hard: CancellationToken,
}

/// A task that runs on, whether or not somebody waits for it. Awaiting it gives its value, or
/// `None` when it panicked.
#[derive(Debug)]
pub struct Task<T>(JoinHandle<Option<T>>);

impl Lifecycle {
    /// Nothing runs yet.
    pub fn new() -> Self {
        let hard = CancellationToken::new();
        // A child, so that a hard stop is always a soft one too.
        Self { tasks: TaskTracker::new(), soft: hard.child_token(), hard }
    }

    /// Runs a future to its end, in a span of this name. A panic in it is logged and ends it alone.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let guarded = async move {
            // What the future held is dropped with it; what it shared is behind locks and channels.
            let result = AssertUnwindSafe(future).catch_unwind().await;
            // The payload may hold a secret, and is dropped unseen.
            result.map_err(|_| report_panic(name)).ok()
        };
        // Entered at every poll, so it costs nothing unless somebody looks that closely.
        let span = tracing::debug_span!("task", task.name = name);
        Task(self.tasks.spawn(cause::carried(guarded.instrument(span))))
    }

    /// Cancelled when even running work shall not be waited for.
    pub fn hard_stop(&self) -> CancellationToken {
        self.hard.clone()
    }

    /// Cancelled when a stop is asked for; to cancel it stops nobody else.
    pub fn soft_stop(&self) -> CancellationToken {
        self.soft.child_token()
    }

    /// Whether a stop was asked for.
    pub fn stopping(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Returns when a stop is asked for.
    pub async fn wait_for_soft_stop(&self) {
        self.soft.cancelled().await;
    }

    /// Asks for a stop: the first time softly, from the second time on hard.
    pub fn stop(&self) {
        if self.stopping() {
            self.hard.cancel();
        }
        self.soft.cancel();
    }

    /// Follows the signals for as long as it is awaited: SIGTERM and SIGINT stop, SIGHUP reloads.
    /// It never ends, so `main` awaits it beside the drain; a tracked task would hold the drain up.
    pub async fn follow(&self, mut signals: Signals, mut reload: impl FnMut()) {
        loop {
            match signals.next().await {
                Signal::Terminate | Signal::Interrupt => {
                    self.stop();
                    tracing::info!(hard = self.hard.is_cancelled(), "asked to stop");
                }
                Signal::Reload => reload(),
            }
        }
    }

    /// Stops softly and waits until no task is left; `false` when `limit` or a hard stop came
    /// first.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.soft.cancel();
        self.tasks.close();
        let drained = tokio::select! {
            // In this order, so that nothing left to wait for is a success even at the limit.
            biased;
            () = self.tasks.wait() => true,
            () = self.hard.cancelled() => false,
            () = tokio::time::sleep(limit) => false,
        };
        if !drained {
            let left = self.tasks.len();
            tracing::warn!(left, "stopping while {left} tasks still run");
        }
        drained
    }
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Future for Task<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        // A join error is a runtime that shuts down: there is no value either.
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(context)).ok().flatten())
    }
}

fn report_panic(name: &'static str) {
    tracing::error!(
        error.code = code::Internal::Panic.text(),
        task.name = name,
        "the task {name} panicked and was stopped"
    );
}

#[cfg(test)]
mod tests;
