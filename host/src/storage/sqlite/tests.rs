//! What is special to SQLite: writes that share a commit, rules of the database, rows that cannot be
//! read.

use std::time::Duration;

use futures_util::future::join_all;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::model::attempt::{Attempt, Outcome, Trigger};
use crate::model::code;
use crate::model::event::EventKind;
use crate::model::failure::{Case, Failure};
use crate::storage::contract::events::happens;
use crate::storage::contract::{Fresh, at, begin, failed, id, sqlite, succeeded};
use crate::storage::sqlite::writer::{Db, Write};
use crate::storage::{
    Begin, Begun, Ending, Failed, LogFilter, Noted, Settled, Skipped, Storage, StorageError,
};

/// A write that fails as no write should.
pub(super) struct Broken;

impl Write for Broken {
    type Answer = ();

    fn apply(&self, _db: &Db) -> Result<(), StorageError> {
        panic!("a mistake in a write")
    }
}

/// A second way into the database, around all of the code.
async fn around(fresh: &Fresh) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(fresh.dir.path().join("keepfresh.db"));
    sqlx::ConnectOptions::connect(&options).await.unwrap()
}

#[tokio::test]
async fn a_database_that_was_closed_is_one_file_and_takes_nothing_more() {
    let fresh = sqlite().await.with(3).await;
    let waits = fresh.storage.begin(begin(0, None));
    let (begun, ()) = tokio::join!(waits, fresh.storage.close());
    assert_eq!(begun.unwrap(), Begun::Yes, "what was handed in is made");
    let refused = fresh.storage.begin(begin(1, None)).await;
    assert!(matches!(refused, Err(StorageError::WriterGone)), "{refused:?}");
    assert!(!fresh.dir.path().join("keepfresh.db-wal").exists());
    let storage = fresh.again().await;
    assert!(storage.load(&id(0)).await.unwrap().unwrap().open.is_some());
}

#[tokio::test]
async fn a_change_waits_for_others_where_many_are_under_way() {
    let fresh = sqlite().await.with(20).await;
    let crowd = std::iter::repeat_with(|| fresh.storage.under_way()).take(100).collect::<Vec<_>>();
    let begun = std::time::Instant::now();
    for number in 0..20 {
        fresh.storage.begin(begin(number, None)).await.unwrap();
    }
    let waited = begun.elapsed();
    // Each had waited for a millisecond, and nobody came.
    assert!(waited >= Duration::from_millis(20), "{waited:?}");
    drop(crowd);
    assert_eq!(std::sync::Arc::strong_count(&fresh.storage.under_way()), 3, "all of it has ended");
}

#[tokio::test]
async fn a_write_that_fails_takes_no_other_down() {
    let fresh = sqlite().await.with(50).await;
    let storage = &fresh.storage;
    let first = Skipped {
        attempt: begin(0, None).attempt,
        connection: id(0),
        trigger: Trigger::Manual,
        reason: String::new(),
        generation: 0,
        at: at(1),
    };
    storage.skip(first.clone()).await.unwrap();
    // Somebody has the write lock until all of them wait, so that they share a commit.
    let mut other = around(&fresh).await;
    sqlx::query("begin immediate").execute(&mut other).await.unwrap();
    let bad = storage.skip(first);
    let good = join_all((0..50).map(|it| storage.begin(begin(it, None))));
    let lets_go = async {
        tokio::task::yield_now().await;
        sqlx::query("rollback").execute(&mut other).await.unwrap();
    };
    let (begun, refused, ()) = tokio::join!(good, bad, lets_go);
    assert!(refused.is_err(), "there is an attempt of this id");
    assert!(begun.into_iter().all(|it| it.unwrap() == Begun::Yes));
    for number in 0..50 {
        assert!(storage.load(&id(number)).await.unwrap().unwrap().open.is_some());
    }
}

