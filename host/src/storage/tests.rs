//! What writes do to each other: they share a commit and no fate, and who is late changes nothing.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::poll;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::model::attempt::Trigger;
use crate::model::code::{self, Code};
use crate::model::connection::Problem;
use crate::model::event::{Event, EventKind};
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::rotation::Rotation;
use crate::model::token::TokenSet;
use crate::storage::{
    Begin, Begun, Capture, Captured, Departed, Failed, Listener, Reconcile, Skipped, Storage,
    Succeeded,
};
use crate::vault::Sealed;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn id(number: usize) -> ConnectionId {
    format!("x/c{number}").parse().unwrap()
}

/// A database with so many connections.
async fn storage(connections: usize) -> (TempDir, Storage) {
    let dir = tempfile::tempdir().unwrap();
    let storage = Storage::open(&dir.path().join("keepfresh.db")).await.unwrap();
    for number in 0..connections {
        let new =
            Reconcile { id: id(number), due: None, forgive: false, probe_at: None, at: at(0) };
        storage.reconcile(new).await.unwrap();
    }
    (dir, storage)
}

fn begin(number: usize, adopts: Option<AttemptId>) -> Begin {
    Begin {
        attempt: AttemptId::generate(),
        connection: id(number),
        trigger: Trigger::Expiry,
        generation: 0,
        rotation: Rotation::Strict,
        digest: String::new(),
        owner: "a test".to_owned(),
        at: at(1),
        lease_until: at(60),
        adopts,
        captured: Captured::Stay,
        doubt_since: None,
    }
}

fn succeeded(attempt: AttemptId, generation: u64) -> Succeeded {
    let token = TokenSet {
        access_token: "t".into(),
        token_type: "Bearer".to_owned(),
        expires_at: None,
        refresh_token: None,
        refresh_expires_at: None,
        scopes: Vec::new(),
        extra: Vec::new(),
        metadata: Vec::new(),
        made_of: std::collections::BTreeMap::new(),
    };
    Succeeded {
        attempt,
        connection: id(0),
        generation,
        reason: None,
        token,
        sealed: Sealed::from_bytes(vec![1]),
        config: None,
        dead: None,
        due: None,
        events: Vec::new(),
        at: at(2),
        duration_ms: 1,
    }
}

fn failed(attempt: AttemptId, generation: u64) -> Failed {
    Failed {
        attempt,
        connection: id(0),
        generation,
        failure: Failure::new(Case::GrantExpired, Code::read("x.y"), "why"),
        problem: Some(Problem::Reconnect),
        config: None,
        doubt_since: None,
        keep_captures: false,
        due: None,
        events: Vec::new(),
        at: at(2),
        duration_ms: 1,
    }
}

fn capture(number: usize) -> Capture {
    let of = Departed {
        connection: id(number),
        generation: 0,
        seq: 0,
        attempt: AttemptId::generate(),
        request: "POST /token".to_owned(),
        at: at(1),
    };
    Capture { of, sealed: Sealed::from_bytes(vec![1]), readings: 1 }
}

#[tokio::test]
async fn a_write_that_fails_takes_no_other_down() {
    let (_dir, storage) = storage(50).await;
    // Polled in order before the writer runs, so that all of them wait for the same commit.
    let begins = (0..50).map(|it| begin(it, None)).collect::<Vec<_>>();
    let twice = Skipped {
        attempt: begins[0].attempt,
        connection: id(0),
        trigger: Trigger::Manual,
        reason: String::new(),
        generation: 0,
        at: at(1),
    };
    let bad = storage.skip(twice);
    let good = join_all(begins.into_iter().map(|it| storage.begin(it)));
    let (begun, refused) = tokio::join!(good, bad);
    assert!(refused.is_err(), "there is an attempt of this id");
    assert!(begun.into_iter().all(|it| it.unwrap() == Begun::Yes));
    for number in 0..50 {
        assert!(storage.load(&id(number)).await.unwrap().unwrap().open.is_some());
    }
}

#[tokio::test]
async fn a_write_stands_when_its_caller_goes_away() {
    let (_dir, storage) = storage(1).await;
    let mut write = Box::pin(storage.capture(capture(0)));
    assert!(poll!(&mut write).is_pending());
    drop(write);
    // One more write, so that the one before it is done.
    assert_eq!(storage.begin(begin(0, None)).await.unwrap(), Begun::Yes);
    assert_eq!(storage.load(&id(0)).await.unwrap().unwrap().captures.len(), 1);
}

#[tokio::test]
async fn an_attempt_that_was_taken_over_changes_nothing_any_more() {
    let (_dir, storage) = storage(1).await;
    let (slow, quick) = (begin(0, None), AttemptId::generate());
    let taken = Begin { attempt: quick, ..begin(0, Some(slow.attempt)) };
    assert_eq!(storage.begin(slow.clone()).await.unwrap(), Begun::Yes);
    assert_eq!(storage.begin(taken).await.unwrap(), Begun::Yes);
    assert_eq!(storage.succeed(succeeded(slow.attempt, 0)).await.unwrap(), Begun::Lost);
    assert_eq!(storage.fail(failed(slow.attempt, 0)).await.unwrap(), Begun::Lost);
    assert_eq!(storage.load(&id(0)).await.unwrap().unwrap().connection.problem, None);
    assert_eq!(storage.succeed(succeeded(quick, 0)).await.unwrap(), Begun::Yes);
    assert_eq!(storage.load(&id(0)).await.unwrap().unwrap().connection.generation, 1);
}

