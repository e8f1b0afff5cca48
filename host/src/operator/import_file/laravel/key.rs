//! The application's keys, as Laravel writes them: alone, in base64, or in a line of its `.env`.

use aws_lc_rs::{aead, cipher};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

/// The key in use, and those before it.
#[derive(Debug, Default)]
pub struct Keys(Vec<Key>);

/// One key; how long it is says which cipher it is for.
#[derive(Debug)]
pub(super) struct Key(SecretSlice<u8>);

impl Keys {
    /// Adds the keys that `text` holds; `false` if it holds none.
    pub fn add(&mut self, text: &SecretString) -> bool {
        let text = text.expose_secret().trim();
        let lines = text.lines().filter_map(of_env).collect::<Vec<_>>();
        let texts = if lines.is_empty() { vec![text] } else { lines };
        let keys = texts.iter().flat_map(|it| it.split(',')).filter_map(|it| Key::read(it.trim()));
        let before = self.0.len();
        self.0.extend(keys);
        self.0.len() > before
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }
}

/// What a line of `.env` says of keys.
fn of_env(line: &str) -> Option<&str> {
    let (name, value) = line.split_once('=')?;
    let is_key = ["APP_KEY", "APP_PREVIOUS_KEYS"].contains(&name.trim());
    is_key.then(|| value.trim().trim_matches(['"', '\'']))
}

impl Key {
    fn read(text: &str) -> Option<Self> {
        let bytes = match text.strip_prefix("base64:") {
            Some(text) => STANDARD.decode(text).ok()?,
            None => text.as_bytes().to_vec(),
        };
        matches!(bytes.len(), 16 | 32).then(|| Self(bytes.into()))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }

    pub(super) fn cbc(&self) -> &'static cipher::Algorithm {
        if self.bytes().len() == 16 { &cipher::AES_128 } else { &cipher::AES_256 }
    }

    pub(super) fn gcm(&self) -> &'static aead::Algorithm {
        if self.bytes().len() == 16 { &aead::AES_128_GCM } else { &aead::AES_256_GCM }
    }
}
