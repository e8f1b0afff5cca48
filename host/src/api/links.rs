//! Links for people: one for each login that a web application wants, good once and for a while, for one
//! connection alone. They are in memory; a restart ends them, as it ends the person's patience.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::model::audit::Actor;
use crate::model::id::ConnectionId;
use crate::operator::Wish;
use crate::operator::command::Plain;

/// Links at once; those that end soonest make room.
const MOST: usize = 1000;

/// A login that somebody is asked for.
pub(super) struct Link {
    /// What is connected.
    pub(super) id: ConnectionId,
    /// What is wanted of it.
    pub(super) wish: Wish,
    /// Who has asked for it.
    pub(super) actor: Actor,
    /// Where the person goes afterwards.
    pub(super) return_to: Option<String>,
    /// Until when it works.
    pub(super) until: Timestamp,
    /// The login at the provider, once the person is there.
    pub(super) visit: Option<Plain>,
}

/// Links by the word that is in them.
#[derive(Default)]
pub(super) struct Links(Mutex<HashMap<String, Link>>);

impl Links {
    /// Adds a link under `word`.
    pub(super) fn add(&self, word: String, link: Link, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, it| it.until > now);
        if all.len() >= MOST
            && let Some(soonest) =
                all.iter().min_by_key(|(_, it)| it.until).map(|(it, _)| it.clone())
        {
            all.remove(&soonest);
        }
        all.insert(word, link);
    }

    /// What `look` says of the link, if it works at `now`.
    pub(super) fn look<T>(
        &self,
        word: &str,
        now: Timestamp,
        look: impl FnOnce(&mut Link) -> T,
    ) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(word).filter(|it| it.until > now).map(look)
    }

    /// Takes the link, which then works no more.
    pub(super) fn take(&self, word: &str, now: Timestamp) -> Option<Link> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(word).filter(|it| it.until > now)
    }

    /// Puts it back, for the second time that a person is asked.
    pub(super) fn put_back(&self, word: String, link: Link) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(word, link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    fn link(until: i64) -> Link {
        let (id, wish, actor) = ("x".parse().unwrap(), Wish::default(), Actor::User(0));
        Link { id, wish, actor, return_to: None, until: at(until), visit: None }
    }

    #[test]
    fn a_link_works_once_and_for_a_while() {
        let links = Links::default();
        links.add("a".to_owned(), link(10), at(0));
        assert!(
            links.look("a", at(9), |_| ()).is_some() && links.look("a", at(10), |_| ()).is_none()
        );
        assert!(links.look("b", at(9), |_| ()).is_none());
        assert!(links.take("a", at(9)).is_some() && links.take("a", at(9)).is_none());
    }

    #[test]
    fn many_links_take_no_more_room_than_there_is() {
        let links = Links::default();
        for number in 0..i64::try_from(MOST).unwrap() + 9 {
            links.add(number.to_string(), link(100 + number), at(0));
        }
        assert!(links.take("0", at(1)).is_none(), "the one that ends soonest made room");
        assert!(links.take("1008", at(1)).is_some());
    }
}
