//! Where the token is put.

use e2e::http::Http;
use e2e::stage::Stage;
use e2e::upstream::Upstream;

use super::Passed;
use crate::api::Served;

#[test]
fn a_token_stands_where_the_manifest_says() {
    let passed = Passed::with("header = \"X-Api-Key\", prefix = \"Token \"");
    let caller = passed.caller().with("x_api_key", "of-the-caller");
    caller.get("/proxy/eskiz/x").is(200);
    let seen = &passed.upstream.seen()[0].headers;
    assert_eq!(seen["x-api-key"], format!("Token {}", passed.token()));
    assert!(!seen.contains_key("authorization") && !seen.contains_key("x_api_key"), "{seen:?}");

    let passed = Passed::with("basic = \"{token}:\"");
    passed.caller().get("/proxy/eskiz/x").is(200);
    let seen = &passed.upstream.seen()[0].headers["authorization"];
    let encoded = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{}:", passed.token()),
    );
    assert_eq!(*seen, format!("Basic {encoded}"));

    let passed = Passed::with("query = \"api_key\"");
    let caller = passed.caller();
    caller.get("/proxy/eskiz/x?page=2").is(200);
    assert!(passed.upstream.seen()[0].line.starts_with("GET /x?page=2&api_key=eyJ"));
    let doubled = caller.get("/proxy/eskiz/x?api_key=mine").is(400);
    assert_eq!(doubled.code(), "proxy.parameter_denied");
}

#[test]
fn several_addresses_are_told_apart_by_a_header() {
    let other = Upstream::start();
    let passed = Passed::with(&format!("to = [\"UPSTREAM\", \"{}v2/\"]", other.url()));
    let caller = passed.caller();
    caller.get("/proxy/eskiz/x").is(200);
    caller.with("keepfresh-to", &format!("{}v2/", other.url())).get("/proxy/eskiz/y").is(200);
    assert_eq!((passed.upstream.seen().len(), &*other.seen()[0].line), (1, "GET /v2/y"));
    assert!(!other.seen()[0].headers.contains_key("keepfresh-to"));
}

fn without_a_token(more: &str) -> (Upstream, Served, Http) {
    let upstream = Upstream::start();
    let stage = Stage::eskiz(&format!("proxy = {{ to = [\"{}\"]{more} }}", upstream.url()));
    stage.home.run(&["connection", "pause", "eskiz"]);
    let served = Served::over(stage, "");
    served.stage.home.run(&["connection", "pause", "eskiz"]).exits(0);
    let caller = served.with_key("app", &["--scope", "proxy:use"]);
    (upstream, served, caller)
}

#[test]
fn without_a_token_a_request_is_refused_unless_the_manifest_says_otherwise() {
    let (upstream, _served, caller) = without_a_token("");
    let refused = caller.get("/proxy/eskiz/x");
    assert!([409, 503].contains(&refused.status), "{refused:?}");
    assert!(!refused.code().is_empty());
    assert!(upstream.seen().is_empty());

    let (upstream, _served, caller) = without_a_token(", without_token = \"forward\"");
    caller.get("/proxy/eskiz/x").is(200);
    assert!(!upstream.seen()[0].headers.contains_key("authorization"), "{:?}", upstream.seen());
}
