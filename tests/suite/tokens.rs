//! `token get`, `set` and `clear`: what callers are given, and what a person gives.

use e2e::database::Database;
use e2e::home::Run;
use e2e::provider::answer::Answer;
use e2e::provider::eskiz;
use e2e::provider::fingerprint::fingerprint;
use e2e::provider::script::Scenario;
use e2e::stage::{Stage, write_secret};

#[test]
fn a_caller_gets_the_token_alone() {
    let stage = Stage::eskiz("");
    let run = stage.home.run(&["token", "get", "eskiz"]).exits(0);
    assert!(run.stdout.starts_with("eyJ") && run.stdout.ends_with('\n'));
    assert_eq!((run.stdout.lines().count(), run.stderr.as_str()), (1, ""));
    assert_eq!(stage.seen().len(), 1, "the first caller made it log in");
    assert_eq!(stage.status()["last_attempt"]["trigger"], "on-demand");
    assert_eq!(stage.home.run(&["token", "get", "eskiz"]).stdout, run.stdout);
    assert_eq!(stage.seen().len(), 1, "the second got the stored one");
}

#[test]
fn a_caller_gets_the_header_or_everything_as_json() {
    let stage = Stage::eskiz("").logged_in();
    let token = stage.token();
    let header = stage.home.run(&["token", "get", "eskiz", "--header"]).exits(0);
    assert_eq!(header.stdout, format!("Authorization: Bearer {token}\n"));
    let json = stage.home.run(&["token", "get", "eskiz", "--json"]).exits(0).json();
    assert_eq!(json["token"], token);
    assert_eq!((&json["token_type"], &json["generation"]), (&"Bearer".into(), &1.into()));
    assert_eq!(json["expires_at"], stage.status()["expires_at"]);
}

/// Tokens of ten minutes.
fn ten_minutes() -> Stage {
    let settings = eskiz::Settings { lifetime: 600, ..eskiz::Settings::default() };
    Stage::eskiz_as(settings, "").logged_in()
}

fn get(stage: &Stage, min_ttl: &str) -> Run {
    stage.home.run(&["token", "get", "eskiz", "--min-ttl", min_ttl]).exits(0)
}

#[test]
fn a_token_that_would_not_live_long_enough_is_refreshed_first() {
    let stage = ten_minutes();
    let first = get(&stage, "5m").stdout;
    assert_eq!(stage.seen().len(), 1, "ten minutes are more than five");
    stage.token_ages();
    let second = get(&stage, "5m");
    assert_ne!(first, second.stdout, "four are not");
    assert_eq!((stage.count("/refresh"), second.stderr.as_str()), (1, ""));
    stage.token_ages();
    stage.control().script(Scenario::from(Answer::bad_gateway()).always());
    let third = get(&stage, "5m");
    assert_eq!(third.stdout, second.stdout, "one that still works is better than none");
    assert!(third.stderr.contains("it could not be refreshed"), "{third:?}");
}

#[test]
fn a_caller_who_wants_more_than_the_provider_gives_costs_nothing_and_is_told_what_there_is() {
    let stage = ten_minutes();
    let first = get(&stage, "0s").stdout;
    for _ in 0..5 {
        let run = get(&stage, "20m");
        assert_eq!(run.stdout, first);
        let told = "not for 20m: eskiz issues tokens for at most 10m";
        assert!(run.stderr.contains(told), "{run:?}");
    }
    assert_eq!(stage.seen().len(), 1, "five calls, and no refresh");
    let run = stage.home.run(&["token", "get", "eskiz", "--min-ttl", "20m", "--json"]).exits(0);
    let json = run.json();
    assert_eq!(
        (&json["too_short"]["min_ttl_s"], &json["too_short"]["longest_s"]),
        (&1200.into(), &600.into())
    );
    assert_eq!(run.stderr, "");
    let enough = stage.home.run(&["token", "get", "eskiz", "--min-ttl", "5m", "--json"]).json();
    assert!(enough["too_short"].is_null(), "{enough}");
}

#[test]
fn an_old_token_is_refreshed_once_for_whoever_wants_more_than_there_is() {
    let stage = ten_minutes();
    stage.token_ages();
    let tokens = [(); 5].map(|()| get(&stage, "20m").stdout);
    assert!(tokens.iter().all(|it| *it == tokens[0]), "{tokens:?}");
    assert_eq!(stage.count("/refresh"), 1, "five calls, and one refresh");
}

#[test]
fn how_long_the_provider_gives_is_found_out_when_a_person_gave_the_token() {
    let stage = Stage::jibit("");
    let pair = stage.control().issue_family("moved");
    let text = format!(
        r#"{{"access_token":"{}","refresh_token":"{}","expires_in":60}}"#,
        pair.access_token, pair.refresh_token
    );
    let _ = stage.home.run_with_input(&["token", "set", "jibit"], &text).exits(0);
    let run = stage.home.run(&["token", "get", "jibit", "--min-ttl", "10m", "--json"]).exits(0);
    assert!(run.json()["too_short"].is_null(), "{run:?}");
    assert_eq!(stage.count("/refresh"), 1);
}

