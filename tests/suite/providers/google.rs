//! Google: the refresh token comes once and stays, and says in plain words why it no longer works.

use e2e::provider::google::{Failure, Publishing};
use e2e::provider::{Kind, fingerprint::fingerprint};
use serde_json::{Value, json};

use crate::providers::subject::{self, plain};
use crate::providers::{probe, show};

#[test]
fn the_first_refresh_token_is_presented_for_ever() {
    let subject = plain(subject::google_oauth);
    let stage = subject.stage("");
    stage.home.run(&["connection", "add", "google-oauth/shop"]).exits(0);
    let first = subject.set_token(&stage);
    for _ in 0..3 {
        assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
    }
    for entry in stage.control().journal() {
        assert_eq!(entry.presented["refresh_token"], fingerprint(&first.refresh_token));
    }
}

#[test]
fn each_reason_for_which_a_refresh_fails_is_said_in_plain_words() {
    for (failure, code, state, words) in [
        (
            Failure::Revoked,
            "provider.grant_expired",
            "reconnect",
            &["revoked access", "six months", "seven days", "100 live tokens"][..],
        ),
        (
            Failure::Reauthentication,
            "provider.grant_expired",
            "reconnect",
            &["session length policy", "invalid_rapt"],
        ),
        (
            Failure::DeletedClient,
            "provider.invalid_credentials",
            "misconfigured",
            &["OAuth client was deleted", "within 30 days"],
        ),
    ] {
        let stage = plain(subject::google_oauth).started("");
        let old = stage.token();
        stage.control().fail_refreshes(Some(failure));
        let failed = stage.refresh(&["--force"]);
        assert_eq!(failed["error"]["code"], code, "{failure:?}");
        let status = stage.status();
        assert_eq!(status["state"], state, "{failure:?}");
        let sentence = status["sentence"].as_str().unwrap();
        assert!(words.iter().all(|it| sentence.contains(it)), "{failure:?}: {sentence}");
        assert_eq!(stage.token(), old, "{failure:?}");
        stage.control().fail_refreshes(None);
        assert_eq!(stage.refresh(&["--force"])["outcome"], "success", "{failure:?}");
    }
}

#[test]
fn a_project_in_testing_is_warned_of_before_its_grants_die() {
    let mut subject = plain(subject::google_oauth);
    let Kind::Google(settings) = &mut subject.kind else { panic!("another fake") };
    settings.publishing = Publishing::Testing;
    let stage = subject.started("");
    assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
    let shown = show(&stage);
    assert!(shown["metadata"].to_string().contains("warning"), "{}", shown["metadata"]);
    assert_ne!(shown["refresh_expires_at"], Value::Null);
}

#[test]
fn scopes_that_the_person_has_not_granted_are_named() {
    let mut subject = plain(subject::google_oauth);
    subject.settings = r#"accounts_url = "{base}", api_url = "{base}", client_id = "demo.apps.googleusercontent.com", scopes = "openid email calendar""#;
    let stage = subject.started("");
    assert_eq!(stage.refresh(&["--force"])["outcome"], "success", "the rest goes on working");
    assert!(show(&stage)["metadata"].to_string().contains("calendar"), "{}", show(&stage));
}

#[test]
fn the_facts_say_whose_token_it_is() {
    let stage = plain(subject::google_oauth).started("probe = \"1h\"");
    assert!(probe(&stage));
    assert_eq!(stage.seen(), ["POST /tokeninfo"]);
    assert_eq!(show(&stage)["profile"]["email"], json!("demo@example.com"));
}

#[test]
fn a_token_that_the_facts_refuse_is_refreshed() {
    let stage = plain(subject::google_oauth).started("probe = \"1h\"");
    let refused = json!({ "error": "invalid_token", "error_description": "Invalid Value" });
    stage.control().script(e2e::provider::answer::Answer::json(400, &refused));
    assert!(probe(&stage));
    assert_eq!(stage.seen(), ["POST /tokeninfo", "POST /token", "POST /tokeninfo"]);
}
