//! Events for many readers at once, each at its own place. What happened last is in memory once for all of
//! them, and is read by whoever is there first; older events are read by whoever wants them, one reader at a
//! time: however many there are, they take one connection to the database. Nothing is held for a reader, so
//! a slow one costs nothing. Does not know who reads.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as Turn;

use crate::model::event::EventKind;
use crate::storage::{OutboxEvent, Storage, StorageError, Stream, Stretch};

/// The name that the events are written under.
pub(super) const NAME: &str = "feed";

/// Events that are read at once, and given to a reader at once.
const PAGE: usize = 128;

/// Events in memory: seconds of a busy daemon, and some hundred kilobytes.
const RECENT: usize = 1_024;

/// All events. A clone is cheap.
#[derive(Clone)]
pub struct Feed(Arc<Parts>);

struct Parts {
    stream: Stream,
    recent: Mutex<Recent>,
    reading: Turn<()>,
}

/// What follows a place.
#[derive(Debug)]
pub enum Part {
    /// Those events, oldest first; they may be none when they cannot be read. The next place is behind them.
    Events(Vec<Arc<OutboxEvent>>, i64),
    /// Nothing yet; something may be there once [`Feed::woken`] says so.
    End(Woken),
    /// Events behind the place were removed. It can be read on from this one.
    Removed(i64),
}

/// When the end was seen.
#[derive(Clone, Copy, Debug)]
pub struct Woken(u64);

/// Whether a place is one to read on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is.
    Here(i64),
    /// Events behind it were removed; it can be read on from this one.
    Removed(i64),
    /// There was never such a place; this is the last one.
    Unknown(i64),
}

impl Feed {
    /// From now on, events of all kinds are written.
    pub(super) async fn start(storage: &Storage) -> Result<Self, StorageError> {
        let stream = storage.stream(NAME, EventKind::ALL).await?;
        let newest = stream.after(i64::MAX, 1).await?.newest;
        let recent = Mutex::new(Recent::from(newest));
        Ok(Self(Arc::new(Parts { stream, recent, reading: Turn::new(()) })))
    }

    /// The place `wanted`, or the end.
    pub async fn place(&self, wanted: Option<i64>) -> Result<Place, StorageError> {
        let Stretch { removed, newest, .. } = {
            let _one = self.0.reading.lock().await;
            self.0.stream.after(i64::MAX, 1).await?
        };
        Ok(match wanted {
            None => Place::Here(newest),
            Some(place) if !(0..=newest).contains(&place) => Place::Unknown(newest),
            Some(place) if place < removed => Place::Removed(removed),
            Some(place) => Place::Here(place),
        })
    }

    /// What follows `place`.
    pub async fn after(&self, place: i64) -> Result<Part, StorageError> {
        if let Some(part) = self.at_hand(place) {
            return Ok(part);
        }
        let _one = self.0.reading.lock().await;
        // Somebody else may have read it meanwhile.
        if let Some(part) = self.at_hand(place) {
            return Ok(part);
        }
        let written = self.0.stream.written();
        let stretch = self.0.stream.after(place, limit()).await?;
        if place < stretch.removed {
            // Nobody has read for so long that what is in memory ends before what was removed.
            self.recent(|it| it.forget(stretch.removed, stretch.newest));
            return Ok(Part::Removed(stretch.removed));
        }
        Ok(self.recent(|it| it.take(place, stretch, written)))
    }

    /// Returns once there may be something behind the end that was seen then.
    pub async fn woken(&self, then: Woken) {
        self.0.stream.clone().woken(then.0).await;
    }

    /// What is known without a look.
    fn at_hand(&self, place: i64) -> Option<Part> {
        let written = self.0.stream.written();
        self.recent(|it| it.behind(place, written))
    }

