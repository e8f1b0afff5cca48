//! A clock that was a year ahead, and then was set right: nothing that it planned stays.

use std::time::Duration;

use e2e::daemon::wait_until;
use e2e::inside::Inside;
use e2e::stage::Stage;
use jiff::Timestamp;
use keepfresh::model::attempt::Trigger;
use keepfresh::model::connection::Connection;
use keepfresh::refresher::Ask;

use crate::providers::subject::{self, plain};
use crate::times::{DAY, due, rotor, seed};

const YEAR: Duration = Duration::from_hours(365 * 24);

/// As it is when the manifest says nothing.
const JITTER: Duration = Duration::from_secs(30);

/// Waits until the connection is as `wanted` says.
async fn becomes(inside: &Inside, id: &str, wanted: impl Fn(&Connection) -> bool) -> Connection {
    let begun = std::time::Instant::now();
    loop {
        let connection = inside.connection(id).await;
        if wanted(&connection) {
            return connection;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{connection:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until it is due within the jitter, and lets that pass.
async fn is_due_soon(inside: &Inside, id: &str) {
    let soon = inside.app.clock.now() + JITTER;
    becomes(inside, id, |it| it.due.is_some_and(|it| it.at <= soon)).await;
    inside.app.clock.advance(JITTER);
}

/// Stored and planned by a clock that goes right.
fn is_sound(connection: &Connection, now: Timestamp) -> bool {
    let Some(token) = &connection.token else { return false };
    let (Some(end), Some(due)) = (token.expires_at, connection.due) else { return false };
    let soon = now + Duration::from_hours(1);
    token.issued_at <= soon && end > now && due.at > now && due.at < end && connection.failures == 0
}

#[tokio::test]
async fn a_running_daemon_notices_that_its_clock_was_set_right() {
    let (fake, home) = rotor(3_600);
    let inside = Inside::open(&home).await;
    seed(&inside, &fake).await;
    let now = inside.app.clock.now();
    inside.app.scheduler().start();
    inside.app.clock.set(now + YEAR);
    let ahead = becomes(&inside, "rotor", |it| it.generation == 2 && it.due.is_some()).await;
    assert!(ahead.due.unwrap().at > now + YEAR);
    inside.app.clock.set(now);
    is_due_soon(&inside, "rotor").await;
    let right = becomes(&inside, "rotor", |it| is_sound(it, inside.app.clock.now())).await;
    assert_eq!(right.generation, 3, "one refresh tells how things are");
}

#[tokio::test]
async fn a_restart_finds_what_a_clock_that_was_ahead_has_left() {
    let (fake, home) = rotor(3_600);
    let now = {
        let inside = Inside::open(&home).await;
        seed(&inside, &fake).await;
        let now = inside.app.clock.now();
        inside.app.clock.set(now + YEAR);
        let ask = Ask::new(Trigger::Forced);
        inside.app.refresher.attempts.refresh(&"rotor".parse().unwrap(), ask).await.unwrap();
        now
    };
    // What the manifest does not list is not read at a start, and found all the same.
    let manifest = std::fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(
        &manifest.replace("[providers.rotor]", "[providers.rotor]\nconnections = []"),
    );
    let inside = Inside::open(&home).await;
    assert!(inside.app.clock.now() < now + DAY);
    inside.app.scheduler().start();
    is_due_soon(&inside, "rotor").await;
    becomes(&inside, "rotor", |it| is_sound(it, inside.app.clock.now())).await;
}

#[tokio::test]
async fn a_token_with_an_end_of_its_own_is_looked_at_before_it() {
    // Its provider says when it ends by the calendar, so that it comes dead to a clock that is ahead.
    let stage = plain(subject::eskiz).stage("");
    let inside = Inside::open(&stage.home).await;
    let now = inside.app.clock.now();
    inside.app.clock.set(now + YEAR);
    inside.app.scheduler().start();
    becomes(&inside, "eskiz", |it| it.failures == 1 && it.due.is_some()).await;
    assert!(due(&inside.app.storage, "eskiz").await.unwrap() > now + YEAR);
    inside.app.clock.set(now);
    becomes(&inside, "eskiz", |it| is_sound(it, now)).await;
}

#[tokio::test]
async fn a_caller_who_was_refused_is_not_sent_away_by_a_clock_that_was_ahead() {
    let (fake, home) = rotor(3_600);
    let inside = Inside::open(&home).await;
    let now = inside.app.clock.now();
    inside.app.clock.set(now + YEAR);
    seed(&inside, &fake).await;
    inside.app.clock.set(now);
    let id = "rotor".parse().unwrap();
    let served = inside.app.refresher.serving.rejected(&id, None).await.unwrap();
    assert_eq!(served.generation, 2);
    let young = inside.app.refresher.serving.rejected(&id, None).await.unwrap_err();
    assert_eq!(young.code.text(), "token.rejected_when_fresh");
}

#[tokio::test]
async fn a_pause_of_an_hour_that_a_clock_ahead_began_lasts_an_hour() {
    let (fake, home) = rotor(3_600);
    let inside = Inside::open(&home).await;
    seed(&inside, &fake).await;
    let (id, now) = ("rotor".parse().unwrap(), inside.app.clock.now());
    inside.app.clock.set(now + YEAR);
    let until = Some(now + YEAR + Duration::from_hours(1));
    let pause = keepfresh::model::connection::Pause { until, reason: None };
    inside.app.refresher.pauses.set(&id, Some(pause)).await.unwrap();
    inside.app.clock.set(now);
    inside.app.refresher.times.check().await.unwrap();
    let end = Some(now + Duration::from_hours(1));
    assert_eq!(inside.connection("rotor").await.pause.unwrap().until, end);
    assert_eq!(due(&inside.app.storage, "rotor").await, end);
}

#[tokio::test]
async fn a_profile_that_a_clock_ahead_would_have_asked_next_year_is_asked_in_its_time() {
    let (_fake, home) = rotor(3_600);
    let manifest = std::fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&(manifest + "probe = \"1h\"\n"));
    let inside = Inside::open(&home).await;
    let (id, now) = ("rotor".parse().unwrap(), inside.app.clock.now());
    let storage = &inside.app.storage;
    storage.set_profile(&id, None, Some(now + YEAR)).await.unwrap();
    inside.app.refresher.times.check().await.unwrap();
    assert!(storage.next_probe("rotor").await.unwrap().unwrap() <= now + Duration::from_hours(1));
}

#[test]
fn what_was_planned_for_next_year_is_planned_anew_by_a_daemon_that_starts() {
    let stage = Stage::eskiz("").logged_in();
    let database = e2e::database::Database::at(&stage.home.path("keepfresh.db"));
    database.run("update connections set due_at = due_at + 31536000000");
    let _daemon = stage.home.serve();
    wait_until("it is planned anew", || {
        let sentence = stage.status()["sentence"].as_str().unwrap_or_default().to_owned();
        sentence.contains("Refresh due in 19d") || sentence.contains("Refresh due in 2")
    });
}