#[tokio::test]
async fn a_lock_that_nobody_gives_back_is_told_to_all_who_wait_at_once() {
    let fresh = sqlite().await.with(20).await;
    let mut other = around(&fresh).await;
    sqlx::query("begin immediate").execute(&mut other).await.unwrap();
    let begun = std::time::Instant::now();
    let first = fresh.storage.begin(begin(0, None));
    let rest = join_all((1..20).map(|it| fresh.storage.begin(begin(it, None))));
    let (first, rest) = tokio::join!(first, rest);
    for refused in rest.into_iter().chain([first]) {
        assert!(matches!(refused, Err(StorageError::Busy)), "{refused:?}");
    }
    // The first waits alone; the others came while it did, and share the next wait.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_database_refuses_what_no_code_should_try() {
    let fresh = sqlite().await.with(1).await;
    let storage = &fresh.storage;
    let attempt = begin(0, None);
    storage.begin(attempt.clone()).await.unwrap();
    storage.succeed(succeeded(attempt.attempt, 0)).await.unwrap();
    let mut db = around(&fresh).await;
    for (statement, rule) in [
        ("update connections set generation = 0", "I5"),
        ("update connections set generation = 3", "I5"),
        ("update generations set generation = 0", "I5"),
        ("insert into generations values ('x/c0', 0, x'00', null, 0)", "I5"),
        ("update attempts set outcome = 'failed'", "I6"),
    ] {
        let refused = sqlx::query(statement).execute(&mut db).await.unwrap_err();
        assert!(refused.to_string().contains(rule), "{statement}: {refused}");
    }
    tokio::time::timeout(Duration::from_secs(5), storage.check()).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_case_of_a_failure_is_kept_and_one_from_before_fits_its_code_and_its_problem() {
    let fresh = sqlite().await.with(1).await;
    let storage = &fresh.storage;
    let first = begin(0, None);
    storage.begin(first.clone()).await.unwrap();
    let failure = Failure::new(Case::PluginFault, code::Refresh::OutcomeUnknown, "why");
    storage.fail(Failed { failure: failure.clone(), ..failed(first.attempt, 0) }).await.unwrap();
    let error = async || storage.load(&id(0)).await.unwrap().unwrap().connection.error.unwrap();
    let attempt = async || storage.attempt(first.attempt).await.unwrap().unwrap();
    assert_eq!(error().await, failure);
    assert_eq!(attempt().await.error(), Some(&failure));
    let mut db = around(&fresh).await;
    for statement in [
        "drop trigger attempts_stay",
        "update connections set error_case = null",
        "update attempts set error_case = null",
    ] {
        sqlx::query(statement).execute(&mut db).await.unwrap();
    }
    assert_eq!(attempt().await.error().unwrap().case, Case::InDoubt);
    // Its problem is that the grant is dead.
    assert_eq!(error().await.case, Case::GrantExpired);
}

#[tokio::test]
async fn an_attempt_that_cannot_be_is_a_row_that_cannot_be_read() {
    let fresh = sqlite().await.with(1).await;
    let (storage, attempt) = (&fresh.storage, begin(0, None));
    storage.begin(attempt.clone()).await.unwrap();
    storage.succeed(succeeded(attempt.attempt, 0)).await.unwrap();
    let mut db = around(&fresh).await;
    sqlx::query("drop trigger attempts_stay").execute(&mut db).await.unwrap();
    for mix in [
        "error_code = 'token.none', error_message = 'why'",
        "outcome = 'skipped'",
        "outcome = 'failed'",
        "outcome = 'failed', reason = 'why'",
        "outcome = 'mislaid'",
        "outcome = 'failed', error_code = 'token.none', error_case = 'odd'",
    ] {
        let clean = "update attempts set outcome = 'success', reason = null, error_code = null, error_message = null, error_case = null";
        sqlx::query(clean).execute(&mut db).await.unwrap();
        assert!(storage.attempt(attempt.attempt).await.is_ok(), "{mix}");
        let mix = format!("update attempts set {mix}");
        sqlx::query(AssertSqlSafe(mix.clone())).execute(&mut db).await.unwrap();
        let error = storage.attempt(attempt.attempt).await.unwrap_err();
        assert_eq!(error.code(), code::Storage::RowUnreadable, "{mix}: {error}");
    }
}

#[tokio::test]
async fn what_nobody_listens_to_is_not_written() {
    let fresh = sqlite().await.with(1).await;
    let storage = &fresh.storage;
    storage.keep_listeners(&[]).await.unwrap();
    happens(storage, 0, &[EventKind::Refreshed, EventKind::Critical]).await;
    let mut db = around(&fresh).await;
    let count = "select count(*) from outbox";
    assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut db).await.unwrap(), 0);
    let _ears = storage.listen("ears", &[EventKind::Critical]).await.unwrap();
    happens(storage, 0, &[EventKind::Refreshed, EventKind::Critical]).await;
    assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut db).await.unwrap(), 1);
}

