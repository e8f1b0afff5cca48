//! The host's side of `secrets` and `reveal`: handles to values that a plugin may place, join and sign
//! with. What an operation tells about a value is written down in SECURITY.md; `property.rs` looks for
//! more.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Sha256, Sha512};
use wasmtime::component::Resource;
use zeroize::Zeroizing;

use crate::model::code;
use crate::model::descriptor::Kind;
use crate::model::token::hex;
use crate::sandbox::answers::sealing;
use crate::sandbox::bindings::imports::reveal;
use crate::sandbox::bindings::imports::secrets::{
    Encoding, Host, HostSecret, JwtAlgorithm, Part, SignatureAlgorithm, SignatureEncoding,
};
use crate::sandbox::calling::state::CallState;
use crate::sandbox::machine::limits::MAX_COMPOSED;
use crate::sandbox::secrets::handle::Handle;
use crate::sandbox::secrets::jwt;
use crate::sandbox::secrets::labels::Labels;

impl Host for CallState {}

impl HostSecret for CallState {
    fn compose(
        &mut self,
        parts: Vec<Part>,
        encoding: Encoding,
    ) -> wasmtime::Result<Resource<Handle>> {
        let start = self.begin_work();
        let joined = self.join(&parts, encoding)?;
        let text = encode(&joined.text, encoding);
        // Text alone, such as the encoded name of a client, is no secret: struck out, it would be missed
        // wherever the provider speaks of it.
        let has_secret = parts.iter().any(|it| matches!(it, Part::Secret(_)));
        let handle = self.made(text, joined.labels, joined.bound, has_secret)?;
        self.end_work(start)?;
        Ok(handle)
    }

    fn claims(&mut self, this: Resource<Handle>) -> wasmtime::Result<Option<String>> {
        let start = self.begin_work();
        let handle = self.table.get(&this)?;
        let claims = if handle.is_whole() { jwt::claims(handle.text()) } else { None };
        let told = claims.map(|mut claims| {
            claims.retain(|_, value| self.may_tell(value));
            Value::Object(claims).to_string()
        });
        self.end_work(start)?;
        Ok(told)
    }

    fn sign(
        &mut self,
        this: Resource<Handle>,
        algorithm: SignatureAlgorithm,
        message: Vec<Part>,
        encoding: SignatureEncoding,
    ) -> wasmtime::Result<Resource<Handle>> {
        let start = self.begin_work();
        self.check_key(&this)?;
        let message = self.join(&message, Encoding::Plain)?;
        let key = self.table.get(&this)?;
        let labels = key.labels().and(message.labels);
        let signature = hmac(key.text().as_bytes(), algorithm, message.text.as_bytes())?;
        let text = match encoding {
            SignatureEncoding::Hex => hex(&signature),
            SignatureEncoding::Base64 => STANDARD.encode(&signature),
            SignatureEncoding::Base64url => URL_SAFE_NO_PAD.encode(&signature),
        };
        let bound = text.len();
        let handle = self.made(text.into(), labels, bound, true)?;
        self.end_work(start)?;
        Ok(handle)
    }

    fn sign_jwt(
        &mut self,
        this: Resource<Handle>,
        algorithm: JwtAlgorithm,
        header: String,
        claims: String,
    ) -> wasmtime::Result<Result<Resource<Handle>, String>> {
        let start = self.begin_work();
        self.check_key(&this)?;
        let key = self.table.get(&this)?;
        let labels = key.labels();
        let signed = match jwt::sign(key.text(), algorithm, &header, &claims) {
            Ok(token) => {
                let bound = token.len();
                Ok(self.made(token.into(), labels, bound, true)?)
            }
            Err(why) => Err(why),
        };
        self.end_work(start)?;
        Ok(signed)
    }

    fn drop(&mut self, this: Resource<Handle>) -> wasmtime::Result<()> {
        let handle = self.table.delete(this)?;
        self.budget.release(handle.size());
        Ok(())
    }
}

/// Parts put together.
struct Joined {
    text: Zeroizing<String>,
    labels: Labels,
    bound: usize,
}

