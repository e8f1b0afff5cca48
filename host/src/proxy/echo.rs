//! A token in what a provider answers: pages for debugging and error messages repeat what they were sent. It is
//! replaced with as many stars, in the spellings in which such pages have it, so that lengths stay right. A
//! stream is held up only where a token may have begun.
//!
//! This is the second guard. The first is where requests may go: a provider that is asked to hand out what it
//! was sent, encoded in a way of its own, can do that.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem::Finder;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::refresher::Served;

/// A shorter one would take half of a page with it.
const SHORTEST: usize = 8;

/// The tokens of one request, in every spelling that is looked for.
#[derive(Default)]
pub(super) struct Mask {
    spellings: Vec<(Zeroizing<Vec<u8>>, Finder<'static>)>,
    longest: usize,
}

impl Mask {
    /// A mask over `tokens`.
    pub(super) fn over<'a>(tokens: impl IntoIterator<Item = &'a Served>) -> Self {
        let mut mask = Self::default();
        for served in tokens {
            let token = served.token.expose_secret();
            mask.learn(token.as_bytes());
            // HTTP Basic: what is inside is the password.
            let inside = served.token_type.eq_ignore_ascii_case("basic").then(|| decoded(token));
            let inside = inside.flatten().map(Zeroizing::new);
            let password = inside.as_ref().and_then(|it| it.splitn(2, |byte| *byte == b':').nth(1));
            if let Some(password) = password {
                mask.learn(password);
            }
        }
        mask
    }

    fn learn(&mut self, secret: &[u8]) {
        if secret.len() < SHORTEST {
            return;
        }
        for spelling in spellings(secret).map(Zeroizing::new) {
            if spelling.len() >= SHORTEST && !self.spellings.iter().any(|(it, _)| *it == spelling) {
                self.longest = self.longest.max(spelling.len());
                let finder = Finder::new(&*spelling).into_owned();
                self.spellings.push((spelling, finder));
            }
        }
    }

    /// Whether a token is in `text`.
    fn is_in(&self, text: &[u8]) -> bool {
        self.spellings.iter().any(|(_, finder)| finder.find(text).is_some())
    }

    /// Puts stars over every token in `text`; whether there was one.
    fn put_over(&self, text: &mut [u8]) -> bool {
        let mut found = false;
        for (spelling, finder) in &self.spellings {
            while let Some(start) = finder.find(text) {
                text[start..start + spelling.len()].fill(b'*');
                found = true;
            }
        }
        found
    }

    /// A header's value without a token, and whether there was one.
    pub(super) fn header(&self, value: &HeaderValue) -> (HeaderValue, bool) {
        let mut bytes = value.as_bytes().to_vec();
        if !self.put_over(&mut bytes) {
            return (value.clone(), false);
        }
        (HeaderValue::from_bytes(&bytes).unwrap_or(HeaderValue::from_static("")), true)
    }

    /// How many bytes at the end of `text` may be the beginning of a token.
    fn begun(&self, text: &[u8]) -> usize {
        let first = text.len().saturating_sub(self.longest.saturating_sub(1));
        let begins = |tail: &[u8]| self.spellings.iter().any(|(it, _)| it.starts_with(tail));
        (first..text.len()).find(|&at| begins(&text[at..])).map_or(0, |at| text.len() - at)
    }
}

/// A body that passes behind a mask, piece by piece.
pub(super) struct Masked {
    mask: Mask,
    held: Zeroizing<Vec<u8>>,
    /// Whether a token was in it.
    pub(super) found: bool,
}

impl Masked {
    pub(super) fn new(mask: Mask) -> Self {
        Self { mask, held: Zeroizing::default(), found: false }
    }

    /// Takes a piece, and gives back what may pass on: nothing of a token that may go on in the next piece.
    pub(super) fn pass(&mut self, piece: bytes::Bytes) -> bytes::Bytes {
        if self.held.is_empty() && !self.mask.is_in(&piece) && self.mask.begun(&piece) == 0 {
            return piece;
        }
        let mut text = std::mem::take(&mut *self.held);
        text.extend_from_slice(&piece);
        self.found |= self.mask.put_over(&mut text);
        let begun = self.mask.begun(&text);
        self.held.extend_from_slice(&text[text.len() - begun..]);
        text.truncate(text.len() - begun);
        text.into()
    }

