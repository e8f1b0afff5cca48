//! What is sent to Finnotech, and what is made of its answers.

use super::*;
use sdk::testing::{Canned, context, context_with_tokens, login, refresh, revoke};

const ISSUED: &str = include_str!("../fixtures/token.json");
const DEAD: &str = include_str!("../fixtures/invalid_token.json");
const BAD_CLIENT: &str = include_str!("../fixtures/invalid_client.json");

const SETTINGS: [(&str, &str); 3] =
    [("client_id", "shop"), ("nid", "0012345678"), ("scopes", "oak:iban-inquiry:get, a:b:get")];

fn fresh() -> Context {
    context::<Plugin>(&SETTINGS)
}

fn held() -> Context {
    context_with_tokens::<Plugin>(&SETTINGS)
}

fn error(code: &str) -> String {
    format!(r#"{{"status":"FAILED","error":{{"code":"{code}","message":"invented"}}}}"#)
}

fn login_ends(status: u16, body: &str) -> &'static str {
    login::<Plugin>(&fresh(), &[Canned::new(status, body)]).case()
}

fn refresh_ends(status: u16, body: &str) -> &'static str {
    refresh::<Plugin>(&held(), &[Canned::new(status, body)]).case()
}

fn revoke_ends(status: u16, body: &str) -> &'static str {
    revoke::<Plugin>(&held(), &[Canned::new(status, body)]).case()
}

fn at_token_endpoint() -> Request {
    Request::post("{base_url}/dev/v2/oauth2/token")
        .header("Authorization", basic_header(basic(text("shop"), secret("client_secret"))))
}

#[test]
fn a_login_names_the_client_and_joins_the_scopes_with_commas() {
    let played = login::<Plugin>(&fresh(), &[Canned::new(200, ISSUED)]);
    let sent = at_token_endpoint().json([
        ("grant_type", text("client_credentials")),
        ("nid", text("0012345678")),
        ("scopes", text("oak:iban-inquiry:get,a:b:get")),
    ]);
    assert_eq!(played.requests, [sent]);
    let tokens = played.result.unwrap();
    assert_eq!(tokens.access_token, "/result/value".into());
    assert_eq!(tokens.refresh_token, Some("/result/refreshToken".into()));
    assert_eq!(tokens.expires_at, Some(fresh().now + 864_000));
    assert_eq!(tokens.scopes, ["oak:iban-inquiry:get"]);
}

#[test]
fn scopes_may_be_written_with_commas_spaces_or_both() {
    for written in ["a:b:get,c:d:get", "a:b:get c:d:get", " a:b:get ,\n c:d:get,"] {
        assert_eq!(listed(written).collect::<Vec<_>>(), ["a:b:get", "c:d:get"]);
    }
    let none = context::<Plugin>(&[("client_id", "c"), ("nid", "1"), ("scopes", ", ,")]);
    let played = login::<Plugin>(&none, &[]);
    assert_eq!((played.case(), played.text()), ("misconfigured", "the setting `scopes` is empty"));
    assert!(played.requests.is_empty());
}

#[test]
fn a_refresh_sends_the_refresh_token_and_says_which_kind() {
    let played = refresh::<Plugin>(&held(), &[Canned::new(200, ISSUED)]);
    let sent = at_token_endpoint().json([
        ("grant_type", text("refresh_token")),
        ("token_type", text("CLIENT-CREDENTIAL")),
        ("refresh_token", refresh_token()),
    ]);
    assert_eq!(played.requests, [sent]);
    assert_eq!(played.result.unwrap().refresh_token, Some("/result/refreshToken".into()));
}

#[test]
fn a_refresh_without_a_refresh_token_leads_to_a_login_unsent() {
    let mut context = held();
    context.current.as_mut().unwrap().has_refresh_token = false;
    for context in [context, fresh()] {
        let played = refresh::<Plugin>(&context, &[]);
        assert_eq!(played.case(), "grant-expired");
        assert!(played.requests.is_empty());
    }
}

