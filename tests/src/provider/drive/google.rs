//! Google over the wire.

use crate::provider::{
    FakeProvider, Kind,
    drive::{CALLBACK, Got, bearer, encoded, form, get, refused, start},
    google::{Failure, Publishing, Settings},
};

const BUSINESS: &str = "https://www.googleapis.com/auth/business.manage";
const CLIENT: [(&str, &str); 2] =
    [("client_id", "demo.apps.googleusercontent.com"), ("client_secret", "GOCSPX-demo-secret")];

fn google(settings: Settings) -> FakeProvider {
    start(Kind::Google(settings))
}

fn authorize(fake: &FakeProvider, more: &[(&str, &str)]) -> Got {
    let mut pairs = vec![
        CLIENT[0],
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", BUSINESS),
        ("state", "s"),
    ];
    pairs.extend(more);
    get(fake, &format!("/o/oauth2/v2/auth?{}", encoded(&pairs)))
}

fn post(fake: &FakeProvider, more: &[(&str, &str)]) -> Got {
    let pairs = [CLIENT.as_slice(), more].concat();
    form(fake, "POST /token", &encoded(&pairs))
}

fn exchange(fake: &FakeProvider, code: &str) -> Got {
    let grant = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    post(fake, &grant)
}

fn sign_in(fake: &FakeProvider, more: &[(&str, &str)]) -> Got {
    exchange(fake, &authorize(fake, more).redirected("code"))
}

