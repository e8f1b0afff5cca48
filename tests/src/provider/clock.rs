//! The time that tokens expire by. Tests move it and never sleep.

use jiff::{SignedDuration, Timestamp};

/// Real time and an offset.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset: SignedDuration,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        // The sum can only overflow when a test asks for the year 9999; it gets the end of time then.
        Timestamp::now().checked_add(self.offset).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock, backwards when negative.
    pub(crate) fn advance(&mut self, seconds: i64) {
        self.offset = self.offset.saturating_add(SignedDuration::from_secs(seconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_by_what_it_is_told() {
        let mut clock = Clock::default();
        let before = clock.now();
        clock.advance(86_400);
        assert!(clock.now().duration_since(before).as_secs() >= 86_400);
    }
}
