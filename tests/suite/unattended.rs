//! The daemon with nobody present: it logs in, refreshes before the end, tries again as the manifest
//! says and no more, and leaves alone what only a person can mend.

use e2e::daemon::{Daemon, wait_until};
use e2e::inside::Inside;
use e2e::provider::answer::Answer;
use e2e::provider::script::{Fate, Scenario};
use e2e::provider::{Kind, eskiz};
use e2e::stage::{self, Stage};
use keepfresh::model::attempt::Trigger;
use rustix::process::Signal;

use crate::providers::subject::{self, plain};

/// An interval in which a daemon that tries again by mistake would have done so.
const A_WHILE: std::time::Duration = std::time::Duration::from_millis(1_200);

/// Seconds between one request and the next.
fn pauses(stage: &Stage) -> Vec<f64> {
    let at = stage.control().journal().iter().map(|it| it.at_us).collect::<Vec<_>>();
    let pause = |pair: &[u64]| std::time::Duration::from_micros(pair[1] - pair[0]).as_secs_f64();
    at.windows(2).map(pause).collect()
}

fn wait_for_state(stage: &Stage, wanted: &str) {
    wait_until(&format!("the connection is {wanted}"), || stage.state() == wanted);
}

#[test]
fn the_daemon_logs_in_by_itself() {
    let stage = Stage::jibit("");
    let daemon = stage.home.serve();
    wait_for_state(&stage, "fresh");
    assert_eq!(stage.status()["last_attempt"]["trigger"], "expiry");
    assert_eq!((stage.status()["generation"].as_u64(), stage.seen().len()), (Some(1), 1));
    drop(daemon);
}

#[tokio::test]
async fn a_token_of_a_minute_is_refreshed_before_each_end_without_a_person() {
    let mut subject = plain(subject::eskiz);
    let Kind::Eskiz(settings) = &mut subject.kind else { panic!("another fake") };
    settings.lifetime = 60;
    let stage = subject.stage("");
    let inside = Inside::open(&stage.home).await;
    inside.app.scheduler().start();
    for generation in 1..=4 {
        let connection = inside.settles("eskiz", generation).await;
        let (due, end) = (connection.due.unwrap(), connection.token.unwrap().expires_at.unwrap());
        assert!(due.at < end && due.trigger == Trigger::Expiry, "{due:?} of {end}");
        inside.advance_to(due.at, &[&stage.fake]);
    }
    assert_eq!(inside.settles("eskiz", 5).await.generation, 5);
    assert_eq!(stage.count("/login"), 1, "it refreshes, and logs in once");
}

#[test]
fn an_outage_is_tried_as_often_as_the_manifest_says_with_growing_pauses_and_then_left() {
    let stage = Stage::eskiz("retry = { attempts = 3, backoff = \"1s\" }").logged_in();
    stage.control().clear_journal();
    stage.control().script(Scenario::from(Answer::bad_gateway()).always());
    let _daemon = stage.home.serve();
    let first = stage.refresh(&["--force", "--sync"]);
    assert_eq!(first["outcome"], "failed");
    assert_eq!(stage.state(), "late");
    wait_until("three tries are over", || stage.seen().len() == 3 && waits_long(&stage));
    let pauses = pauses(&stage);
    assert!((0.5..=1.9).contains(&pauses[0]) && (1.0..=2.9).contains(&pauses[1]), "{pauses:?}");
    assert!(pauses[0] < pauses[1], "{pauses:?}");
    std::thread::sleep(A_WHILE);
    assert_eq!(stage.seen().len(), 3);
    let stats = stage.home.run(&["stats", "--json"]).exits(0).json();
    assert_eq!(
        (&stats["failed"], &stats["causes"]["provider.unavailable"]),
        (&3.into(), &3.into())
    );
}

/// Whether the next try is a tick of the schedule and not one more retry.
fn waits_long(stage: &Stage) -> bool {
    let status = stage.status();
    let next = status["next_refresh_at"].as_str().expect("it is tried again some day");
    let wait = next.parse::<jiff::Timestamp>().unwrap().duration_since(stage.control().now());
    status["state"] == "late" && wait.as_secs() > 60
}

