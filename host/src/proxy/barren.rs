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

/// Which they are. Two of them are remembered of a connection at most.
#[derive(Default)]
pub(super) struct Barren {
    /// When a new token did not help.
    refused: Mutex<HashMap<ConnectionId, Instant>>,
    /// The generation of a new token with which nothing was sent: the body had gone with the old one.
    untried: Mutex<HashMap<ConnectionId, u64>>,
}

impl Barren {
    /// A new token of `id` did not help.
    pub(super) fn note(&self, id: &ConnectionId, now: Instant) {
        let mut all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, at| now.duration_since(*at) < HOLDS_FOR);
        }
        if all.len() < MOST {
            all.insert(id.clone(), now);
        }
    }

    /// Whether it is of no use to try.
    pub(super) fn holds(&self, id: &ConnectionId, now: Instant) -> bool {
        let all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(id).is_some_and(|at| now.duration_since(*at) < HOLDS_FOR)
    }

    /// `id` has a new token of this generation, which the next request tries.
    pub(super) fn leave_untried(&self, id: &ConnectionId, generation: u64) {
        let mut all = self.untried.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(id.clone(), generation);
    }

    /// Whether that request has just been refused: the token of this generation was new, and did not help.
    pub(super) fn was_untried(&self, id: &ConnectionId, generation: u64) -> bool {
        let mut all = self.untried.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(id) == Some(generation)
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
    fn a_new_token_that_waited_for_a_request_is_tried_once() {
        let (barren, id) = (Barren::default(), "x/a".parse().unwrap());
        assert!(!barren.was_untried(&id, 2));
        barren.leave_untried(&id, 2);
        assert!(!barren.was_untried(&"x/b".parse().unwrap(), 2));
        assert!(barren.was_untried(&id, 2) && !barren.was_untried(&id, 2));
        barren.leave_untried(&id, 2);
        assert!(!barren.was_untried(&id, 3), "another one has come meanwhile");
    }

    #[test]
    fn however_many_there_are_it_stays_small() {
        let (barren, now) = (Barren::default(), Instant::now());
        for number in 0..3 * MOST {
            barren.note(&format!("x/c{number}").parse().unwrap(), now);
        }
        assert_eq!(barren.refused.lock().unwrap().len(), MOST);
        barren.note(&"x/new".parse().unwrap(), now + HOLDS_FOR);
        assert_eq!(barren.refused.lock().unwrap().len(), 1);
    }
}
