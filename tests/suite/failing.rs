//! What a provider can do wrong, and what a person then reads: the code, the state, the next try.

use std::time::{Duration, Instant};

use e2e::database::Database;
use e2e::provider::answer::Answer;
use e2e::provider::script::{Fate, Scenario};
use e2e::provider::{eskiz, jibit};
use e2e::stage::{self, Stage};
use serde_json::Value;

fn code(attempt: &Value) -> &str {
    attempt["error"]["code"].as_str().unwrap_or_default()
}

/// Seconds from now until the connection is looked at next.
fn wait(stage: &Stage) -> i64 {
    let status = stage.status();
    let next = status["next_refresh_at"].as_str().expect("it is tried again");
    next.parse::<jiff::Timestamp>().unwrap().duration_since(stage.control().now()).as_secs()
}

#[test]
fn a_wrong_password_needs_a_person_and_is_not_sent_again_for_callers() {
    let stage = Stage::eskiz("");
    stage::write_secret(&stage.home, "eskiz.password", "wrong");
    let run = stage.run_refresh(&[]).exits(4).json();
    assert_eq!(code(&run["attempts"][0]), "provider.invalid_credentials");
    assert_eq!(run["summary"]["failed"], 1);
    let status = stage.home.run(&["status", "--json"]).exits(4).json();
    let connection = &status["connections"][0];
    assert_eq!(connection["state"], "misconfigured");
    assert!(connection["next_refresh_at"].is_null(), "nothing is tried by itself");
    let _ = stage.home.run(&["token", "get", "eskiz"]).exits(4);
    assert_eq!(stage.count("/login"), 1, "a caller does not try a password that was refused");
    stage::write_secret(&stage.home, "eskiz.password", &eskiz::Settings::default().password);
    assert_eq!(stage.refresh(&[])["outcome"], "success");
    assert_eq!(stage.state(), "fresh");
}

#[test]
fn an_outage_leaves_the_token_in_place_and_the_connection_late() {
    let stage = Stage::eskiz("").logged_in();
    let token = stage.token();
    for answer in [Answer::server_error(), Answer::bad_gateway()] {
        stage.control().script(answer);
        let run = stage.run_refresh(&["--force"]).exits(1).json();
        assert_eq!(code(&run["attempts"][0]), "provider.unavailable");
    }
    let status = stage.home.run(&["status", "--json"]).exits(3).json();
    assert_eq!(status["connections"][0]["state"], "late");
    let sentence = status["connections"][0]["sentence"].as_str().unwrap();
    assert!(
        sentence.contains("failed 2 times") && sentence.contains("Callers will fail in"),
        "{sentence}"
    );
    assert_eq!(stage.token(), token, "callers go on with the token they have");
    stage.next_try_comes();
    assert_eq!(stage.refresh(&[])["outcome"], "success", "what failed is due");
    assert_eq!(stage.state(), "fresh");
}

#[test]
fn an_outage_that_outlives_the_token_leaves_it_expired() {
    let stage = Stage::eskiz("").logged_in();
    stage.control().script(Scenario::from(Answer::bad_gateway()).always());
    Database::at(&stage.home.path("keepfresh.db"))
        .run("update connections set expires_at = (unixepoch() - 1) * 1000");
    let _ = stage.run_refresh(&[]).exits(1);
    let status = stage.home.run(&["status", "--json"]).exits(4).json();
    assert_eq!(status["connections"][0]["state"], "expired");
    let none = stage.home.run(&["token", "get", "eskiz"]).exits(1);
    assert_eq!(none.stdout, "");
}

#[test]
fn a_limit_is_obeyed_for_as_long_as_the_provider_says_within_reason() {
    for (told, least, most) in [
        (Some("120"), 115, 133),
        (Some("5"), 25, 34),
        (None, 25, 34),
        (Some("999999"), 86_390, 95_041),
    ] {
        let stage = Stage::jibit("").logged_in();
        stage.control().script(Answer::rate_limited(told));
        let run = stage.run_refresh(&["--force"]).exits(1).json();
        assert_eq!(code(&run["attempts"][0]), "provider.rate_limited");
        let wait = wait(&stage);
        assert!((least..=most).contains(&wait), "told {told:?}, waits {wait} s");
        assert_eq!(stage.state(), "late");
        assert_eq!(stage.count("/generate"), 1, "a limit is not a reason to log in");
    }
}

#[test]
fn a_limit_at_login_leaves_nothing_to_serve_and_is_waited_for() {
    let stage = Stage::eskiz("");
    stage.control().script(Answer::rate_limited(Some("60")));
    assert_eq!(code(&stage.refresh(&[])), "provider.rate_limited");
    assert!((55..=67).contains(&wait(&stage)), "{}", wait(&stage));
    let refused = stage.home.run(&["token", "get", "eskiz"]).exits(1);
    assert!(refused.stderr.contains("next retry at"), "{refused:?}");
    assert_eq!(stage.count("/login"), 1, "a caller does not ask in between");
}