#[test]
fn an_outage_that_ends_in_time_leaves_no_trace_but_the_log() {
    let stage = Stage::eskiz("retry = { attempts = 3, backoff = \"1s\" }");
    stage.control().script(Scenario::from(Answer::server_error()).times(2));
    let _daemon = stage.home.serve();
    wait_until("the state says that callers fail", || stage.state() == "expired");
    wait_for_state(&stage, "fresh");
    let log = stage.home.run(&["log", "--json"]).exits(0).json();
    let of = |key: &str| {
        let attempts = log["attempts"].as_array().unwrap().iter();
        attempts.map(|it| it[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("outcome"), ["success", "failed", "failed"]);
    assert_eq!(of("trigger"), ["retry", "retry", "expiry"]);
}

#[test]
fn a_wrong_password_is_sent_once_and_again_when_it_was_corrected_and_reloaded() {
    let stage = Stage::eskiz("retry = { attempts = 3, backoff = \"1s\" }");
    stage::write_secret(&stage.home, "eskiz.password", "wrong");
    let daemon = stage.home.serve();
    wait_for_state(&stage, "misconfigured");
    daemon.signal(Signal::HUP);
    wait_until("it is reloaded", || daemon.log().contains("reloaded"));
    std::thread::sleep(A_WHILE);
    assert_eq!(stage.count("/login"), 1, "neither retried nor tried again by a reload alone");
    stage::write_secret(&stage.home, "eskiz.password", &eskiz::Settings::default().password);
    daemon.signal(Signal::HUP);
    wait_for_state(&stage, "fresh");
    assert_eq!(stage.count("/login"), 2);
    assert!(daemon.log().contains("its configuration has changed"), "{}", daemon.log());
}

#[test]
fn a_wrong_variable_is_tried_again_after_a_restart_that_corrects_it() {
    let mut stage = Stage::eskiz("");
    stage.home.set_env("ESKIZ_EMAIL", "nobody@example.uz");
    let daemon = stage.home.serve();
    wait_for_state(&stage, "misconfigured");
    assert!(daemon.stop().success());
    let daemon = stage.home.serve();
    std::thread::sleep(A_WHILE);
    assert_eq!(stage.count("/login"), 1, "a restart alone changes nothing");
    assert!(daemon.stop().success());
    stage.home.set_env("ESKIZ_EMAIL", &eskiz::Settings::default().email);
    let _daemon = stage.home.serve();
    wait_for_state(&stage, "fresh");
    assert_eq!(stage.count("/login"), 2);
}

#[test]
fn a_missing_secret_sends_nothing_and_is_tried_once_it_is_there() {
    let stage = Stage::eskiz("");
    std::fs::remove_file(stage.home.path("eskiz.password")).unwrap();
    let daemon = stage.home.serve();
    wait_for_state(&stage, "expired");
    assert_eq!(stage.status()["last_attempt"]["error"]["code"], "secret.file_missing");
    assert_eq!(stage.control().seen(), 0);
    stage::write_secret(&stage.home, "eskiz.password", &eskiz::Settings::default().password);
    daemon.signal(Signal::HUP);
    wait_for_state(&stage, "fresh");
}

#[test]
fn a_limit_outlives_a_restart() {
    let stage = Stage::eskiz("retry = { attempts = 3, backoff = \"1s\" }");
    stage.control().script(Answer::rate_limited(Some("90")));
    let daemon = stage.home.serve();
    wait_until("it was refused", || stage.state() == "expired");
    let next = stage.status()["next_refresh_at"].clone();
    assert!(daemon.stop().success());
    let _daemon = stage.home.serve();
    std::thread::sleep(A_WHILE);
    assert_eq!(stage.status()["next_refresh_at"], next);
    assert_eq!(stage.seen().len(), 1);
}

#[test]
fn a_lost_answer_is_recovered_by_the_daemon_itself() {
    let stage = Stage::jibit("retry = { attempts = 3, backoff = \"1s\" }").logged_in();
    stage.control().script(Fate::CutAfter);
    let _daemon = stage.home.serve();
    assert_eq!(stage.refresh(&["--force", "--sync"])["outcome"], "failed");
    wait_for_state(&stage, "fresh");
    assert_eq!((stage.count("/generate"), stage.count("/refresh")), (2, 1));
    assert!(stage.control().families().iter().all(|it| !it.revoked_by_reuse));
}

#[test]
fn what_a_command_makes_due_is_done_at_once() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = stage.home.serve();
    let again = |verb: &[&str], generation: u64| {
        let _ = stage.home.run(verb).exits(0);
        let name = verb.join(" ");
        wait_until(&name, || stage.status()["generation"].as_u64() == Some(generation));
    };
    again(&["token", "clear", "eskiz"], 3);
    let _ = stage.home.run(&["connection", "pause", "eskiz"]).exits(0);
    let _ = stage.home.run(&["token", "clear", "eskiz"]).exits(0);
    assert_eq!(stage.state(), "paused");
    assert_eq!(stage.count("/login"), 2, "not while it is paused");
    again(&["connection", "resume", "eskiz"], 5);
    running(&daemon);
}

#[test]
fn a_token_that_a_person_set_is_refreshed_before_its_end() {
    let stage = Stage::eskiz("").logged_in();
    let _daemon = stage.home.serve();
    let soon = format!(r#"{{"access_token":"{}","expires_in":2}}"#, stage.token());
    let _ = stage.home.run_with_input(&["token", "set", "eskiz"], &soon).exits(0);
    wait_until("it is refreshed", || stage.count("/refresh") == 1);
    wait_for_state(&stage, "fresh");
}

fn running(daemon: &Daemon) {
    assert!(!daemon.log().contains("ERROR"), "{}", daemon.log());
}
