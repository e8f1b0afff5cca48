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

/// The last moment that can be stored: milliseconds do not reach into the calendar's last second.
pub const LAST: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// Milliseconds since 1970, as every time is stored; those that could not be read again are the last.
pub fn millis(time: Timestamp) -> i64 {
    time.min(LAST).as_millisecond()
}

/// `time` and `by` after it, or the last moment there is: people and providers name lengths of time
/// that no calendar holds.
#[must_use]
pub fn after(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(LAST).min(LAST)
}

/// `time` and `by` before it, or the first moment there is.
#[must_use]
pub fn before(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_ends_and_nothing_panics() {
        let (epoch, second) = (Timestamp::UNIX_EPOCH, Duration::from_secs(1));
        assert_eq!(after(epoch, second).as_second(), 1);
        assert_eq!(before(epoch, second).as_second(), -1);
        for long in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(1 << 40)] {
            assert_eq!((after(epoch, long), before(epoch, long)), (LAST, Timestamp::MIN));
        }
        assert_eq!(after(Timestamp::MAX, second), LAST);
        assert_eq!(before(Timestamp::MIN, second), Timestamp::MIN);
    }

    #[test]
    fn what_is_stored_can_be_read_again() {
        for (time, again) in [
            (Timestamp::MIN, Timestamp::MIN),
            (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH),
            (LAST, LAST),
            (Timestamp::MAX, LAST),
        ] {
            assert_eq!(Timestamp::from_millisecond(millis(time)).unwrap(), again);
        }
    }
}
