//! The authorization server over the wire.

use crate::provider::{
    FakeProvider, Kind,
    authorization::rules::{ClientAuth, Refreshing, Target},
    drive::{
        CALLBACK, CHALLENGE, Got, VERIFIER, basic, bearer, encoded, form, get, refused, start,
    },
    family::Class,
    oauth::{Discovery, Settings},
};

const TOKEN: &str = "POST /token";
const CLIENT: &str = "demo-client:demo-secret";

fn oauth(settings: Settings) -> FakeProvider {
    start(Kind::OAuth(settings))
}

/// The pairs of a good request, with some of them replaced or, when empty, left out.
fn authorize(fake: &FakeProvider, changes: &[(&str, &str)]) -> Got {
    let good = [
        ("response_type", "code"),
        ("client_id", "demo-client"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid read"),
        ("state", "s t&te"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = good.into_iter().filter(|(name, _)| changes.iter().all(|it| it.0 != *name));
    let pairs = kept.chain(changes.iter().copied().filter(|it| !it.1.is_empty()));
    get(fake, &format!("/authorize?{}", encoded(&pairs.collect::<Vec<_>>())))
}

fn exchange(fake: &FakeProvider, code: &str, verifier: &str) -> Got {
    let body = encoded(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", verifier),
    ]);
    basic(fake, TOKEN, CLIENT, &body)
}

fn sign_in(fake: &FakeProvider) -> Got {
    exchange(fake, &authorize(fake, &[]).redirected("code"), VERIFIER)
}

fn refresh(fake: &FakeProvider, token: &str) -> Got {
    let body = encoded(&[("grant_type", "refresh_token"), ("refresh_token", token)]);
    basic(fake, TOKEN, CLIENT, &body)
}

fn post(fake: &FakeProvider, path: &str, token: &str) -> Got {
    basic(fake, &format!("POST {path}"), CLIENT, &encoded(&[("token", token)]))
}

#[test]
fn a_person_consents_and_the_code_becomes_tokens() {
    let fake = oauth(Settings::default());
    let back = authorize(&fake, &[]);
    assert_eq!((back.status, back.redirected("state")), (302, "s t&te".to_owned()));
    assert_eq!(back.redirected("iss"), fake.base_url());
    let got = exchange(&fake, &back.redirected("code"), VERIFIER);
    assert_eq!((got.status, got.text("/scope")), (200, "openid read".to_owned()));
    assert!(got.json()["id_token"].is_string());
    assert!(got.head.contains("cache-control: no-store"));
    let user = bearer(&fake, "GET /userinfo", &got.text("/access_token"));
    assert_eq!(user.text("/sub"), "demo-user");
}

#[test]
fn an_unknown_redirect_or_client_never_leads_back() {
    let fake = oauth(Settings::default());
    for (name, value, status) in [
        ("redirect_uri", "http://127.0.0.1:49152/other", 400),
        ("redirect_uri", "https://attacker.example/callback", 400),
        ("redirect_uri", "", 400),
        ("client_id", "somebody", 401),
    ] {
        let got = authorize(&fake, &[(name, value)]);
        assert_eq!((got.status, got.redirected("error")), (status, String::new()), "{value}");
    }
}

#[test]
fn other_mistakes_of_the_request_are_told_to_the_client() {
    let fake = oauth(Settings::default());
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "read everything", "invalid_scope"),
    ] {
        let got = authorize(&fake, &[(name, value)]);
        assert_eq!((got.status, got.redirected("error")), (302, error.to_owned()), "{name}");
        assert_eq!(got.redirected("state"), "s t&te");
    }
    fake.control().deny_consent(true);
    assert_eq!(authorize(&fake, &[]).redirected("error"), "access_denied");
}

#[test]
fn a_code_needs_its_verifier_and_its_redirect() {
    let fake = oauth(Settings::default());
    let code = authorize(&fake, &[]).redirected("code");
    let other = VERIFIER.replace('d', "e");
    assert_eq!(exchange(&fake, &code, &other).error(), refused(400, "invalid_grant"));
    assert_eq!(exchange(&fake, &code, "").error(), refused(400, "invalid_grant"));
    let elsewhere = encoded(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", "http://127.0.0.1:49153/callback"),
        ("code_verifier", VERIFIER),
    ]);
    assert_eq!(basic(&fake, TOKEN, CLIENT, &elsewhere).error(), refused(400, "invalid_grant"));
    assert_eq!(exchange(&fake, &code, VERIFIER).status, 200);
}

