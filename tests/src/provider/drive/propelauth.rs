//! PropelAuth over the wire.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::provider::{
    FakeProvider, Kind,
    drive::{
        CALLBACK, CHALLENGE, Got, VERIFIER, ask, basic, bearer, encoded, form, get, refused, start,
    },
    propelauth::Settings,
};

const TOKEN: &str = "POST /propelauth/oauth/token";
const USERINFO: &str = "GET /propelauth/oauth/userinfo";
const CLIENT: &str = "demo-client:demo-secret";

fn propelauth(settings: Settings) -> FakeProvider {
    start(Kind::PropelAuth(settings))
}

fn authorize(fake: &FakeProvider, more: &[(&str, &str)]) -> Got {
    let mut pairs =
        vec![("client_id", "demo-client"), ("redirect_uri", CALLBACK), ("response_type", "code")];
    pairs.extend(more);
    get(fake, &format!("/propelauth/oauth/authorize?{}", encoded(&pairs)))
}

fn exchange(code: &str) -> String {
    encoded(&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)])
}

fn sign_in(fake: &FakeProvider) -> Got {
    let code = authorize(fake, &[("state", "s")]).redirected("code");
    basic(fake, TOKEN, CLIENT, &exchange(&code))
}

fn refresh(fake: &FakeProvider, token: &str) -> Got {
    let grant = [("grant_type", "refresh_token"), ("refresh_token", token)];
    basic(fake, TOKEN, CLIENT, &encoded(&grant))
}

fn claims(got: &Got) -> Value {
    let token = got.text("/access_token");
    let claims = token.split('.').nth(1).expect("a JWT has three parts");
    let bytes = URL_SAFE_NO_PAD.decode(claims).expect("its parts are base64");
    serde_json::from_slice(&bytes).expect("its claims are JSON")
}

#[test]
fn a_token_lives_half_an_hour_and_names_organisations() {
    let fake = propelauth(Settings::default());
    let got = sign_in(&fake);
    assert_eq!((got.status, got.json()["expires_in"].as_u64()), (200, Some(1_800)));
    let claims = claims(&got);
    assert_eq!(claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(e, i)| e - i), Some(1_800));
    assert!(claims["org_id_to_org_member_info"].is_object());
    let user = bearer(&fake, USERINFO, &got.text("/access_token"));
    assert_eq!(user.json()["user_id"], claims["user_id"]);
    assert!(user.json()["org_id_to_org_info"].is_object());
    fake.control().advance(1_800);
    assert_eq!(bearer(&fake, USERINFO, &got.text("/access_token")).status, 401);
    assert_eq!(get(&fake, "/propelauth/oauth/userinfo").status, 401);
}

#[test]
fn an_active_organisation_stands_alone() {
    let fake = propelauth(Settings { active_org: true, ..Settings::default() });
    let got = sign_in(&fake);
    assert_eq!(claims(&got)["org_member_info"]["user_role"], "Owner");
    let user = bearer(&fake, USERINFO, &got.text("/access_token"));
    assert_eq!(user.text("/org_info/org_name"), "Demo Org");
    assert!(user.json().get("org_id_to_org_info").is_none());
}

#[test]
fn the_state_is_required() {
    let fake = propelauth(Settings::default());
    assert_eq!(authorize(&fake, &[]).redirected("error"), "invalid_request");
}

#[test]
fn a_refresh_rotates_and_a_replay_ends_the_family() {
    let fake = propelauth(Settings::default());
    let first = sign_in(&fake).text("/refresh_token");
    let second = refresh(&fake, &first);
    assert_ne!(second.text("/refresh_token"), first);
    assert_eq!(refresh(&fake, &first).error(), refused(400, "invalid_grant"));
    assert_eq!(bearer(&fake, USERINFO, &second.text("/access_token")).status, 401);
}

#[test]
fn a_client_may_use_pkce_in_place_of_its_secret() {
    for public in [false, true] {
        let fake = propelauth(Settings { public, ..Settings::default() });
        let pkce =
            [("state", "s"), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
        let code = authorize(&fake, &pkce).redirected("code");
        let body = format!("{}&client_id=demo-client", exchange(&code));
        assert_eq!(form(&fake, TOKEN, &body).error(), refused(400, "invalid_grant"));
        let got = form(&fake, TOKEN, &format!("{body}&code_verifier={VERIFIER}"));
        assert_eq!(got.status, 200, "public: {public}");
        let token = got.text("/refresh_token");
        let grant = [("grant_type", "refresh_token"), ("refresh_token", &token)];
        let body = format!("{}&client_id=demo-client", encoded(&grant));
        assert_eq!(form(&fake, TOKEN, &body).status, 200, "public: {public}");
    }
}

#[test]
fn without_pkce_the_secret_is_needed() {
    let fake = propelauth(Settings::default());
    let code = authorize(&fake, &[("state", "s")]).redirected("code");
    let body = format!("{}&client_id=demo-client", exchange(&code));
    assert_eq!(form(&fake, TOKEN, &body).error(), refused(401, "invalid_client"));
    let token = sign_in(&fake).text("/refresh_token");
    let grant = [("grant_type", "refresh_token"), ("refresh_token", &token)];
    let body = format!("{}&client_id=demo-client", encoded(&grant));
    assert_eq!(form(&fake, TOKEN, &body).error(), refused(401, "invalid_client"));
}

#[test]
fn the_backend_logs_a_person_out() {
    let fake = propelauth(Settings::default());
    let token = sign_in(&fake).text("/refresh_token");
    let body = json!({"refresh_token": token}).to_string();
    let logout = |key: &str| {
        let headers = format!("Content-Type: application/json\r\nAuthorization: Bearer {key}\r\n");
        ask(&fake, "POST /api/backend/v1/logout", &headers, &body).status
    };
    assert_eq!(logout("wrong"), 401);
    assert_eq!(logout("demo-api-key"), 200);
    assert_eq!(refresh(&fake, &token).error(), refused(400, "invalid_grant"));
}
