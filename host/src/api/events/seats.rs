//! How many may read events at once: all of them together, and each caller, so that one that opens stream
//! after stream leaves room for others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::audit::Actor;
use crate::telemetry::metrics;

/// Streams at once; a quarter of the connections that are taken.
const MOST: usize = 256;

/// Streams of one key, or of one user of this machine.
const MOST_OF_ONE: usize = 64;

/// Who has how many. A clone is cheap and counts the same.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Seats(Arc<Mutex<HashMap<Actor, usize>>>);

/// A place for one stream, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    actor: Actor,
}

impl Seats {
    /// A place for `actor`, if there is one.
    pub(super) fn take(&self, actor: &Actor) -> Option<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (taken.values().sum::<usize>(), taken.get(actor).copied().unwrap_or(0));
        if all >= MOST || own >= MOST_OF_ONE {
            return None;
        }
        taken.insert(actor.clone(), own + 1);
        metrics::streams(1);
        Some(Seat { seats: self.clone(), actor: actor.clone() })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = taken.get(&self.actor).map_or(0, |it| it.saturating_sub(1));
        match left {
            0 => drop(taken.remove(&self.actor)),
            left => drop(taken.insert(self.actor.clone(), left)),
        }
        metrics::streams(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_cannot_take_the_places_of_others_and_gives_its_own_back() {
        let seats = Seats::default();
        let of = |user| {
            let mut taken = Vec::new();
            while let Some(seat) = seats.take(&Actor::User(user)) {
                taken.push(seat);
            }
            taken
        };
        let mut all = (0..4).map(of).collect::<Vec<_>>();
        assert!(all.iter().all(|it| it.len() == MOST_OF_ONE));
        assert!(of(5).is_empty(), "all places are taken");
        drop(all.pop());
        assert_eq!(of(5).len(), MOST_OF_ONE);
        drop(all);
        assert!(seats.0.lock().unwrap().is_empty());
    }
}
