//! When refreshes happen: a tick and an expiry cause one attempt each, and whoever wants the same
//! connection at the same time shares one request. Time is moved.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use e2e::home::Home;
use e2e::inside::Inside;
use e2e::provider::script::{Fate, Scenario};
use e2e::provider::{FakeProvider, Kind, eskiz};
use jiff::tz::TimeZone;
use keepfresh::model::attempt::{Outcome, Trigger};
use keepfresh::model::schedule::Schedule;
use keepfresh::refresher::Ask;
use keepfresh::storage::Filter;

use crate::people::Crowd;

pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// A third before the end, and no tick in sight.
const BY_EXPIRY: &str = "schedule = \"0 2 1 1 *\"\nrefresh_before = \"4h\"";

/// Eskiz with tokens of that lifetime, and a home whose provider section has these lines too.
pub(crate) fn eskiz(lifetime: Duration, timing: &str) -> (FakeProvider, Home) {
    let lifetime = lifetime.as_secs().try_into().unwrap();
    let settings = eskiz::Settings { lifetime, ..eskiz::Settings::default() };
    let (email, password) = (settings.email.clone(), settings.password.clone());
    let provider = FakeProvider::start(Kind::Eskiz(settings)).unwrap();
    let manifest = format!(
        r#"
        [providers.eskiz]
        {timing}
        jitter = "0s"
        settings = {{ base_url = "{}" }}
        secrets = {{ email = {{ file = "email" }}, password = {{ file = "password" }} }}
        egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
        "#,
        provider.base_url()
    );
    let home = Home::new(&manifest).with_plugin("eskiz");
    std::fs::write(home.path("email"), email).unwrap();
    std::fs::write(home.path("password"), password).unwrap();
    (provider, home)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_refreshes_once_what_would_not_live_until_the_next() {
    let (provider, home) = eskiz(30 * HOUR, "schedule = \"0 2 * * *\"\nrefresh_before = \"1h\"");
    let inside = Inside::open(&home).await;
    inside.app.scheduler().start();
    let due = inside.settles("eskiz", 1).await.due.unwrap();
    let ticks = Schedule::new("0 2 * * *", TimeZone::UTC).unwrap();
    assert_eq!(due.trigger, Trigger::Scheduled);
    assert_eq!(ticks.last_at_or_before(due.at), Some(due.at));

    inside.advance_to(due.at - Duration::from_secs(1), &[&provider]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(provider.control().seen(), 1);
    inside.advance_to(due.at, &[&provider]);
    inside.settles("eskiz", 2).await;
    let last = inside.attempts("eskiz").await.pop().unwrap();
    assert_eq!((last.trigger, last.outcome()), (Trigger::Scheduled, Some(Outcome::Success)));
    assert_eq!(provider.control().seen(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_that_no_tick_catches_refreshes_once() {
    // The seeds' schedule: a token that ends before the next tick would be dead for days.
    let (provider, home) = eskiz(12 * HOUR, "schedule = \"0 2 1 1 *\"\nrefresh_before = \"2h\"");
    let inside = Inside::open(&home).await;
    inside.app.scheduler().start();
    let connection = inside.settles("eskiz", 1).await;
    let (due, end) = (connection.due.unwrap().at, connection.token.unwrap().expires_at.unwrap());
    let promised = end - 2 * HOUR;
    assert!(due <= promised && due > promised - HOUR / 2, "{due} of {end}");
    inside.advance_to(promised, &[&provider]);
    inside.settles("eskiz", 2).await;
    let last = inside.attempts("eskiz").await.pop().unwrap();
    assert_eq!((last.trigger, last.outcome()), (Trigger::Expiry, Some(Outcome::Success)));
    assert_eq!(provider.control().seen(), 2);
}

/// As a system brings them that has refreshed all of its tokens in one night.
#[tokio::test(flavor = "multi_thread")]
async fn those_that_were_imported_with_one_end_are_due_apart_and_none_too_late() {
    const HERD: usize = 300;
    let crowd = Crowd::new("refresh_before = \"10m\"");
    let end = crowd.fake.control().now().as_second() + 3_600;
    let mut text = "name,access_token,refresh_token,expires_at\n".to_owned();
    for number in 0..HERD {
        let pair = crowd.fake.control().issue_family(&format!("u{number}"));
        let _ = writeln!(text, "u{number},{},{},{end}", pair.access_token, pair.refresh_token);
    }
    crowd.file("people.csv", &text);
    let _ = crowd.import(&["people.csv"]).exits(0);
    let inside = Inside::open(&crowd.home).await;
    let page = inside.app.storage.page(&Filter::default(), None, 1_000).await.unwrap();
    // Ten minutes before the end, or up to a quarter of that earlier.
    let (latest, window) = (end - 600, 150);
    let mut tens = BTreeMap::<i64, usize>::new();
    for connection in page.rows.into_iter().map(Result::unwrap) {
        let due = connection.due.unwrap();
        let early = latest - due.at.as_second();
        assert_eq!(due.trigger, Trigger::Expiry);
        assert!((0..=window).contains(&early), "{}: {early} s", connection.id);
        *tens.entry(early / 10).or_default() += 1;
    }
    assert_eq!(tens.values().sum::<usize>(), HERD);
    let (peak, mean) = (*tens.values().max().unwrap(), HERD / 15);
    assert!(peak <= 3 * mean, "{peak} within ten seconds, and {mean} on average");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ticks_at_once_share_one_request() {
    let (provider, home) = eskiz(12 * HOUR, BY_EXPIRY);
    let inside = Inside::open(&home).await;
    let id = "eskiz".parse().unwrap();
    inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Manual)).await.unwrap();
    inside.advance(9 * HOUR, &[&provider]);
    provider.control().script(Scenario::from(Fate::Act).delay_before(200));
    let tick = || inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Scheduled));
    let (first, second) = tokio::join!(tick(), tick());
    assert_eq!(first.unwrap().id, second.unwrap().id);
    assert_eq!(provider.control().seen(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_asks_during_a_scheduled_refresh_shares_it() {
    let (provider, home) = eskiz(12 * HOUR, BY_EXPIRY);
    let inside = Inside::open(&home).await;
    let scheduler = inside.app.scheduler();
    scheduler.start();
    let due = inside.settles("eskiz", 1).await.due.unwrap();
    provider.control().script(Scenario::from(Fate::Act).delay_before(300));
    inside.advance_to(due.at, &[&provider]);
    let begun = std::time::Instant::now();
    while provider.control().pending_script() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let id = "eskiz".parse().unwrap();
    let forced =
        inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await.unwrap();
    assert_eq!(forced.trigger, Trigger::Expiry);
    inside.settles("eskiz", 2).await;
    assert_eq!(provider.control().seen(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_retries_the_backup_schedule_tries_again() {
    let timing = "refresh_before = \"4h\"\nschedule = \"0 2 * * *\"\nbackup_schedule = \"30 * * * *\"\nretry = { attempts = 2, backoff = \"60s\" }";
    let (provider, home) = eskiz(30 * HOUR, timing);
    let inside = Inside::open(&home).await;
    inside.app.scheduler().start();
    let due = inside.settles("eskiz", 1).await.due.unwrap();
    provider
        .control()
        .script(Scenario::from(e2e::provider::answer::Answer::server_error()).always());
    inside.advance_to(due.at, &[&provider]);
    inside.settles("eskiz", 2).await;
    inside.advance(Duration::from_secs(61), &[&provider]);
    let next = inside.settles("eskiz", 3).await.due.unwrap();
    let backup = Schedule::new("30 * * * *", TimeZone::UTC).unwrap();
    assert_eq!(next.trigger, Trigger::Backup, "{next:?}");
    assert_eq!(backup.last_at_or_before(next.at), Some(next.at));
    provider.control().clear_script();
    inside.advance_to(next.at, &[&provider]);
    let connection = inside.settles("eskiz", 4).await;
    assert_eq!(connection.failures, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_ends_by_itself_and_what_was_missed_is_done_then() {
    let (provider, home) = eskiz(12 * HOUR, BY_EXPIRY);
    let inside = Inside::open(&home).await;
    inside.app.scheduler().start();
    inside.settles("eskiz", 1).await;
    let id = "eskiz".parse().unwrap();
    let until = inside.app.clock.now() + 10 * HOUR;
    let pause = keepfresh::model::connection::Pause { until: Some(until), reason: None };
    inside.app.refresher.pauses.set(&id, Some(pause)).await.unwrap();
    inside.advance(9 * HOUR, &[&provider]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(provider.control().seen(), 1);
    inside.advance(HOUR, &[&provider]);
    let connection = inside.settles("eskiz", 2).await;
    assert!(connection.pause.is_none());
}