fn refresh(fake: &FakeProvider, token: &str) -> Got {
    post(fake, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

const OFFLINE: (&str, &str) = ("access_type", "offline");
const CONSENT: (&str, &str) = ("prompt", "consent");

#[test]
fn a_refresh_token_comes_once_unless_consent_is_asked_for() {
    let fake = google(Settings::default());
    let has_refresh = |got: Got| got.json().get("refresh_token").is_some();
    assert!(has_refresh(sign_in(&fake, &[OFFLINE])));
    assert!(!has_refresh(sign_in(&fake, &[OFFLINE])));
    assert!(has_refresh(sign_in(&fake, &[OFFLINE, CONSENT])));
    assert!(!has_refresh(sign_in(&fake, &[CONSENT])));
    assert!(has_refresh(sign_in(&fake, &[OFFLINE, ("login_hint", "other@example.com")])));
}

#[test]
fn a_refresh_keeps_the_refresh_token_to_itself() {
    let fake = google(Settings::default());
    let first = sign_in(&fake, &[OFFLINE]);
    fake.control().advance(300 * 86_400);
    let token = first.text("/refresh_token");
    assert!(token.starts_with("1//") && first.text("/access_token").starts_with("ya29."));
    assert_eq!(first.json()["expires_in"], 3_599);
    for _ in 0..2 {
        let again = refresh(&fake, &token);
        assert!(again.json().get("refresh_token").is_none());
        assert_eq!(bearer(&fake, "GET /v1/accounts", &again.text("/access_token")).status, 200);
    }
}

#[test]
fn the_words_are_those_of_google() {
    let fake = google(Settings::default());
    let words = |got: Got| (got.status, got.text("/error"), got.text("/error_description"));
    let said = |status, code: &str, text: &str| (status, code.to_owned(), text.to_owned());
    let code = authorize(&fake, &[OFFLINE]).redirected("code");
    let token = exchange(&fake, &code).text("/refresh_token");
    let twice = words(exchange(&fake, &code));
    assert_eq!(twice, said(400, "invalid_grant", "Bad Request"));
    let dead = "Token has been expired or revoked.";
    assert_eq!(words(refresh(&fake, &token)), said(400, "invalid_grant", dead));
    let unknown = words(exchange(&fake, "4/0unknown"));
    assert_eq!(unknown, said(400, "invalid_grant", "Malformed auth code."));
    let password = words(post(&fake, &[("grant_type", "password")]));
    assert_eq!(password, said(400, "unsupported_grant_type", "Invalid grant_type: password"));
    let wrong = "grant_type=refresh_token&refresh_token=x&client_secret=wrong&client_id=";
    let ask = |id: &str| words(form(&fake, "POST /token", &format!("{wrong}{id}")));
    assert_eq!(ask(CLIENT[0].1), said(401, "invalid_client", "Unauthorized"));
    let not_found = "The OAuth client was not found.";
    assert_eq!(ask("other"), said(401, "invalid_client", not_found));
    fake.control().deny_consent(true);
    assert_eq!(authorize(&fake, &[]).redirected("error"), "access_denied");
}

#[test]
fn a_refresh_fails_for_the_cause_that_is_set() {
    let fake = google(Settings::default());
    let token = fake.control().issue_family("a").refresh_token;
    fake.control().fail_refreshes(Some(Failure::Reauthentication));
    assert_eq!(refresh(&fake, &token).text("/error_subtype"), "invalid_rapt");
    fake.control().fail_refreshes(Some(Failure::DeletedClient));
    assert_eq!(refresh(&fake, &token).error(), refused(401, "deleted_client"));
    fake.control().fail_refreshes(None);
    assert_eq!(refresh(&fake, &token).status, 200);
}

#[test]
fn a_consent_of_a_testing_project_ends_after_seven_days() {
    let publishing = Publishing::Testing;
    let fake = google(Settings { publishing, ..Settings::default() });
    let got = sign_in(&fake, &[OFFLINE]);
    assert_eq!(got.json()["refresh_token_expires_in"], 604_799);
    fake.control().advance(604_798);
    assert_eq!(refresh(&fake, &got.text("/refresh_token")).status, 200);
    fake.control().advance(1);
    let late = refresh(&fake, &got.text("/refresh_token"));
    assert_eq!(late.error(), refused(400, "invalid_grant"));
}

#[test]
fn the_oldest_refresh_token_dies_of_one_too_many() {
    let fake = google(Settings { most_refresh_tokens: 2, ..Settings::default() });
    let token = || sign_in(&fake, &[OFFLINE, CONSENT]).text("/refresh_token");
    let tokens = [token(), token(), token()];
    let statuses = tokens.map(|it| refresh(&fake, &it).status);
    assert_eq!(statuses, [400, 200, 200]);
}

#[test]
fn fewer_scopes_are_granted_than_asked() {
    let grant_scopes = Some(vec!["openid".to_owned()]);
    let fake = google(Settings { grant_scopes, ..Settings::default() });
    let scope = format!("openid {BUSINESS}");
    let path = encoded(&[
        CLIENT[0],
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", &scope),
    ]);
    let code = get(&fake, &format!("/o/oauth2/v2/auth?{path}")).redirected("code");
    let got = exchange(&fake, &code);
    assert_eq!(got.text("/scope"), "openid");
    let accounts = bearer(&fake, "GET /v1/accounts", &got.text("/access_token"));
    assert_eq!(
        (accounts.status, accounts.text("/error/status")),
        refused(403, "PERMISSION_DENIED")
    );
}

#[test]
fn a_revocation_says_when_the_token_was_dead() {
    let fake = google(Settings::default());
    let token = sign_in(&fake, &[OFFLINE]).text("/refresh_token");
    let revoke = || form(&fake, &format!("POST /revoke?{}", encoded(&[("token", &token)])), "");
    assert_eq!(revoke().body, "{}");
    assert_eq!(revoke().error(), refused(400, "invalid_token"));
    assert!(sign_in(&fake, &[OFFLINE]).json().get("refresh_token").is_some());
}

#[test]
fn tokeninfo_writes_numbers_as_text() {
    let fake = google(Settings::default());
    let token = sign_in(&fake, &[OFFLINE]).text("/access_token");
    let info = get(&fake, &format!("/tokeninfo?access_token={token}"));
    assert_eq!(info.text("/scope"), BUSINESS);
    assert!(info.text("/exp").parse::<i64>().is_ok());
    assert_eq!(info.text("/access_type"), "offline");
    assert_eq!(bearer(&fake, "POST /tokeninfo", &token).status, 200);
    assert_eq!(get(&fake, "/tokeninfo?access_token=x").error(), refused(400, "invalid_token"));
}

#[test]
fn a_device_polls_with_the_statuses_of_google() {
    let fake = google(Settings::default());
    let start = [CLIENT[0], ("scope", "email")];
    let started = form(&fake, "POST /device/code", &encoded(&start));
    assert!(started.text("/verification_url").ends_with("/device"));
    let device_code = started.text("/device_code");
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let poll = || post(&fake, &[("grant_type", grant), ("device_code", &device_code)]);
    assert_eq!(poll().error(), refused(428, "authorization_pending"));
    assert_eq!(poll().error(), refused(403, "slow_down"));
    assert!(fake.control().approve_device(&started.text("/user_code")));
    assert!(poll().json()["refresh_token"].is_string());
}

#[test]
fn everything_revoked_is_a_first_consent_again() {
    let fake = google(Settings::default());
    let token = sign_in(&fake, &[OFFLINE]).text("/refresh_token");
    fake.control().revoke_everything();
    assert_eq!(refresh(&fake, &token).status, 400);
    assert!(sign_in(&fake, &[OFFLINE]).json().get("refresh_token").is_some());
}
