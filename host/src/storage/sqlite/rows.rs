//! From rows to the model. A value that cannot be understood is an error that names its row, so that
//! one damaged row does not hide the others.

use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::attempt::{Attempt, Course, Spent};
pub(super) use crate::model::clock::millis;
use crate::model::code::Code;
use crate::model::connection::{Connection, Due, Pause, Problem, TokenFacts};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::storage::error::StorageError;
use crate::storage::sqlite::cells::Cells;

/// One row, with the names that an error needs.
pub(super) struct Fields<'r> {
    row: &'r dyn Cells,
    table: &'static str,
    key: String,
}

impl<'r> Fields<'r> {
    /// The fields of `row`, whose key is the text column `key`.
    pub(super) fn new(row: &'r dyn Cells, table: &'static str, key: &'static str) -> Self {
        // A key can be damaged like anything else, and then still has to be named.
        let found = row.text(key).ok().flatten();
        Self { row, table, key: found.unwrap_or_else(|| row.lossy(key)) }
    }

    /// The row's key, as it stands there.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The error for a `column` that cannot be understood.
    pub(super) fn damaged(&self, column: &'static str) -> StorageError {
        StorageError::Row { table: self.table, column, row: self.key.clone() }
    }

    pub(super) fn text(&self, column: &'static str) -> Result<Option<String>, StorageError> {
        self.row.text(column).map_err(|_| self.damaged(column))
    }

    pub(super) fn integer(&self, column: &'static str) -> Result<Option<i64>, StorageError> {
        self.row.integer(column).map_err(|_| self.damaged(column))
    }

    pub(super) fn blob(&self, column: &'static str) -> Result<Option<Vec<u8>>, StorageError> {
        self.row.blob(column).map_err(|_| self.damaged(column))
    }

    pub(super) fn count(&self, column: &'static str) -> Result<u64, StorageError> {
        let value = self.integer(column)?.and_then(|it| u64::try_from(it).ok());
        value.ok_or_else(|| self.damaged(column))
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Option<Timestamp>, StorageError> {
        let Some(value) = self.integer(column)? else { return Ok(None) };
        Timestamp::from_millisecond(value).map(Some).map_err(|_| self.damaged(column))
    }

    /// A word of one of the model's closed sets.
    pub(super) fn word<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, StorageError> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.damaged(column))
    }

    pub(super) fn json<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StorageError> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|_| self.damaged(column))
    }

    /// `value`, which must be there.
    pub(super) fn required<T>(
        &self,
        column: &'static str,
        value: Option<T>,
    ) -> Result<T, StorageError> {
        value.ok_or_else(|| self.damaged(column))
    }
}

/// A generation, or another count, as SQL has it. Counts here never come near 2^63.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The id as the database has it: the name is always written.
pub(super) fn key(id: &ConnectionId) -> String {
    format!("{}/{}", id.provider(), id.name())
}

/// A value as JSON, for a column.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Rows as one JSON list: a statement over it costs the same text, and nearly the same time, for one
/// row as for a hundred.
pub(super) fn json_rows<'a, T: 'a>(
    writes: impl IntoIterator<Item = &'a T>,
    row: impl Fn(&T) -> Value,
) -> String {
    Value::Array(writes.into_iter().map(row).collect()).to_string()
}

/// A connection from a row of `connections`; its last attempt is filled in by the caller.
pub(super) fn connection(row: &dyn Cells) -> Result<Connection, StorageError> {
    let fields = Fields::new(row, "connections", "id");
    let problem = fields.word("problem")?;
    Ok(Connection {
        id: connection_id(&fields)?,
        generation: fields.count("generation")?,
        token: token_facts(&fields)?,
        failures: u32::try_from(fields.count("failures")?).unwrap_or(u32::MAX),
        problem,
        error: error(&fields, problem)?,
        doubt_since: fields.time("doubt_since")?,
        pause: pause(&fields)?,
        due: due(&fields)?,
        last_attempt: None,
        profile: fields.json("profile")?,
        origin: fields.required("origin", fields.word("origin")?)?,
        settings: fields.json("settings")?.unwrap_or_default(),
        labels: fields.json("labels")?.unwrap_or_default(),
        active_at: fields.time("active_at")?,
        agreed: fields.json("agreed")?,
    })
}