#[tokio::test]
async fn a_failure_says_nothing_about_another_generation() {
    let (_dir, storage) = storage(1).await;
    let first = begin(0, None);
    storage.begin(first.clone()).await.unwrap();
    storage.succeed(succeeded(first.attempt, 0)).await.unwrap();
    let second = Begin { generation: 1, ..begin(0, None) };
    storage.begin(second.clone()).await.unwrap();
    storage.fail(failed(second.attempt, 0)).await.unwrap();
    let loaded = storage.load(&id(0)).await.unwrap().unwrap();
    assert_eq!((loaded.connection.problem, loaded.connection.failures), (None, 0));
    assert!(loaded.sealed.is_some());
}

#[tokio::test]
async fn a_failure_removes_no_credential_and_counts_its_doubt_from_the_first_request() {
    let (_dir, storage) = storage(1).await;
    let first = begin(0, None);
    storage.begin(first.clone()).await.unwrap();
    storage.succeed(succeeded(first.attempt, 0)).await.unwrap();
    for second in [5, 9] {
        let next = Begin { generation: 1, ..begin(0, None) };
        storage.begin(next.clone()).await.unwrap();
        let doubt = Failed { doubt_since: Some(at(second)), ..failed(next.attempt, 1) };
        storage.fail(doubt).await.unwrap();
    }
    let loaded = storage.load(&id(0)).await.unwrap().unwrap();
    assert!(loaded.sealed.is_some());
    assert_eq!(loaded.connection.doubt_since, Some(at(5)));
    assert_eq!(loaded.connection.problem, Some(Problem::Reconnect));
}

#[tokio::test]
async fn the_database_refuses_what_no_code_should_try() {
    let (dir, storage) = storage(1).await;
    let attempt = begin(0, None);
    storage.begin(attempt.clone()).await.unwrap();
    storage.succeed(succeeded(attempt.attempt, 0)).await.unwrap();
    let mut db = around(&dir).await;
    for (statement, rule) in [
        ("update connections set generation = 0", "I5"),
        ("update connections set generation = 3", "I5"),
        ("insert into generations values ('x/c0', 0, x'00', null, 0)", "I5"),
        ("update attempts set outcome = 'failed'", "I6"),
    ] {
        let refused = sqlx::query(statement).execute(&mut db).await.unwrap_err();
        assert!(refused.to_string().contains(rule), "{statement}: {refused}");
    }
    tokio::time::timeout(Duration::from_secs(5), storage.check()).await.unwrap().unwrap();
}

/// A second way into the database, around all of the code.
async fn around(dir: &TempDir) -> sqlx::SqliteConnection {
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("keepfresh.db"));
    sqlx::ConnectOptions::connect(&options).await.unwrap()
}

#[tokio::test]
async fn the_case_of_a_failure_is_kept_and_one_from_before_fits_its_code_and_its_problem() {
    let (dir, storage) = storage(1).await;
    let first = begin(0, None);
    storage.begin(first.clone()).await.unwrap();
    let failure = Failure::new(Case::PluginFault, code::Refresh::OutcomeUnknown, "why");
    storage.fail(Failed { failure: failure.clone(), ..failed(first.attempt, 0) }).await.unwrap();
    let error = async || storage.load(&id(0)).await.unwrap().unwrap().connection.error.unwrap();
    let attempt = async || storage.attempt(first.attempt).await.unwrap().unwrap();
    assert_eq!(error().await, failure);
    assert_eq!(attempt().await.error(), Some(&failure));
    let mut db = around(&dir).await;
    for statement in
        ["update connections set error_case = null", "update attempts set error_case = null"]
    {
        sqlx::query(statement).execute(&mut db).await.unwrap();
    }
    assert_eq!(attempt().await.error().unwrap().case, Case::InDoubt);
    // Its problem is that the grant is dead.
    assert_eq!(error().await.case, Case::GrantExpired);
}

