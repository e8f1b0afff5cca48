//! What is sent to Jibit, and what is made of its answers.

use super::*;
use sdk::testing::{Canned, context, context_with_tokens, login, refresh};

const PAIR: &str = include_str!("../fixtures/pair.json");
const BAD: &str = include_str!("../fixtures/bad_credentials.json");
const BAD_FLAT: &str = include_str!("../fixtures/bad_credentials_flat.json");

fn ide() -> Context {
    context_with_tokens::<Plugin>(&[])
}

fn of(product: &str) -> Context {
    context_with_tokens::<Plugin>(&[("product", product)])
}

fn code(code: &str) -> String {
    format!(r#"{{"fingerprint":"0","errors":[{{"code":"{code}","message":"m"}}]}}"#)
}

fn login_ends(status: u16, body: &str) -> &'static str {
    login::<Plugin>(&ide(), &[Canned::new(status, body)]).case()
}

fn refresh_ends(status: u16, body: &str) -> &'static str {
    refresh::<Plugin>(&ide(), &[Canned::new(status, body)]).case()
}

#[test]
fn a_login_sends_the_keys_by_name_and_takes_the_pair() {
    let context = context::<Plugin>(&[]);
    let played = login::<Plugin>(&context, &[Canned::new(200, PAIR)]);
    let sent = Request::post("{base_url}/ide/v1/tokens/generate")
        .json([("apiKey", secret("api_key")), ("secretKey", secret("secret_key"))]);
    assert_eq!(played.requests, [sent]);
    let tokens = played.result.unwrap();
    assert_eq!(tokens.access_token, "/accessToken".into());
    assert_eq!(tokens.refresh_token, Some("/refreshToken".into()));
    assert_eq!(tokens.refresh_expires_at, Some(context.now + 172_800));
}

#[test]
fn a_refresh_sends_what_the_product_wants() {
    let sent = |product| refresh::<Plugin>(&of(product), &[]).requests;
    let only =
        Request::post("{base_url}/ppg/v3/tokens/refresh").json([("refreshToken", refresh_token())]);
    assert_eq!(sent("ppg"), [only]);
    for (product, path) in [("ide", "/ide/v1"), ("trf", "/trf/v2"), ("cobank", "/cobank/v1")] {
        let both = Request::post(format!("{{base_url}}{path}/tokens/refresh"))
            .json([("accessToken", access_token()), ("refreshToken", refresh_token())]);
        assert_eq!(sent(product), [both]);
    }
}

#[test]
fn a_product_that_does_not_exist_is_refused_before_anything_is_sent() {
    let played = login::<Plugin>(&of("pulse"), &[]);
    let text = "the setting `product` must be one of `ide`, `ppg`, `trf`, `cobank`";
    assert_eq!((played.case(), played.text()), ("misconfigured", text));
    assert!(played.requests.is_empty());
}

#[test]
fn a_refresh_token_may_be_missing_or_empty() {
    let only = refresh::<Plugin>(&ide(), &[Canned::new(200, r#"{"accessToken":"a"}"#)]);
    let tokens = only.result.unwrap();
    assert_eq!((tokens.refresh_token, tokens.refresh_expires_at), (None, None));
    let empty = [Canned::new(200, r#"{"accessToken":"a","refreshToken":""}"#)];
    assert_eq!(refresh::<Plugin>(&ide(), &empty).result.unwrap().refresh_token, None);
}

#[test]
fn both_envelopes_are_read() {
    for body in [BAD, BAD_FLAT] {
        assert_eq!(login_ends(401, body), "invalid-credentials");
        assert_eq!(login_ends(400, body), "invalid-credentials");
        assert_eq!(refresh_ends(401, body), "grant-expired");
    }
}

#[test]
fn the_code_decides_before_the_status() {
    let not_trusted = code("ip.not_trusted");
    assert_eq!(refresh_ends(403, &not_trusted), "misconfigured");
    assert_eq!(login_ends(401, &code("client.not_active")), "misconfigured");
    assert_eq!(login_ends(400, &code("apiKey.is_required")), "misconfigured");
    assert_eq!(refresh_ends(500, &code("token.verification_failed")), "grant-expired");
    assert_eq!(login_ends(400, &code("too_many_requests")), "rate-limited");
}

#[test]
fn a_fault_of_jibit_is_waited_out_at_login_and_doubted_at_refresh() {
    let fault = code("server.error");
    assert_eq!((login_ends(500, &fault), refresh_ends(500, &fault)), ("unavailable", "in-doubt"));
    assert_eq!((login_ends(502, "<p>"), refresh_ends(502, "<p>")), ("unavailable", "in-doubt"));
    assert_eq!(refresh::<Plugin>(&ide(), &[]).case(), "in-doubt");
}

#[test]
fn a_refused_refresh_without_a_known_code_leads_to_a_login() {
    for status in [400, 401, 403] {
        assert_eq!(refresh_ends(status, "{}"), "grant-expired", "{status}");
    }
    assert_eq!(refresh_ends(404, "<html>"), "unexpected");
}

#[test]
fn a_limit_is_obeyed_for_as_long_as_it_says() {
    let slow = Canned::new(429, &code("too_many_requests")).header("retry-after", "7");
    let result = refresh::<Plugin>(&ide(), &[slow]).result;
    assert!(matches!(result, Err(Failure::RateLimited(Some(7)))));
}

#[test]
fn a_success_without_a_pair_is_not_understood() {
    assert_eq!(login_ends(200, "{}"), "unexpected");
    assert_eq!(refresh_ends(200, "welcome to the proxy"), "unexpected");
}

#[test]
fn every_request_of_every_product_is_declared_exactly() {
    let described = Plugin::describe();
    assert_eq!(described.access.len(), 8);
    assert!(described.access.iter().all(|it| !it.request.contains('*')));
    for product in &PRODUCTS {
        let context = of(product.name);
        assert_eq!(login::<Plugin>(&context, &[]).requests.len(), 1);
        assert_eq!(refresh::<Plugin>(&context, &[]).requests.len(), 1);
    }
}
