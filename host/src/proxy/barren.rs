//! Connections whose new token was refused like the old one: the token is not the reason. For a while a refusal
//! does not lead to another refresh there, so that an address that answers 401 to everybody costs one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::id::ConnectionId;

/// How long that is.
const HOLDS_FOR: Duration = Duration::from_mins(1);

/// So many connections are remembered.
const MOST: usize = 4096;

/// When it was so, by connection.
#[derive(Default)]
pub(super) struct Barren(Mutex<HashMap<ConnectionId, Instant>>);

impl Barren {
    /// A new token of `id` did not help.
    pub(super) fn note(&self, id: &ConnectionId, now: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, at| now.duration_since(*at) < HOLDS_FOR);
        }
        if all.len() < MOST {
            all.insert(id.clone(), now);
        }
    }

    /// Whether it is of no use to try.
    pub(super) fn holds(&self, id: &ConnectionId, now: Instant) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(id).is_some_and(|at| now.duration_since(*at) < HOLDS_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_for_a_minute_and_for_that_connection() {
        let (barren, id, now) = (Barren::default(), "x/a".parse().unwrap(), Instant::now());
        barren.note(&id, now);
        assert!(barren.holds(&id, now) && !barren.holds(&"x/b".parse().unwrap(), now));
        assert!(!barren.holds(&id, now + HOLDS_FOR));
    }

    #[test]
    fn however_many_there_are_it_stays_small() {
        let (barren, now) = (Barren::default(), Instant::now());
        for number in 0..3 * MOST {
            barren.note(&format!("x/c{number}").parse().unwrap(), now);
        }
        assert_eq!(barren.0.lock().unwrap().len(), MOST);
        barren.note(&"x/new".parse().unwrap(), now + HOLDS_FOR);
        assert_eq!(barren.0.lock().unwrap().len(), 1);
    }
}
