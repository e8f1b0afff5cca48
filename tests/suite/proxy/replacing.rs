//! A token that the provider refuses before its time: one refresh, and the request once more.

use std::thread;

use e2e::stage::Stage;
use e2e::upstream::Upstream;

use super::Passed;
use crate::api::Served;

/// With a token that is old enough to be refused for its age.
fn with_an_old_token(lifetime: u32) -> Passed {
    let upstream = Upstream::start();
    let settings = e2e::provider::eskiz::Settings { lifetime, ..Default::default() };
    let more =
        format!("proxy = {{ to = [\"{}\"], methods = [\"GET\", \"POST\"] }}", upstream.url());
    let stage = Stage::eskiz_as(settings, &more).logged_in();
    stage.token_ages();
    Passed { upstream, served: Served::over(stage, "") }
}

/// Requests to the provider's own endpoints for tokens.
fn got(passed: &Passed) -> usize {
    passed.served.stage.count("/login") + passed.served.stage.count("/refresh")
}

#[test]
fn a_refused_request_is_repeated_with_a_new_token_and_the_caller_sees_no_failure() {
    let passed = with_an_old_token(30 * 86_400);
    let (caller, old, before) = (passed.caller(), passed.token(), got(&passed));
    passed.upstream.end(&old);
    let answer = caller.send("POST", "/proxy/eskiz/send", Some("{\"text\":\"hello\"}")).is(200);
    assert_eq!(answer.json()["body"], "{\"text\":\"hello\"}");
    assert_eq!(got(&passed), before + 1);
    let seen = passed.upstream.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((&seen[0].body, &seen[0].line), (&seen[1].body, &seen[1].line));
    assert_ne!(seen[0].headers["authorization"], seen[1].headers["authorization"]);
    assert_ne!(passed.token(), old);
}

#[test]
fn however_many_are_refused_there_is_one_refresh() {
    let passed = with_an_old_token(30 * 86_400);
    let (caller, before) = (passed.caller(), got(&passed));
    passed.upstream.end(&passed.token());
    thread::scope(|scope| {
        let all = (0..20).map(|_| scope.spawn(|| caller.get("/proxy/eskiz/x").is(200)));
        for one in all.collect::<Vec<_>>() {
            one.join().unwrap();
        }
    });
    assert_eq!(got(&passed), before + 1, "{:?}", passed.served.stage.seen());
}

#[test]
fn an_address_that_refuses_everybody_costs_one_refresh() {
    let passed = with_an_old_token(30 * 86_400);
    let (caller, before) = (passed.caller(), got(&passed));
    assert_eq!(caller.get("/proxy/eskiz/never").is(401).text(), "nobody may");
    for _ in 0..10 {
        // However old the token would be by then.
        passed.served.stage.token_ages();
        caller.get("/proxy/eskiz/never").is(401);
    }
    assert_eq!(got(&passed), before + 1, "{:?}", passed.served.stage.seen());
    assert_eq!(passed.upstream.seen().len(), 12, "the first one was sent twice");
}

#[test]
fn such_an_address_costs_one_refresh_also_when_bodies_cannot_be_sent_twice() {
    let passed = with_an_old_token(30 * 86_400);
    let (caller, before) = (passed.caller(), got(&passed));
    let large = "x".repeat(600 * 1024);
    for _ in 0..5 {
        caller.send("POST", "/proxy/eskiz/never", Some(&large)).is(401);
        // However old the token would be by then.
        passed.served.stage.token_ages();
    }
    assert_eq!(got(&passed), before + 1, "{:?}", passed.served.stage.seen());
    assert_eq!(passed.upstream.seen().len(), 5);
}

#[test]
fn a_body_that_was_not_held_is_not_sent_twice_but_the_next_one_gets_through() {
    let passed = with_an_old_token(30 * 86_400);
    let (caller, before) = (passed.caller(), got(&passed));
    passed.upstream.end(&passed.token());
    let large = "x".repeat(600 * 1024);
    let refused = caller.send("POST", "/proxy/eskiz/x", Some(&large)).is(401);
    assert_eq!(refused.header("keepfresh-answered-by"), "provider");
    assert_eq!((got(&passed), passed.upstream.seen().len()), (before + 1, 1));
    caller.send("POST", "/proxy/eskiz/x", Some(&large)).is(200);
}
