//! A client that signs instead of showing a secret (RFC 7523, 2.2 and 3).

use std::collections::HashMap;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::provider::call::Call;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far ahead an assertion may end. Whoever signs one for a year has made a password.
const LONGEST: i64 = 3_600;

/// As it was sent.
pub(crate) struct Assertion<'a> {
    kind: Option<&'a str>,
    text: &'a str,
    /// A name beside it, which then must be the same.
    client_id: Option<&'a str>,
}

/// Every `jti` so far, and when it may be forgotten.
#[derive(Default)]
pub(crate) struct Seen(HashMap<String, i64>);

impl<'a> Assertion<'a> {
    pub(crate) fn read(call: &'a Call) -> Option<Self> {
        Some(Self {
            kind: call.field("client_assertion_type"),
            text: call.field("client_assertion")?,
            client_id: call.field("client_id"),
        })
    }
}

impl Seen {
    /// False when it was seen before.
    fn note(&mut self, jti: &str, expires: i64, now: i64) -> bool {
        self.0.retain(|_, until| *until > now);
        self.0.insert(jti.to_owned(), expires).is_none()
    }
}

/// The name of the client, if everything is as it must be. A `jti` counts as used only then.
pub(crate) fn verify(
    pem: &str,
    assertion: &Assertion<'_>,
    audiences: &[String],
    now: Timestamp,
    seen: &mut Seen,
) -> Option<String> {
    let claims = read_signed(pem, assertion.text).filter(|_| assertion.kind == Some(TYPE))?;
    let (now, expires) = (now.as_second(), claims["exp"].as_i64()?);
    let issuer = claims["iss"].as_str()?;
    let named = assertion.client_id.is_none_or(|id| id == issuer);
    let begun = ["iat", "nbf"].iter().all(|it| claims[it].as_i64().is_none_or(|at| at <= now + 60));
    let in_time = begun && expires > now && expires <= now + LONGEST;
    let of_us = is_among(&claims["aud"], audiences);
    let good = claims["sub"] == issuer && named && in_time && of_us;
    (good && seen.note(claims["jti"].as_str()?, expires, now)).then(|| issuer.to_owned())
}

/// The claims, if the signature fits. Times are judged by the fake's clock and not here.
fn read_signed(pem: &str, text: &str) -> Option<Value> {
    let algorithm = decode_header(text).ok()?.alg;
    let key = match algorithm {
        Algorithm::RS256 => DecodingKey::from_rsa_pem(pem.as_bytes()),
        Algorithm::ES256 => DecodingKey::from_ec_pem(pem.as_bytes()),
        _ => return None,
    };
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    Some(decode::<Value>(text, &key.ok()?, &validation).ok()?.claims)
}

/// `aud` is one name or a list of names.
fn is_among(aud: &Value, audiences: &[String]) -> bool {
    let known = |value: &Value| value.as_str().is_some_and(|it| audiences.iter().any(|a| a == it));
    known(aud) || aud.as_array().is_some_and(|names| names.iter().any(known))
}