#[tokio::test]
async fn an_attempt_that_cannot_be_is_a_row_that_cannot_be_read() {
    let (dir, storage) = storage(1).await;
    let attempt = begin(0, None);
    storage.begin(attempt.clone()).await.unwrap();
    let mut db = around(&dir).await;
    sqlx::query("drop trigger outcomes_stay").execute(&mut db).await.unwrap();
    for mix in [
        "reason = 'why'",
        "error_code = 'token.none', error_message = 'why'",
        "outcome = 'skipped'",
        "outcome = 'failed'",
        "outcome = 'failed', reason = 'why'",
        "outcome = 'success', error_code = 'token.none'",
        "outcome = 'mislaid'",
        "outcome = 'failed', error_code = 'token.none', error_case = 'odd'",
    ] {
        let clean = "update attempts set outcome = null, reason = null, error_code = null, error_message = null, error_case = null";
        sqlx::query(clean).execute(&mut db).await.unwrap();
        assert!(storage.attempt(attempt.attempt).await.is_ok(), "{mix}");
        let mix = format!("update attempts set {mix}");
        sqlx::query(sqlx::AssertSqlSafe(mix.clone())).execute(&mut db).await.unwrap();
        let error = storage.attempt(attempt.attempt).await.unwrap_err();
        assert_eq!(error.code(), code::Storage::RowUnreadable, "{mix}: {error}");
    }
}

/// Ends an attempt of connection `number` with these events.
async fn happens(storage: &Storage, number: usize, kinds: &[EventKind]) {
    let begun = begin(number, None);
    let attempt = begun.attempt;
    assert_eq!(storage.begin(begun).await.unwrap(), Begun::Yes);
    let event = |kind: &EventKind| Event {
        kind: *kind,
        connection: id(number),
        at: at(2),
        generation: 0,
        code: None,
    };
    let events = kinds.iter().map(event).collect();
    let failed = Failed { connection: id(number), events, ..failed(attempt, 0) };
    assert_eq!(storage.fail(failed).await.unwrap(), Begun::Yes);
}

async fn kinds(listener: &Listener) -> Vec<EventKind> {
    listener.waiting(10).await.unwrap().iter().map(|it| it.event.kind).collect()
}

#[tokio::test]
async fn each_listener_has_its_own_place_and_hears_what_it_wants() {
    let (dir, storage) = storage(1).await;
    happens(&storage, 0, &[EventKind::Critical]).await;
    let first = storage.listen("first", &[EventKind::Failed]).await.unwrap();
    let second =
        storage.listen("second", &[EventKind::Failed, EventKind::Reconnect]).await.unwrap();
    let all = [EventKind::Failed, EventKind::Reconnect, EventKind::Refreshed];
    happens(&storage, 0, &all).await;
    assert_eq!(kinds(&first).await, [EventKind::Failed], "and not of what was before it");
    first.told(first.waiting(10).await.unwrap()[0].id).await.unwrap();
    assert_eq!(kinds(&first).await, []);
    assert_eq!(kinds(&second).await, [EventKind::Failed, EventKind::Reconnect]);

    drop((first, second));
    let again = Storage::open(&dir.path().join("keepfresh.db")).await.unwrap();
    let second = again.listen("second", &[EventKind::Failed, EventKind::Reconnect]).await.unwrap();
    assert_eq!(kinds(&second).await.len(), 2, "it goes on where it stood");
}

#[tokio::test]
async fn what_nobody_listens_to_is_not_written() {
    let (_dir, storage) = storage(1).await;
    storage.keep_listeners(&[]).await.unwrap();
    happens(&storage, 0, &[EventKind::Refreshed, EventKind::Critical]).await;
    let written =
        || sqlx::query_scalar::<_, i64>("select count(*) from outbox").fetch_one(&storage.readers);
    assert_eq!(written().await.unwrap(), 0);
    let _ears = storage.listen("ears", &[EventKind::Critical]).await.unwrap();
    happens(&storage, 0, &[EventKind::Refreshed, EventKind::Critical]).await;
    assert_eq!(written().await.unwrap(), 1);
}

#[tokio::test]
async fn a_listener_is_woken_by_what_is_written_before_it_waits_too() {
    let (_dir, storage) = storage(1).await;
    let mut ears = storage.listen("ears", &[EventKind::Critical]).await.unwrap();
    let idle = tokio::time::timeout(Duration::from_millis(50), ears.woken());
    assert!(idle.await.is_err(), "nothing has happened");
    happens(&storage, 0, &[EventKind::Critical]).await;
    tokio::time::timeout(Duration::from_secs(5), ears.woken()).await.unwrap();
    assert_eq!(kinds(&ears).await, [EventKind::Critical]);
}

#[tokio::test]
async fn pruning_keeps_what_somebody_was_not_told_of_and_no_number_is_given_twice() {
    let (_dir, storage) = storage(1).await;
    let ears = storage.listen("ears", &[EventKind::Critical]).await.unwrap();
    let slow = storage.listen("slow", &[EventKind::Critical]).await.unwrap();
    for _ in 0..3 {
        happens(&storage, 0, &[EventKind::Critical]).await;
    }
    let last = ears.waiting(10).await.unwrap()[2].id;
    ears.told(last).await.unwrap();
    storage.prune(at(100)).await.unwrap();
    assert_eq!(kinds(&slow).await.len(), 3);
    slow.told(last).await.unwrap();
    storage.prune(at(100)).await.unwrap();
    happens(&storage, 0, &[EventKind::Critical]).await;
    assert!(ears.waiting(10).await.unwrap()[0].id > last);
    assert_eq!(kinds(&slow).await, [EventKind::Critical]);
}
