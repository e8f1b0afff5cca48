//! The ways in which pages for debugging and error messages write a secret, and how each is found in a text. Pure.

/// As it is, or escaped: in a query, in JSON, in HTML.
mod escaped;

/// In hexadecimal, and in the midst of something in base64.
mod exact;

use std::ops::Range;

use zeroize::Zeroizing;

use escaped::Escaped;
use exact::Exact;

/// A shorter one would take half of a page with it.
const SHORTEST: usize = 8;

/// How much of a secret is searched for. What follows is compared where that is found: so preparing a search costs
/// the same however long a secret is, and keeps no further copy of it.
const BEGINNING: usize = 16;

/// One way to write a secret, or many that are looked for at once.
pub(super) enum Spelling {
    /// Each character as it is, or in one of the ways of queries, JSON and HTML.
    Escaped(Escaped),
    /// Exactly so.
    Exact(Exact),
}

impl Spelling {
    /// All of them; none of a secret that is too short.
    pub(super) fn all_of(secret: &[u8]) -> Vec<Self> {
        if secret.len() < SHORTEST {
            return Vec::new();
        }
        let escaped = Self::Escaped(Escaped::new(Zeroizing::new(secret.to_vec())));
        let exact = exact::all_of(secret).into_iter().filter(|it| it.len() >= SHORTEST);
        std::iter::once(escaped).chain(exact.map(|it| Self::Exact(Exact::new(it)))).collect()
    }

    /// Where it stands first in `text`, from the place `from` on.
    pub(super) fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        match self {
            Self::Escaped(it) => it.find(text, from),
            Self::Exact(it) => it.find(text, from),
        }
    }

    /// Whether `text` is the beginning of it, and ends in its midst.
    pub(super) fn is_begun_by(&self, text: &[u8]) -> bool {
        match self {
            Self::Escaped(it) => it.is_begun_by(text),
            Self::Exact(it) => it.is_begun_by(text),
        }
    }

    /// How many bytes it may take.
    pub(super) fn longest(&self) -> usize {
        match self {
            Self::Escaped(it) => it.longest(),
            Self::Exact(it) => it.longest(),
        }
    }

    /// With which bytes it may begin.
    pub(super) fn first(&self) -> Vec<u8> {
        match self {
            Self::Escaped(it) => it.first(),
            Self::Exact(it) => it.first(),
        }
    }
}
