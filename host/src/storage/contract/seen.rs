//! A connection with all that comes with it, as an engine says it and as the reference does: values that
//! can be compared.

use jiff::Timestamp;

use super::model::Row;
use crate::model::connection::Connection;
use crate::model::id::AttemptId;
use crate::model::rotation::Rotation;
use crate::storage::Loaded;
use crate::vault::Sealed;

/// A connection with all that comes with it.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    facts: Connection,
    sealed: Option<Vec<u8>>,
    given: bool,
    credentials: Option<Vec<u8>>,
    open: Option<(AttemptId, String, Timestamp, Timestamp, Rotation)>,
    captures: Vec<(AttemptId, u32, Timestamp, Vec<u8>, u32)>,
    unanswered: Option<Timestamp>,
}

pub(super) fn as_it_is(loaded: &Loaded) -> Seen {
    let bytes = |it: &Sealed| it.as_bytes().to_vec();
    let captures = loaded
        .captures
        .iter()
        .map(|it| (it.of.attempt, it.of.seq, it.of.at, it.sealed.as_bytes().to_vec(), it.readings));
    let open = loaded.open.clone();
    Seen {
        facts: loaded.connection.clone(),
        sealed: loaded.sealed.as_ref().map(bytes),
        given: loaded.given,
        credentials: loaded.credentials.as_ref().map(bytes),
        open: open.map(|it| (it.id, it.owner, it.started_at, it.lease_until, it.rotation)),
        captures: captures.collect(),
        unanswered: loaded.unanswered,
    }
}

pub(super) fn as_it_should_be(row: &Row) -> Seen {
    let answered = row.requests.iter().filter_map(|((attempt, seq), it)| {
        Some((*attempt, *seq, it.at, it.answer.clone()?, it.readings))
    });
    let unanswered = row.requests.values().filter(|it| it.answer.is_none());
    let open = row.claim.clone();
    Seen {
        facts: row.facts.clone(),
        sealed: row.sealed.clone(),
        given: row.given,
        credentials: row.credentials.clone(),
        open: open.map(|it| (it.attempt, it.owner, it.at, it.lease_until, it.rotation)),
        captures: answered.collect(),
        unanswered: unanswered.map(|it| it.at).min(),
    }
}
