//! JSON Web Tokens: signing one with a key that nobody sees, and the few claims of one that may be told.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use crate::model::clock;
use crate::sandbox::answers::sealing::shape::is_jwt;
use crate::sandbox::bindings::imports::secrets::JwtAlgorithm;

/// Claims that are safe to show: no names, no e-mail addresses, no embedded tokens.
const REGISTERED: &[&str] = &["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// The registered claims of a JWT, not verified; none when `text` is not one.
pub(in crate::sandbox) fn claims(text: &str) -> Option<Map<String, Value>> {
    let mut claims = all_claims(text)?;
    claims.retain(|name, _| REGISTERED.contains(&name.as_str()));
    Some(claims)
}

/// The claim of a JWT, when it is a string; not verified.
pub fn claim_of(token: &SecretString, name: &str) -> Option<String> {
    Some(all_claims(token.expose_secret())?.get(name)?.as_str()?.to_owned())
}

/// When a JWT ends, by its claim `exp` as a number or a string; not verified.
pub(in crate::sandbox) fn end(text: &str) -> Option<Timestamp> {
    let claims = all_claims(text)?;
    let said = match claims.get("exp")? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    times::time(&said).value().and_then(clock::at)
}

fn all_claims(text: &str) -> Option<Map<String, Value>> {
    let payload = URL_SAFE_NO_PAD.decode(text.split('.').nth(1).filter(|_| is_jwt(text))?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// A JWT over these JSON objects; the header says which algorithm signed it.
pub(in crate::sandbox) fn sign(
    key: &str,
    algorithm: JwtAlgorithm,
    header: &str,
    claims: &str,
) -> Result<String, String> {
    let (name, key) = match algorithm {
        JwtAlgorithm::Hs256 => (Algorithm::HS256, Ok(EncodingKey::from_secret(key.as_bytes()))),
        JwtAlgorithm::Rs256 => (Algorithm::RS256, EncodingKey::from_rsa_pem(key.as_bytes())),
        JwtAlgorithm::Es256 => (Algorithm::ES256, EncodingKey::from_ec_pem(key.as_bytes())),
    };
    let key = key.map_err(|_| "the secret is not a PEM key of this algorithm".to_owned())?;
    let mut head = object(header, "header")?;
    head.insert("alg".to_owned(), format!("{name:?}").into());
    let encode = |it: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(it).to_string());
    let message = format!("{}.{}", encode(head), encode(object(claims, "claims")?));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, name)
        .map_err(|_| "the key could not sign".to_owned())?;
    Ok(format!("{message}.{signature}"))
}

fn object(text: &str, what: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|_| format!("{what} must be a JSON object"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_registered_claims_are_shown() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":5,"email":"a@b","refreshToken":"x"}"#);
        let claims = claims(&format!("eyJhbGciOiJub25lIn0.{payload}.x"));
        assert_eq!(Value::from(claims.unwrap()).to_string(), r#"{"exp":5}"#);
    }

    #[test]
    fn the_end_of_a_jwt_is_read_in_every_way_to_write_it() {
        for (exp, seconds) in [
            ("1700000300", Some(1_700_000_300)),
            ("1700000300.5", Some(1_700_000_300)),
            ("1.7000003e9", Some(1_700_000_300)),
            ("1700000300000", Some(1_700_000_300)),
            ("\"1700000300\"", Some(1_700_000_300)),
            ("\"2023-11-14T22:18:20Z\"", Some(1_700_000_300)),
            ("253402300799", None),
            ("9223372036854775807", None),
            ("0", None),
            ("3600", None),
            ("null", None),
            ("{}", None),
        ] {
            let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{exp}}}"#));
            let end = end(&format!("eyJhbGciOiJub25lIn0.{payload}.x"));
            assert_eq!(end.map(Timestamp::as_second), seconds, "{exp}");
        }
        assert_eq!(end("opaque"), None);
    }

    #[test]
    fn a_signed_jwt_carries_the_algorithm_that_signed_it() {
        let made = sign("key", JwtAlgorithm::Hs256, r#"{"alg":"none"}"#, "{}").unwrap();
        let head = URL_SAFE_NO_PAD.decode(made.split('.').next().unwrap()).unwrap();
        assert_eq!(String::from_utf8(head).unwrap(), r#"{"alg":"HS256"}"#);
    }
}
