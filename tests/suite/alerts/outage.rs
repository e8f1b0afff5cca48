//! An outage is one alert, its reminders and one recovery, whatever the number of connections.

use std::time::Duration;

use e2e::daemon::wait_until;
use e2e::inside::Inside;
use e2e::many;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::receiver::{Received, Receiver};
use futures_util::future::join_all;
use keepfresh::model::attempt::{Spent, Trigger};
use keepfresh::model::code::Code;
use keepfresh::model::event::{Event, EventKind};
use keepfresh::model::failure::{Case, Failure};
use keepfresh::model::id::{AttemptId, ConnectionId};
use keepfresh::model::rotation::Rotation;
use keepfresh::refresher::Ask;
use keepfresh::storage::{Begin, Captured, Failed};
use serde_json::Value;

use super::{HOUR, MINUTE, add, at_work, kinds, pass, webhook, with_database};

/// As long as the channels take to look again.
const STEP: Duration = Duration::from_secs(30);
use crate::schedule::eskiz;

/// When a message was made.
fn time(receiver: &Receiver, number: usize) -> jiff::Timestamp {
    receiver.received()[number].json()["timestamp"].as_str().unwrap().parse().unwrap()
}

/// Fails a connection as an attempt does.
async fn fails(inside: &Inside, id: ConnectionId) {
    let (attempt, at) = (AttemptId::generate(), inside.app.clock.now());
    let begin = Begin {
        attempt,
        connection: id.clone(),
        trigger: Trigger::Expiry,
        generation: 1,
        rotation: Rotation::None,
        digest: String::new(),
        owner: "a test".to_owned(),
        at,
        lease_until: at + MINUTE,
        adopts: None,
        captured: Captured::Stay,
        doubt_since: None,
    };
    let code = Code::read("provider.unavailable");
    let event = Event {
        kind: EventKind::Failed,
        connection: id.clone(),
        at,
        generation: 1,
        code: Some(code.clone()),
    };
    let failed = Failed {
        attempt,
        connection: id,
        generation: 1,
        failure: Failure::new(Case::Unavailable, code, "the provider is down"),
        problem: None,
        config: None,
        doubt_since: None,
        keep_captures: false,
        due: None,
        events: vec![event],
        at,
        duration_ms: 1,
        spent: Spent::default(),
        exchanges: Vec::new(),
    };
    inside.app.storage.begin(begin).await.unwrap();
    inside.app.storage.fail(failed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_that_fail_at_once_are_one_alert_its_reminders_and_one_recovery() {
    let receiver = Receiver::start();
    let (provider, home) = eskiz(12 * HOUR, "connections = []");
    add(&home, &webhook(&receiver, ""));
    home.run(&["status"]);
    let (inside, _delivery) = at_work(&home).await;
    tokio::task::block_in_place(|| many::fill(&home, "eskiz", 10_000));
    let ids = (0..10_000).map(|it| format!("eskiz/u{it:07}").parse().unwrap());
    join_all(ids.map(|id| fails(&inside, id))).await;

    let to = |count| (&receiver, count);
    assert_eq!(kinds(&inside, STEP, to(1)).await, ["alert.began"]);
    let first = receiver.received()[0].json();
    let data = &first["data"];
    assert_eq!((&data["provider"], &data["affected"]), (&"eskiz".into(), &10_000.into()));
    assert_eq!(data["connections"].as_array().unwrap().len(), 5);
    assert_eq!(data["causes"][0]["code"], "provider.unavailable");
    assert_eq!(data["causes"][0]["count"], 10_000);

    let reminded = kinds(&inside, 5 * MINUTE, to(3)).await;
    assert_eq!(reminded[1..], ["alert.reminder", "alert.reminder"]);
    let [first, second, third] = [0, 1, 2].map(|it: usize| time(&receiver, it));
    assert!(second >= first + HOUR && third >= second + 4 * HOUR, "{first} {second} {third}");
    let all_but_one =
        "update connections set failures = 0, error_code = null where id <> 'eskiz/u0000007'";
    with_database(&home, |it| it.run(all_but_one));
    pass(&inside, &[&provider], 2 * MINUTE).await;
    assert_eq!(receiver.received().len(), 3, "one is still failing");
    let the_last = "update connections set failures = 0, error_code = null where failures > 0";
    with_database(&home, |it| it.run(the_last));
    assert_eq!(kinds(&inside, STEP, to(4)).await[3], "alert.recovered");
    let over = receiver.received()[3].json();
    assert!(over["data"]["title"].as_str().unwrap().contains("works again after 5 h"), "{over}");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_wait_for_a_provider_which_is_down_are_counted_with_those_that_asked() {
    let receiver = Receiver::start();
    let names = (0..40).map(|it| format!("{{ name = \"c{it}\" }}")).collect::<Vec<_>>().join(", ");
    let (provider, home) = eskiz(12 * HOUR, &format!("connections = [{names}]"));
    add(&home, &webhook(&receiver, ""));
    provider.control().script(Scenario::from(Answer::server_error()).always());
    let (inside, _delivery) = at_work(&home).await;
    inside.app.scheduler().start();
    assert_eq!(kinds(&inside, Duration::from_secs(2), (&receiver, 1)).await, ["alert.began"]);
    assert_eq!(receiver.received()[0].json()["data"]["affected"], 40);
    assert!(provider.control().seen() < 40, "most of them were not asked");
    inside.app.lifecycle.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_when_a_token_comes_near_its_end_and_when_it_has_ended_once_each() {
    let receiver = Receiver::start();
    let (provider, home) = eskiz(12 * HOUR, "refresh_before = \"4h\"");
    add(&home, &webhook(&receiver, ""));
    let (inside, _delivery) = at_work(&home).await;
    let id: ConnectionId = "eskiz".parse().unwrap();
    let refresh = async |ask| inside.app.refresher.attempts.refresh(&id, ask).await.unwrap();
    refresh(Ask::new(Trigger::Expiry)).await;
    inside.advance(8 * HOUR, &[&provider]);
    provider.control().script(Answer::server_error());
    refresh(Ask::new(Trigger::Forced)).await;
    let to = |count| (&receiver, count);
    assert_eq!(kinds(&inside, STEP, to(1)).await, ["alert.began"]);
    let told = "select count(*) from outbox where kind in ('ending', 'expired')";
    assert_eq!(with_database(&home, |it| it.number(told)), 0);
    inside.advance(2 * HOUR, &[]);
    let at = |it: usize| receiver.received()[it].json()["data"]["kind"].clone();
    assert_eq!(kinds(&inside, STEP, to(2)).await[1], "alert.worse");
    assert_eq!(at(1), "critical");
    inside.advance(2 * HOUR, &[]);
    let all = kinds(&inside, STEP, to(3)).await;
    assert_eq!((all[2].as_str(), at(2)), ("alert.worse", "expired".into()));
    assert_eq!(with_database(&home, |it| it.number(told)), 2);
    provider.control().advance(13 * 3_600);
    refresh(Ask::new(Trigger::Forced)).await;
    assert_eq!(kinds(&inside, STEP, to(4)).await[3], "alert.recovered");
    assert_eq!(with_database(&home, |it| it.number(told)), 2, "once for each generation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blip_is_not_told() {
    let receiver = Receiver::start();
    let (provider, home) = eskiz(12 * HOUR, "");
    add(&home, &webhook(&receiver, ""));
    let (inside, _delivery) = at_work(&home).await;
    let id: ConnectionId = "eskiz".parse().unwrap();
    provider.control().script(Answer::server_error());
    for _ in 0..2 {
        let attempt = inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await;
        drop(attempt.unwrap());
        pass(&inside, &[&provider], Duration::from_secs(20)).await;
    }
    pass(&inside, &[&provider], 10 * MINUTE).await;
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_new_finds_what_is_wrong_already() {
    let receiver = Receiver::start();
    let (provider, home) = eskiz(12 * HOUR, "");
    provider.control().script(Scenario::from(Answer::server_error()).always());
    let inside = Inside::open(&home).await;
    let id: ConnectionId = "eskiz".parse().unwrap();
    let attempt = inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await;
    assert!(attempt.unwrap().error().is_some());
    inside.app.storage.close().await;
    drop(inside);
    add(&home, &webhook(&receiver, ""));
    let (inside, _delivery) = at_work(&home).await;
    assert_eq!(kinds(&inside, STEP, (&receiver, 1)).await, ["alert.began"]);
    drop(provider);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_comes_at_its_time_once_a_day() {
    let receiver = Receiver::start();
    let (provider, home) = eskiz(500 * HOUR, "");
    add(&home, &webhook(&receiver, "on = [\"summary\"]\ntimezone = \"Asia/Tashkent\""));
    let (inside, _delivery) = at_work(&home).await;
    let id: ConnectionId = "eskiz".parse().unwrap();
    let refreshed = inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await;
    assert!(refreshed.unwrap().error().is_none());
    pass(&inside, &[], MINUTE).await;
    for day in 1..=2 {
        inside.advance(24 * HOUR, &[&provider]);
        assert_eq!(kinds(&inside, STEP, (&receiver, day)).await[day - 1], "summary");
    }
    let title = receiver.received()[0].json()["data"]["title"].clone();
    assert_eq!(title, "1 connection in order");
}

const YEAR: Duration = Duration::from_hours(24 * 365);

#[tokio::test(flavor = "multi_thread")]
async fn what_begins_while_the_clock_is_ahead_is_told_once_it_is_set_right() {
    let receiver = Receiver::start();
    let (provider, home) = eskiz(12 * HOUR, "");
    add(&home, &webhook(&receiver, "summary_at = \"08:00\""));
    let (inside, _delivery) = at_work(&home).await;
    let right = inside.app.clock.now();
    inside.app.clock.set(right + YEAR);
    provider.control().script(Scenario::from(Answer::server_error()).always());
    let id: ConnectionId = "eskiz".parse().unwrap();
    let attempt = inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await;
    assert!(attempt.unwrap().error().is_some());
    let pending = "select count(*) from alerts where state like '%pending%'";
    tokio::task::block_in_place(|| {
        wait_until("it was heard", || with_database(&home, |it| it.number(pending)) == 1);
    });
    inside.app.clock.set(right);
    let of_today = format!("{}", right.strftime("%Y"));
    let first = |kind: &str| {
        let all = receiver.received().iter().map(Received::json).collect::<Vec<_>>();
        // A clock that is a year ahead may have made the summary of that day.
        let is_it =
            |it: &&Value| it["type"] == kind && it["timestamp"].to_string().contains(&of_today);
        all.iter().find(is_it).cloned()
    };
    let began = until(&inside, STEP, || first("alert.began")).await;
    assert!(began["data"]["since"].as_str().unwrap().starts_with(&of_today), "{began}");
    // The summary of the day comes too, and not a year later.
    inside.advance(24 * HOUR, &[&provider]);
    until(&inside, STEP, || first("summary")).await;
}

/// Lets time pass, in steps that are as long as this, until there is something.
async fn until<T>(inside: &Inside, step: Duration, there: impl Fn() -> Option<T>) -> T {
    let begun = std::time::Instant::now();
    loop {
        if let Some(it) = there() {
            return it;
        }
        assert!(begun.elapsed() < MINUTE, "in vain");
        inside.advance(step, &[]);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_off_while_the_clock_was_ahead_is_sent_once_it_is_set_right() {
    let receiver = Receiver::start();
    receiver.answers("503 Busy");
    let (provider, home) = eskiz(12 * HOUR, "");
    add(&home, &webhook(&receiver, "after = \"0s\""));
    let (inside, _delivery) = at_work(&home).await;
    let right = inside.app.clock.now();
    inside.app.clock.set(right + YEAR);
    provider.control().script(Scenario::from(Answer::server_error()).always());
    let id: ConnectionId = "eskiz".parse().unwrap();
    let attempt = inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await;
    assert!(attempt.unwrap().error().is_some());
    let put_off = "select count(*) from messages where tries = 1";
    tokio::task::block_in_place(|| {
        wait_until("it was tried", || with_database(&home, |it| it.number(put_off)) == 1);
    });
    inside.app.clock.set(right);
    assert_eq!(kinds(&inside, STEP, (&receiver, 2)).await, ["alert.began", "alert.began"]);
}
