//! Makes opaque tokens and reads them back.
//!
//! A token carries its own claim and a keyed tag, so that the fake stores nothing per token: a benchmark may rotate
//! for hours, and a token of any age is still recognised as a replay. The same claim always gives the same token,
//! which is what lets a grace window hand out the same successor twice.

use std::{
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::provider::fingerprint::hex;

/// What a token says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) family: usize,
    pub(crate) generation: u64,
    /// Seconds since 1970 from which the token is expired.
    pub(crate) expires: i64,
}

impl Claim {
    pub(crate) fn expired(&self, now: Timestamp) -> bool {
        now.as_second() >= self.expires
    }
}

/// What a token is for. An access token is never taken for a refresh token.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    Access,
    Refresh,
}

impl Use {
    fn mark(self) -> &'static str {
        match self {
            Self::Access => "at",
            Self::Refresh => "rt",
        }
    }
}

/// A key, and the prefix that every token starts with.
pub(crate) struct Mint {
    key: [u8; 32],
    prefix: String,
    serial: u64,
}

impl Mint {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { key: fresh_key(), prefix: prefix.to_owned(), serial: 0 }
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn token(&self, purpose: Use, claim: Claim) -> String {
        let text = format!(
            "{}{}_{}_{}_{}",
            self.prefix,
            purpose.mark(),
            claim.family,
            claim.generation,
            claim.expires
        );
        let tag = self.tag(&text);
        format!("{text}_{tag}")
    }

    pub(crate) fn read(&self, purpose: Use, token: &str) -> Option<Claim> {
        let (text, tag) = token.rsplit_once('_')?;
        if self.tag(text) != tag {
            return None;
        }
        let mut parts = text.strip_prefix(self.prefix.as_str())?.split('_');
        if parts.next()? != purpose.mark() {
            return None;
        }
        Some(Claim {
            family: parts.next()?.parse().ok()?,
            generation: parts.next()?.parse().ok()?,
            expires: parts.next()?.parse().ok()?,
        })
    }

    /// 64 hexadecimal digits that were not given before.
    pub(crate) fn unique(&mut self) -> String {
        self.serial += 1;
        hex(&self.mac(&self.serial.to_be_bytes()))
    }

    fn tag(&self, text: &str) -> String {
        hex(&self.mac(text.as_bytes())[..16])
    }

    fn mac(&self, message: &[u8]) -> [u8; 32] {
        sign(&self.key, message)
    }
}

/// HMAC-SHA256.
pub(crate) fn sign(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Differs between fakes and between runs; a fake has nothing to protect from an attacker.
fn fresh_key() -> [u8; 32] {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let seed = format!("{}/{}/{count}", Timestamp::now().as_nanosecond(), process::id());
    Sha256::digest(seed.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: Claim = Claim { family: 7, generation: 12, expires: 1_900_000_000 };

    #[test]
    fn a_token_reads_back_as_its_claim_under_any_prefix() {
        for prefix in ["", "CANARY_", "canary_a_b_"] {
            let mint = Mint::new(prefix);
            let token = mint.token(Use::Refresh, CLAIM);
            assert!(token.starts_with(prefix));
            assert_eq!(mint.read(Use::Refresh, &token), Some(CLAIM));
        }
    }

    #[test]
    fn a_token_is_good_for_one_use_at_one_fake() {
        let mint = Mint::new("");
        let token = mint.token(Use::Access, CLAIM);
        assert_eq!(mint.read(Use::Refresh, &token), None);
        assert_eq!(Mint::new("").read(Use::Access, &token), None);
        assert_eq!(mint.read(Use::Access, &token.replace("_12_", "_13_")), None);
    }
}
