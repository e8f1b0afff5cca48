//! The only source of the current time. Everything else takes `now` as an argument or holds a
//! `Clock`, so that tests move time instead of sleeping.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// The wall clock of the system, or one that a test moves by hand. A clone is cheap and shows the
/// same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<watch::Sender<Timestamp>>),
}

/// Sleeping longer than this is done in steps: timers stand still while a machine is suspended, so
/// the wall clock is looked at again at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// The one place that asks the system for the time.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn system_now() -> Timestamp {
    Timestamp::now()
}

impl Clock {
    /// The system's wall clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until it is advanced.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(watch::Sender::new(start))))
    }

    /// The current time, to the millisecond: what the database can hold.
    pub fn now(&self) -> Timestamp {
        let now = match &self.0 {
            Source::System => system_now(),
            Source::Manual(time) => *time.borrow(),
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Moves a manual clock; the system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(time) = &self.0 {
            time.send_modify(|it| *it += by);
        }
    }

    /// Returns once it is `time` or later.
    pub async fn sleep_until(&self, time: Timestamp) {
        match &self.0 {
            Source::System => sleep_in_steps(time).await,
            Source::Manual(now) => {
                // An error means that the sender is gone, and it is held by `self`.
                let _ = now.subscribe().wait_for(|it| *it >= time).await;
            }
        }
    }
}

async fn sleep_in_steps(time: Timestamp) {
    loop {
        let left = Duration::try_from(time.duration_since(system_now())).unwrap_or_default();
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
    }
}
