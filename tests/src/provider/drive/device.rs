//! Devices without a browser, over the wire.

use serde_json::json;

use crate::provider::{
    FakeProvider, Kind,
    authorization::rules::Refreshing,
    drive::{Got, basic, encoded, get, json as post_json, refused, start},
    oauth::Settings,
};

const TOKEN: &str = "POST /token";
const CLIENT: &str = "demo-client:demo-secret";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn oauth(settings: Settings) -> FakeProvider {
    start(Kind::OAuth(settings))
}

fn poll(fake: &FakeProvider, started: &Got) -> Got {
    let body = encoded(&[("grant_type", DEVICE), ("device_code", &started.text("/device_code"))]);
    basic(fake, TOKEN, CLIENT, &body)
}

#[test]
fn a_device_waits_for_a_person_and_keeps_to_its_interval() {
    let fake = oauth(Settings::default());
    let started = basic(&fake, "POST /device", CLIENT, "scope=read");
    assert_eq!((started.json()["interval"].as_u64(), started.status), (Some(5), 200));
    assert_eq!(poll(&fake, &started).error(), refused(400, "authorization_pending"));
    assert_eq!(poll(&fake, &started).error(), refused(400, "slow_down"));
    fake.control().advance(6);
    assert_eq!(poll(&fake, &started).error(), refused(400, "slow_down"));
    fake.control().advance(15);
    assert_eq!(poll(&fake, &started).error(), refused(400, "authorization_pending"));
    let code = started.text("/user_code");
    assert_eq!(fake.control().waiting_devices(), [code.as_str()]);
    assert!(fake.control().approve_device(&code) && !fake.control().approve_device(&code));
    assert_eq!(poll(&fake, &started).text("/scope"), "read");
    assert_eq!(poll(&fake, &started).error(), refused(400, "invalid_grant"));
}

#[test]
fn a_device_is_denied_or_comes_too_late() {
    let fake = oauth(Settings::default());
    let started = basic(&fake, "POST /device", CLIENT, "");
    assert!(fake.control().deny_device(&started.text("/user_code")));
    assert_eq!(poll(&fake, &started).error(), refused(400, "access_denied"));
    let started = basic(&fake, "POST /device", CLIENT, "");
    fake.control().advance(600);
    assert_eq!(poll(&fake, &started).error(), refused(400, "expired_token"));
}

#[test]
fn a_device_gets_a_refresh_token_by_the_same_rule_as_a_browser() {
    let refreshing = Refreshing::WithScope;
    let fake = oauth(Settings { refreshing, ..Settings::default() });
    let has_refresh = |scope: &str| {
        let started = basic(&fake, "POST /device", CLIENT, &encoded(&[("scope", scope)]));
        assert!(fake.control().approve_device(&started.text("/user_code")));
        poll(&fake, &started).json().get("refresh_token").is_some()
    };
    assert!(has_refresh("read offline_access") && !has_refresh("read"));
}

#[test]
fn a_person_may_decide_over_http() {
    let fake = oauth(Settings::default());
    let started = basic(&fake, "POST /device", CLIENT, "");
    let code = started.text("/user_code");
    assert_eq!(get(&fake, "/__control/devices").json(), json!([code]));
    let decide = json!({"user_code": code, "approve": true});
    let decided = || post_json(&fake, "POST /__control/devices", &decide).json();
    assert_eq!([decided(), decided()], [json!({"ok": true}), json!({"ok": false})]);
    assert_eq!(poll(&fake, &started).status, 200);
}
