//! Finnotech over the wire.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::provider::{
    FakeProvider, Kind,
    answer::Answer,
    drive::{Got, basic, bearer, form, start},
    finnotech::Settings,
};

const TOKEN: &str = "POST /dev/v2/oauth2/token";
const PING: &str = "GET /oak/v2/clients/demo-client/ping";
const CLIENT: &str = "demo-client:demo-secret";

fn finnotech(settings: Settings) -> FakeProvider {
    start(Kind::Finnotech(settings))
}

fn post(fake: &FakeProvider, body: &Value) -> Got {
    basic(fake, TOKEN, CLIENT, &body.to_string())
}

fn sign_in(fake: &FakeProvider) -> Got {
    let scopes = "oak:iban-inquiry:get,oak:ping:get";
    post(fake, &json!({"grant_type": "client_credentials", "nid": "0012345678", "scopes": scopes}))
}

fn refresh(fake: &FakeProvider, token: &str) -> Got {
    let kind = "CLIENT-CREDENTIAL";
    let body = json!({"grant_type": "refresh_token", "token_type": kind, "refresh_token": token});
    post(fake, &body)
}

fn said(got: &Got) -> (u16, String, String) {
    (got.status, got.text("/error/code"), got.text("/error/message"))
}

fn refused(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

fn claims(got: &Got) -> Value {
    let token = got.text("/result/value");
    let claims = token.split('.').nth(1).expect("a JWT has three parts");
    let bytes = URL_SAFE_NO_PAD.decode(claims).expect("its parts are base64");
    serde_json::from_slice(&bytes).expect("its claims are JSON")
}

#[test]
fn a_client_gets_a_token_that_tells_its_life_and_its_refresh_token() {
    let fake = finnotech(Settings::default());
    let got = sign_in(&fake);
    assert_eq!((got.status, got.text("/status")), (200, "DONE".to_owned()));
    assert_eq!(got.json()["result"]["lifeTime"], 864_000_000);
    assert_eq!(got.text("/result/creationDate").len(), 14);
    let claims = claims(&got);
    assert!(claims["iat"].is_i64() && claims["exp"].is_null());
    assert_eq!(claims["lifeTime"], "864000000");
    assert_eq!(claims["refreshToken"], got.text("/result/refreshToken"));
    assert_eq!(bearer(&fake, PING, &got.text("/result/value")).text("/status"), "DONE");
}

#[test]
fn the_switches_change_the_kinds_of_the_values() {
    let settings = Settings { lifetime_as_text: true, date_as_number: true, ..Settings::default() };
    let got = sign_in(&finnotech(settings));
    assert_eq!(got.text("/result/lifeTime"), "864000000");
    assert!(got.json()["result"]["creationDate"].is_u64());
}

#[test]
fn a_bad_request_is_told_what_is_bad() {
    let fake = finnotech(Settings::default());
    let ask = |nid: &str, scopes: &str| {
        let body = json!({"grant_type": "client_credentials", "nid": nid, "scopes": scopes});
        said(&post(&fake, &body))
    };
    let bad = |message: &str| refused(400, "VALIDATION_ERROR", message);
    assert_eq!(ask("123", "oak:ping:get"), bad("invalid nid"));
    assert_eq!(ask("001234567x", "oak:ping:get"), bad("invalid nid"));
    assert_eq!(ask("0012345678", "oak:ping:get oak:iban-inquiry:get"), bad("invalid scopes"));
    assert_eq!(ask("0012345678", ""), bad("invalid scopes"));
    let password = post(&fake, &json!({"grant_type": "password"}));
    assert_eq!(said(&password), bad("invalid grant_type"));
    let as_form = basic(&fake, TOKEN, CLIENT, "grant_type=client_credentials");
    assert_eq!(said(&as_form), bad("invalid body"));
    let wrong = basic(&fake, TOKEN, "demo-client:wrong", "{}");
    assert_eq!(said(&wrong), refused(401, "UNAUTHORIZED", "invalid client"));
    assert_eq!(form(&fake, TOKEN, "a=b").status, 401);
}

#[test]
fn a_refresh_rotates_and_a_replay_ends_the_family() {
    let fake = finnotech(Settings::default());
    let first = sign_in(&fake).text("/result/refreshToken");
    let second = refresh(&fake, &first);
    assert_ne!(second.text("/result/refreshToken"), first);
    let bad = refused(400, "VALIDATION_ERROR", "invalid refresh token");
    assert_eq!(said(&refresh(&fake, &first)), bad);
    assert_eq!(said(&refresh(&fake, &second.text("/result/refreshToken"))), bad);
    let without = json!({"grant_type": "refresh_token", "refresh_token": first});
    let kind = refused(400, "VALIDATION_ERROR", "invalid token_type");
    assert_eq!(said(&post(&fake, &without)), kind);
}

#[test]
fn a_bad_token_is_forbidden_and_a_track_id_is_good_once() {
    let fake = finnotech(Settings::default());
    let token = sign_in(&fake).text("/result/value");
    let bad = refused(403, "VALIDATION_ERROR", "invalid token");
    assert_eq!(said(&bearer(&fake, PING, "nothing")), bad);
    let tracked = format!("{PING}?trackId=one");
    assert_eq!(bearer(&fake, &tracked, &token).text("/trackId"), "one");
    let again = refused(400, "VALIDATION_ERROR", "trackId is duplicated");
    assert_eq!(said(&bearer(&fake, &tracked, &token)), again);
    let elsewhere = bearer(&fake, "GET /oak/v2/clients/other/ping", &token);
    assert_eq!(elsewhere.status, 403);
    fake.control().advance(864_000);
    assert_eq!(said(&bearer(&fake, PING, &token)), bad);
}

#[test]
fn a_client_ends_its_tokens() {
    let fake = finnotech(Settings::default());
    let got = sign_in(&fake);
    let token = got.text("/result/value");
    let body = json!({"token": token, "token_type": "CLIENT-CREDENTIAL"}).to_string();
    let revoke = |client: &str, user: &str| {
        basic(&fake, &format!("DELETE /dev/v2/clients/{client}/token"), user, &body).status
    };
    assert_eq!(revoke("demo-client", "demo-client:wrong"), 401);
    assert_eq!(revoke("other", CLIENT), 403);
    assert_eq!(revoke("demo-client", CLIENT), 200);
    assert_eq!(bearer(&fake, PING, &token).status, 403);
    assert_eq!(refresh(&fake, &got.text("/result/refreshToken")).status, 400);
}

#[test]
fn a_script_and_an_issued_family_work_as_everywhere() {
    let fake = finnotech(Settings::default());
    let pair = fake.control().issue_family("a");
    assert_eq!(bearer(&fake, PING, &pair.access_token).status, 200);
    fake.control().script(Answer::rate_limited(Some("7")));
    assert!(refresh(&fake, &pair.refresh_token).head.contains("retry-after: 7"));
    assert_eq!(refresh(&fake, &pair.refresh_token).status, 200);
    assert_eq!(fake.control().family("a").map(|it| it.rotations), Some(1));
}
