//! When a call times out. The time for making an answer durable does not count, so that a slow disk
//! ends no call whose answer has arrived.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a paused deadline is checked for having resumed.
const LOOK: Duration = Duration::from_millis(50);

/// The end of one call. A clone means the same one.
#[derive(Clone)]
pub(in crate::sandbox) struct Deadline {
    limit: Duration,
    times: Arc<Mutex<Times>>,
}

struct Times {
    end: Instant,
    /// Since when it is paused.
    stopped: Option<Instant>,
}

impl Deadline {
    /// A call that ends `limit` from now.
    pub(in crate::sandbox) fn after(limit: Duration) -> Self {
        let times = Times { end: Instant::now() + limit, stopped: None };
        Self { limit, times: Arc::new(Mutex::new(times)) }
    }

    /// How long the call may take.
    pub(in crate::sandbox) fn limit(&self) -> Duration {
        self.limit
    }

    /// What is left, none of it when it is over.
    pub(in crate::sandbox) fn left(&self) -> Duration {
        let times = self.times();
        times.end.saturating_duration_since(times.stopped.unwrap_or_else(Instant::now))
    }

    /// Waits for `work`, which does not count.
    pub(in crate::sandbox) async fn stands_still<T>(&self, work: impl Future<Output = T>) -> T {
        self.times().stopped = Some(Instant::now());
        let _going_on = GoesOn(self);
        work.await
    }

    /// Returns when the call is over.
    pub(in crate::sandbox) async fn passed(&self) {
        loop {
            let (left, stopped) = (self.left(), self.times().stopped.is_some());
            if left.is_zero() && !stopped {
                return;
            }
            tokio::time::sleep(if stopped { LOOK } else { left }).await;
        }
    }

    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the time go on, also when the wait was given up.
struct GoesOn<'a>(&'a Deadline);

impl Drop for GoesOn<'_> {
    fn drop(&mut self) {
        let mut times = self.0.times();
        if let Some(since) = times.stopped.take() {
            times.end += since.elapsed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_does_not_count_ends_no_call() {
        let deadline = Deadline::after(Duration::from_millis(20));
        let slow = deadline.stands_still(tokio::time::sleep(Duration::from_millis(100)));
        tokio::select! {
            biased;
            () = deadline.passed() => panic!("it was over while it stood still"),
            () = slow => {}
        }
        assert!(!deadline.left().is_zero());
        deadline.passed().await;
        assert!(deadline.left().is_zero());
    }
}
