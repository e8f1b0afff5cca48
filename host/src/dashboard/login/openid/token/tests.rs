//! Tokens as they must be, and each way in which one is not.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;
use crate::model::fixture::at;

/// A key, with what others see of it.
struct Pair {
    key: EncodingKey,
    public: Jwk,
}

fn pair(kid: &str) -> Pair {
    let made = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = made.to_pkcs8v1().unwrap();
    let key = EncodingKey::from_ec_der(der.as_ref());
    let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
    public.common.key_id = Some(kid.to_owned());
    Pair { key, public }
}

fn claims() -> Claims {
    let claims = json!({
        "iss": "https://id.example", "sub": "7", "aud": "keepfresh", "exp": 4_600, "iat": 1_000,
        "nonce": "the-nonce", "auth_time": 1_000,
    });
    let Value::Object(claims) = claims else { unreachable!() };
    claims
}

fn saying(name: &str, value: Value) -> Claims {
    let mut claims = claims();
    claims.insert(name.to_owned(), value);
    claims
}

fn token(pair: &Pair, kid: Option<&str>, claims: &Claims) -> SecretString {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &pair.key).unwrap().into()
}

fn checked(token: &SecretString, keys: &[&Pair]) -> Result<Claims, Failure> {
    let keys = JwkSet { keys: keys.iter().map(|it| it.public.clone()).collect() };
    let nonce = SecretString::from("the-nonce");
    let (issuer, client_id, now) = ("https://id.example", "keepfresh", at(1_000));
    let wants = Wants { issuer, client_id, nonce: &nonce, since: None, now };
    check(token, &keys, &wants)
}

#[test]
fn a_token_of_the_issuer_for_this_login_is_taken() {
    let ours = pair("a");
    assert_eq!(checked(&token(&ours, Some("a"), &claims()), &[&ours]).unwrap()["sub"], "7");
    assert!(checked(&token(&ours, None, &claims()), &[&ours]).is_ok());
    let list = saying("aud", json!(["keepfresh"]));
    assert!(checked(&token(&ours, Some("a"), &list), &[&ours]).is_ok());
}

#[test]
fn each_claim_that_is_wrong_is_enough() {
    let ours = pair("a");
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!("https://id.example/")),
        ("aud", json!("another")),
        ("aud", json!(["keepfresh", "another"])),
        ("azp", json!("another")),
        ("nonce", json!("another")),
        ("nonce", json!(null)),
        ("exp", json!(900)),
        ("exp", json!(null)),
        ("iat", json!(1_100)),
        ("nbf", json!(1_100)),
    ] {
        let failed = checked(&token(&ours, Some("a"), &saying(name, value.clone())), &[&ours]);
        assert_eq!(failed.unwrap_err().code, code::Login::TokenInvalid, "{name} {value}");
    }
    let mut nameless = claims();
    nameless.remove("sub");
    assert!(checked(&token(&ours, Some("a"), &nameless), &[&ours]).is_err());
}

#[test]
fn a_key_of_somebody_else_signs_nothing() {
    let (ours, theirs) = (pair("a"), pair("a"));
    assert!(checked(&token(&theirs, Some("a"), &claims()), &[&ours]).is_err());
    let (second, named) = (pair("b"), token(&ours, Some("c"), &claims()));
    assert!(checked(&named, &[&ours, &second]).is_err(), "no key has that name");
    assert!(checked(&token(&ours, None, &claims()), &[&ours, &second]).is_err(), "which of them?");
}

#[test]
fn a_token_without_a_signature_or_with_a_shared_secret_is_none() {
    let ours = pair("a");
    let part = |it: Value| URL_SAFE_NO_PAD.encode(it.to_string());
    let body = part(Value::Object(claims()));
    for alg in ["none", "None", "NONE", ""] {
        let unsigned = format!("{}.{body}.", part(json!({ "alg": alg, "kid": "a" })));
        assert!(checked(&unsigned.into(), &[&ours]).is_err(), "{alg}");
    }
    // Who has read the public key, as everybody can, signs with it as if it were a secret.
    let public = serde_json::to_string(&ours.public).unwrap();
    let header = Header { kid: Some("a".to_owned()), ..Header::new(Algorithm::HS256) };
    let signed = encode(&header, &claims(), &EncodingKey::from_secret(public.as_bytes())).unwrap();
    assert!(checked(&signed.into(), &[&ours]).is_err());
    let shared =
        json!({ "keys": [{ "kty": "oct", "k": URL_SAFE_NO_PAD.encode("s"), "kid": "a" }] });
    let shared: JwkSet = serde_json::from_value(shared).unwrap();
    assert!(!fits(&shared.keys[0], Algorithm::HS256, Some("a")));
}

#[test]
fn a_key_for_something_else_is_not_used() {
    let mut ours = pair("a");
    ours.public.common.public_key_use = Some(PublicKeyUse::Encryption);
    assert!(checked(&token(&ours, Some("a"), &claims()), &[&ours]).is_err());
    let mut ours = pair("a");
    ours.public.common.key_algorithm = Some(KeyAlgorithm::ES384);
    assert!(checked(&token(&ours, Some("a"), &claims()), &[&ours]).is_err());
}

#[test]
fn who_is_asked_again_has_answered_since() {
    let ours = pair("a");
    let check = |claims: &Claims| {
        let keys = JwkSet { keys: vec![ours.public.clone()] };
        let nonce = SecretString::from("the-nonce");
        let (issuer, client_id, now) = ("https://id.example", "keepfresh", at(1_000));
        let wants = Wants { issuer, client_id, nonce: &nonce, since: Some(at(990)), now };
        super::check(&token(&ours, Some("a"), claims), &keys, &wants).is_ok()
    };
    assert!(check(&saying("auth_time", json!(995))));
    assert!(!check(&saying("auth_time", json!(800))) && !check(&saying("auth_time", json!(null))));
}
