//! Logins with a code on another machine that are under way: what the next poll needs stays here, and pages have a
//! word for it. In memory; a restart ends them, as it ends the person's patience.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::model::id::ConnectionId;
use crate::model::token::hex;
use crate::operator::command::Plain;

/// At once; those that end soonest make room.
const MOST: usize = 1000;

/// A login under way.
#[derive(Clone)]
pub(super) struct Device {
    /// What is connected.
    pub(super) id: ConnectionId,
    /// For the next poll.
    pub(super) visit: Plain,
    /// What the person types in.
    pub(super) user_code: String,
    /// Where.
    pub(super) address: String,
    /// Seconds between polls.
    pub(super) interval_s: u64,
    /// Until when the code works.
    pub(super) until: Timestamp,
}

/// All of them, by their words.
#[derive(Default)]
pub(super) struct Devices(Mutex<HashMap<String, Device>>);

impl Devices {
    /// Keeps it, and says by which word; `None` where there are no random bytes.
    pub(super) fn add(&self, device: Device, now: Timestamp) -> Option<String> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).ok()?;
        let word = hex(&bytes);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, it| it.until > now);
        let soonest = all.iter().min_by_key(|(_, it)| it.until).map(|(word, _)| word.clone());
        if let Some(soonest) = soonest.filter(|_| all.len() >= MOST) {
            all.remove(&soonest);
        }
        all.insert(word.clone(), device);
        Some(word)
    }

    /// The login of that word, while its code works.
    pub(super) fn look(&self, word: &str, now: Timestamp) -> Option<Device> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(word).filter(|it| it.until > now).cloned()
    }

    /// Notes what the next poll needs.
    pub(super) fn goes_on(&self, word: &str, visit: Plain, interval_s: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(device) = all.get_mut(word) {
            (device.visit, device.interval_s) = (visit, interval_s);
        }
    }

    /// It is over.
    pub(super) fn forget(&self, word: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    fn device(until: i64) -> Device {
        Device {
            id: "x".parse().unwrap(),
            visit: "v".to_owned().into(),
            user_code: "AB-12".to_owned(),
            address: "https://example.com/device".to_owned(),
            interval_s: 5,
            until: at(until),
        }
    }

    #[test]
    fn a_login_is_found_by_its_word_while_its_code_works() {
        let devices = Devices::default();
        let word = devices.add(device(10), at(0)).unwrap();
        assert!(devices.look(&word, at(9)).is_some() && devices.look(&word, at(10)).is_none());
        devices.goes_on(&word, "w".to_owned().into(), 9);
        assert_eq!(devices.look(&word, at(9)).unwrap().interval_s, 9);
        devices.forget(&word);
        assert!(devices.look(&word, at(9)).is_none());
    }

    #[test]
    fn there_is_room_for_so_many() {
        let devices = Devices::default();
        let words =
            (0..1010).map(|it| devices.add(device(100 + it), at(0)).unwrap()).collect::<Vec<_>>();
        assert!(
            devices.look(&words[0], at(1)).is_none() && devices.look(&words[1009], at(1)).is_some()
        );
    }
}
