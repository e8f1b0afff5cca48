//! A breaker for each provider: an outage that hits one connection hits them all, and asking a
//! thousand times does not end it sooner. Pure but for the map.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::failure::Case;

/// Outages in a row that open it.
const THRESHOLD: u32 = 5;

/// How long it stays open at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(10));

/// Outages in a row, by provider.
#[derive(Default)]
pub(super) struct Breakers(Mutex<HashMap<String, Breaker>>);

#[derive(Clone, Copy, Default)]
struct Breaker {
    outages: u32,
    open_until: Option<Timestamp>,
}

impl Breakers {
    /// Until when nothing is sent to `provider` by itself. The first to ask after that time may try,
    /// and the others wait for what comes of it.
    pub(super) fn admit(&self, provider: &str, now: Timestamp) -> Result<(), Timestamp> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(breaker) = all.get_mut(provider) else { return Ok(()) };
        match breaker.open_until {
            Some(until) if until > now => Err(until),
            Some(_) => {
                breaker.open_until = Some(now + pause(breaker.outages));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Learns how an attempt went: `None` is a success.
    pub(super) fn learn(&self, provider: &str, failed: Option<Case>, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match failed {
            Some(Case::Unavailable | Case::InDoubt) => {
                let breaker = all.entry(provider.to_owned()).or_default();
                breaker.outages += 1;
                if breaker.outages >= THRESHOLD {
                    breaker.open_until = Some(now + pause(breaker.outages));
                }
            }
            // This says nothing about the provider.
            Some(Case::HostFault) => {}
            // The provider answered; whatever it said, it is not down.
            _ => drop(all.remove(provider)),
        }
    }
}

fn pause(outages: u32) -> Duration {
    let (least, most) = PAUSE;
    (least * 2_u32.saturating_pow(outages.saturating_sub(THRESHOLD).min(10))).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn five_outages_in_a_row_open_it_and_an_answer_closes_it() {
        let breakers = Breakers::default();
        for _ in 0..4 {
            breakers.learn("x", Some(Case::Unavailable), at(0));
        }
        assert_eq!(breakers.admit("x", at(0)), Ok(()));
        breakers.learn("x", Some(Case::InDoubt), at(0));
        assert_eq!(breakers.admit("x", at(0)), Err(at(30)));
        assert_eq!(breakers.admit("y", at(0)), Ok(()));
        breakers.learn("x", Some(Case::InvalidCredentials), at(1));
        assert_eq!(breakers.admit("x", at(1)), Ok(()));
    }

    #[test]
    fn one_tries_and_the_others_wait() {
        let breakers = Breakers::default();
        for _ in 0..5 {
            breakers.learn("x", Some(Case::Unavailable), at(0));
        }
        assert_eq!(breakers.admit("x", at(30)), Ok(()));
        assert_eq!(breakers.admit("x", at(30)), Err(at(60)));
    }
}
