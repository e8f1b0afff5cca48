//! What templates are given of a connection, and of one that is gone.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::model::attempt::{Attempt, Outcome};
use crate::model::clock;
use crate::model::connection::Connection;
use crate::model::id::ConnectionId;
use crate::model::state::state_of;
use crate::model::template::Values;

/// A connection as it is now. `failed_at` is when refreshing it failed last.
pub(super) fn of(
    connection: &Connection,
    token: Option<&SecretString>,
    failed_at: Option<Timestamp>,
    now: Timestamp,
) -> Values {
    let facts = connection.token.as_ref();
    let error = connection.error.as_ref();
    let metadata = facts.map(|it| it.metadata.as_slice()).unwrap_or_default();
    let metadata = metadata.iter().map(|(key, it)| (key.clone(), Value::from(it.as_str())));
    let profile = connection.profile.clone().filter(Value::is_object);
    identity(&connection.id, false, now)
        .json("labels", &json!(connection.labels))
        .secret("token", token)
        .text("token_type", facts.map(|it| it.token_type.as_str()))
        .time("expires_at", facts.and_then(|it| it.expires_at))
        .time("issued_at", facts.map(|it| it.issued_at))
        .time("refreshed_at", facts.map(|it| it.issued_at))
        .number("generation", Some(connection.generation))
        .json("scopes", &json!(facts.map(|it| &it.scopes)))
        .text("state", Some(state_of(connection, now).as_str()))
        .number("failures", Some(connection.failures.into()))
        .text("error", error.map(|it| it.code.text()))
        .text("message", error.map(|it| it.message.as_str()))
        .time("failed_at", failed_at)
        .json("profile", &profile.unwrap_or_else(|| json!({})))
        .json("metadata", &Value::Object(metadata.collect()))
}

/// A connection that is gone, or selected no more: what is left of it is its name.
pub(super) fn of_removed(id: &ConnectionId, now: Timestamp) -> Values {
    let nothing = [
        "token",
        "token_type",
        "expires_at",
        "issued_at",
        "refreshed_at",
        "generation",
        "scopes",
        "state",
        "failures",
        "error",
        "message",
        "failed_at",
    ];
    let values = identity(id, true, now).json("labels", &json!([]));
    let values = values.json("profile", &json!({})).json("metadata", &json!({}));
    nothing.into_iter().fold(values, |values, it| values.text(it, None))
}

/// The same with an attempt that has ended.
pub(super) fn with_attempt(values: Values, attempt: &Attempt) -> Values {
    let (failure, duration) = (attempt.error(), attempt.duration_ms);
    let ended = duration.map(|it| clock::after(attempt.started_at, Duration::from_millis(it)));
    let facts = Values::default()
        .text("id", Some(&attempt.id.to_string()))
        .text("trigger", Some(attempt.trigger.as_str()))
        .text("outcome", attempt.outcome().map(Outcome::as_str))
        .flag("success", attempt.outcome() == Some(Outcome::Success))
        .text("error", failure.map(|it| it.code.text()))
        .text("message", failure.map(|it| it.message.as_str()))
        .time("started_at", Some(attempt.started_at))
        .time("ended_at", ended)
        .number("duration_ms", duration);
    values.group("attempt", &facts)
}

fn identity(id: &ConnectionId, removed: bool, now: Timestamp) -> Values {
    Values::default()
        .text("name", Some(id.name()))
        .text("connection", Some(id.full()))
        .text("provider", Some(id.provider()))
        .flag("removed", removed)
        .time("now", Some(now))
}
