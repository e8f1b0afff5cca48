//! An ordinary login over the wire.

use serde_json::{Value, json};

use crate::provider::{
    FakeProvider, Kind,
    drive::{Got, ask, basic, bearer, form, get, json as post_json, start},
    login::{ErrorStyle, Expiry, Format, Lock, Refresh, Scheme, Settings, TokenAt},
};

const LOGIN: &str = "POST /api/token/";
const REFRESH: &str = "POST /api/token/refresh/";
const ME: &str = "GET /api/me";

fn login(settings: Settings) -> FakeProvider {
    start(Kind::Login(settings))
}

fn good() -> Value {
    json!({"username": "demo", "password": "demo-password"})
}

fn wrong() -> Value {
    json!({"username": "demo", "password": "wrong"})
}

/// As a client that takes JSON.
fn post(fake: &FakeProvider, body: &Value) -> Got {
    let headers = "Content-Type: application/json\r\nAccept: application/json\r\n";
    ask(fake, LOGIN, headers, &body.to_string())
}

#[test]
fn the_default_is_simplejwt() {
    let fake = login(Settings::default());
    let got = post(&fake, &good());
    assert_eq!(bearer(&fake, ME, &got.text("/access")).text("/email"), "demo@example.com");
    let again = post_json(&fake, REFRESH, &json!({"refresh": got.text("/refresh")}));
    assert!(again.json().get("refresh").is_none());
    assert_eq!(bearer(&fake, ME, &again.text("/access")).status, 200);
    let swapped = post_json(&fake, REFRESH, &json!({"refresh": got.text("/access")}));
    assert_eq!((swapped.status, swapped.text("/code")), (401, "token_not_valid".to_owned()));
    let missing = post_json(&fake, REFRESH, &json!({}));
    assert_eq!(missing.json()["refresh"][0], "This field is required.");
    fake.control().advance(300);
    assert_eq!(bearer(&fake, ME, &again.text("/access")).text("/code"), "token_not_valid");
}

#[test]
fn a_rotating_refresh_ends_the_old_one() {
    let refresh = Refresh::RotatingSimpleJwt;
    let fake = login(Settings { refresh, ..Settings::default() });
    let first = fake.control().issue_family("a").refresh_token;
    let renew = |token: &str| post_json(&fake, REFRESH, &json!({"refresh": token}));
    assert_ne!(renew(&first).text("/refresh"), first);
    assert_eq!(renew(&first).text("/detail"), "Token is blacklisted");
}

#[test]
fn everything_else_is_a_page_that_is_not_found() {
    let fake = login(Settings::default());
    for line in
        ["POST /api/login", "POST /api/token/other/", "GET /.well-known/openid-configuration"]
    {
        let got = post_json(&fake, line, &good());
        assert!(got.status == 404 && got.head.contains("text/html"), "{line}");
    }
    assert_eq!(get(&fake, "/api/token/").status, 405);
    assert_eq!(fake.control().wrong_logins(), 0);
}

#[test]
fn a_missing_slash_is_redirected_and_not_acted_on() {
    for slash in [301, 308] {
        let fake = login(Settings { slash: Some(slash), ..Settings::default() });
        let got = post_json(&fake, "POST /api/token", &wrong());
        assert_eq!((got.status, fake.control().wrong_logins()), (slash, 0));
        assert!(got.head.contains("location: /api/token/"));
    }
    let fake = login(Settings { slash: None, ..Settings::default() });
    assert_eq!(post_json(&fake, "POST /api/token", &good()).status, 404);
}

#[test]
fn the_token_is_where_the_setting_says() {
    for (token_at, pointer) in [
        (TokenAt::AccessToken, "/access_token"),
        (TokenAt::Access, "/access"),
        (TokenAt::Token, "/token"),
        (TokenAt::AuthToken, "/auth_token"),
        (TokenAt::Jwt, "/jwt"),
        (TokenAt::NestedData, "/data/token"),
        (TokenAt::Key, "/key"),
    ] {
        for expiry in [Expiry::JwtExp, Expiry::None] {
            let fake = login(Settings { token_at, expiry, ..Settings::default() });
            let token = post(&fake, &good()).text(pointer);
            assert_eq!(bearer(&fake, ME, &token).status, 200, "{token_at:?} {expiry:?}");
        }
    }
}

#[test]
fn a_token_may_be_a_header_or_the_whole_body() {
    let token_at = TokenAt::AuthorizationHeader;
    let fake = login(Settings { token_at, ..Settings::default() });
    let got = post(&fake, &good());
    let line = got.head.lines().find_map(|it| it.strip_prefix("authorization: Bearer "));
    assert_eq!(bearer(&fake, ME, line.expect("a header")).status, 200);
    let (token_at, expiry) = (TokenAt::PlainText, Expiry::None);
    let fake = login(Settings { token_at, expiry, ..Settings::default() });
    let got = post(&fake, &good());
    assert!(got.head.contains("text/plain") && got.body.starts_with("1|"));
    assert_eq!(bearer(&fake, ME, &got.body).status, 200);
}

#[test]
fn the_expiry_is_told_as_the_setting_says() {
    let told = |expiry| post(&login(Settings { expiry, ..Settings::default() }), &good()).json();
    assert_eq!(told(Expiry::ExpiresIn)["expires_in"], 300);
    assert_eq!(told(Expiry::ExpiresInText)["expires_in"], "300");
    assert!(told(Expiry::ExpiresAt)["expires_at"].as_str().is_some_and(|it| it.ends_with('Z')));
    assert_eq!(told(Expiry::None).as_object().map(serde_json::Map::len), Some(2));
}

