//! What is due while a provider is down is put off by one statement and comes back spread; finding out
//! whether it is back is left to what is sent.

use std::time::{Duration, Instant};

use e2e::database::Database;
use e2e::inside::Inside;
use e2e::provider::script::Scenario;
use keepfresh::model::attempt::Trigger;
use keepfresh::model::connection::Due;
use keepfresh::model::id::AttemptId;
use keepfresh::model::rotation::Rotation;
use keepfresh::storage::{Begin, Begun, Captured};

use super::{call, crowd, five_have_found_out, goes_down};
use crate::people::Crowd;
use crate::schedule::HOUR;

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_due_rows_are_put_off_by_one_statement_and_spread() {
    let (provider, home) = crowd(300, "");
    let inside = Inside::open(&home).await;
    let path = home.path("keepfresh.db");
    // Notes each row that is put off without an attempt, and when: the same `now` for all of one statement.
    let prepare = |path: std::path::PathBuf| {
        move || {
            let database = Database::at(&path);
            database.run("create table tally (at real not null)");
            database.run(
                "create trigger tally after update of due_at on connections
             when new.last_attempt is old.last_attempt and new.failures = old.failures
             begin insert into tally values (julianday('now')); end",
            );
        }
    };
    tokio::task::spawn_blocking(prepare(path.clone())).await.unwrap();
    goes_down(&provider);
    let now = inside.app.clock.now();
    inside.app.scheduler().start();
    let storage = &inside.app.storage;
    until("nothing is due", async || {
        storage.due("eskiz", now, 1, |_| true).await.unwrap().is_empty()
    })
    .await;
    assert!(provider.control().seen() <= 4 + 8, "{}", provider.control().seen());
    let look = move || {
        let database = Database::at(&path);
        let rows = database.number("select count(*) from tally");
        let statements = database.number("select count(distinct at) from tally");
        let moments = database.number("select count(distinct due_at) from connections");
        (rows, statements, moments)
    };
    let (rows, statements, moments) = tokio::task::spawn_blocking(look).await.unwrap();
    assert!(rows >= 280, "{rows}");
    assert_eq!(statements, 1, "{rows} rows");
    assert!(moments > 200, "spread over {moments} moments");
    let next = storage.next_due(now).await.unwrap().unwrap();
    assert!(next >= now + Duration::from_secs(30), "not before the pause is over: {next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_turn_to_find_out_is_not_spent_on_what_sends_nothing() {
    let crowd = Crowd::new("active_within = \"7d\"");
    let names = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal"];
    crowd.file("people.csv", &crowd.roster(&names, 36_000));
    crowd.import(&["people.csv"]).exits(0);
    let inside = Inside::open(&crowd.home).await;
    goes_down(&crowd.fake);
    // Five wake it: all of them become active by it.
    inside.advance(11 * HOUR, &[&crowd.fake]);
    for name in &names[..5] {
        let id = format!("rotor/{name}").parse().unwrap();
        inside.app.refresher.serving.token(&id, Duration::ZERO).await.unwrap_err();
    }
    assert_eq!(crowd.fake.control().seen(), 5);
    // Nobody asks for the last three: they rest, one after the other, and the turn is left to the others.
    crowd.fake.control().clear_script();
    inside.advance(Duration::from_mins(2), &[&crowd.fake]);
    inside.app.scheduler().start();
    until("they are fresh", async || {
        let mut fresh = 0;
        for name in &names[..5] {
            let connection = inside.connection(&format!("rotor/{name}")).await;
            fresh += u32::from(connection.failures == 0);
        }
        inside.advance(Duration::from_secs(10), &[&crowd.fake]);
        fresh == 5
    })
    .await;
    for name in &names[5..] {
        let connection = inside.connection(&format!("rotor/{name}")).await;
        assert_eq!((connection.generation, connection.due), (1, None), "{name} rests");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_attempts_say_nothing_about_the_provider() {
    let crowd = Crowd::new("");
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "healthy"];
    crowd.file("people.csv", &crowd.roster(&names, 3_600));
    crowd.import(&["people.csv"]).exits(0);
    let inside = Inside::open(&crowd.home).await;
    let now = inside.app.clock.now();
    for name in &names[..8] {
        let begin = Begin {
            attempt: AttemptId::generate(),
            connection: format!("rotor/{name}").parse().unwrap(),
            trigger: Trigger::Expiry,
            generation: 1,
            rotation: Rotation::Strict,
            digest: String::new(),
            owner: "one that died".to_owned(),
            at: now,
            lease_until: now,
            adopts: None,
            captured: Captured::Stay,
            doubt_since: None,
        };
        assert_eq!(inside.app.storage.begin(begin).await.unwrap(), Begun::Yes);
    }
    inside.app.scheduler().start();
    until("the eight are in doubt", async || {
        let mut doubtful = 0;
        for name in &names[..8] {
            let connection = inside.connection(&format!("rotor/{name}")).await;
            doubtful += u32::from(connection.failures == 1 && connection.doubt_since.is_some());
        }
        doubtful == 8
    })
    .await;
    // Within the shortest pause there is.
    let at = now + Duration::from_secs(10);
    let due = Some(Due { at, trigger: Trigger::Expiry });
    inside.app.storage.set_due(&"rotor/healthy".parse().unwrap(), due).await.unwrap();
    inside.advance_to(at, &[&crowd.fake]);
    inside.settles("rotor/healthy", 1).await;
    assert_eq!(inside.connection("rotor/healthy").await.generation, 2, "at its time, not later");
    assert_eq!(crowd.fake.control().seen(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_is_refreshed_when_the_provider_is_back() {
    let (provider, home) = crowd(30, "");
    let inside = Inside::open(&home).await;
    five_have_found_out(&inside, &provider).await;
    let scheduler = inside.app.scheduler();
    scheduler.start();
    let storage = &inside.app.storage;
    let now = inside.app.clock.now();
    until("all are put off", async || {
        storage.due("eskiz", now, 1, |_| true).await.unwrap().is_empty()
    })
    .await;
    provider.control().clear_script();
    // While one finds out, nobody is put off for what may be over.
    provider.control().script(Scenario::default().delay_before(300));
    inside.advance(Duration::from_mins(2), &[&provider]);
    until("all have a token", async || {
        scheduler.wake();
        let mut there = 0;
        for number in 0..30 {
            there += inside.connection(&format!("eskiz/c{number}")).await.generation;
        }
        there == 30
    })
    .await;
    assert_eq!(provider.control().seen(), 35, "one each, besides those who found out");
    call(&inside, 29).await.unwrap();
}