impl CallState {
    /// Joins `parts`, after their length was judged: by what it could be and not by what it is, so that
    /// a refusal tells about lengths alone.
    fn join(&self, parts: &[Part], encoding: Encoding) -> wasmtime::Result<Joined> {
        let mut bound = 0_usize;
        for part in parts {
            let length = match part {
                Part::Text(text) => longest(text.len(), encoding),
                Part::Secret(handle) => longest(self.table.get(handle)?.bound(), encoding),
            };
            bound = bound.saturating_add(length);
        }
        if bound > MAX_COMPOSED {
            return Err(crate::sandbox::machine::limits::Stopped::Composed { asked: bound }.into());
        }
        let (mut text, mut labels) =
            (Zeroizing::new(String::with_capacity(bound)), Labels::default());
        for part in parts {
            match part {
                Part::Text(it) => text.push_str(it),
                Part::Secret(handle) => {
                    let handle = self.table.get(handle)?;
                    text.push_str(handle.text());
                    labels = labels.and(handle.labels());
                }
            }
        }
        Ok(Joined { text, labels, bound })
    }

    /// A handle for what the plugin made, which is a secret if one is in it.
    fn made(
        &mut self,
        text: SecretString,
        labels: Labels,
        bound: usize,
        has_secret: bool,
    ) -> wasmtime::Result<Resource<Handle>> {
        let handle = Handle::made(text, labels, bound);
        if has_secret {
            self.learn(handle.text(), labels, true)?;
        }
        self.push(handle)
    }

    /// A key may be one of the secrets that the descriptor signs with, and made of nothing else.
    fn check_key(&mut self, key: &Resource<Handle>) -> wasmtime::Result<()> {
        let labels = self.table.get(key)?.labels();
        if labels.is_empty() {
            let what =
                format!("{} signs with a text of its own, which is not a secret", self.plugin);
            return Err(self.end(code::Plugin::SigningUndeclared, what));
        }
        if labels.within(self.rules.signs) {
            return Ok(());
        }
        let names = self.rules.names.of(labels).into_iter().collect::<Vec<_>>().join("`, `");
        let what = format!(
            "{} signs with `{names}`, which its descriptor does not list in `signs`",
            self.plugin
        );
        Err(self.end(code::Plugin::SigningUndeclared, what))
    }

    /// Whether a claim may be told: no secret that is known, and no token.
    fn may_tell(&mut self, claim: &Value) -> bool {
        match claim {
            Value::String(text) => sealing::read(text, Kind::Fact, &mut self.known).is_some(),
            Value::Array(all) => all.iter().all(|it| self.may_tell(it)),
            Value::Number(number) => !self.known.is_in(&number.to_string()),
            Value::Object(_) => false,
            Value::Null | Value::Bool(_) => true,
        }
    }
}

/// How long a text can be once it is encoded.
fn longest(length: usize, encoding: Encoding) -> usize {
    match encoding {
        Encoding::Plain => length,
        Encoding::Base64 | Encoding::Base64url => length.div_ceil(3).saturating_mul(4),
        Encoding::Form => length.saturating_mul(3),
    }
}

fn encode(text: &Zeroizing<String>, encoding: Encoding) -> SecretString {
    match encoding {
        Encoding::Plain => SecretString::from(text.as_str()),
        Encoding::Base64 => STANDARD.encode(text.as_bytes()).into(),
        Encoding::Base64url => URL_SAFE_NO_PAD.encode(text.as_bytes()).into(),
        Encoding::Form => {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().into()
        }
    }
}

fn hmac(key: &[u8], algorithm: SignatureAlgorithm, message: &[u8]) -> wasmtime::Result<Vec<u8>> {
    Ok(match algorithm {
        SignatureAlgorithm::HmacSha256 => Hmac::<Sha256>::new_from_slice(key)?
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec(),
        SignatureAlgorithm::HmacSha512 => Hmac::<Sha512>::new_from_slice(key)?
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec(),
    })
}

impl reveal::Host for CallState {
    fn reveal(&mut self, secret: Resource<Handle>) -> wasmtime::Result<String> {
        Ok(self.table.get(&secret)?.text().to_owned())
    }
}
