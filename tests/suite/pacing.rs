//! How much of one provider at once: the manifest's concurrency and rate hold for everything that is
//! due, and an outage is asked about and not stormed.

use std::time::Duration;

use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::inside::Inside;
use e2e::provider::FakeProvider;
use e2e::provider::answer::Answer;
use e2e::provider::script::{Fate, Scenario};
use keepfresh::model::attempt::Trigger;
use keepfresh::model::connection::Due;

use crate::schedule::{HOUR, eskiz};

/// Eskiz with so many connections that want their first token, and these lines in its section.
fn crowd(connections: usize, limits: &str) -> (FakeProvider, Home) {
    let names = (0..connections).map(|it| format!("{{ name = \"c{it}\" }}"));
    let names = names.collect::<Vec<_>>().join(", ");
    eskiz(12 * HOUR, &format!("connections = [{names}]\n{limits}"))
}

/// When each request came, in milliseconds, once there are so many.
async fn arrivals(provider: &FakeProvider, requests: u64) -> Vec<u64> {
    let begun = std::time::Instant::now();
    while provider.control().seen() < requests {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", provider.control().seen());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    provider.control().journal().iter().map(|it| it.at_us / 1_000).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_the_manifest_allows_run_at_once() {
    let (provider, home) = crowd(6, "concurrency = 2");
    provider.control().script(Scenario::from(Fate::Act).delay_before(150).always());
    let inside = Inside::open(&home).await;
    inside.app.scheduler().start();
    let arrivals = arrivals(&provider, 6).await;
    for pair in arrivals.iter().zip(&arrivals[2..]) {
        assert!(pair.1 - pair.0 >= 140, "a third one came while two ran: {arrivals:?}");
    }
}

#[test]
fn a_caller_without_a_token_does_not_stand_behind_requests_that_hang() {
    let (provider, home) = crowd(3, "concurrency = 2\ntimeout = \"12s\"");
    provider.control().script(Fate::Hang);
    let _daemon = home.serve();
    wait_until("one request hangs", || provider.control().seen() == 1);
    // One of the others stands in line already, for the scheduler.
    let begun = std::time::Instant::now();
    std::thread::scope(|scope| {
        let get = |id: &'static str| {
            let home = &home;
            scope.spawn(move || home.run(&["token", "get", id]).code)
        };
        let callers = ["eskiz/c0", "eskiz/c1", "eskiz/c2"].map(get);
        let served = || callers.iter().filter(|it| it.is_finished()).count();
        wait_until("all but the one that hangs have a token", || served() == 2);
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    });
    assert_eq!(provider.control().seen(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_the_manifest_allows_begin_in_a_second() {
    let (provider, home) = crowd(10, "rate = \"4/s\"");
    let inside = Inside::open(&home).await;
    inside.app.scheduler().start();
    let arrivals = arrivals(&provider, 10).await;
    for (first, over) in arrivals.iter().zip(&arrivals[4..]) {
        // The way to the provider may push two together by a little.
        assert!(over - first >= 900, "five within a second: {arrivals:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_asked_about_by_one_and_not_by_all() {
    let (provider, home) =
        crowd(12, "concurrency = 1\nretry = { attempts = 1, backoff = \"60s\" }");
    provider.control().script(Scenario::from(Answer::server_error()).always());
    let inside = Inside::open(&home).await;
    inside.app.scheduler().start();
    arrivals(&provider, 5).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(provider.control().seen(), 5, "the breaker is open");

    // A pause of 30 s, and what waited comes back spread over 30 s.
    inside.advance(Duration::from_secs(61), &[&provider]);
    arrivals(&provider, 6).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(provider.control().seen(), 6, "one asks whether it is over");

    provider.control().clear_script();
    inside.advance(HOUR, &[&provider]);
    for number in 0..12 {
        let id = format!("eskiz/c{number}");
        let begun = std::time::Instant::now();
        while inside.connection(&id).await.generation == 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "{id}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(inside.connection(&id).await.failures, 0, "{id}");
    }
    assert_eq!(provider.control().seen(), 18, "each was asked once more, and no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_due_within_a_moment_is_taken_together() {
    const ALL: u64 = 60;
    let (provider, home) = crowd(60, "concurrency = 64");
    let inside = Inside::open(&home).await;
    let scheduler = inside.app.scheduler();
    scheduler.start();
    let _ = arrivals(&provider, ALL).await;
    for at in 0..ALL {
        inside.settles(&format!("eskiz/c{at}"), 1).await;
    }
    // One after the other, a few milliseconds apart.
    let first = inside.app.clock.now() + Duration::from_secs(1);
    for at in 0..ALL {
        let due = Due { at: first + Duration::from_millis(3 * at), trigger: Trigger::Expiry };
        let id = format!("eskiz/c{at}").parse().unwrap();
        inside.app.storage.set_due(&id, Some(due)).await.unwrap();
    }
    let before = scheduler.looks();
    inside.advance_to(first, &[&provider]);
    for _ in 0..ALL {
        tokio::time::sleep(Duration::from_millis(3)).await;
        inside.app.clock.advance(Duration::from_millis(3));
    }
    let _ = arrivals(&provider, 2 * ALL).await;
    let looks = scheduler.looks() - before;
    assert!(looks < ALL / 2, "{looks} looks");
}