#[test]
fn a_code_used_twice_ends_what_it_gave() {
    let fake = oauth(Settings::default());
    let code = authorize(&fake, &[]).redirected("code");
    let first = exchange(&fake, &code, VERIFIER);
    assert_eq!(exchange(&fake, &code, VERIFIER).error(), refused(400, "invalid_grant"));
    assert_eq!(bearer(&fake, "GET /resource", &first.text("/access_token")).status, 401);
    assert_eq!(refresh(&fake, &first.text("/refresh_token")).status, 400);
}

#[test]
fn a_code_is_good_for_a_minute() {
    let fake = oauth(Settings::default());
    let code = authorize(&fake, &[]).redirected("code");
    fake.control().advance(60);
    assert_eq!(exchange(&fake, &code, VERIFIER).error(), refused(400, "invalid_grant"));
}

#[test]
fn a_refresh_rotates_by_its_class() {
    let fake = oauth(Settings::default());
    let first = sign_in(&fake).text("/refresh_token");
    let second = refresh(&fake, &first);
    assert_ne!(second.text("/refresh_token"), first);
    assert_eq!(refresh(&fake, &first).error(), refused(400, "invalid_grant"));
    assert!(fake.control().families()[0].revoked_by_reuse);
    let spared = oauth(Settings { class: Class::Grace(30), ..Settings::default() });
    let first = sign_in(&spared).text("/refresh_token");
    let second = refresh(&spared, &first).text("/refresh_token");
    assert_eq!(refresh(&spared, &first).text("/refresh_token"), second);
}

#[test]
fn a_refresh_may_ask_for_less_and_not_for_more() {
    let fake = oauth(Settings::default());
    let first = sign_in(&fake).text("/refresh_token");
    let ask = |scope: &str, token: &str| {
        let grant = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        basic(&fake, TOKEN, CLIENT, &encoded(&grant))
    };
    assert_eq!(ask("openid write", &first).error(), refused(400, "invalid_scope"));
    let narrow = ask("read", &first);
    assert_eq!(narrow.text("/scope"), "read");
    assert_eq!(refresh(&fake, &narrow.text("/refresh_token")).text("/scope"), "openid read");
}

#[test]
fn the_client_shows_itself_as_it_is_registered() {
    let grant = "grant_type=client_credentials";
    let with_body = format!("{grant}&client_id=demo-client&client_secret=demo-secret");
    let statuses = |client_auth| {
        let fake = oauth(Settings { client_auth, ..Settings::default() });
        let header = basic(&fake, TOKEN, CLIENT, grant).status;
        let both = basic(&fake, TOKEN, CLIENT, &with_body).status;
        (header, form(&fake, TOKEN, &with_body).status, both, form(&fake, TOKEN, grant).status)
    };
    assert_eq!(statuses(ClientAuth::BasicOrPost), (200, 200, 400, 401));
    assert_eq!(statuses(ClientAuth::Basic), (200, 401, 400, 401));
    assert_eq!(statuses(ClientAuth::Post), (401, 200, 400, 401));
    let fake = oauth(Settings::default());
    let wrong = basic(&fake, TOKEN, "demo-client:wrong", grant);
    assert_eq!(wrong.error(), refused(401, "invalid_client"));
    assert!(wrong.head.contains("www-authenticate: Basic"));
}

#[test]
fn a_secret_is_in_the_form_encoding_inside_basic() {
    let settings = Settings { client_secret: "a:b c%".to_owned(), ..Settings::default() };
    let fake = oauth(settings);
    let ask = |user: &str| basic(&fake, TOKEN, user, "grant_type=client_credentials").status;
    assert_eq!(ask("demo-client:a%3Ab+c%25"), 200);
    assert_eq!(ask("demo-client:a+b c%"), 401);
}

