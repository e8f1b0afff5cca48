//! Whether a sink as a whole can deliver. When several in a row fail for a reason that would hold for the next one,
//! the others wait without being tried, and a few are tried now and then; with the first that works, all are. Pure.

use jiff::Timestamp;

use crate::delivery::retrying::wait_of_current;
use crate::model::clock;
use crate::model::code::Code;
use crate::storage::Came;

/// So many in a row are no accident of one connection.
const IN_A_ROW: u32 = 3;

/// How many are tried to see whether it works again.
pub(super) const PROBES: usize = 3;

/// How a sink is doing.
#[derive(Debug, Default)]
pub(super) struct Health {
    in_a_row: u32,
    /// How often it was tried in vain since it is down.
    downs: u32,
    /// Until when nothing is tried.
    until: Option<Timestamp>,
    cause: Option<(Code, String)>,
    /// Whether anything has worked in this process.
    has_worked: bool,
}

impl Health {
    /// Until when nothing is tried, if it is down.
    pub(super) fn down_until(&self) -> Option<Timestamp> {
        self.until
    }

    /// What becomes of one that is not tried, while it is down.
    pub(super) fn put_off(&self) -> Option<Came> {
        let (next, (code, message)) = (self.until?, self.cause.clone()?);
        Some(Came::Failed { next, code, message, of_all: true, tried: false })
    }

    /// Learns how one ended, and says whether those that wait for the sink are to be tried now.
    pub(super) fn learns(&mut self, came: &Came, now: Timestamp) -> bool {
        match came {
            Came::Delivered(_) => {
                let was_down = self.until.is_some() || !self.has_worked;
                *self = Self { has_worked: true, ..Self::default() };
                was_down
            }
            Came::Failed { code, message, of_all: true, tried: true, .. } => {
                self.fails((code.clone(), message.clone()), now);
                false
            }
            _ => false,
        }
    }

    fn fails(&mut self, cause: (Code, String), now: Timestamp) {
        self.in_a_row += 1;
        self.cause = Some(cause);
        if self.in_a_row >= IN_A_ROW && self.until.is_none_or(|it| it <= now) {
            self.downs += 1;
            self.until = Some(clock::after(now, wait_of_current(self.downs, None)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::code;
    use crate::model::fixture::at;
    use crate::storage::Delivered;

    fn failed(of_all: bool) -> Came {
        let code = code::Sink::DatabaseUnreachable.into();
        Came::Failed { next: at(9), code, message: "why".to_owned(), of_all, tried: true }
    }

    fn delivered() -> Came {
        Came::Delivered(Delivered { digest: None, place: None })
    }

    #[test]
    fn several_in_a_row_put_the_others_off_and_one_that_works_ends_it() {
        let mut health = Health::default();
        assert!(health.learns(&delivered(), at(0)), "what waits since the last start is tried");
        for _ in 0..2 {
            health.learns(&failed(true), at(0));
        }
        assert_eq!(health.down_until(), None, "two may be an accident");
        health.learns(&failed(true), at(0));
        assert_eq!(health.down_until(), Some(at(5)));
        assert!(matches!(health.put_off(), Some(Came::Failed { tried: false, of_all: true, .. })));
        // A probe that fails makes the wait longer, once for all that are tried together.
        for _ in 0..3 {
            health.learns(&failed(true), at(5));
        }
        assert_eq!(health.down_until(), Some(at(35)));
        assert!(health.learns(&delivered(), at(35)));
        assert_eq!((health.down_until(), health.learns(&delivered(), at(36))), (None, false));
    }

    #[test]
    fn what_is_of_one_connection_says_nothing_of_the_others() {
        let mut health = Health::default();
        for second in 0..99 {
            health.learns(&failed(false), at(second));
        }
        assert_eq!(health.down_until(), None);
    }
}
