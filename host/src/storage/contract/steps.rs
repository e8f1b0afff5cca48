//! Steps as the tests of this folder take them, with what most of them have in common.

use std::collections::BTreeMap;

use super::{at, begin, failed, id, succeeded};
use crate::model::attempt::{Spent, Trigger};
use crate::model::connection::{Due, Pause};
use crate::model::id::ConnectionId;
use crate::model::token::TokenSet;
use crate::storage::{
    Abandoned, Begin, Begun, Capture, Departed, Enrolment, Failed, Loaded, ManualSet, Pausing,
    Reconcile, Skipped, Storage, Succeeded,
};
use crate::vault::Sealed;

/// All that is known of connection `number`.
pub(super) async fn look(storage: &Storage, number: usize) -> Loaded {
    storage.load(&id(number)).await.unwrap().unwrap()
}

/// A try of connection `number` as it is now, open.
pub(super) async fn opened(storage: &Storage, number: usize) -> Begin {
    let generation = look(storage, number).await.connection.generation;
    let begin = Begin { generation, ..begin(number, None) };
    assert_eq!(storage.begin(begin.clone()).await.unwrap(), Begun::Yes);
    begin
}

/// A try that has brought a token, which ends then.
pub(super) async fn refreshed(storage: &Storage, number: usize, ends: Option<i64>) -> Begin {
    let begin = opened(storage, number).await;
    let token = token("refreshed", ends);
    let done = Succeeded { token, ..success(&begin) };
    assert_eq!(storage.succeed(done).await.unwrap(), Begun::Yes);
    begin
}

/// A try that has failed; only a person can help.
pub(super) async fn broken(storage: &Storage, number: usize, failed: Failed) -> Begin {
    let begin = opened(storage, number).await;
    let (attempt, generation) = (begin.attempt, begin.generation);
    let failed = Failed { attempt, generation, connection: id(number), ..failed };
    assert_eq!(storage.fail(failed).await.unwrap(), Begun::Yes);
    begin
}

/// The success of a try.
pub(super) fn success(of: &Begin) -> Succeeded {
    let connection = of.connection.clone();
    Succeeded { connection, ..succeeded(of.attempt, of.generation) }
}

/// The failure of a try.
pub(super) fn failure(of: &Begin) -> Failed {
    Failed { connection: of.connection.clone(), ..failed(of.attempt, of.generation) }
}

/// The end of a try that came to nothing.
pub(super) fn abandoned(of: &Begin) -> Abandoned {
    let failure = failure(of).failure;
    let (attempt, connection) = (of.attempt, of.connection.clone());
    let (spent, exchanges) = (Spent::default(), Vec::new());
    Abandoned { attempt, connection, failure, at: at(2), duration_ms: 7, spent, exchanges }
}

/// A request for connection `number` that sends nothing.
pub(super) fn skipped(number: usize) -> Skipped {
    Skipped {
        attempt: begin(number, None).attempt,
        connection: id(number),
        trigger: Trigger::Manual,
        reason: "it is fresh".to_owned(),
        generation: 0,
        at: at(3),
    }
}

/// The request with this place in a try, as it leaves.
pub(super) fn request(of: &Begin, seq: u32) -> Departed {
    Departed {
        connection: of.connection.clone(),
        generation: of.generation,
        attempt: of.attempt,
        seq,
        request: "POST /token".to_owned(),
        at: at(10 + i64::from(seq)),
    }
}

/// Its answer.
pub(super) fn answer(of: &Begin, seq: u32, sealed: u8) -> Capture {
    Capture { of: request(of, seq), sealed: Sealed::from_bytes(vec![sealed]), readings: 1 }
}

/// The answers that are there: their places, what they are, and how often they were read.
pub(super) fn answers(loaded: &Loaded) -> Vec<(u32, u8, u32)> {
    let answer = |it: &Capture| (it.of.seq, it.sealed.as_bytes()[0], it.readings);
    loaded.captures.iter().map(answer).collect()
}

/// A token set with this access token.
pub(super) fn token(word: &str, ends: Option<i64>) -> TokenSet {
    TokenSet {
        access_token: word.into(),
        token_type: "Bearer".to_owned(),
        expires_at: ends.map(at),
        refresh_token: Some("r".into()),
        refresh_expires_at: ends.map(|it| at(it * 2)),
        scopes: vec!["read".to_owned()],
        extra: Vec::new(),
        metadata: vec![("account".to_owned(), "7".to_owned())],
        made_of: BTreeMap::new(),
    }
}

/// A token that a person gives in place of that generation.
pub(super) fn by_hand(number: usize, generation: u64) -> ManualSet {
    ManualSet {
        connection: id(number),
        generation,
        token: Some((token("by hand", Some(900)), Sealed::from_bytes(vec![2]))),
        due: None,
        adopts: None,
        at: at(20),
    }
}

/// A connection that a file lists, and nothing more of it.
pub(super) fn enrolment(number: usize, found: Option<u64>) -> Enrolment {
    Enrolment {
        id: id(number),
        found,
        enrolled: None,
        settings: BTreeMap::new(),
        labels: Vec::new(),
        credentials: None,
        token: None,
        due: None,
        probe_at: None,
        active_at: None,
        digest: vec![1],
        at: at(20),
    }
}

/// A connection of the manifest, and nothing more of it.
pub(super) fn wanted(id: ConnectionId) -> Reconcile {
    Reconcile { id, due: None, forgive: false, probe_at: None, at: at(3) }
}

/// A pause until then.
pub(super) fn pause(number: usize, until: Option<i64>) -> Pausing {
    let pause = Some(Pause { until: until.map(at), reason: Some("holidays".to_owned()) });
    let due = until.map(|it| due(it, Trigger::Expiry));
    Pausing { id: id(number), pause, due, at: at(4) }
}

pub(super) fn due(second: i64, trigger: Trigger) -> Due {
    Due { at: at(second), trigger }
}

/// Due then, because the token ends.
#[expect(clippy::unnecessary_wraps, reason = "steps take a time that may be none")]
pub(super) fn expiry(second: i64) -> Option<Due> {
    Some(due(second, Trigger::Expiry))
}
