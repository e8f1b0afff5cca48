//! What forms have queued, for the pages that they lead to: whoever loads such a page anew sees the same, and queues
//! nothing. It is kept in memory, as logins on another machine are, because nothing else could say it. In an address,
//! fifty names are too long, and a link could put any others on a page. Of ten thousand that are queued, the log has only
//! those whose turn has come. A session is a row that every page reads. A restart forgets it, together with what was
//! queued and had not begun.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::model::id::ConnectionId;
use crate::model::token::hex;
use crate::operator::Selection;

/// At once; the oldest makes room.
const MOST: usize = 200;

/// Connections that are named of each.
const NAMED: usize = 50;

/// What was queued by one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Queued {
    /// Of which provider, if of one.
    pub(super) provider: Option<String>,
    /// What was asked for.
    pub(super) what: What,
    /// How many.
    pub(super) count: usize,
    /// The first of them.
    pub(super) first: Vec<ConnectionId>,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Those that failed last.
    Failed,
    /// Those that need it.
    Due,
    /// Whatever the expiry.
    Forced,
}

impl Queued {
    /// Of what was asked for so, those.
    pub(super) fn of(asked: &Selection, force: bool, mut ids: Vec<ConnectionId>) -> Self {
        let what = match (asked.failed, force) {
            (_, true) => What::Forced,
            (true, false) => What::Failed,
            (false, false) => What::Due,
        };
        let count = ids.len();
        ids.truncate(NAMED);
        ids.shrink_to_fit();
        Self { provider: asked.provider.clone(), what, count, first: ids }
    }
}

/// The last ones, each by its word.
#[derive(Default)]
pub(super) struct Queues(Mutex<VecDeque<(String, Queued)>>);

impl Queues {
    /// Keeps it, and says by which word; `None` where there are no random bytes.
    pub(super) fn add(&self, queued: Queued) -> Option<String> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).ok()?;
        let word = hex(&bytes);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back((word.clone(), queued));
        Some(word)
    }

    /// What was queued under that word.
    pub(super) fn look(&self, word: &str) -> Option<Queued> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(it, _)| it == word).map(|(_, queued)| queued.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued(count: usize, force: bool) -> Queued {
        let asked = Selection { provider: Some("x".to_owned()), ..Selection::default() };
        let ids = (0..count).map(|it| format!("x/c{it}").parse().unwrap()).collect();
        Queued::of(&asked, force, ids)
    }

    #[test]
    fn the_first_are_named_and_all_are_counted() {
        let many = queued(10_000, true);
        assert_eq!((many.count, many.first.len(), many.what), (10_000, NAMED, What::Forced));
        assert_eq!(many.first[49].name(), "c49");
        let few = queued(3, false);
        assert_eq!((few.count, few.first.len(), few.what), (3, 3, What::Due));
    }

    #[test]
    fn what_was_queued_is_found_by_its_word_until_many_others_were() {
        let queues = Queues::default();
        let words = (0..=MOST).map(|it| queues.add(queued(it, false)).unwrap());
        let words = words.collect::<Vec<_>>();
        assert_eq!(queues.look(&words[0]), None);
        assert_eq!(queues.look(&words[1]), Some(queued(1, false)));
        assert_eq!(queues.look(&words[MOST]).map(|it| it.count), Some(MOST));
        assert_eq!(queues.look("another"), None);
    }
}
