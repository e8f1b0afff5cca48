//! Jibit over the wire.

use serde_json::json;

use crate::provider::{
    FakeProvider, Kind,
    drive::{Got, bearer, form, json as post_json, start},
    family::Class,
    jibit::Settings,
};

const SERVICES: &str = "GET /ide/v1/services";

fn jibit(settings: Settings) -> FakeProvider {
    start(Kind::Jibit(settings))
}

fn generate(fake: &FakeProvider, path: &str) -> Got {
    let keys = json!({"apiKey": "demo-api-key", "secretKey": "demo-secret-key"});
    post_json(fake, &format!("POST {path}"), &keys)
}

fn refresh(fake: &FakeProvider, path: &str, access: &Got, refresh: &Got) -> Got {
    let body = json!({
        "accessToken": access.text("/accessToken"), "refreshToken": refresh.text("/refreshToken"),
    });
    post_json(fake, &format!("POST {path}"), &body)
}

fn code(got: &Got) -> (u16, String) {
    (got.status, got.text("/errors/0/code"))
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn every_product_generates_and_refreshes_at_its_own_path() {
    let fake = jibit(Settings::default());
    for (make, renew) in [
        ("/ide/v1/tokens/generate", "/ide/v1/tokens/refresh"),
        ("/ppg/v3/tokens", "/ppg/v3/tokens/refresh"),
        ("/trf/v2/tokens/generate", "/trf/v2/tokens/refresh"),
        ("/cobank/v1/tokens/generate", "/cobank/v1/tokens/refresh"),
    ] {
        let first = generate(&fake, make);
        assert_eq!(first.status, 200, "{make}");
        assert_eq!(refresh(&fake, renew, &first, &first).status, 200, "{renew}");
    }
    assert_eq!(code(&generate(&fake, "/ide/v1/tokens")), refused(404, "web.not_found"));
}

#[test]
fn a_bad_login_is_told_by_its_code() {
    let fake = jibit(Settings::default());
    let generate = |body| code(&post_json(&fake, "POST /ppg/v3/tokens", &body));
    let wrong = json!({"apiKey": "demo-api-key", "secretKey": "wrong"});
    assert_eq!(generate(wrong), refused(401, "security.bad_credentials"));
    assert_eq!(generate(json!({"secretKey": "x"})), refused(400, "apiKey.is_required"));
    assert_eq!(generate(json!({"apiKey": "x"})), refused(400, "secretKey.is_required"));
    let form = form(&fake, "POST /ppg/v3/tokens", "apiKey=demo-api-key&secretKey=demo-secret-key");
    assert_eq!(code(&form), refused(400, "web.invalid_or_missing_body"));
    assert_eq!(form.text("/fingerprint").len(), 16);
}

#[test]
fn ide_refreshes_only_for_both_tokens_of_one_pair() {
    let fake = jibit(Settings::default());
    let (mine, other) =
        (generate(&fake, "/ide/v1/tokens/generate"), generate(&fake, "/ide/v1/tokens/generate"));
    let path = "/ide/v1/tokens/refresh";
    let alone = json!({"refreshToken": mine.text("/refreshToken")});
    let alone = post_json(&fake, &format!("POST {path}"), &alone);
    assert_eq!(code(&alone), refused(400, "accessToken.is_required"));
    let mixed = refresh(&fake, path, &other, &mine);
    assert_eq!(code(&mixed), refused(401, "security.bad_credentials"));
    assert_eq!(refresh(&fake, path, &mine, &mine).status, 200);
}

#[test]
fn ide_refreshes_for_an_access_token_that_expired() {
    let fake = jibit(Settings::default());
    let first = generate(&fake, "/ide/v1/tokens/generate");
    fake.control().advance(86_400);
    let services = bearer(&fake, SERVICES, &first.text("/accessToken"));
    assert_eq!(code(&services), refused(401, "token.verification_failed"));
    let second = refresh(&fake, "/ide/v1/tokens/refresh", &first, &first);
    assert_eq!(bearer(&fake, SERVICES, &second.text("/accessToken")).status, 200);
    fake.control().advance(172_800);
    assert_eq!(refresh(&fake, "/ide/v1/tokens/refresh", &second, &second).status, 401);
}

#[test]
fn ppg_refreshes_for_the_refresh_token_alone_and_ends_the_old_one() {
    let fake = jibit(Settings::default());
    let first = generate(&fake, "/ppg/v3/tokens");
    let alone = json!({"refreshToken": first.text("/refreshToken")});
    assert_eq!(post_json(&fake, "POST /ppg/v3/tokens/refresh", &alone).status, 200);
    assert_eq!(post_json(&fake, "POST /ppg/v3/tokens/refresh", &alone).status, 401);
    let audit = fake.control().family("ppg-0").expect("the family of the login");
    assert!(audit.revoked_by_reuse);
}

#[test]
fn the_tokens_of_one_product_are_nothing_to_another() {
    let fake = jibit(Settings::default());
    let ppg = generate(&fake, "/ppg/v3/tokens");
    assert_eq!(refresh(&fake, "/ide/v1/tokens/refresh", &ppg, &ppg).status, 401);
    assert_eq!(bearer(&fake, SERVICES, &ppg.text("/accessToken")).status, 401);
}

#[test]
fn a_class_that_spares_the_old_pair_gives_the_same_new_pair_again() {
    let fake = jibit(Settings { class: Class::UntilUsed, ..Settings::default() });
    let first = generate(&fake, "/ide/v1/tokens/generate");
    let again = || refresh(&fake, "/ide/v1/tokens/refresh", &first, &first);
    let second = again();
    assert_eq!(second.body, again().body);
    assert_eq!(bearer(&fake, SERVICES, &second.text("/accessToken")).status, 200);
    assert_eq!(again().status, 401);
}

#[test]
fn the_switches_change_the_envelope_and_the_status() {
    let fake = jibit(Settings { flat_ide: true, bad_refresh_status: 403, ..Settings::default() });
    let flat = post_json(
        &fake,
        "POST /ide/v1/tokens/refresh",
        &json!({"accessToken": "x", "refreshToken": "y"}),
    );
    assert_eq!((flat.status, flat.text("/code")), refused(403, "security.bad_credentials"));
    let nested = post_json(&fake, "POST /ppg/v3/tokens/refresh", &json!({"refreshToken": "y"}));
    assert_eq!(code(&nested), refused(403, "security.bad_credentials"));
}
