//! Eskiz over the wire.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::provider::{
    FakeProvider, Kind,
    drive::{ask, bearer, form, json as post_json, start},
    eskiz::Settings,
};

const LOGIN: &str = "POST /api/auth/login";
const REFRESH: &str = "PATCH /api/auth/refresh";
const USER: &str = "GET /api/auth/user";

fn eskiz(settings: Settings) -> FakeProvider {
    start(Kind::Eskiz(settings))
}

fn login(fake: &FakeProvider) -> String {
    let body = json!({"email": "demo@example.uz", "password": "demo-password"});
    post_json(fake, LOGIN, &body).text("/data/token")
}

fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON")
}

#[test]
fn a_login_is_taken_in_all_three_formats() {
    let fake = eskiz(Settings::default());
    let urlencoded = form(&fake, LOGIN, "email=demo%40example.uz&password=demo-password");
    assert_eq!(
        (urlencoded.status, urlencoded.text("/message")),
        (200, "token_generated".to_owned())
    );
    assert!(!login(&fake).is_empty());

    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = format!(
        "{}{}--b--\r\n",
        part("email", "demo@example.uz"),
        part("password", "demo-password")
    );
    let multipart = ask(&fake, LOGIN, "Content-Type: multipart/form-data; boundary=b\r\n", &body);
    assert_eq!(multipart.text("/token_type"), "bearer");
}

#[test]
fn a_token_is_a_jwt_of_thirty_days() {
    let claims = claims(&login(&eskiz(Settings::default())));
    let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat);
    assert_eq!(lifetime, Some(2_592_000));
    assert_eq!(claims["sign"].as_str().map(str::len), Some(64));
    assert!(claims["sub"].as_str().is_some_and(|sub| sub.parse::<u32>().is_ok()));
}

#[test]
fn a_bad_login_is_refused_as_the_vendor_does() {
    let fake = eskiz(Settings::default());
    let wrong = form(&fake, LOGIN, "email=demo%40example.uz&password=wrong");
    assert_eq!(
        (wrong.status, wrong.text("/message")),
        (401, "Неверный Email или пароль".to_owned())
    );
    let missing = form(&fake, LOGIN, "password=demo-password");
    let expected = json!({"message": {"email": ["required"]}, "status": "error"});
    assert_eq!((missing.status, missing.json()), (400, expected));
}

#[test]
fn an_expired_token_neither_works_nor_refreshes() {
    let fake = eskiz(Settings { lifetime: 60, ..Settings::default() });
    let token = login(&fake);
    assert_eq!(bearer(&fake, USER, &token).text("/data/email"), "demo@example.uz");
    fake.control().advance(60);
    let user = bearer(&fake, USER, &token);
    assert_eq!((user.status, user.text("/status")), (401, "token-invalid".to_owned()));
    assert_eq!(bearer(&fake, REFRESH, &token).status, 401);
}

#[test]
fn the_switches_change_what_a_refresh_takes_and_ends() {
    let settings =
        Settings { refresh_expired: true, revoke_old_on_refresh: true, ..Settings::default() };
    let fake = eskiz(settings);
    let old = login(&fake);
    fake.control().advance(2_592_000);
    let new = bearer(&fake, REFRESH, &old).text("/data/token");
    assert_eq!(bearer(&fake, USER, &new).status, 200);
    assert_eq!(bearer(&fake, REFRESH, &old).status, 401);
}

#[test]
fn without_the_switch_the_old_token_outlives_a_refresh() {
    let fake = eskiz(Settings::default());
    let old = login(&fake);
    assert_eq!(bearer(&fake, REFRESH, &old).status, 200);
    assert_eq!(bearer(&fake, USER, &old).status, 200);
    fake.control().revoke_everything();
    assert_eq!(bearer(&fake, USER, &old).status, 401);
}

#[test]
fn an_unknown_path_gets_a_page_of_nginx() {
    let fake = eskiz(Settings::default());
    let got = ask(&fake, "GET /api/nothing", "", "");
    assert_eq!(got.status, 404);
    assert!(got.head.contains("text/html") && got.body.contains("<center>nginx</center>"));
    assert!(ask(&fake, "GET /", "", "").body.contains("API version: "));
}
