//! Clients that sign, over the wire.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::provider::{
    FakeProvider, Kind,
    authorization::rules::ClientAuth,
    drive::{Got, basic, encoded, form, refused, start},
    keys,
    oauth::Settings,
};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn oauth(public: &str) -> FakeProvider {
    let client_auth = ClientAuth::PrivateKeyJwt(public.to_owned());
    start(Kind::OAuth(Settings { client_auth, ..Settings::default() }))
}

fn claims(fake: &FakeProvider, jti: &str) -> Value {
    let now = fake.control().now().as_second();
    json!({
        "iss": "demo-client", "sub": "demo-client", "aud": fake.base_url(), "jti": jti,
        "iat": now, "exp": now + 60,
    })
}

fn es256(claims: &Value) -> String {
    let key = EncodingKey::from_ec_pem(keys::ES256_PRIVATE.as_bytes()).expect("a key");
    encode(&Header::new(Algorithm::ES256), claims, &key).expect("a signature")
}

fn ask(fake: &FakeProvider, kind: &str, assertion: &str) -> Got {
    let pairs = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", kind),
        ("client_assertion", assertion),
    ];
    form(fake, "POST /token", &encoded(&pairs))
}

#[test]
fn an_assertion_is_good_once() {
    let fake = oauth(keys::ES256_PUBLIC);
    let assertion = es256(&claims(&fake, "one"));
    assert_eq!(ask(&fake, TYPE, &assertion).status, 200);
    assert_eq!(ask(&fake, TYPE, &assertion).error(), refused(401, "invalid_client"));
    assert_eq!(ask(&fake, TYPE, &es256(&claims(&fake, "two"))).status, 200);
}

#[test]
fn the_token_endpoint_is_an_audience_as_well() {
    let fake = oauth(keys::ES256_PUBLIC);
    let mut claims = claims(&fake, "one");
    claims["aud"] = json!([format!("{}/token", fake.base_url())]);
    assert_eq!(ask(&fake, TYPE, &es256(&claims)).status, 200);
}

#[test]
fn rs256_is_taken_from_the_owner_of_such_a_key() {
    let fake = oauth(keys::RS256_PUBLIC);
    let key = EncodingKey::from_rsa_pem(keys::RS256_PRIVATE.as_bytes()).expect("a key");
    let signed = encode(&Header::new(Algorithm::RS256), &claims(&fake, "one"), &key);
    assert_eq!(ask(&fake, TYPE, &signed.expect("a signature")).status, 200);
    assert_eq!(ask(&fake, TYPE, &es256(&claims(&fake, "two"))).status, 401);
}

#[test]
fn every_claim_is_looked_at() {
    let fake = oauth(keys::ES256_PUBLIC);
    let now = fake.control().now().as_second();
    for (name, value) in [
        ("iss", json!("somebody")),
        ("sub", json!("somebody")),
        ("aud", json!("https://elsewhere.example")),
        ("exp", json!(now - 1)),
        ("exp", json!(now + 86_400)),
        ("iat", json!(now + 600)),
        ("jti", Value::Null),
    ] {
        let mut claims = claims(&fake, "one");
        claims[name] = value;
        let got = ask(&fake, TYPE, &es256(&claims));
        assert_eq!(got.error(), refused(401, "invalid_client"), "{name}");
    }
    let good = es256(&claims(&fake, "one"));
    assert_eq!(ask(&fake, "something-else", &good).status, 401);
    assert_eq!(ask(&fake, TYPE, &good).status, 200);
}

#[test]
fn a_secret_is_no_signature() {
    let fake = oauth(keys::ES256_PUBLIC);
    let grant = "grant_type=client_credentials";
    let got = basic(&fake, "POST /token", "demo-client:demo-secret", grant);
    assert_eq!(got.error(), refused(401, "invalid_client"));
}
