//! The only source of the current time. Everything else takes `now` as an argument or holds a
//! `Clock`, so that tests move time instead of sleeping.
//!
//! A wall clock can be set. So a monotonic clock runs beside it: setting the wall clock back delays
//! nothing, and a jump is detected.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// The wall clock of the system, or one that a test moves by hand. A clone is cheap and shows the
/// same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// With a moment to count from.
    System(Instant),
    Manual(Arc<watch::Sender<Hands>>),
}

/// What both clocks show at once.
#[derive(Clone, Copy, Debug)]
struct Hands {
    wall: Timestamp,
    /// How long the one that cannot be set has run.
    ran: Duration,
}

/// The clocks drift apart by less than this for no reason that matters: a correction over the network
/// moves the wall clock by a little, and often.
const JUMP: SignedDuration = SignedDuration::from_secs(10);

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
        Self(Source::System(Instant::now()))
    }

    /// A clock that stays at `start` until it is advanced.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(watch::Sender::new(Hands {
            wall: start,
            ran: Duration::ZERO,
        }))))
    }

    /// The current time, to the millisecond: what the database can hold.
    pub fn now(&self) -> Timestamp {
        let now = match &self.0 {
            Source::System(_) => system_now(),
            Source::Manual(hands) => hands.borrow().wall,
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Moves a manual clock; the system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(hands) = &self.0 {
            hands.send_modify(|it| {
                it.wall += by;
                it.ran += by;
            });
        }
    }

    /// Sets a manual clock, as an operator or a time server does: no time passes.
    pub fn set(&self, time: Timestamp) {
        if let Source::Manual(hands) = &self.0 {
            hands.send_modify(|it| it.wall = time);
        }
    }

    /// Returns once it is `time` or later, or once as long has passed as it was until then.
    pub async fn sleep_until(&self, time: Timestamp) {
        let begun = self.hands();
        let long = Duration::try_from(time.duration_since(begun.wall)).unwrap_or_default();
        let over = |it: &Hands| it.wall >= time || it.ran >= begun.ran.saturating_add(long);
        match &self.0 {
            Source::System(_) => self.sleep_in_steps(time, begun.ran.saturating_add(long)).await,
            Source::Manual(hands) => {
                // An error means that the sender is gone, and it is held by `self`.
                let _ = hands.subscribe().wait_for(over).await;
            }
        }
    }

    /// How far the wall clock is from the one that cannot be set. It changes when the wall clock is set.
    pub fn offset(&self) -> SignedDuration {
        self.hands().offset()
    }

    /// Returns once the wall clock has been set since its offset was `from`, with the new offset.
    pub async fn jumped(&self, from: SignedDuration) -> SignedDuration {
        let jumped = |it: &Hands| (it.offset() - from).abs() > JUMP;
        loop {
            let hands = self.hands();
            if jumped(&hands) {
                return hands.offset();
            }
            match &self.0 {
                Source::System(_) => tokio::time::sleep(LONGEST_SLEEP).await,
                Source::Manual(hands) => {
                    let _ = hands.subscribe().wait_for(jumped).await;
                }
            }
        }
    }

    fn hands(&self) -> Hands {
        match &self.0 {
            Source::System(start) => Hands { wall: system_now(), ran: start.elapsed() },
            Source::Manual(hands) => *hands.borrow(),
        }
    }

    async fn sleep_in_steps(&self, time: Timestamp, until: Duration) {
        loop {
            let hands = self.hands();
            let left = Duration::try_from(time.duration_since(hands.wall)).unwrap_or_default();
            let left = left.min(until.saturating_sub(hands.ran));
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        }
    }
}

impl Hands {
    fn offset(self) -> SignedDuration {
        let ran = SignedDuration::try_from(self.ran).unwrap_or(SignedDuration::MAX);
        self.wall.duration_since(Timestamp::UNIX_EPOCH).saturating_sub(ran)
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

/// The moment of so many seconds since 1970; none that no calendar has.
#[must_use]
pub fn at(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// Seconds since 1970, for a moment that is not before it.
#[must_use]
pub fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_second()).unwrap_or_default()
}

/// The beginning of the hour that `time` is in.
#[must_use]
pub fn hour(time: Timestamp) -> Timestamp {
    const HOUR: i64 = 3_600_000;
    Timestamp::from_millisecond(millis(time).div_euclid(HOUR) * HOUR).unwrap_or(time)
}

/// `time` and `by` before it, or the first moment there is.
#[must_use]
pub fn before(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
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

    #[tokio::test]
    async fn nobody_oversleeps_when_the_clock_is_set_back() {
        let (hour, year) = (Duration::from_hours(1), Duration::from_hours(24 * 365));
        let clock = Clock::manual(Timestamp::UNIX_EPOCH + year);
        let mut sleeps = Box::pin(clock.sleep_until(clock.now() + hour));
        assert!(futures_util::poll!(&mut sleeps).is_pending());
        clock.set(Timestamp::UNIX_EPOCH);
        assert!(futures_util::poll!(&mut sleeps).is_pending(), "no time has passed");
        clock.advance(hour);
        assert!(futures_util::poll!(&mut sleeps).is_ready());
    }

    #[tokio::test]
    async fn a_clock_that_is_set_has_jumped_and_one_that_runs_has_not() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let from = clock.offset();
        let mut jumped = Box::pin(clock.jumped(from));
        clock.advance(Duration::from_hours(1));
        clock.set(clock.now() + Duration::from_secs(9));
        assert!(futures_util::poll!(&mut jumped).is_pending());
        clock.set(clock.now() - Duration::from_mins(1));
        let std::task::Poll::Ready(to) = futures_util::poll!(&mut jumped) else { panic!() };
        assert_eq!(to - from, SignedDuration::from_secs(9 - 60));
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