#[test]
fn a_public_client_has_a_name_and_no_secret() {
    let fake = oauth(Settings { client_auth: ClientAuth::Public, ..Settings::default() });
    let code = authorize(&fake, &[]).redirected("code");
    let body = encoded(&[
        ("grant_type", "authorization_code"),
        ("client_id", "demo-client"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]);
    let got = form(&fake, TOKEN, &body);
    assert_eq!(got.status, 200);
    let token = got.text("/refresh_token");
    let again = [("grant_type", "refresh_token"), ("refresh_token", &token)];
    let again = format!("{}&client_id=demo-client", encoded(&again));
    assert_eq!(form(&fake, TOKEN, &again).status, 200);
    let itself = form(&fake, TOKEN, "grant_type=client_credentials&client_id=demo-client");
    assert_eq!(itself.error(), refused(400, "unauthorized_client"));
}

#[test]
fn a_client_of_its_own_gets_no_refresh_token_and_no_person() {
    let fake = oauth(Settings::default());
    let got = basic(&fake, TOKEN, CLIENT, "grant_type=client_credentials&scope=read");
    assert_eq!((got.status, got.text("/scope")), (200, "read".to_owned()));
    assert!(got.json().get("refresh_token").is_none());
    assert_eq!(bearer(&fake, "GET /userinfo", &got.text("/access_token")).status, 403);
    let unknown = basic(&fake, TOKEN, CLIENT, "grant_type=client_credentials&scope=all");
    assert_eq!(unknown.error(), refused(400, "invalid_scope"));
}

#[test]
fn a_revoked_token_is_dead_and_an_unknown_one_no_error() {
    let fake = oauth(Settings::default());
    let got = sign_in(&fake);
    let (access, token) = (got.text("/access_token"), got.text("/refresh_token"));
    assert_eq!(post(&fake, "/revoke", "unknown").status, 200);
    assert_eq!(post(&fake, "/revoke", &access).status, 200);
    assert_eq!(bearer(&fake, "GET /resource", &access).status, 401);
    assert!(post(&fake, "/introspect", &token).json()["active"].as_bool().unwrap_or(false));
    assert_eq!(post(&fake, "/revoke", &token).status, 200);
    assert_eq!(refresh(&fake, &token).error(), refused(400, "invalid_grant"));
    assert_eq!(form(&fake, "POST /revoke", "token=x").error(), refused(401, "invalid_client"));
}

#[test]
fn introspection_tells_what_a_token_is() {
    let fake = oauth(Settings::default());
    let access = sign_in(&fake).text("/access_token");
    let seen = post(&fake, "/introspect", &access);
    assert_eq!(seen.text("/scope"), "openid read");
    assert_eq!(seen.text("/token_type"), "Bearer");
    fake.control().advance(3_600);
    assert_eq!(post(&fake, "/introspect", &access).body, r#"{"active":false}"#);
    assert_eq!(form(&fake, "POST /introspect", "token=x").status, 401);
}

#[test]
fn a_target_is_asked_for_and_comes_back() {
    let target = Target { parameter: "audience".to_owned(), value: "https://api".to_owned() };
    let fake = oauth(Settings { target: Some(target), jwt: true, ..Settings::default() });
    let ask = |body: &str| basic(&fake, TOKEN, CLIENT, body);
    let without = ask("grant_type=client_credentials");
    assert_eq!(without.error(), refused(400, "invalid_target"));
    let got = ask("grant_type=client_credentials&audience=https://api");
    assert_eq!(got.text("/audience"), "https://api");
    let seen = post(&fake, "/introspect", &got.text("/access_token"));
    assert_eq!(seen.text("/aud"), "https://api");
    assert_eq!(authorize(&fake, &[]).redirected("error"), "invalid_target");
    assert!(!authorize(&fake, &[("audience", "https://api")]).redirected("code").is_empty());
}

#[test]
fn a_refresh_token_may_need_a_scope() {
    let refreshing = Refreshing::WithScope;
    let fake = oauth(Settings { refreshing, ..Settings::default() });
    assert!(sign_in(&fake).json().get("refresh_token").is_none());
    let code = authorize(&fake, &[("scope", "read offline_access")]).redirected("code");
    assert!(exchange(&fake, &code, VERIFIER).json()["refresh_token"].is_string());
}

#[test]
fn metadata_is_where_it_is_said_to_be() {
    let statuses = |discovery| {
        let fake = oauth(Settings { discovery, ..Settings::default() });
        let openid = get(&fake, "/.well-known/openid-configuration");
        (openid.status, get(&fake, "/.well-known/oauth-authorization-server").status)
    };
    assert_eq!(statuses(Discovery::Both), (200, 200));
    assert_eq!(statuses(Discovery::OpenId), (200, 404));
    assert_eq!(statuses(Discovery::OAuth), (404, 200));
    assert_eq!(statuses(Discovery::Off), (404, 404));
    let fake = oauth(Settings::default());
    let document = get(&fake, "/.well-known/openid-configuration");
    assert_eq!(document.text("/issuer"), fake.base_url());
    assert_eq!(document.text("/token_endpoint"), format!("{}/token", fake.base_url()));
}

#[test]
fn the_journal_has_no_secret_in_it() {
    let fake = oauth(Settings::default());
    let got = sign_in(&fake);
    let text = format!("{:?}", fake.control().journal());
    for secret in ["demo-secret", VERIFIER, CHALLENGE, &got.text("/access_token"), "code-"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
