//! What tests invent: above all a connection, in good order and with a token of an hour. Each test says only
//! what is otherwise: `Connection { failures: 1, ..connection() }`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::connection::{Connection, Origin, TokenFacts};
use crate::model::schedule::{Schedule, ScheduleError, time_zone};

/// So many seconds after time began.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Stored at 0, and valid until 3600.
pub(crate) fn token() -> TokenFacts {
    TokenFacts {
        token_type: "Bearer".to_owned(),
        issued_at: at(0),
        expires_at: Some(at(3_600)),
        refresh_expires_at: None,
        fingerprint: String::new(),
        scopes: Vec::new(),
        metadata: Vec::new(),
        config: None,
    }
}

/// The third generation of `x`, with that token and no plan.
pub(crate) fn connection() -> Connection {
    Connection {
        id: "x".parse().unwrap(),
        generation: 3,
        token: Some(token()),
        failures: 0,
        problem: None,
        error: None,
        doubt_since: None,
        pause: None,
        due: None,
        last_attempt: None,
        profile: None,
        origin: Origin::default(),
        settings: BTreeMap::new(),
        labels: Vec::new(),
        active_at: None,
        agreed: None,
    }
}

/// A crontab expression in the time zone of that name.
pub(crate) fn schedule(expression: &str, zone: &str) -> Result<Schedule, ScheduleError> {
    Schedule::new(expression, time_zone(zone)?)
}