#[test]
fn a_page_for_people_is_no_token() {
    let stage = Stage::eskiz("");
    for answer in [Answer::login_page(), Answer::truncated_json()] {
        stage.control().script(answer);
        let attempt = stage.refresh(&[]);
        assert_eq!(code(&attempt), "provider.unexpected");
        stage.next_try_comes();
        let message = attempt["error"]["message"].as_str().unwrap();
        assert!(!message.contains("Sign in") && !message.contains("invented"), "{message}");
    }
    assert_eq!(stage.refresh(&[])["outcome"], "success");
}

#[test]
fn a_spoiled_answer_of_a_rotation_is_kept_and_then_left_behind_by_a_login() {
    for fate in [Fate::Truncate, Fate::ActThenAnswer(Answer::login_page())] {
        let stage = Stage::jibit("").logged_in();
        stage.control().script(fate);
        assert_eq!(code(&stage.refresh(&["--force"])), "provider.unexpected");
        let kept = stage.home.run(&["connection", "show", "jibit", "--json"]).json();
        assert_eq!(kept["captured_answers"], 1);
        recovers_by_login(&stage);
    }
}

#[test]
fn a_cut_connection_is_recovered_by_a_login_whether_or_not_the_pair_was_rotated() {
    for fate in [Fate::CutBefore, Fate::CutAfter, Fate::CutBody] {
        let stage = Stage::jibit("").logged_in();
        let token = stage.token();
        stage.control().script(fate);
        let attempt = stage.refresh(&["--force"]);
        assert_eq!(
            (code(&attempt), &attempt["outcome"]),
            ("provider.connection_lost", &"failed".into())
        );
        let status = stage.status();
        assert_eq!(status["state"], "late");
        assert!(
            status["sentence"].as_str().unwrap().contains("outcome of the last refresh is unknown")
        );
        assert_eq!(stage.token(), token, "the old token is served meanwhile");
        recovers_by_login(&stage);
    }
}

#[test]
fn a_gateway_that_gave_up_after_a_rotation_is_recovered_by_a_login() {
    let stage = Stage::jibit("").logged_in();
    stage.control().script(Fate::ActThenAnswer(Answer::bad_gateway()));
    assert_eq!(stage.refresh(&["--force"])["outcome"], "failed");
    recovers_by_login(&stage);
}

/// Within three tries, without presenting a pair that may be spent.
fn recovers_by_login(stage: &Stage) {
    let try_again = |_| {
        stage.next_try_comes();
        stage.refresh(&[])["outcome"] == "success"
    };
    let recovered = (0..3).any(try_again);
    assert!(recovered, "{}", stage.status());
    assert_eq!((stage.count("/generate"), stage.count("/refresh")), (2, 1));
    assert!(stage.control().families().iter().all(|it| !it.revoked_by_reuse));
    assert_eq!(stage.state(), "fresh");
    assert_eq!(stage.refresh(&["--force"])["outcome"], "success", "the new pair is a good one");
}

#[test]
fn a_cut_connection_at_eskiz_is_simply_tried_again() {
    for fate in [Fate::CutBefore, Fate::CutAfter] {
        let stage = Stage::eskiz("").logged_in();
        stage.control().script(fate);
        assert_eq!(code(&stage.refresh(&["--force"])), "provider.connection_lost");
        stage.next_try_comes();
        assert_eq!(stage.refresh(&[])["outcome"], "success");
        assert_eq!((stage.count("/login"), stage.count("/refresh")), (1, 2));
    }
}

#[test]
fn a_provider_that_hangs_is_given_up_after_the_time_of_the_manifest() {
    let stage = Stage::jibit("timeout = \"2s\"").logged_in();
    stage.control().script(Fate::ActThenHang);
    let begun = Instant::now();
    let attempt = stage.refresh(&["--force"]);
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    assert_eq!(code(&attempt), "provider.timeout");
    let took = attempt["duration_ms"].as_u64().unwrap();
    assert!((1_000..=2_500).contains(&took), "{took} ms");
    recovers_by_login(&stage);
}

#[test]
fn a_provider_that_is_not_there_is_an_outage_and_nothing_is_in_doubt() {
    let stage = Stage::jibit_as(jibit::Settings::default(), "").logged_in();
    let Stage { home, fake, .. } = stage;
    drop(fake);
    let run = home.run(&["refresh", "--force", "--json"]).exits(1).json();
    assert_eq!(code(&run["attempts"][0]), "egress.connect_failed");
    let status = home.run(&["status", "--json"]).exits(3).json();
    assert_eq!(status["connections"][0]["state"], "late");
    let sentence = status["connections"][0]["sentence"].as_str().unwrap();
    assert!(!sentence.contains("unknown"), "{sentence}");
}

#[test]
fn a_provider_on_this_machine_is_refused_with_the_line_that_would_allow_it() {
    let stage = Stage::eskiz("");
    let url = stage.fake.base_url();
    stage.home.write_manifest(&format!(
        "[providers.eskiz]\nsettings = {{ base_url = \"{url}\" }}\n\
         secrets = {{ email = {{ env = \"ESKIZ_EMAIL\" }}, password = {{ file = \"eskiz.password\" }} }}\n"
    ));
    let run = stage.run_refresh(&[]).exits(4).json();
    let error = &run["attempts"][0]["error"];
    assert!(error["code"].as_str().unwrap().starts_with("egress."), "{error}");
    assert!(error["message"].as_str().unwrap().contains("egress = {"), "{error}");
    assert_eq!(stage.control().seen(), 0);
}
