//! Logins at the provider that are under way: in memory, each for one browser, which has a cookie that names it. A
//! restart ends them, as it ends the person's patience.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::model::account::Ticket;
use crate::model::failure::Failure;
use crate::operator::accounts::{Visitor, word};

/// How long a person may take.
const FOR: SignedDuration = SignedDuration::from_mins(10);

/// Logins at once; the oldest makes room.
const MOST: usize = 1000;

/// One of them, with what it must come back with.
pub(super) struct Journey {
    /// Where the provider sends the person back to.
    pub(super) redirect_uri: String,
    /// Where the person goes on then: a page of this dashboard.
    pub(super) back: String,
    /// Who shows once more who that is.
    pub(super) again: Option<Visitor>,
    /// When the person left.
    pub(super) begun_at: Timestamp,
    /// What comes back in the address.
    pub(super) state: SecretString,
    /// What comes back in the ID token.
    pub(super) nonce: SecretString,
    /// What shows that the code is ours (RFC 7636).
    pub(super) verifier: SecretString,
}

impl Journey {
    /// One that begins, and the cookie of its browser.
    pub(super) fn begin(
        redirect_uri: String,
        back: String,
        again: Option<Visitor>,
        now: Timestamp,
    ) -> Result<(Ticket, Self), Failure> {
        let (state, nonce, verifier) = (word()?, word()?, word()?);
        let journey = Self { redirect_uri, back, again, begun_at: now, state, nonce, verifier };
        Ok((Ticket(word()?), journey))
    }
}

/// All of them, by the digest of their cookie.
#[derive(Default)]
pub(in crate::dashboard::login) struct Begun(Mutex<HashMap<[u8; 32], Journey>>);

fn digest(cookie: &Ticket) -> [u8; 32] {
    Sha256::digest(cookie.0.expose_secret().as_bytes()).into()
}

impl Begun {
    /// One more.
    pub(super) fn add(&self, cookie: &Ticket, journey: Journey, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, it| now < it.begun_at + FOR);
        if all.len() >= MOST
            && let Some(oldest) = all.iter().min_by_key(|(_, it)| it.begun_at).map(|(it, _)| *it)
        {
            all.remove(&oldest);
        }
        all.insert(digest(cookie), journey);
    }

    /// The one of this browser, which is over then.
    pub(super) fn take(&self, cookie: &Ticket, now: Timestamp) -> Option<Journey> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&digest(cookie)).filter(|it| now < it.begun_at + FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    fn begin(second: i64) -> (Ticket, Journey) {
        Journey::begin("https://a.example".to_owned(), "/ui/".to_owned(), None, at(second)).unwrap()
    }

    #[test]
    fn a_journey_ends_once_and_in_time() {
        let begun = Begun::default();
        let (cookie, journey) = begin(0);
        begun.add(&cookie, journey, at(0));
        assert!(begun.take(&begin(0).0, at(1)).is_none(), "another browser's cookie");
        assert!(begun.take(&cookie, at(599)).is_some() && begun.take(&cookie, at(599)).is_none());
        let (cookie, journey) = begin(0);
        begun.add(&cookie, journey, at(0));
        assert!(begun.take(&cookie, at(600)).is_none());
    }

    #[test]
    fn many_journeys_take_no_more_room_than_there_is() {
        let begun = Begun::default();
        let (first, journey) = begin(0);
        begun.add(&first, journey, at(0));
        for second in 1..=i64::try_from(MOST).unwrap() {
            let (cookie, journey) = begin(second / 10);
            begun.add(&cookie, journey, at(second / 10));
        }
        assert_eq!(begun.0.lock().unwrap().len(), MOST);
    }
}