#[test]
fn an_expired_token_is_refreshed_and_never_handed_out() {
    let stage = Stage::eskiz("").logged_in();
    let first = stage.home.run(&["token", "get", "eskiz"]).exits(0).stdout;
    Database::at(&stage.home.path("keepfresh.db"))
        .run("update connections set expires_at = (unixepoch() - 1) * 1000");
    assert_ne!(stage.home.run(&["token", "get", "eskiz"]).exits(0).stdout, first);
    assert!(stage.control().seen() >= 2);
}

#[test]
fn a_token_set_by_hand_is_served_refreshed_and_counted() {
    let stage = Stage::jibit("");
    let pair = stage.control().issue_family("moved");
    let text = format!(
        r#"{{"access_token":"{}","refresh_token":"{}","expires_in":3600}}"#,
        pair.access_token, pair.refresh_token
    );
    let set = stage.home.run_with_input(&["token", "set", "jibit"], &text).exits(0);
    assert!(set.stderr.contains("generation 1"), "{set:?}");
    assert_eq!((stage.token(), stage.state()), (pair.access_token.clone(), "fresh".to_owned()));
    let attempt = stage.refresh(&["--force"]);
    assert_eq!((&attempt["outcome"], &attempt["generation"]), (&"success".into(), &2.into()));
    let journal = stage.control().journal();
    assert_eq!(journal[0].presented["refreshToken"], fingerprint(&pair.refresh_token));
    assert_eq!(stage.control().family("moved").unwrap().rotations, 1);
}

#[test]
fn a_bare_token_is_taken_with_the_expiry_that_it_names_itself() {
    let stage = Stage::eskiz("");
    let token = stage.control().issue_family("by hand").access_token;
    let set =
        stage.home.run_with_input(&["token", "set", "eskiz", "--json"], &format!("{token}\n"));
    assert_eq!(set.exits(0).json()["generation"], 1);
    assert_eq!(stage.token(), token);
    let expires =
        stage.status()["expires_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let days = expires.duration_since(stage.control().now()).as_hours() / 24;
    assert_eq!(days, 29, "thirty days, less a moment");
    assert_eq!(stage.control().seen(), 0);
}

#[test]
fn what_is_no_token_is_refused_without_repeating_it() {
    let stage = Stage::eskiz("");
    for text in ["", "two words CANARY", r#"{"refresh_token":"CANARY"}"#, "{CANARY"] {
        let refused = stage.home.run_with_input(&["token", "set", "eskiz"], text).exits(1);
        assert!(refused.stderr.contains("error[token.invalid]"), "{refused:?}");
        assert!(!refused.stderr.contains("CANARY"), "{refused:?}");
    }
    assert_eq!(stage.status()["generation"], 0);
}

#[test]
fn what_would_not_stay_on_the_line_of_a_header_is_refused_wherever_it_comes_from() {
    let fallback = "fallback_token = { file = \"fallback\" }";
    let stage = Stage::eskiz(fallback);
    write_secret(&stage.home, "fallback", "CANARY\r\nX-Evil: 1");
    for (text, named) in [
        (r#"{"access_token":"a","token_type":"Bearer\r\nX-Evil: CANARY\r\nX"}"#, "token_type"),
        (r#"{"access_token":"a","token_type":"Bearer CANARY"}"#, "token_type"),
        (r#"{"access_token":"CANARY\r\nX-Evil: 1"}"#, "access_token"),
        (r#"{"access_token":"CANARY x"}"#, "access_token"),
        (r#"{"access_token":"a","refresh_token":"CANARY\nx"}"#, "refresh_token"),
        ("CANARY\u{1b}[31m", "access_token"),
    ] {
        let refused = stage.home.run_with_input(&["token", "set", "eskiz"], text).exits(1);
        assert!(refused.stderr.contains("error[token.invalid]"), "{refused:?}");
        assert!(
            refused.stderr.contains(named) && !refused.stderr.contains("CANARY"),
            "{refused:?}"
        );
    }
    assert_eq!(stage.status()["generation"], 0);
    stage.control().script(Scenario::from(Answer::bad_gateway()).always());
    let refused = stage.home.run(&["token", "get", "eskiz", "--header"]);
    assert!(refused.code != 0 && refused.stdout.is_empty(), "{refused:?}");
    assert!(!refused.stderr.contains("CANARY"), "{refused:?}");
}

#[test]
fn a_cleared_token_is_gone_and_the_next_caller_makes_a_new_one() {
    let stage = Stage::eskiz("").logged_in();
    let old = stage.token();
    let _ = stage.home.run(&["token", "clear", "eskiz"]).exits(0);
    assert!(stage.status()["expires_at"].is_null());
    let new = stage.token();
    assert_ne!(new, old);
    assert_eq!((stage.count("/login"), stage.count("/refresh")), (2, 0));
}

#[test]
fn no_command_but_token_get_shows_a_token_or_a_secret() {
    let stage = Stage::jibit("").logged_in();
    let token = stage.token();
    for verb in [
        &["status"][..],
        &["refresh", "--force"],
        &["log"],
        &["connection", "show", "jibit"],
        &["connection", "list"],
        &["doctor"],
        &["schedule", "list"],
        &["plugin", "list"],
    ] {
        for arguments in [verb.to_vec(), [verb, &["--json"]].concat()] {
            let run = stage.home.run(&arguments);
            let shown = run.stdout + &run.stderr;
            for secret in [token.as_str(), "demo-api-key", "demo-secret-key"] {
                assert!(!shown.contains(secret), "{arguments:?}: {shown}");
            }
        }
    }
}
