//! The host's side of `secrets`, `reveal` and `log`: handles to values that a plugin may place, join
//! and sign with, and lines that have been cleaned.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::EncodingKey;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha512};
use tracing::{debug, error, info, trace, warn};
use wasmtime::component::Resource;

use crate::model::token::fingerprint;
use crate::sandbox::bindings::imports::{log, reveal, secrets};
use crate::sandbox::limits::{MAX_LOG_LINE, MAX_LOG_LINES};
use crate::sandbox::sealing::is_jwt;
use crate::sandbox::state::CallState;

/// What an opaque handle of a plugin stands for.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Handle(pub(super) SecretString);

/// Claims that are safe to show: no names, no e-mail addresses, no embedded tokens.
const REGISTERED: &[&str] = &["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

impl secrets::Host for CallState {}

impl secrets::HostSecret for CallState {
    fn compose(
        &mut self,
        parts: Vec<secrets::Part>,
        encoding: secrets::Encoding,
    ) -> wasmtime::Result<Resource<Handle>> {
        let mut joined = zeroize::Zeroizing::new(String::new());
        for part in &parts {
            match part {
                secrets::Part::Text(text) => joined.push_str(text),
                secrets::Part::Secret(handle) => joined.push_str(self.expose(handle)?),
            }
        }
        let text = match encoding {
            secrets::Encoding::Plain => SecretString::from(joined.as_str()),
            secrets::Encoding::Base64 => STANDARD.encode(joined.as_bytes()).into(),
            secrets::Encoding::Base64url => URL_SAFE_NO_PAD.encode(joined.as_bytes()).into(),
            secrets::Encoding::Form => {
                url::form_urlencoded::byte_serialize(joined.as_bytes()).collect::<String>().into()
            }
        };
        // Text alone, such as the encoded name of a client, is no secret: struck out, it would be missed
        // wherever the provider speaks of it.
        let has_secret = parts.iter().any(|it| matches!(it, secrets::Part::Secret(_)));
        if has_secret { self.hand_out(text) } else { Ok(self.table.push(Handle(text))?) }
    }

    fn fingerprint(&mut self, this: Resource<Handle>) -> wasmtime::Result<String> {
        Ok(fingerprint(&self.table.get(&this)?.0))
    }

    fn claims(&mut self, this: Resource<Handle>) -> wasmtime::Result<Option<String>> {
        Ok(registered_claims(self.expose(&this)?))
    }

    fn sign(
        &mut self,
        this: Resource<Handle>,
        algorithm: secrets::SignatureAlgorithm,
        message: Vec<u8>,
    ) -> wasmtime::Result<Vec<u8>> {
        let key = self.expose(&this)?.as_bytes();
        Ok(match algorithm {
            secrets::SignatureAlgorithm::HmacSha256 => {
                let mac = Hmac::<Sha256>::new_from_slice(key)?;
                mac.chain_update(&message).finalize().into_bytes().to_vec()
            }
            secrets::SignatureAlgorithm::HmacSha512 => {
                let mac = Hmac::<Sha512>::new_from_slice(key)?;
                mac.chain_update(&message).finalize().into_bytes().to_vec()
            }
        })
    }

    fn sign_jwt(
        &mut self,
        this: Resource<Handle>,
        algorithm: secrets::JwtAlgorithm,
        header: String,
        claims: String,
    ) -> wasmtime::Result<Result<Resource<Handle>, String>> {
        match sign_jwt(self.expose(&this)?, algorithm, &header, &claims) {
            Ok(token) => self.hand_out(token.into()).map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    fn drop(&mut self, this: Resource<Handle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

/// The registered claims of a JWT as JSON text; none when `text` is not one.
pub(super) fn registered_claims(text: &str) -> Option<String> {
    Value::Object(jwt_claims(text)?).to_string().into()
}

/// The registered claims of a JWT, not verified.
pub(super) fn jwt_claims(text: &str) -> Option<Map<String, Value>> {
    if !is_jwt(text) {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
    let mut claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    claims.retain(|name, _| REGISTERED.contains(&name.as_str()));
    Some(claims)
}

/// The claim of a JWT, when it is a string; not verified.
pub fn claim_of(token: &SecretString, name: &str) -> Option<String> {
    let payload = URL_SAFE_NO_PAD.decode(token.expose_secret().split('.').nth(1)?).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    Some(claims.get(name)?.as_str()?.to_owned())
}

fn sign_jwt(
    key: &str,
    algorithm: secrets::JwtAlgorithm,
    header: &str,
    claims: &str,
) -> Result<String, String> {
    let (name, key) = match algorithm {
        secrets::JwtAlgorithm::Hs256 => {
            (jsonwebtoken::Algorithm::HS256, Ok(EncodingKey::from_secret(key.as_bytes())))
        }
        secrets::JwtAlgorithm::Rs256 => {
            (jsonwebtoken::Algorithm::RS256, EncodingKey::from_rsa_pem(key.as_bytes()))
        }
        secrets::JwtAlgorithm::Es256 => {
            (jsonwebtoken::Algorithm::ES256, EncodingKey::from_ec_pem(key.as_bytes()))
        }
    };
    let key = key.map_err(|_| "the secret is not a PEM key of this algorithm".to_owned())?;
    let object = |text: &str, what: &str| -> Result<Map<String, Value>, String> {
        serde_json::from_str(text).map_err(|_| format!("{what} must be a JSON object"))
    };
    let mut head = object(header, "header")?;
    head.insert("alg".to_owned(), format!("{name:?}").into());
    let encode = |it: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(it).to_string());
    let message = format!("{}.{}", encode(head), encode(object(claims, "claims")?));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, name)
        .map_err(|_| "the key could not sign".to_owned())?;
    Ok(format!("{message}.{signature}"))
}

impl reveal::Host for CallState {
    fn reveal(&mut self, secret: Resource<Handle>) -> wasmtime::Result<String> {
        Ok(self.expose(&secret)?.to_owned())
    }
}

impl log::Host for CallState {
    fn log(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.log_lines += 1;
        if self.log_lines > MAX_LOG_LINES {
            return Ok(());
        }
        let message = self.known.clean(&message, MAX_LOG_LINE);
        let (plugin, connection) = (self.plugin.as_str(), self.connection.as_str());
        match level {
            log::Level::Trace => {
                trace!(plugin.name = plugin, connection.id = connection, "{message}");
            }
            log::Level::Debug => {
                debug!(plugin.name = plugin, connection.id = connection, "{message}");
            }
            log::Level::Info => {
                info!(plugin.name = plugin, connection.id = connection, "{message}");
            }
            log::Level::Warn => {
                warn!(plugin.name = plugin, connection.id = connection, "{message}");
            }
            log::Level::Error => {
                error!(plugin.name = plugin, connection.id = connection, "{message}");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_registered_claims_are_shown() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":5,"email":"a@b","refreshToken":"x"}"#);
        let claims = registered_claims(&format!("eyJhbGciOiJub25lIn0.{payload}.x"));
        assert_eq!(claims.as_deref(), Some(r#"{"exp":5}"#));
    }

    #[test]
    fn a_signed_jwt_carries_the_algorithm_that_signed_it() {
        let made =
            sign_jwt("key", secrets::JwtAlgorithm::Hs256, r#"{"alg":"none"}"#, "{}").unwrap();
        let head = URL_SAFE_NO_PAD.decode(made.split('.').next().unwrap()).unwrap();
        assert_eq!(String::from_utf8(head).unwrap(), r#"{"alg":"HS256"}"#);
    }
}