#[test]
fn another_scheme_is_no_scheme() {
    let fake = login(Settings { scheme: Scheme::Token, ..Settings::default() });
    let token = post(&fake, &good()).text("/access");
    assert_eq!(bearer(&fake, ME, &token).status, 401);
    let header = format!("Authorization: Token {token}\r\n");
    assert_eq!(ask(&fake, ME, &header, "").status, 200);
}

#[test]
fn each_framework_words_wrong_credentials_in_its_way() {
    let status = |error_style| {
        let fake = login(Settings { error_style, ..Settings::default() });
        let got = post(&fake, &wrong());
        assert_eq!(fake.control().wrong_logins(), 1);
        let first = got.json().as_object().and_then(|it| it.keys().next().cloned());
        (got.status, first.unwrap_or_default())
    };
    assert_eq!(status(ErrorStyle::Drf401), (401, "detail".to_owned()));
    assert_eq!(status(ErrorStyle::Drf400), (400, "non_field_errors".to_owned()));
    assert_eq!(status(ErrorStyle::Laravel422), (422, "message".to_owned()));
    assert_eq!(status(ErrorStyle::OAuth400), (400, "error".to_owned()));
    assert_eq!(status(ErrorStyle::FastApi), (401, "detail".to_owned()));
}

#[test]
fn each_framework_names_what_is_missing_or_of_the_wrong_kind() {
    let both = |error_style| {
        let fake = login(Settings { error_style, ..Settings::default() });
        let missing = post(&fake, &json!({"email": "demo@example.com", "password": "x"}));
        let headers =
            "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n";
        let kind = ask(&fake, LOGIN, headers, "username=demo&password=demo-password");
        assert_eq!(fake.control().wrong_logins(), 0);
        assert!(missing.body.contains("username"));
        (missing.status, kind.status)
    };
    assert_eq!(both(ErrorStyle::Drf401), (400, 415));
    assert_eq!(both(ErrorStyle::Drf400), (400, 415));
    assert_eq!(both(ErrorStyle::Laravel422), (422, 422));
    assert_eq!(both(ErrorStyle::OAuth400), (400, 400));
    assert_eq!(both(ErrorStyle::FastApi), (422, 422));
}

#[test]
fn laravel_takes_whoever_does_not_accept_json_for_a_browser() {
    let error_style = ErrorStyle::Laravel422;
    let fake = login(Settings { error_style, ..Settings::default() });
    assert_eq!(post_json(&fake, LOGIN, &wrong()).status, 302);
    assert_eq!(post(&fake, &wrong()).status, 422);
}

#[test]
fn a_form_logs_in_where_a_form_is_taken() {
    let format = Format::FormEmail;
    let fake = login(Settings { format, error_style: ErrorStyle::FastApi, ..Settings::default() });
    let body = "email=demo%40example.com&password=demo-password";
    assert_eq!(form(&fake, LOGIN, body).status, 200);
    assert_eq!(post(&fake, &good()).json()["detail"][0]["loc"][1], "email");
    let error_style = ErrorStyle::OAuth400;
    let fake = login(Settings { format: Format::FormUsername, error_style, ..Settings::default() });
    let body = "username=demo&password=demo-password";
    assert!(form(&fake, LOGIN, body).text("/error_description").contains("grant_type"));
    assert_eq!(form(&fake, LOGIN, &format!("{body}&grant_type=password")).status, 200);
}

#[test]
fn a_client_logs_in_by_itself_and_refreshes_at_the_same_path() {
    let fake = login(Settings {
        format: Format::ClientCredentials,
        token_at: TokenAt::AccessToken,
        refresh: Refresh::OAuth,
        error_style: ErrorStyle::OAuth400,
        ..Settings::default()
    });
    let client = "demo-client:demo-secret";
    let got = basic(&fake, LOGIN, client, "grant_type=client_credentials");
    assert_eq!(got.text("/token_type"), "Bearer");
    let body = format!("grant_type=refresh_token&refresh_token={}", got.text("/refresh_token"));
    assert_eq!(form(&fake, LOGIN, &body).error(), (401, "invalid_client".to_owned()));
    assert_eq!(basic(&fake, LOGIN, client, &body).status, 200);
    let again = basic(&fake, LOGIN, client, &body);
    assert_eq!(again.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(fake.control().wrong_logins(), 0);
    let bad = basic(&fake, LOGIN, "demo-client:wrong", "grant_type=client_credentials");
    assert_eq!((bad.status, fake.control().wrong_logins()), (401, 1));
    let other = basic(&fake, LOGIN, client, "grant_type=password");
    assert_eq!(other.error(), (400, "unsupported_grant_type".to_owned()));
}

#[test]
fn wrong_logins_lock_the_account_for_the_right_password_too() {
    for (lock, status) in [(Lock::Forbidden, 403), (Lock::TooMany, 429)] {
        let fake = login(Settings { most_wrong: 2, lock, ..Settings::default() });
        assert_eq!([post(&fake, &wrong()).status, post(&fake, &wrong()).status], [401, 401]);
        let locked = post(&fake, &good());
        assert_eq!((locked.status, fake.control().wrong_logins()), (status, 2));
        assert_eq!(locked.head.contains("retry-after"), lock == Lock::TooMany);
        fake.control().lock_account(false);
        assert_eq!(post(&fake, &good()).status, 200);
    }
}

#[test]
fn a_good_login_forgives_the_wrong_ones() {
    let fake = login(Settings { most_wrong: 2, ..Settings::default() });
    for _ in 0..3 {
        assert_eq!(post(&fake, &wrong()).status, 401);
        assert_eq!(post(&fake, &good()).status, 200);
    }
}
