//! Rotor over the wire.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::provider::{
    FakeProvider, Kind,
    drive::{Got, ask, bearer, form, json as post_json, start},
    family::Class,
    rotor::Settings,
};

const TOKEN: &str = "POST /token";
const RESOURCE: &str = "GET /resource";

fn rotor(class: Class) -> FakeProvider {
    start(Kind::Rotor(Settings { class, ..Settings::default() }))
}

fn refresh(fake: &FakeProvider, token: &str) -> Got {
    form(fake, TOKEN, &format!("grant_type=refresh_token&refresh_token={token}"))
}

fn error(got: &Got) -> (u16, String) {
    (got.status, got.text("/error"))
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn a_refresh_gives_a_new_pair_with_the_prefix() {
    let settings = Settings { prefix: "CANARY_7_".to_owned(), ..Settings::default() };
    let fake = start(Kind::Rotor(settings));
    let first = fake.control().issue_family("a");
    let got = refresh(&fake, &first.refresh_token);
    assert!(got.text("/access_token").starts_with("CANARY_7_"));
    assert_ne!(got.text("/refresh_token"), first.refresh_token);
    assert_eq!(got.json()["expires_in"], 3_600);
    assert!(got.head.contains("cache-control: no-store"));
}

#[test]
fn strict_revokes_everything_of_the_family_on_a_replay() {
    let fake = rotor(Class::Strict);
    let first = fake.control().issue_family("a");
    let second = refresh(&fake, &first.refresh_token);
    assert_eq!(error(&refresh(&fake, &first.refresh_token)), refused(400, "invalid_grant"));
    let after = refresh(&fake, &second.text("/refresh_token"));
    assert_eq!(error(&after), refused(400, "invalid_grant"));
    assert_eq!(bearer(&fake, RESOURCE, &second.text("/access_token")).status, 401);
    let audit = fake.control().family("a").expect("the family");
    assert!(audit.revoked_by_reuse);
    assert_eq!((audit.rotations, audit.undelivered), (1, 0));
}

#[test]
fn grace_gives_the_same_successor_until_the_window_ends() {
    let fake = rotor(Class::Grace(30));
    let first = fake.control().issue_family("a");
    let successor = |got: &Got| (got.text("/access_token"), got.text("/refresh_token"));
    let second = refresh(&fake, &first.refresh_token);
    assert_eq!(successor(&second), successor(&refresh(&fake, &first.refresh_token)));
    fake.control().advance(31);
    assert_eq!(refresh(&fake, &first.refresh_token).status, 400);
}

#[test]
fn until_used_ends_at_the_first_use_of_the_resource() {
    let fake = rotor(Class::UntilUsed);
    let first = fake.control().issue_family("a");
    let second = refresh(&fake, &first.refresh_token);
    assert_eq!(refresh(&fake, &first.refresh_token).status, 200);
    assert_eq!(bearer(&fake, RESOURCE, &second.text("/access_token")).status, 200);
    assert_eq!(refresh(&fake, &first.refresh_token).status, 400);
}

#[test]
fn class_none_leaves_the_refresh_token_out_and_keeps_it_valid() {
    let fake = rotor(Class::None);
    let first = fake.control().issue_family("a");
    let second = refresh(&fake, &first.refresh_token);
    assert!(second.json().get("refresh_token").is_none());
    assert_eq!(refresh(&fake, &first.refresh_token).status, 200);
    assert_eq!(bearer(&fake, RESOURCE, &second.text("/access_token")).status, 200);
}

#[test]
fn the_endpoint_is_as_strict_as_the_rfc() {
    let fake = rotor(Class::Strict);
    let of = |body: &str| error(&form(&fake, TOKEN, body));
    assert_eq!(of("grant_type=refresh_token"), refused(400, "invalid_request"));
    assert_eq!(of("grant_type=password&username=a"), refused(400, "unsupported_grant_type"));
    assert_eq!(of("grant_type=refresh_token&refresh_token=x"), refused(400, "invalid_grant"));
    let twice = "grant_type=refresh_token&refresh_token=x&refresh_token=y";
    assert_eq!(of(twice), refused(400, "invalid_request"));
    let as_json = json!({"grant_type": "refresh_token", "refresh_token": "x"});
    assert_eq!(error(&post_json(&fake, TOKEN, &as_json)), refused(400, "invalid_request"));
    assert_eq!(ask(&fake, "GET /token", "", "").status, 405);
}

#[test]
fn an_access_token_works_until_it_expires_and_never_as_a_refresh_token() {
    let fake = rotor(Class::Strict);
    let first = fake.control().issue_family("a");
    assert_eq!(bearer(&fake, RESOURCE, &first.access_token).status, 200);
    assert_eq!(bearer(&fake, RESOURCE, &first.refresh_token).status, 401);
    assert_eq!(refresh(&fake, &first.access_token).status, 400);
    fake.control().advance(3_600);
    let expired = bearer(&fake, RESOURCE, &first.access_token);
    assert!(expired.head.contains("www-authenticate: Bearer error=\"invalid_token\""));
}

#[test]
fn a_plain_login_opens_a_family_in_either_format() {
    let fake = rotor(Class::Strict);
    let opened = post_json(&fake, TOKEN, &json!({"key": "demo-key"}));
    assert_eq!(bearer(&fake, RESOURCE, &opened.text("/access_token")).status, 200);
    assert_eq!(form(&fake, TOKEN, "key=demo-key").status, 200);
    assert_eq!(form(&fake, TOKEN, "grant_type=client_credentials").status, 200);
    assert_eq!(error(&form(&fake, TOKEN, "key=wrong")), refused(401, "invalid_credentials"));
    fake.control().reject_credentials(true);
    assert_eq!(form(&fake, TOKEN, "key=demo-key").status, 401);
    assert_eq!(fake.control().families().len(), 3);
}

#[test]
fn a_configured_client_must_show_itself_in_the_form_encoding() {
    let client = Some(("app".to_owned(), "a:b c".to_owned()));
    let fake = start(Kind::Rotor(Settings { client, ..Settings::default() }));
    let body = "grant_type=client_credentials";
    assert_eq!(error(&form(&fake, TOKEN, body)), refused(401, "invalid_client"));
    let with_basic = |user: &str| {
        let headers = format!(
            "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic {}\r\n",
            STANDARD.encode(user)
        );
        ask(&fake, TOKEN, &headers, body)
    };
    assert_eq!(with_basic("app:a%3Ab+c").status, 200);
    assert!(with_basic("app:wrong").head.contains("www-authenticate: Basic"));
    assert_eq!(
        form(&fake, TOKEN, &format!("{body}&client_id=app&client_secret=a%3Ab+c")).status,
        200
    );
}
