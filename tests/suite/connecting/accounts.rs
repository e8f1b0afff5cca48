//! Connecting again: whose account it is, which refresh token holds, and what was granted.

use e2e::database::Database;
use e2e::provider::{google, oauth};
use e2e::visitor::walk;
use serde_json::json;

use crate::connecting::{BUSINESS, Desk};

/// A provider with ID tokens.
fn desk() -> Desk {
    Desk::oauth(oauth::Settings::default(), ", scopes = \"openid read\"")
}

fn as_account(desk: &Desk, account: &str) {
    desk.fake.control().behave(|it| it.account = Some(account.to_owned()));
}

#[test]
fn another_account_than_before_needs_a_word() {
    let desk = desk();
    desk.connect("me").1.exits(0);
    let before = desk.home.run(&["token", "get", "oauth2/me"]).stdout;
    as_account(&desk, "somebody-else");
    let (page, run) = desk.connect("me");
    assert!(page.body.contains("another account"), "{page:?}");
    let run = run.exits(1);
    assert!(run.stderr.contains("error[connect.other_account]"), "{run:?}");
    assert!(run.stderr.contains("keepfresh connect oauth2/me --other-account"), "{run:?}");
    assert_eq!(desk.home.run(&["token", "get", "oauth2/me"]).stdout, before, "nothing has changed");
    assert_eq!(desk.show("me")["profile"]["sub"], "demo-user");
    // With the word it is taken, and what was known of the other one is gone.
    let mut connecting = desk.begin("me", &["--other-account"]);
    walk(&connecting.address());
    connecting.end().exits(0);
    assert_eq!(desk.show("me")["profile"]["sub"], "somebody-else");
    assert_ne!(desk.home.run(&["token", "get", "oauth2/me"]).stdout, before);
}

#[test]
fn facts_of_another_account_do_not_stay_beside_its_token() {
    use e2e::provider::answer::Answer;
    use e2e::provider::script::Scenario;
    let desk = desk();
    desk.connect("me").1.exits(0);
    as_account(&desk, "somebody-else");
    desk.fake.control().script(Scenario::from(Answer::bad_gateway()).on("/introspect").always());
    let mut connecting = desk.begin("me", &["--other-account"]);
    walk(&connecting.address());
    connecting.end().exits(0);
    assert_eq!(desk.show("me")["profile"], json!(null));
}

#[test]
fn the_profile_tells_accounts_apart_where_no_token_does() {
    let desk = Desk::oauth(oauth::Settings::default(), ", scopes = \"read\"");
    desk.connect("me").1.exits(0);
    desk.connect("me").1.exits(0);
    as_account(&desk, "somebody-else");
    assert!(desk.connect("me").1.exits(1).stderr.contains("connect.other_account"));
    assert_eq!(desk.show("me")["generation"], 2);
}

#[test]
fn a_device_is_asked_the_same() {
    let settings = oauth::Settings { device_interval: 1, ..oauth::Settings::default() };
    let desk = Desk::oauth(settings, ", scopes = \"openid read\"");
    desk.connect("me").1.exits(0);
    as_account(&desk, "somebody-else");
    let mut connecting = desk.begin("me", &["--device"]);
    let line = connecting.line_with("and type").unwrap();
    assert!(desk.fake.control().approve_device(line.rsplit(' ').next().unwrap()));
    assert!(connecting.end().exits(1).stderr.contains("connect.other_account"));
}

#[test]
fn a_second_consent_without_a_refresh_token_keeps_the_living_one_of_the_same_account() {
    let desk = Desk::google(google::Settings::default());
    desk.connect("ads").1.exits(0);
    // Google gives one only to a person who is asked anew, and nobody need be.
    let (page, run) = desk.connect("ads");
    run.exits(0);
    let asked = page.way.iter().filter(|it| it.contains("/o/oauth2/v2/auth")).count();
    assert_eq!(asked, 1, "{page:#?}");
    let shown = desk.show("ads");
    let reason = shown["attempts"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("the one of before was kept"), "{shown:#}");
    assert_eq!(shown["generation"], 2);
    desk.home.run(&["refresh", "google-oauth/ads", "--force"]).exits(0);
}

