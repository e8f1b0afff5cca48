//! Codes that are good once. A second use ends what the first one gave (RFC 6749, 4.1.2).

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::provider::authorization::{
    refused::{Fault, Refused},
    tokens::Grant,
};

/// RFC 7636: what the verifier has to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    S256(String),
    Plain(String),
}

/// What a code stands for.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<Challenge>,
}

pub(crate) struct Codes {
    lifetime: SignedDuration,
    records: HashMap<String, Record>,
}

struct Record {
    code: Code,
    issued_at: Timestamp,
    /// The family that the first use opened.
    family: Option<usize>,
}

/// A code that cannot be taken. `family` is what a second use has to end.
pub(crate) struct NotTaken {
    pub(crate) refused: Refused,
    pub(crate) family: Option<usize>,
}

impl Codes {
    pub(crate) fn new(lifetime: u32) -> Self {
        let lifetime = SignedDuration::from_secs(lifetime.into());
        Self { lifetime, records: HashMap::new() }
    }

    pub(crate) fn insert(&mut self, text: String, code: Code, now: Timestamp) {
        self.records.insert(text, Record { code, issued_at: now, family: None });
    }

    /// What the code stands for, if it was not used and is not too old. It is used only by [`Self::spend`], so that a
    /// client that forgot its verifier may come again.
    pub(crate) fn take(&self, text: &str, now: Timestamp) -> Result<Code, NotTaken> {
        let fault = |fault| NotTaken { refused: Refused::InvalidGrant(fault), family: None };
        let record = self.records.get(text).ok_or_else(|| fault(Fault::UnknownCode))?;
        if record.family.is_some() {
            return Err(NotTaken { family: record.family, ..fault(Fault::UsedCode) });
        }
        if now.duration_since(record.issued_at) >= self.lifetime {
            return Err(fault(Fault::ExpiredCode));
        }
        Ok(record.code.clone())
    }

    pub(crate) fn spend(&mut self, text: &str, family: usize) {
        if let Some(record) = self.records.get_mut(text) {
            record.family = Some(family);
        }
    }
}

impl Challenge {
    /// RFC 7636, 4.1: 43 to 128 unreserved characters, which both a verifier and a digest are.
    pub(crate) fn is_well_formed(text: &str) -> bool {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
    }

    fn fits(&self, verifier: &str) -> bool {
        match self {
            Self::S256(digest) => {
                URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == *digest
            }
            Self::Plain(text) => text == verifier,
        }
    }
}

impl Code {
    /// A verifier without a challenge is refused as well: somebody took the challenge out on the way (RFC 9700, 2.1.1).
    pub(crate) fn verify(&self, verifier: Option<&str>) -> Result<(), Refused> {
        let fits = match (&self.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => {
                Challenge::is_well_formed(verifier) && challenge.fits(verifier)
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(Refused::InvalidGrant(Fault::Verifier)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_the_digest_of_the_rfc() {
        // RFC 7636, appendix B.
        let challenge = Challenge::S256("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned());
        assert!(challenge.fits("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.fits("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
        assert!(!Challenge::is_well_formed("short"));
    }
}
