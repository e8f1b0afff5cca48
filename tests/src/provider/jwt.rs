//! Signs and verifies HS256 JWTs. Knows nothing of claims: whoever reads them judges the expiry.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::provider::mint;

pub(crate) fn sign(key: &[u8], claims: &Value) -> String {
    let header = encode(json!({"typ": "JWT", "alg": "HS256"}).to_string().as_bytes());
    let signed = format!("{header}.{}", encode(claims.to_string().as_bytes()));
    let signature = encode(&mint::sign(key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// The claims, if the signature is ours.
pub(crate) fn verify(key: &[u8], token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    if encode(&mint::sign(key, signed.as_bytes())) != signature {
        return None;
    }
    let (_, claims) = signed.split_once('.')?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_the_one_that_another_implementation_makes() {
        // By Python's hmac and base64, from the same header, claims and key.
        let token = sign(b"key", &json!({"sub": "1"}));
        let (header, claims) = ("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxIn0");
        assert_eq!(token, format!("{header}.{claims}.w_y07Xcd5O8apxrkbsqTuYym9ui6kQPj0WIN4f-U4OE"));
        assert_eq!(verify(b"key", &token), Some(json!({"sub": "1"})));
    }

    #[test]
    fn a_token_of_another_key_or_with_other_claims_is_refused() {
        let token = sign(b"key", &json!({"sub": "1"}));
        let other = sign(b"key", &json!({"sub": "2"}));
        assert_eq!(verify(b"other", &token), None);
        let (head, _) = token.rsplit_once('.').expect("a signature");
        let (_, signature) = other.rsplit_once('.').expect("a signature");
        assert_eq!(verify(b"key", &format!("{head}.{signature}")), None);
    }
}
