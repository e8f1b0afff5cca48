//! What the provider did during the calls of one attempt, whatever the plugin makes of it: whether it was
//! asked at all, and until when it does not want to be asked again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::egress::Arrival;
use crate::model::clock;
use crate::model::exchange::Exchange;

/// Notes of one attempt.
#[derive(Debug, Default)]
pub struct Heard(Mutex<Notes>);

#[derive(Debug, Default)]
struct Notes {
    tried: bool,
    wait: Option<Duration>,
    /// All requests together.
    took: Duration,
    /// Each for itself, if they are not too many.
    exchanges: Vec<Exchange>,
}

impl Heard {
    /// Whether a request was sent, or the server could not be reached.
    pub fn tried(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tried
    }

    /// How long the last answer asks to wait.
    pub fn wait(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wait
    }

    /// How long the requests took, if there were any.
    pub fn took(&self) -> Option<Duration> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.tried.then_some(notes.took)
    }

    /// A request was sent, or the server could not be reached; how long that took.
    pub fn note_request(&self, took: Duration) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.tried = true;
        notes.wait = None;
        notes.took += took;
    }

    /// What is known of a request that was noted.
    pub fn note_exchange(&self, exchange: Exchange) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        exchange.add_to(&mut notes.exchanges);
    }

    /// The requests, in order.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).exchanges.clone()
    }

    /// An answer came, when the clock here showed `now`.
    pub(in crate::sandbox) fn note_answer(&self, answer: &Arrival, now: Timestamp) {
        // Of a success it would say when something else is ready.
        let wait = (answer.status >= 300).then(|| retry_after(answer, now)).flatten();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wait = wait;
    }
}

/// `Retry-After`: seconds, or a date. A date counts from the answer's own `Date`, which comes from the
/// same clock; ours may be another.
fn retry_after(answer: &Arrival, now: Timestamp) -> Option<Duration> {
    let header = |name: &str| answer.headers.iter().find(|(it, _)| it == name);
    let value = header("retry-after")?.1.trim();
    if times::number(value) == Some(0) {
        return Some(Duration::ZERO);
    }
    let sent = header("date").and_then(|(_, it)| times::time(it).value());
    let sent = sent.unwrap_or_else(|| clock::seconds(now));
    // What is over already is over: that is no wait, and no text to pass over.
    Some(Duration::from_secs(times::after(value, sent).value()?.saturating_sub(sent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(status: u16, headers: &[(&str, &str)]) -> Option<u64> {
        let headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let heard = Heard::default();
        heard.note_request(Duration::ZERO);
        let now = "2026-10-21T07:28:00Z".parse().unwrap();
        heard.note_answer(&Arrival::new(status, headers, Vec::new(), None), now);
        heard.wait().map(|it| it.as_secs())
    }

    #[test]
    fn a_wait_is_told_in_seconds_or_as_a_date_in_any_form_of_http() {
        for (value, seconds) in [
            ("120", 120),
            (" 7 ", 7),
            ("0", 0),
            ("7.5", 7),
            ("1792567800", 120),
            ("Wed, 21 Oct 2026 07:30:00 GMT", 120),
            ("Wednesday, 21-Oct-26 07:30:00 GMT", 120),
            ("Wed Oct 21 07:30:00 2026", 120),
            ("Wed, 21 Oct 2026 07:00:00 GMT", 0),
        ] {
            for status in [429, 503] {
                assert_eq!(wait(status, &[("retry-after", value)]), Some(seconds), "{value}");
            }
        }
    }

    #[test]
    fn a_date_counts_from_the_clock_that_wrote_it() {
        let headers = [
            ("date", "Wed, 21 Oct 2026 09:00:00 GMT"),
            ("retry-after", "Wed, 21 Oct 2026 09:01:00 GMT"),
        ];
        assert_eq!(wait(503, &headers), Some(60));
    }

    #[test]
    fn what_is_no_wait_is_none() {
        for value in ["", "soon", "-5", "1e9", "Wed, 21 Oct 2026"] {
            assert_eq!(wait(429, &[("retry-after", value)]), None, "{value}");
        }
        assert_eq!(wait(429, &[]), None);
        assert_eq!(wait(200, &[("retry-after", "120")]), None);
    }

    #[test]
    fn what_was_heard_is_of_the_last_request() {
        let heard = Heard::default();
        assert_eq!((heard.tried(), heard.took()), (false, None));
        let headers = vec![("retry-after".to_owned(), "5".to_owned())];
        heard.note_request(Duration::from_secs(1));
        heard.note_answer(&Arrival::new(429, headers, Vec::new(), None), Timestamp::UNIX_EPOCH);
        assert_eq!((heard.tried(), heard.wait()), (true, Some(Duration::from_secs(5))));
        heard.note_request(Duration::from_secs(2));
        assert_eq!((heard.tried(), heard.wait()), (true, None));
        assert_eq!(heard.took(), Some(Duration::from_secs(3)), "all of them");
    }
}
