//! Who gets the next place among those that ask one provider at once: callers before what nobody waits for, and
//! of both the one first whose token has ended. The last place is kept for a caller whose token has ended: where
//! all others hang, that one still comes through. Knows no provider and no time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::model::id::ConnectionId;
use crate::refresher::pace::usual_places;

/// How much a place is wanted; the first of these comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Somebody waits, and has nothing that works.
    Stranded,
    /// Somebody waits.
    Caller,
    /// Nobody waits, and what is there has ended.
    Ended,
    /// Nobody waits.
    Usual,
}

/// The places of one provider. A clone means the same ones.
#[derive(Clone)]
pub(super) struct Slots {
    all: u32,
    line: Arc<Mutex<Line>>,
}

/// One place; it is free again when this is dropped.
pub(super) struct Slot(Slots);

#[derive(Default)]
struct Line {
    busy: u32,
    came: u64,
    waiting: BTreeMap<(Rank, u64), Waiting>,
}

struct Waiting {
    id: ConnectionId,
    place: oneshot::Sender<Slot>,
}

impl Slots {
    pub(super) fn new(all: u32) -> Self {
        Self { all, line: Arc::default() }
    }

    /// Waits for a place. Whoever stops waiting loses nothing but its turn.
    pub(super) async fn enter(&self, id: &ConnectionId, rank: Rank) -> Option<Slot> {
        let (place, given) = oneshot::channel();
        self.line().stand(rank, Waiting { id: id.clone(), place });
        self.let_in();
        given.await.ok()
    }

    /// A caller has joined what `id` waits for.
    pub(super) fn hurry(&self, id: &ConnectionId) {
        self.line().hurry(id);
        self.let_in();
    }

    /// Gives away what is free. Not under the lock: a place that nobody takes comes back at once.
    fn let_in(&self) {
        loop {
            let next = self.line().next(self.all);
            let Some(place) = next else { return };
            drop(place.send(Slot(self.clone())));
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.line().busy -= 1;
        self.0.let_in();
    }
}

impl Line {
    fn stand(&mut self, rank: Rank, waiting: Waiting) {
        self.came += 1;
        self.waiting.insert((rank, self.came), waiting);
    }

    fn hurry(&mut self, id: &ConnectionId) {
        let is_it = |(_, it): &(&(Rank, u64), &Waiting)| it.id == *id;
        let Some(&(rank, came)) = self.waiting.iter().find(is_it).map(|(place, _)| place) else {
            return;
        };
        let better = if rank == Rank::Ended { Rank::Stranded } else { rank.min(Rank::Caller) };
        if let Some(waiting) = self.waiting.remove(&(rank, came)) {
            self.waiting.insert((better, came), waiting);
        }
    }

    /// The first in the line, if there is a place for it; the place is taken then.
    fn next(&mut self, all: u32) -> Option<oneshot::Sender<Slot>> {
        // Who has gone away is passed over when it would be its turn: a look at each of thousands costs more.
        let first = loop {
            let first = self.waiting.first_entry()?;
            if !first.get().place.is_closed() {
                break first;
            }
            first.remove();
        };
        let (rank, _) = *first.key();
        let places = if rank == Rank::Stranded { all } else { usual_places(all) };
        if self.busy >= places {
            return None;
        }
        self.busy += 1;
        Some(first.remove().place)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn id(name: &str) -> ConnectionId {
        format!("x/{name}").parse().unwrap()
    }

    /// Lets these stand in line behind one that has the only place, and says in which order they come.
    fn order(line: &[(&str, Rank)], hurried: &[&str]) -> Vec<String> {
        let slots = Slots::new(1);
        let mut held = slots.enter(&id("first"), Rank::Usual).now_or_never().unwrap();
        let mut waiting: Vec<_> = line
            .iter()
            .map(|(name, rank)| {
                let (slots, own, rank) = (slots.clone(), id(name), *rank);
                (*name, Box::pin(async move { slots.enter(&own, rank).await }))
            })
            .collect();
        for (_, it) in &mut waiting {
            assert!(it.as_mut().now_or_never().is_none());
        }
        for name in hurried {
            slots.hurry(&id(name));
        }
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(held.take());
            let found = waiting
                .iter_mut()
                .enumerate()
                .find_map(|(at, (_, it))| it.as_mut().now_or_never().map(|slot| (at, slot)));
            let (at, slot) = found.unwrap();
            held = slot;
            order.push(waiting.remove(at).0.to_owned());
        }
        order
    }

    #[test]
    fn callers_come_before_what_nobody_waits_for() {
        let line = [
            ("tick", Rank::Usual),
            ("dead", Rank::Ended),
            ("caller", Rank::Caller),
            ("stranded", Rank::Stranded),
            ("second", Rank::Caller),
        ];
        assert_eq!(order(&line, &[]), ["stranded", "caller", "second", "dead", "tick"]);
    }

    #[test]
    fn a_caller_who_joins_brings_it_forward() {
        let line =
            [("a", Rank::Ended), ("b", Rank::Usual), ("c", Rank::Ended), ("d", Rank::Caller)];
        assert_eq!(order(&line, &["c", "b"]), ["c", "b", "d", "a"]);
    }

    #[test]
    fn the_last_place_is_kept_for_a_caller_whose_token_has_ended() {
        for rank in [Rank::Usual, Rank::Ended, Rank::Caller] {
            let slots = Slots::new(2);
            let _hangs = slots.enter(&id("a"), rank).now_or_never().unwrap();
            assert!(slots.enter(&id("b"), rank).now_or_never().is_none(), "{rank:?}");
            let stranded = slots.enter(&id("c"), Rank::Stranded).now_or_never();
            assert!(stranded.is_some_and(|it| it.is_some()), "{rank:?}");
        }
    }

    #[test]
    fn who_went_away_takes_no_place() {
        let slots = Slots::new(1);
        let held = slots.enter(&id("a"), Rank::Usual).now_or_never().unwrap();
        assert!(slots.enter(&id("b"), Rank::Stranded).now_or_never().is_none());
        drop(held);
        let next = slots.enter(&id("c"), Rank::Usual).now_or_never();
        assert!(next.is_some_and(|it| it.is_some()));
    }
}
