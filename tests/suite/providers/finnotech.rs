//! Finnotech: times in milliseconds and in the Iranian calendar, and a refresh token that stands in
//! clear inside the access token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::provider::Kind;
use e2e::provider::fingerprint::fingerprint;
use e2e::provider::finnotech::Settings;
use e2e::stage::Stage;
use jiff::Timestamp;
use serde_json::Value;

use crate::providers::subject::{self, plain};
use crate::providers::{fact, show};

const TEN_DAYS: i64 = 864_000;

fn behaving(change: impl FnOnce(&mut Settings)) -> Stage {
    let mut subject = plain(subject::finnotech);
    let Kind::Finnotech(settings) = &mut subject.kind else { panic!("another fake") };
    change(settings);
    subject.started("")
}

#[test]
fn times_are_read_as_numbers_and_as_texts() {
    for (lifetime_as_text, date_as_number) in
        [(false, false), (false, true), (true, false), (true, true)]
    {
        let stage = behaving(|it| {
            it.lifetime_as_text = lifetime_as_text;
            it.date_as_number = date_as_number;
        });
        let shown = show(&stage);
        let issued: Timestamp = fact(&shown, "issued_at").unwrap().parse().unwrap();
        let ends: Timestamp = shown["expires_at"].as_str().unwrap().parse().unwrap();
        let now = stage.control().now();
        assert!((0..=5).contains(&now.duration_since(issued).as_secs()), "{issued}");
        let left = ends.duration_since(now).as_secs();
        assert!((TEN_DAYS - 5..=TEN_DAYS).contains(&left), "{left} s");
        assert_eq!(fact(&shown, "clock_warning"), None);
    }
}

#[test]
fn a_clock_that_is_wrong_is_said() {
    let stage = plain(subject::finnotech).stage("");
    stage.control().advance(3_600);
    assert_eq!(stage.refresh(&[])["outcome"], "success");
    assert!(fact(&show(&stage), "clock_warning").is_some(), "{}", show(&stage));
}

#[test]
fn each_refresh_presents_the_latest_refresh_token() {
    let stage = behaving(|_| ());
    for _ in 0..3 {
        let inner = refresh_token_inside(&stage.token());
        assert_eq!(stage.refresh(&["--force"])["reason"], Value::Null, "it did not log in");
        let last = stage.control().journal().pop().unwrap();
        assert_eq!(last.presented["refresh_token"], fingerprint(&inner));
    }
    let family = stage.control().families().pop().unwrap();
    assert_eq!((family.rotations, family.revoked_by_reuse), (3, false));
}

#[test]
fn the_refresh_token_inside_the_token_is_not_shown() {
    let mut stage = plain(subject::finnotech).stage("");
    stage.home.set_env("KEEPFRESH_LOG", "trace");
    let inner = {
        assert_eq!(stage.refresh(&[])["outcome"], "success");
        refresh_token_inside(&stage.token())
    };
    for command in [
        &["connection", "show", "finnotech"][..],
        &["connection", "show", "finnotech", "--json"],
        &["log", "--json"],
        &["refresh", "--force", "--json"],
        &["status", "--json"],
    ] {
        let run = stage.home.run(command);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(!said.contains(&inner), "{command:?} says it: {said}");
    }
    for entry in std::fs::read_dir(stage.home.path("")).unwrap() {
        let Ok(bytes) = std::fs::read(entry.unwrap().path()) else { continue };
        let found = bytes.windows(inner.len()).any(|it| it == inner.as_bytes());
        assert!(!found, "a file holds it");
    }
}

/// What everybody can read who has the token.
fn refresh_token_inside(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["refreshToken"].as_str().unwrap().to_owned()
}