#[test]
fn a_refused_client_is_for_a_person_and_a_refused_refresh_leads_to_a_login() {
    assert_eq!(login_ends(401, BAD_CLIENT), "invalid-credentials");
    assert_eq!(login_ends(403, BAD_CLIENT), "invalid-credentials");
    assert_eq!(login_ends(401, "<html>"), "invalid-credentials");
    assert_eq!(login_ends(400, &error("VALIDATION_ERROR")), "misconfigured");
    assert_eq!(login_ends(403, "{}"), "misconfigured");
    for status in [400, 401, 403] {
        assert_eq!(refresh_ends(status, DEAD), "grant-expired", "{status}");
        assert_eq!(refresh_ends(status, "<html>"), "grant-expired", "{status}");
    }
}

#[test]
fn a_wrong_address_is_the_operators_to_correct() {
    assert_eq!(
        (login_ends(404, "<html>"), refresh_ends(404, "")),
        ("misconfigured", "misconfigured")
    );
}

#[test]
fn a_failure_in_a_success_counts_as_the_failure() {
    assert_eq!(login_ends(200, BAD_CLIENT), "invalid-credentials");
    assert_eq!(refresh_ends(200, DEAD), "grant-expired");
    assert_eq!(login_ends(200, r#"{"status":"DONE","result":{"value":""}}"#), "unexpected");
    assert_eq!(login_ends(200, "welcome to the proxy"), "unexpected");
}

#[test]
fn a_fault_is_waited_out_at_login_and_doubted_at_refresh() {
    for (status, body) in [(500, error("SERVER_ERROR")), (503, String::new())] {
        assert_eq!(login_ends(status, &body), "unavailable");
        assert_eq!(refresh_ends(status, &body), "in-doubt");
    }
    assert_eq!(refresh_ends(400, &error("SERVER_ERROR")), "in-doubt");
    assert_eq!(refresh::<Plugin>(&held(), &[]).case(), "in-doubt");
}

#[test]
fn a_limit_is_obeyed() {
    let slow = Canned::new(429, "{}").header("Retry-After", "60");
    let result = login::<Plugin>(&fresh(), &[slow]).result;
    assert!(matches!(result, Err(Failure::RateLimited(Some(60)))));
}

#[test]
fn no_text_quotes_what_finnotech_said() {
    for status in [400, 401, 403, 404, 500] {
        let played = login::<Plugin>(&fresh(), &[Canned::new(status, &error("VALIDATION_ERROR"))]);
        assert!(!played.text().contains("invented"), "{status}");
    }
}

#[test]
fn a_token_revokes_itself() {
    let sent = Request::delete("{base_url}/dev/v2/clients/{client_id}/token")
        .query("trackId", text("0123456789abcdef0123456789abcdef"))
        .header("Authorization", bearer())
        .json([("token", access_token()), ("token_type", text("CLIENT-CREDENTIAL"))]);
    assert_eq!(revoke::<Plugin>(&held(), &[]).requests, [sent]);
    assert_eq!(revoke_ends(200, r#"{"status":"DONE"}"#), "ok");
    assert_eq!(revoke_ends(204, ""), "ok");
}

#[test]
fn a_dead_token_is_revoked_already_and_a_missing_scope_is_named() {
    assert_eq!(revoke_ends(403, DEAD), "ok");
    assert_eq!(revoke_ends(401, "{}"), "token-rejected");
    assert_eq!(revoke_ends(403, &error("FORBIDDEN")), "misconfigured");
    assert_eq!(revoke_ends(200, &error("FORBIDDEN")), "unexpected");
    assert_eq!(revoke_ends(503, ""), "unavailable");
}

#[test]
fn nothing_is_declared_that_is_wider_than_a_request() {
    assert!(Plugin::describe().access.iter().all(|it| !it.request.contains('*')));
}