/// The id; its halves stand beside it for the indexes, and say the same.
fn connection_id(fields: &Fields<'_>) -> Result<ConnectionId, StorageError> {
    let id: ConnectionId = fields.required("id", fields.word("id")?)?;
    for (column, half) in [("provider", id.provider()), ("name", id.name())] {
        if fields.text(column)?.as_deref() != Some(half) {
            return Err(fields.damaged(column));
        }
    }
    Ok(id)
}

fn token_facts(fields: &Fields<'_>) -> Result<Option<TokenFacts>, StorageError> {
    let Some(issued_at) = fields.time("issued_at")? else { return Ok(None) };
    Ok(Some(TokenFacts {
        token_type: fields.required("token_type", fields.text("token_type")?)?,
        issued_at,
        expires_at: fields.time("expires_at")?,
        refresh_expires_at: fields.time("refresh_expires_at")?,
        fingerprint: fields.required("fingerprint", fields.text("fingerprint")?)?,
        scopes: fields.json("scopes")?.unwrap_or_default(),
        metadata: fields.json("metadata")?.unwrap_or_default(),
        config: fields.blob("config")?,
    }))
}

fn pause(fields: &Fields<'_>) -> Result<Option<Pause>, StorageError> {
    if fields.integer("paused_at")?.is_none() {
        return Ok(None);
    }
    Ok(Some(Pause { until: fields.time("paused_until")?, reason: fields.text("paused_reason")? }))
}

fn due(fields: &Fields<'_>) -> Result<Option<Due>, StorageError> {
    let Some(at) = fields.time("due_at")? else { return Ok(None) };
    let trigger = fields.required("due_trigger", fields.word("due_trigger")?)?;
    Ok(Some(Due { at, trigger }))
}

/// Why it failed last. A row from before cases were kept has the case that fits its problem and its code.
fn error(fields: &Fields<'_>, problem: Option<Problem>) -> Result<Option<Failure>, StorageError> {
    let Some(code) = fields.text("error_code")? else { return Ok(None) };
    let code = Code::read(&code);
    let case = fields.word("error_case")?.unwrap_or_else(|| match (code.usual_case(), problem) {
        (case, Some(Problem::Reconnect)) if !case.is_dead_grant() => Case::GrantExpired,
        (case, Some(Problem::Misconfigured)) if !case.needs_a_person() => Case::Misconfigured,
        (case, _) => case,
    });
    let message = fields.text("error_message")?.unwrap_or_default();
    Ok(Some(Failure { case, code, message }))
}

/// An attempt from a row of `attempts`.
pub(super) fn attempt(row: &dyn Cells) -> Result<Attempt, StorageError> {
    let fields = Fields::new(row, "attempts", "id");
    Ok(Attempt {
        id: fields.required("id", fields.word("id")?)?,
        connection: fields.required("connection", fields.word("connection")?)?,
        trigger: fields.required("trigger", fields.word("trigger")?)?,
        course: course(&fields)?,
        started_at: fields.required("started_at", fields.time("started_at")?)?,
        duration_ms: milliseconds(&fields, "duration_ms")?,
        spent: Spent {
            waited_ms: milliseconds(&fields, "waited_ms")?,
            provider_ms: milliseconds(&fields, "provider_ms")?,
        },
        generation: fields.count("generation")?,
    })
}

pub(super) fn milliseconds(
    fields: &Fields<'_>,
    column: &'static str,
) -> Result<Option<u64>, StorageError> {
    Ok(fields.integer(column)?.and_then(|it| u64::try_from(it).ok()))
}

/// An attempt that is open, from a row of `claims`.
pub(super) fn open(row: &dyn Cells) -> Result<Attempt, StorageError> {
    let fields = Fields::new(row, "claims", "connection");
    Ok(Attempt {
        id: fields.required("attempt", fields.word("attempt")?)?,
        connection: fields.required("connection", fields.word("connection")?)?,
        trigger: fields.required("trigger", fields.word("trigger")?)?,
        course: Course::Open,
        started_at: fields.required("started_at", fields.time("started_at")?)?,
        duration_ms: None,
        spent: Spent::default(),
        generation: fields.count("generation")?,
    })
}

/// A mix that no attempt can have makes the row one that cannot be read.
fn course(fields: &Fields<'_>) -> Result<Course, StorageError> {
    let (outcome, reason) = (fields.word("outcome")?, fields.text("reason")?);
    // One without an outcome is no finished attempt either.
    fields.required("outcome", outcome)?;
    Course::of(outcome, reason, error(fields, None)?).map_err(|_| fields.damaged("outcome"))
}
