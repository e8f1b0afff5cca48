//! A refresh token that is dead, in the words of many providers, through the program: each leads to a person,
//! and nothing that only sounds like it does.

use e2e::provider::answer::Answer;
use serde_json::json;

use crate::providers::subject::{self, plain};

#[test]
fn a_dead_refresh_token_is_known_in_the_words_of_many_providers() {
    for (status, body) in [
        (200, json!({ "ok": false, "error": "invalid_refresh_token" })),
        (
            400,
            json!({ "status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token" }),
        ),
        (400, json!({ "status": 400, "message": "Invalid refresh token", "error": "Bad Request" })),
        (
            401,
            json!({ "errors": [{ "errorType": "invalid_grant", "message": "Refresh token invalid" }] }),
        ),
        (500, json!({ "error": "invalid_grant" })),
    ] {
        let stage = plain(subject::oauth2_person).started("");
        stage.control().script(Answer::json(status, &body));
        let attempt = stage.refresh(&["--force"]);
        assert_eq!(attempt["error"]["code"], "provider.grant_expired", "{body}: {attempt}");
        assert_eq!(stage.state(), "reconnect", "{body}");
    }
}

#[test]
fn an_answer_that_only_sounds_like_it_sends_nobody_to_a_browser() {
    for (status, body) in [
        (400, json!({ "message": "See https://docs.example/invalid_grant for help" })),
        (403, json!({ "message": "Access Denied" })),
        (503, json!({ "error": "invalid_grant" })),
        (429, json!({ "error": "invalid_grant" })),
        (400, json!({ "error": "invalid_grant", "error_codes": [50_196] })),
        (200, json!({ "ok": false, "error": "ratelimited" })),
    ] {
        let stage = plain(subject::oauth2_person).started("");
        stage.control().script(Answer::json(status, &body));
        let attempt = stage.refresh(&["--force"]);
        assert_eq!(attempt["outcome"], "failed", "{body}");
        assert_ne!(attempt["error"]["code"], "provider.grant_expired", "{body}: {attempt}");
        assert_ne!(stage.state(), "reconnect", "{body}");
    }
}

#[test]
fn a_token_address_has_its_query_and_a_refresh_the_fields_that_the_provider_wants() {
    let mut subject = plain(subject::oauth2_person);
    subject.settings = r#"token_url = "{base}/token?p=b2c_1_policy", client_id = "demo-client", grant = "authorization_code", scopes = "openid read", refresh_params = "scope=openid read""#;
    let stage = subject.started("");
    let _ = stage.home.run(&["check"]).exits(0);
    assert_eq!(stage.refresh(&["--force"])["outcome"], "success", "{}", stage.status());
    let entry = stage.control().journal().pop().unwrap();
    assert!(entry.fields.iter().any(|it| it == "scope"), "{entry:?}");
    assert_eq!(entry.query, ["p"], "{entry:?}");
}
