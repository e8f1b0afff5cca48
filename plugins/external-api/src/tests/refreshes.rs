//! Refreshes as tables: what is remembered, what is sent, and how it ends.

use crate::Plugin;
use crate::format::grant;
use crate::tests::fact;
use sdk::testing::{Canned, Played, context_with_tokens, refresh};
use sdk::{Body as Sent, Context, Tokens, refresh_token};

const LOGIN: &str = "https://a.example/api/login/";
const PAIR: &str = r#"{"access":"a","refresh":"r"}"#;

/// A connection that remembers `facts` about its login.
fn held(facts: &[(&str, &str)], settings: &[(&str, &str)]) -> Context {
    let given = [&[("login_url", LOGIN), ("client_id", "app")], settings].concat();
    let facts = [&[("login_url", LOGIN), ("endpoint", LOGIN)], facts].concat();
    let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Context { remembered: facts.collect(), ..context_with_tokens::<Plugin>(&given) }
}

fn django(settings: &[(&str, &str)]) -> Context {
    let facts =
        [("format", "json-username"), ("token_at", "/access"), ("refresh_token_at", "/refresh")];
    held(&facts, settings)
}

fn oauth(settings: &[(&str, &str)]) -> Context {
    let facts =
        [("format", "form"), ("token_at", "/access_token"), ("refresh_token_at", "/refresh_token")];
    held(&facts, settings)
}

fn play(context: &Context, answers: &[Canned]) -> Played<Tokens> {
    refresh::<Plugin>(context, answers)
}

fn urls(played: &Played<Tokens>) -> Vec<&str> {
    played.requests.iter().map(|request| request.url.as_str()).collect()
}

fn ends(context: &Context, answers: &[(u16, &str)]) -> (usize, &'static str) {
    let answers: Vec<_> = answers.iter().map(|(status, it)| Canned::new(*status, it)).collect();
    let played = play(context, &answers);
    (played.requests.len(), played.case())
}

#[test]
fn django_is_asked_below_its_login_and_then_beside_it() {
    let answers = [Canned::new(404, "<html>"), Canned::new(200, PAIR)];
    let played = play(&django(&[]), &answers);
    let places = ["{login_url.origin}/api/login/refresh/", "{login_url.origin}/api/token/refresh/"];
    assert_eq!(urls(&played), places);
    let body = Sent::Json(vec![("refresh".to_owned(), refresh_token())]);
    assert!(played.requests.iter().all(|request| request.body == body));
    let tokens = played.result.unwrap();
    assert_eq!(tokens.refresh_token, Some("/refresh".into()));
    let endpoint = Some("https://a.example/api/token/refresh/");
    assert_eq!(fact(&tokens, "refresh_endpoint").as_deref(), endpoint);
    assert_eq!(fact(&tokens, "endpoint").as_deref(), Some(LOGIN));
}

#[test]
fn what_worked_once_is_the_only_place_asked_again() {
    let facts = [
        ("format", "json-username"),
        ("token_at", "/access"),
        ("refresh_token_at", "/refresh"),
        ("refresh_endpoint", "https://a.example/api/token/refresh/"),
        ("refresh_format", "json refresh"),
    ];
    let played = play(&held(&facts, &[]), &[Canned::new(404, "")]);
    assert_eq!(urls(&played), ["{login_url.origin}/api/token/refresh/"]);
    assert_eq!(played.case(), "grant-expired");
}

#[test]
fn a_token_endpoint_is_asked_with_a_grant_as_the_client() {
    let body = r#"{"access_token":"a","refresh_token":"r","expires_in":60}"#;
    let played = play(&oauth(&[]), &[Canned::new(200, body)]);
    assert_eq!(urls(&played), ["{login_url}"]);
    let members = [grant("refresh_token"), ("refresh_token".to_owned(), refresh_token())];
    assert_eq!(played.requests[0].body, Sent::Form(members.into()));
    assert!(played.requests[0].headers.iter().any(|(name, _)| name == "Authorization"));
    let tokens = played.result.unwrap();
    assert_eq!(tokens.refresh_token, Some("/refresh_token".into()));
    assert_eq!(fact(&tokens, "refresh_format").as_deref(), Some("oauth"));
    assert_eq!(fact(&tokens, "expiry_from").as_deref(), Some("how long the answer says"));
}

