//! What whoever asks too early is told: a provider that is down or wants to be asked less is waited for by
//! everybody alike, and so is the next try of a connection that failed. Pure.

use jiff::Timestamp;

use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::said::moment;
use crate::refresher::breaker::{Wait, Why};
use crate::refresher::decide::next_try;
use crate::storage::Loaded;

/// Why a refresh for a caller would not help now, if it would not: a caller does not wait for what
/// only a person can mend, nor add to an outage. `wait` is what its provider is waited for.
pub(super) fn not_yet(loaded: &Loaded, wait: Option<Wait>, now: Timestamp) -> Result<(), Failure> {
    let connection = &loaded.connection;
    if let (Some(_), Some(error)) = (connection.problem, &connection.error) {
        return Err(error.clone());
    }
    // One that is under way is joined.
    let next = next_try(connection, now).filter(|_| loaded.open.is_none());
    if let (Some(at), Some(error)) = (next, &connection.error) {
        let message = format!("{} (next retry at {})", error.message, moment(at));
        return Err(Failure { message, ..error.clone() });
    }
    wait.map_or(Ok(()), |it| Err(failure(connection.id.provider(), it)))
}

/// Why `provider` is not asked now, and when it is.
pub fn sentence(provider: &str, wait: Wait) -> String {
    let Wait { until, why } = wait;
    let until = moment(until);
    match why {
        Why::Outage(1) => format!("{provider} is down (next retry at {until})"),
        Why::Outage(times) => {
            format!("{provider} is down: {times} requests in a row failed (next retry at {until})")
        }
        Why::Limit => format!("{provider} is rate limiting (next retry at {until})"),
    }
}

/// The same for a caller.
pub(super) fn failure(provider: &str, wait: Wait) -> Failure {
    let code = match wait.why {
        Why::Outage(_) => code::Provider::Unavailable,
        Why::Limit => code::Provider::RateLimited,
    };
    Failure::new(Case::Unavailable, code, sentence(provider, wait))
}
