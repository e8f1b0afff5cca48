//! Columns that Laravel has encrypted, opened with the application's key: AES in CBC with a MAC, or in GCM. What
//! cannot be opened is an error that says why, and never a token.

/// The application's keys.
mod key;

/// Strings as PHP serialises them.
mod php;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

pub use key::Keys;

use crate::model::mistaken::looks_sealed_by_laravel;
use key::Key;

/// What Laravel stores for a value: JSON in base64.
#[derive(Deserialize)]
struct Envelope {
    iv: String,
    value: String,
    #[serde(default)]
    mac: String,
    #[serde(default)]
    tag: Option<String>,
}

/// What stands in a field once it is opened; `None` if Laravel has not encrypted it.
pub(super) fn open(text: &str, keys: Option<&Keys>) -> Option<Result<Opened, &'static str>> {
    if !looks_sealed_by_laravel(text.trim()) {
        return None;
    }
    Some(opened(text.trim(), keys))
}

/// The text within.
pub(super) type Opened = Option<String>;

const NO_KEY: &str = "is encrypted by Laravel; open it with the application's key, such as --laravel-key env:APP_KEY";
const CUT_OFF: &str =
    "begins as a value that Laravel has encrypted, and is cut off or changed; export it whole";
const OTHER_KEY: &str = "cannot be opened: its MAC does not match, so it was encrypted with another key, or was changed";
const NO_TEXT: &str = "was opened and holds no text";

fn opened(text: &str, keys: Option<&Keys>) -> Result<Opened, &'static str> {
    let envelope = STANDARD.decode(text).ok().and_then(|it| serde_json::from_slice(&it).ok());
    let envelope: Envelope = envelope.ok_or(CUT_OFF)?;
    let keys = keys.ok_or(NO_KEY)?;
    let opened = keys.each().find_map(|it| envelope.open(it)).ok_or(OTHER_KEY)?;
    let text = str::from_utf8(&opened).map_err(|_| NO_TEXT)?;
    php::string(text)
}

impl Envelope {
    /// What is within, if this key has sealed it so.
    fn open(&self, key: &Key) -> Option<Zeroizing<Vec<u8>>> {
        let value = Zeroizing::new(STANDARD.decode(&self.value).ok()?);
        let iv = STANDARD.decode(&self.iv).ok()?;
        match self.tag.as_deref().filter(|it| !it.is_empty()) {
            Some(tag) => open_gcm(key, &iv, value, &STANDARD.decode(tag).ok()?),
            None => self.is_ours(key).then(|| open_cbc(key, &iv, value)).flatten(),
        }
    }

    /// The MAC is over what stands there in base64.
    fn is_ours(&self, key: &Key) -> bool {
        let signed = [self.iv.as_str(), &self.value].concat();
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.bytes());
        let mac = from_hex(&self.mac);
        mac.is_some_and(|mac| hmac::verify(&key, signed.as_bytes(), &mac).is_ok())
    }
}

fn open_cbc(key: &Key, iv: &[u8], mut value: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
    let iv = FixedLength::from(<[u8; 16]>::try_from(iv).ok()?);
    let cipher = UnboundCipherKey::new(key.cbc(), key.bytes()).ok()?;
    let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(cipher).ok()?;
    let length = cipher.decrypt(&mut value, DecryptionContext::Iv128(iv)).ok()?.len();
    value.truncate(length);
    Some(value)
}

fn open_gcm(
    key: &Key,
    iv: &[u8],
    mut value: Zeroizing<Vec<u8>>,
    tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
    let cipher = LessSafeKey::new(UnboundKey::new(key.gcm(), key.bytes()).ok()?);
    value.extend_from_slice(tag);
    let length = cipher.open_in_place(nonce, Aad::empty(), &mut value).ok()?.len();
    value.truncate(length);
    Some(value)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|it| str::from_utf8(it).ok());
    pairs.map(|it| u8::from_str_radix(it?, 16).ok()).collect()
}

#[cfg(test)]
mod tests;