#[test]
fn the_address_of_the_operator_comes_before_all_others() {
    let url = [("refresh_url", "https://b.example/renew")];
    let played = play(&django(&url), &[Canned::new(200, PAIR)]);
    assert_eq!(urls(&played), ["{refresh_url}"]);
    assert_eq!(played.requests[0].body, Sent::Json(vec![("refresh".to_owned(), refresh_token())]));
    assert!(matches!(play(&oauth(&url), &[]).requests[0].body, Sent::Form(_)));
}

#[test]
fn another_body_is_tried_when_the_complaint_is_about_the_body() {
    let url = [("refresh_url", "https://b.example/renew")];
    for complaint in [(415, ""), (400, r#"{"message":"grant_type is missing"}"#)] {
        assert_eq!(ends(&django(&url), &[complaint, (200, PAIR)]), (2, "ok"), "{complaint:?}");
    }
    assert_eq!(ends(&django(&url), &[(400, "{}"), (200, PAIR)]), (1, "grant-expired"));
}

#[test]
fn a_refresh_that_is_refused_or_missing_leads_to_a_login() {
    for status in [400, 401, 403, 422] {
        assert_eq!(ends(&django(&[]), &[(status, "{}")]), (1, "grant-expired"), "{status}");
    }
    for status in [404, 405, 501, 302] {
        assert_eq!(ends(&django(&[]), &[(status, ""); 2]), (2, "grant-expired"), "{status}");
    }
    assert_eq!(ends(&django(&[]), &[(200, "<html> x"), (405, "")]), (2, "grant-expired"));
}

#[test]
fn a_server_without_a_known_refresh_is_asked_nothing() {
    let facts = [
        ("format", "json-email"),
        ("token_at", "/accessToken"),
        ("refresh_token_at", "/refreshToken"),
    ];
    let text = "no refresh endpoint was found on the server; set `refresh_url` if it has one";
    let played = play(&held(&facts, &[]), &[]);
    assert_eq!(
        (played.requests.len(), (played.case(), played.text())),
        (0, ("grant-expired", text))
    );
    let url = [("refresh_url", "https://a.example/api/refresh")];
    let sent = play(&held(&facts, &url), &[]).requests;
    assert_eq!(sent[0].body, Sent::Json(vec![("refreshToken".to_owned(), refresh_token())]));
}

#[test]
fn a_fault_after_a_refresh_was_sent_is_doubt_and_a_limit_is_obeyed() {
    assert_eq!(ends(&django(&[]), &[(503, "")]), (1, "in-doubt"));
    assert_eq!(ends(&django(&[]), &[(429, "")]), (1, "rate-limited"));
    assert_eq!(ends(&django(&[]), &[(200, "{}")]), (1, "unexpected"));
}

#[test]
fn an_empty_refresh_token_keeps_the_old_one() {
    let played = play(&django(&[]), &[Canned::new(200, r#"{"access":"a","refresh":""}"#)]);
    assert_eq!(played.result.unwrap().refresh_token, None);
}

#[test]
fn a_redirect_to_the_slash_is_followed_once() {
    let facts = [("refresh_endpoint", "https://a.example/r"), ("refresh_format", "json refresh")];
    let to = |location: &str| Canned::new(308, "").header("location", location);
    let answers = [to("/r/"), Canned::new(200, PAIR)];
    let played = play(&held(&facts, &[]), &answers);
    assert_eq!(urls(&played), ["{login_url.origin}/r", "{login_url.origin}/r/"]);
    assert!(played.result.is_ok());
    let played = play(&held(&facts, &[]), &[to("/r/"), to("/r")]);
    assert_eq!((played.requests.len(), played.case()), (2, "grant-expired"));
}

#[test]
fn without_a_refresh_token_the_login_is_found_by_memory() {
    let mut context = django(&[]);
    context.current.as_mut().unwrap().has_refresh_token = false;
    let played = play(&context, &[Canned::new(200, PAIR)]);
    assert_eq!(urls(&played), ["{login_url}"]);
    let tokens = played.result.unwrap();
    assert_eq!(fact(&tokens, "format").as_deref(), Some("json-username"));
}