    fn recent<T>(&self, work: impl FnOnce(&mut Recent) -> T) -> T {
        work(&mut self.0.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn limit() -> u32 {
    u32::try_from(PAGE).unwrap_or(u32::MAX)
}

/// The last events without a gap.
struct Recent {
    /// Everything behind this place that can be read, up to `last`.
    first: i64,
    last: i64,
    /// How often something was written when `last` was known to be the end.
    written: Option<u64>,
    events: VecDeque<Arc<OutboxEvent>>,
}

impl Recent {
    /// Nothing, from this place on.
    fn from(place: i64) -> Self {
        Self { first: place, last: place, written: None, events: VecDeque::new() }
    }

    /// Begins anew at `newest` if events behind its end were `removed`.
    fn forget(&mut self, removed: i64, newest: i64) {
        if self.last < removed {
            *self = Self::from(newest);
        }
    }

    fn behind(&self, place: i64, written: u64) -> Option<Part> {
        if !(self.first..=self.last).contains(&place) {
            return None;
        }
        if place == self.last {
            return self.written.filter(|it| *it >= written).map(|it| Part::End(Woken(it)));
        }
        let begin = self.events.partition_point(|it| it.id <= place);
        let events = self.events.iter().skip(begin).take(PAGE).cloned().collect::<Vec<_>>();
        // Behind the last event that can be read, there may be some that cannot.
        let is_rest = begin + events.len() == self.events.len();
        let next = events.last().map_or(self.last, |it| if is_rest { self.last } else { it.id });
        Some(Part::Events(events, next))
    }

    /// Keeps what was read behind `place` if that is where this ends, and says what it comes to.
    fn take(&mut self, place: i64, stretch: Stretch, written: u64) -> Part {
        let is_end = stretch.last == stretch.newest || stretch.last == place;
        let events = stretch.events.into_iter().map(Arc::new).collect::<Vec<_>>();
        if place == self.last {
            self.last = stretch.last;
            self.events.extend(events.iter().cloned());
            while self.events.len() > RECENT {
                self.first = self.events.pop_front().map_or(self.first, |it| it.id);
            }
            if is_end {
                self.written = Some(written);
            }
        }
        if stretch.last == place {
            return Part::End(Woken(written));
        }
        Part::Events(events, stretch.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Event;
    use crate::model::fixture::at;

    fn stretch(ids: impl IntoIterator<Item = i64>, last: i64, newest: i64) -> Stretch {
        let event = |id| OutboxEvent {
            id,
            event: Event {
                kind: EventKind::Refreshed,
                connection: "x/a".parse().unwrap(),
                at: at(id),
                generation: 1,
                code: None,
            },
        };
        let events = ids.into_iter().map(event).collect();
        Stretch { events, last, newest, ..Stretch::default() }
    }

    fn ids(part: Option<Part>) -> Option<(Vec<i64>, i64)> {
        match part {
            Some(Part::Events(events, next)) => {
                Some((events.iter().map(|it| it.id).collect(), next))
            }
            _ => None,
        }
    }

    #[test]
    fn what_was_read_by_one_is_there_for_all_and_its_end_is_known() {
        let mut recent = Recent::from(10);
        assert!(recent.behind(10, 0).is_none(), "nobody has looked yet");
        // Number 12 cannot be read, and neither can 14.
        let read = recent.take(10, stretch([11, 13], 14, 14), 5);
        assert_eq!(ids(Some(read)), Some((vec![11, 13], 14)));
        assert_eq!(ids(recent.behind(10, 5)), Some((vec![11, 13], 14)));
        assert_eq!(ids(recent.behind(12, 5)), Some((vec![13], 14)));
        assert_eq!(ids(recent.behind(13, 5)), Some((vec![], 14)));
        assert!(matches!(recent.behind(14, 5), Some(Part::End(_))));
        assert!(recent.behind(14, 6).is_none(), "something was written since");
        assert!(recent.behind(9, 5).is_none() && recent.behind(15, 5).is_none());
    }

    #[test]
    fn only_the_newest_are_in_memory_and_what_is_read_elsewhere_is_not_mixed_in() {
        let mut recent = Recent::from(0);
        let page = i64::try_from(PAGE).unwrap();
        for round in 0..20 {
            let (first, last) = (round * page, (round + 1) * page);
            let _ = recent.take(first, stretch(first + 1..=last, last, 20 * page), 1);
        }
        assert_eq!(recent.events.len(), RECENT);
        assert!(recent.behind(0, 1).is_none());
        let older = recent.take(3, stretch(4..=9, 9, 20 * page), 1);
        assert_eq!(ids(Some(older)).unwrap().1, 9);
        assert_eq!((recent.last, recent.events.len()), (20 * page, RECENT));
        let part = ids(recent.behind(recent.first, 1)).unwrap();
        assert_eq!((part.0.len(), part.1), (PAGE, recent.first + page));
    }
}