/// What a database of the version before claims held, with one attempt that was interrupted.
const BEFORE_CLAIMS: &str = "
    insert into connections (id, provider, name, generation, token_type, issued_at, fingerprint, due_at,
                             due_trigger, last_attempt, created_at)
    values ('x/c0', 'x', 'c0', 2, 'Bearer', 1000, 'abcdef01', 60000, 'recovery',
            '01890a5d-ac96-774b-bcce-000000000002', 0);
    insert into generations (connection, generation, sealed, attempt, created_at)
    values ('x/c0', 2, x'02', '01890a5d-ac96-774b-bcce-000000000001', 1000);
    insert into attempts (id, connection, provider, trigger, outcome, rotation, digest, owner, lease_until,
                          generation, started_at, duration_ms)
    values ('01890a5d-ac96-774b-bcce-000000000001', 'x/c0', 'x', 'expiry', 'success', '\"strict\"', 'd', 'a', 0,
            2, 900, 100),
           ('01890a5d-ac96-774b-bcce-000000000002', 'x/c0', 'x', 'expiry', null, '\"strict\"', 'd', 'a', 60000,
            2, 2000, null);
    insert into captures (connection, attempt, seq, generation, request, sealed, readings, created_at)
    values ('x/c0', '01890a5d-ac96-774b-bcce-000000000002', 0, 2, 'POST /token', x'03', 1, 2500)";

#[tokio::test]
async fn a_database_from_before_claims_is_brought_up_to_date_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keepfresh.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut db = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let mut older = sqlx::migrate!("migrations/sqlite");
    older.migrations.to_mut().retain(|it| it.version < 10);
    older.run(&mut db).await.unwrap();
    sqlx::raw_sql(BEFORE_CLAIMS).execute(&mut db).await.unwrap();
    sqlx::Connection::close(db).await.unwrap();
    let storage = Storage::open(&path).await.unwrap();
    let loaded = storage.load(&id(0)).await.unwrap().unwrap();
    let open = loaded.open.as_ref().unwrap();
    assert_eq!((open.started_at, open.lease_until), (at(2), at(60)));
    assert_eq!(loaded.sealed.as_ref().unwrap().as_bytes(), [2]);
    assert!(loaded.given && loaded.captures.len() == 1);
    let log = LogFilter { limit: 9, ..LogFilter::default() };
    let log = storage.log(&log).await.unwrap();
    let outcomes = log.iter().map(Attempt::outcome).collect::<Vec<_>>();
    assert_eq!(outcomes, [None, Some(Outcome::Success)]);
    let due = storage.due("x", at(60), 9, |_| true).await.unwrap();
    assert_eq!(due, [(id(0), Trigger::Recovery)]);
    let next = Begin { generation: 2, ..begin(0, Some(open.id)) };
    assert_eq!(storage.begin(next).await.unwrap(), Begun::Yes);
}