#[test]
fn a_dead_refresh_token_is_not_kept() {
    let desk = Desk::oauth(oauth::Settings::default(), ", scopes = \"openid read\"");
    desk.connect("me").1.exits(0);
    desk.fake.control().revoke_everything();
    desk.home.run(&["refresh", "oauth2/me", "--force"]).exits(4);
    desk.fake.control().behave(|it| it.refresh_tokens = false);
    let run = desk.connect("me").1.exits(0);
    assert!(run.stderr.contains("no refresh token was issued"), "{run:?}");
}

#[test]
fn nothing_is_promised_that_cannot_be() {
    let desk = desk();
    desk.fake.control().behave(|it| it.refresh_tokens = false);
    let run = desk.connect("me").1.exits(0);
    assert!(run.stderr.contains("no refresh token was issued"), "{run:?}");
    let shown = desk.show("me");
    assert_eq!(shown["next_refresh_at"], json!(null), "{shown:#}");
    let sentence = shown["sentence"].as_str().unwrap();
    assert!(!sentence.contains("Refresh due"), "{sentence}");
    assert!(sentence.contains("connect it again before it expires"), "{sentence}");
    assert_eq!(shown["next_step"], "keepfresh connect oauth2/me");
    // When it has ended, a person is asked for, and nothing is sent.
    Database::at(&desk.home.path("keepfresh.db"))
        .run("update connections set expires_at = 1, due_at = 1, issued_at = 0");
    let sent = desk.fake.control().seen();
    desk.home.run(&["refresh"]).exits(4);
    assert_eq!(desk.fake.control().seen(), sent);
    assert_eq!(desk.show("me")["state"], "reconnect");
}

#[test]
fn scopes_that_were_not_granted_are_named_kept_and_shown() {
    for device in [false, true] {
        let settings = oauth::Settings { device_interval: 1, ..oauth::Settings::default() };
        let desk = Desk::oauth(settings, ", scopes = \"openid read\"");
        let granted = ["openid", "read"].map(str::to_owned);
        desk.fake.control().behave(|it| it.scopes = Some(granted.into()));
        let more: &[&str] = if device { &["--device"] } else { &[] };
        let mut connecting = desk.begin("me", &[&["--scope", "write"], more].concat());
        if device {
            let line = connecting.line_with("and type").unwrap();
            assert!(desk.fake.control().approve_device(line.rsplit(' ').next().unwrap()));
        } else {
            walk(&connecting.address());
        }
        let run = connecting.end().exits(0);
        assert!(run.stderr.contains("not granted: write"), "{run:?}");
        for _ in 0..2 {
            let shown = desk.show("me");
            assert_eq!(shown["missing_scopes"], json!(["write"]), "{shown:#}");
            assert_eq!(shown["asked_scopes"], json!(["openid", "read", "write"]), "{shown:#}");
            desk.home.run(&["refresh", "oauth2/me", "--force"]).exits(0);
        }
        let shown = desk.home.run(&["connection", "show", "oauth2/me"]).stdout;
        assert!(shown.contains("scopes missing     write"), "{shown}");
    }
}

#[test]
fn who_gets_all_that_was_asked_for_misses_nothing() {
    let desk = Desk::google(google::Settings::default());
    let run = desk.connect("ads").1.exits(0);
    assert!(!run.stderr.contains("not granted"), "{run:?}");
    let shown = desk.show("ads");
    assert_eq!(shown["missing_scopes"], json!([]), "{shown:#}");
    assert!(shown["asked_scopes"].as_array().unwrap().contains(&json!(BUSINESS)), "{shown:#}");
}
