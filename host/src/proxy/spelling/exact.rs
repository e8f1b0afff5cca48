//! Spellings that are the same wherever they stand: hexadecimal, and base64, in which a secret begins at one of three
//! places of a group.

use std::ops::Range;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem::Finder;
use zeroize::Zeroizing;

use crate::proxy::spelling::BEGINNING;

/// One of them.
pub(in crate::proxy) struct Exact {
    text: Zeroizing<Vec<u8>>,
    beginning: Finder<'static>,
}

impl Exact {
    pub(super) fn new(text: Zeroizing<Vec<u8>>) -> Self {
        let beginning = Finder::new(&text[..text.len().min(BEGINNING)]).into_owned();
        Self { text, beginning }
    }

    pub(super) fn find(&self, text: &[u8], mut from: usize) -> Option<Range<usize>> {
        loop {
            let at = from + self.beginning.find(&text[from..])?;
            if text[at..].starts_with(&self.text) {
                return Some(at..at + self.text.len());
            }
            from = at + 1;
        }
    }

    pub(super) fn is_begun_by(&self, text: &[u8]) -> bool {
        self.text.starts_with(text)
    }

    pub(super) fn longest(&self) -> usize {
        self.text.len()
    }

    pub(super) fn first(&self) -> Vec<u8> {
        self.text[..1].to_vec()
    }
}

/// All of them, each once.
pub(super) fn all_of(secret: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let hexadecimal = [b"0123456789ABCDEF", b"0123456789abcdef"].map(|it| in_hex(secret, it));
    let mut all = Vec::from(hexadecimal);
    for before in 0..3 {
        all.push(in_midst(&STANDARD_NO_PAD, secret, before));
        all.push(in_midst(&URL_SAFE_NO_PAD, secret, before));
    }
    all.dedup();
    all
}

fn in_hex(secret: &[u8], digits: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    // As long as it gets: no copy is left where a list has grown.
    let mut out = Zeroizing::new(Vec::with_capacity(secret.len() * 2));
    for byte in secret {
        out.extend([digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
    }
    out
}

/// The letters that `secret` has in base64 whatever stands around it, where `before` bytes of a group of three
/// stand before it.
fn in_midst(engine: &impl base64::Engine, secret: &[u8], before: usize) -> Zeroizing<Vec<u8>> {
    let whole = Zeroizing::new([&[0; 2][..before], secret].concat());
    let encoded = Zeroizing::new(engine.encode(&*whole).into_bytes());
    let (start, end) = ((before * 8).div_ceil(6), whole.len() * 8 / 6);
    Zeroizing::new(encoded[start..end].to_vec())
}