    /// What was held up, when nothing follows.
    pub(super) fn end(&mut self) -> bytes::Bytes {
        std::mem::take(&mut *self.held).into()
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// As it is, in a query, in JSON, in HTML, in hexadecimal, and in the midst of something in base64.
fn spellings(secret: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let hex = hex(secret);
    let plain = vec![
        secret.to_vec(),
        replaced(secret, &[(b'/', "\\/")]),
        replaced(secret, &[(b'+', "\\u002B"), (b'=', "\\u003D"), (b'/', "\\/")]),
        replaced(secret, &[(b'+', "\\u002b"), (b'=', "\\u003d")]),
        replaced(secret, &[(b'&', "&amp;"), (b'<', "&lt;"), (b'>', "&gt;"), (b'"', "&quot;")]),
        replaced(secret, &[(b'+', "&#43;"), (b'=', "&#61;"), (b'/', "&#47;")]),
        replaced(secret, &[(b'+', "&#x2B;"), (b'=', "&#x3D;"), (b'/', "&#x2F;")]),
        in_a_query(secret, b"-_.~", true),
        in_a_query(secret, b"-_.~", false),
        in_a_query(secret, b"", true),
        in_a_query(secret, b"", false),
        hex.to_ascii_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    let in_base64 = (0..3).flat_map(|before| {
        [in_midst(&STANDARD_NO_PAD, secret, before), in_midst(&URL_SAFE_NO_PAD, secret, before)]
    });
    plain.into_iter().chain(in_base64.collect::<Vec<_>>())
}

/// Percent-encoded but for letters, digits and `kept`, with large or small hexadecimal digits.
fn in_a_query(secret: &[u8], kept: &[u8], large: bool) -> Vec<u8> {
    let one = |byte: &u8| match byte {
        byte if byte.is_ascii_alphanumeric() || kept.contains(byte) => vec![*byte],
        byte if large => format!("%{byte:02X}").into_bytes(),
        byte => format!("%{byte:02x}").into_bytes(),
    };
    secret.iter().flat_map(one).collect()
}

fn hex(secret: &[u8]) -> String {
    secret.iter().fold(String::new(), |mut text, it| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{it:02x}");
        text
    })
}

fn replaced(secret: &[u8], with: &[(u8, &str)]) -> Vec<u8> {
    let one = |byte: &u8| match with.iter().find(|(it, _)| it == byte) {
        Some((_, text)) => text.as_bytes().to_vec(),
        None => vec![*byte],
    };
    secret.iter().flat_map(one).collect()
}

/// The letters that `secret` has in base64 whatever stands around it, where `before` bytes of a group of three
/// stand before it.
fn in_midst(engine: &impl base64::Engine, secret: &[u8], before: usize) -> Vec<u8> {
    let whole = Zeroizing::new([&[0; 2][..before], secret].concat());
    let encoded = engine.encode(&*whole).into_bytes();
    let (start, end) = ((before * 8).div_ceil(6), whole.len() * 8 / 6);
    encoded[start..end].to_vec()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2ln+bmF0/dXJl==";

    fn served(token: &str, token_type: &str) -> Served {
        Served {
            token: token.into(),
            token_type: token_type.to_owned(),
            expires_at: None,
            generation: 1,
            short: None,
        }
    }

    fn through(pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut masked = Masked::new(Mask::over([&served(TOKEN, "Bearer")]));
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&masked.pass(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&masked.end());
        (out, masked.found)
    }

    #[test]
    fn a_token_is_masked_in_every_spelling_of_a_debugging_page() {
        let around = |it: &str| format!("user:{it}:more");
        for text in [
            TOKEN.to_owned(),
            TOKEN.replace('/', "\\/"),
            TOKEN.replace('+', "\\u002b").replace('=', "\\u003d"),
            TOKEN.replace('+', "&#43;").replace('=', "&#61;").replace('/', "&#47;"),
            TOKEN.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
            TOKEN.replace('+', "%2b").replace('/', "%2f").replace('=', "%3d").replace('.', "%2e"),
            hex(TOKEN.as_bytes()),
            STANDARD.encode(TOKEN),
            STANDARD.encode(around(TOKEN)),
            STANDARD.encode(format!("x{}", around(TOKEN))),
            STANDARD.encode(format!("xx{}", around(TOKEN))),
            URL_SAFE_NO_PAD.encode(around(TOKEN)),
        ] {
            let page = format!("<p>{text}</p>");
            let (out, found) = through(&[page.as_bytes()]);
            assert!(found && out.len() == page.len(), "{text}");
            let shown = String::from_utf8(out).unwrap();
            assert!(shown.matches('*').count() + 8 >= text.len() - 20, "{shown}");
        }
    }

    #[test]
    fn the_password_inside_of_basic_is_masked_too() {
        let token = STANDARD.encode("sms-user:pa55-w0rd-1");
        let mut masked = Masked::new(Mask::over([&served(&token, "Basic")]));
        let out = masked.pass(Bytes::from("login=sms-user&password=pa55-w0rd-1."));
        assert_eq!(out, "login=sms-user&password=***********.");
    }

    #[test]
    fn a_stream_of_events_is_not_held_up() {
        let mut masked = Masked::new(Mask::over([&served(TOKEN, "Bearer")]));
        let event = Bytes::from_static(b"data: {\"n\":1}\n\n");
        assert_eq!(masked.pass(event.clone()), event);
        assert!(masked.held.is_empty());
    }

    #[test]
    fn what_looks_like_the_beginning_of_a_token_passes_when_it_is_none() {
        let begun = &TOKEN.as_bytes()[..30];
        assert_eq!(through(&[b"a ", begun, b"!", begun]).0, [b"a ", begun, b"!", begun].concat());
    }

    proptest! {
        #[test]
        fn however_a_body_is_cut_the_token_is_masked_and_nothing_else_changes(
            before in "[ -~]{0,80}", between in "[ -~]{0,80}", behind in "[ -~]{0,80}",
            cuts in proptest::collection::vec(0_usize..400, 0..12),
        ) {
            let text = format!("{before}{TOKEN}{between}{TOKEN}{behind}");
            let mut cuts = cuts.into_iter().map(|it| it.min(text.len())).collect::<Vec<_>>();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|it| &text.as_bytes()[it[0]..it[1]]).collect::<Vec<_>>();
            let (out, found) = through(&pieces);
            prop_assert!(found);
            prop_assert_eq!(String::from_utf8(out).unwrap(), text.replace(TOKEN, &"*".repeat(TOKEN.len())));
        }
    }
}