#[tokio::test]
async fn a_message_an_outlet_or_an_alert_that_cannot_be_read_is_alone_with_it() {
    let fresh = sqlite().await;
    let storage = &fresh.storage;
    for outlet in ["channel:a", "channel:b"] {
        let some = |letter: &str| (0..20).map(|it| format!("{letter}{it}")).collect::<Vec<_>>();
        let alert = |subject: &str| (subject.to_owned(), Some("{}".to_owned()));
        let noted = Noted {
            outlet: outlet.to_owned(),
            alerts: vec![alert("failing:x"), alert("failing:y")],
            messages: some("m"),
            apart: some("p"),
            at: at(5),
            ..Noted::default()
        };
        storage.note(noted).await.unwrap();
    }
    let mut db = around(&fresh).await;
    for statement in [
        "update messages set content = cast(x'ff' as text) where outlet = 'channel:a' and apart = 0
         and id not in (select max(id) from messages where apart = 0 group by outlet)",
        "update messages set made_at = 9223372036854775807 where outlet = 'channel:a' and apart = 1
         and id not in (select max(id) from messages where apart = 1 group by outlet)",
        "update outlets set delivered_at = 9223372036854775807 where name = 'channel:a'",
        "update alerts set state = cast(x'ff' as text)
         where outlet = 'channel:a' and subject = 'failing:x'",
    ] {
        sqlx::query(statement).execute(&mut db).await.unwrap();
    }
    let due = storage.messages("channel:a", at(5), 3).await.unwrap();
    assert_eq!(due.iter().map(|it| it.content.as_str()).collect::<Vec<_>>(), ["m19", "p19"]);
    assert_eq!(storage.next_message("channel:a").await.unwrap(), Some(at(5)));
    assert_eq!(storage.messages("channel:b", at(5), 99).await.unwrap().len(), 40);
    let outlets = storage.outlets().await.unwrap();
    let error = outlets[0].error.clone().unwrap();
    assert_eq!((outlets[0].name.as_str(), error.0.text()), ("channel:a", "storage.row_unreadable"));
    assert_eq!((outlets[1].error.clone(), outlets[1].waiting), (None, 40));
    assert!(!storage.is_disabled("channel:a").await.unwrap());
    let alerts = storage.alerts("channel:a").await.unwrap();
    assert_eq!(alerts, [("failing:y".to_owned(), "{}".to_owned())]);
    for message in due {
        let (outlet, message) = ("channel:a".to_owned(), Some(message.id));
        let settled = Settled { outlet, message, ending: Ending::Delivered, at: at(6) };
        storage.settle(settled).await.unwrap();
    }
    assert_eq!(storage.next_message("channel:a").await.unwrap(), None, "nothing is waited for");
}

#[tokio::test]
async fn connections_that_cannot_be_read_are_counted_in_troubles_with_the_others() {
    let fresh = sqlite().await.with(4).await;
    let storage = &fresh.storage;
    let mut db = around(&fresh).await;
    for statement in [
        "update connections set failures = 1, error_code = 'x.y', error_message = 'why',
                expires_at = 50000",
        "update connections set error_message = cast(x'ff' as text) where id = 'x/c0'",
        "update connections set error_code = cast(x'ff' as text) where id = 'x/c1'",
        "update connections set name = cast(x'ff' as text) where id = 'x/c2'",
        "update connections set provider = cast(x'ff' as text) where id = 'x/c3'",
    ] {
        sqlx::query(statement).execute(&mut db).await.unwrap();
    }
    let found = storage.troubles(at(9), at(99), &[]).await.unwrap();
    let counts = found.iter().map(|it| (it.provider.as_str(), it.affected));
    let counts = counts.collect::<std::collections::BTreeSet<_>>();
    assert_eq!(counts, [("x", 3), ("\u{fffd}", 1)].into());
    let some = storage.examples("x", None, 9).await.unwrap();
    assert_eq!(some.names.len(), 4);
    assert!(some.causes.iter().any(|(code, ..)| code == "x.y"), "{some:?}");
    let ears = storage.listen("ears", &[EventKind::Ending]).await.unwrap();
    let told = storage.note_ends(at(9), Duration::from_hours(1), &[]).await.unwrap();
    assert!(told >= 3, "{told}");
    assert!(ears.waiting(9).await.unwrap().len() >= 3);
}
