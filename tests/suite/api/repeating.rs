//! Repeating a request, and changing what one has seen.

use serde_json::json;

use super::Served;

const ESKIZ: &str = "/api/v1/connections/eskiz";

#[test]
fn a_request_that_is_repeated_is_done_once() {
    let served = Served::eskiz();
    let caller = served.socket().with("idempotency-key", "order-7");
    let path = format!("{ESKIZ}/refresh?wait=30s");
    let first = caller.post(&path, &json!({ "force": true })).is(200);
    let again = caller.post(&path, &json!({ "force": true })).is(200);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(first.json(), again.json());
    assert_eq!(served.stage.count("/refresh"), 1, "the provider was asked once");
    let other = caller.post(&path, &json!({ "force": false })).is(422);
    assert_eq!(other.code(), "http.idempotency_mismatch");
    let mine = served.with_key("ops", &["--scope", "connection:write"]);
    let mine = mine.with("idempotency-key", "order-7");
    mine.post(&path, &json!({ "force": true })).is(200);
    assert_eq!(served.stage.count("/refresh"), 2, "another caller has keys of its own");
}

#[test]
fn a_revoked_key_gets_no_answer_that_was_kept() {
    let served = Served::eskiz();
    let caller = served.with_key("ops", &["--scope", "connection:write"]);
    let caller = caller.with("idempotency-key", "order-8");
    let path = format!("{ESKIZ}/pause");
    caller.post(&path, &json!({})).is(200);
    assert_eq!(caller.post(&path, &json!({})).is(200).header("idempotency-replayed"), "true");
    served.stage.home.run(&["api-key", "revoke", "ops"]).exits(0);
    assert_eq!(caller.post(&path, &json!({})).is(401).code(), "auth.invalid");
}

#[test]
fn an_answer_with_a_secret_is_not_kept() {
    let served = Served::eskiz();
    let caller = served.socket().with("idempotency-key", "key-1");
    let new = json!({ "name": "web", "scopes": ["token:read"] });
    caller.post("/api/v1/api-keys", &new).is(201);
    assert_eq!(caller.post("/api/v1/api-keys", &new).is(409).code(), "api_key.name_taken");
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let served = Served::eskiz();
    let first = served.socket().get(ESKIZ).is(200);
    let tag = first.header("etag").to_owned();
    let known = served.socket().with("if-none-match", &tag);
    let same = known.get(ESKIZ).is(304);
    assert!(same.body.is_empty());
    served.stage.home.run(&["connection", "pause", "eskiz"]).exits(0);
    known.get(ESKIZ).is(200);
}

#[test]
fn what_one_has_not_seen_is_not_changed() {
    let served = Served::eskiz();
    let tag = served.socket().get(ESKIZ).is(200).header("etag").to_owned();
    let careful = served.socket().with("if-match", &tag);
    careful.post(&format!("{ESKIZ}/pause"), &json!({ "reason": "mine" })).is(200);
    let stale = careful.post(&format!("{ESKIZ}/pause"), &json!({ "reason": "stale" })).is(412);
    assert_eq!(stale.code(), "http.precondition");
    let sentence = served.socket().get(ESKIZ).is(200).json()["sentence"].clone();
    assert!(sentence.as_str().unwrap().contains("mine"), "{sentence}");
    careful.send("DELETE", &format!("{ESKIZ}/token"), None).is(412);
    careful.send("PUT", &format!("{ESKIZ}/token"), Some("{\"access_token\":\"stale\"}")).is(412);
}
