//! A token in what a provider answers: pages for debugging and error messages repeat what they were sent. It is
//! replaced with as many stars, in the spellings in which such pages have it, so that lengths stay right. A
//! stream is held up only where a token may have begun.
//!
//! This is the second guard. The first is where requests may go: a provider that is asked to hand out what it
//! was sent, encoded in a way of its own, can do that.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::proxy::spelling::Spelling;
use crate::refresher::Served;

/// The tokens of one request, in every spelling that is looked for.
pub(super) struct Mask {
    spellings: Vec<Spelling>,
    /// With which bytes one of them begins.
    first: [bool; 256],
    longest: usize,
}

impl Mask {
    /// A mask over `tokens`.
    pub(super) fn over<'a>(tokens: impl IntoIterator<Item = &'a Served>) -> Self {
        let mut mask = Self { spellings: Vec::new(), first: [false; 256], longest: 0 };
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
        for spelling in Spelling::all_of(secret) {
            self.longest = self.longest.max(spelling.longest());
            spelling.first().into_iter().for_each(|it| self.first[usize::from(it)] = true);
            self.spellings.push(spelling);
        }
    }

    /// Whether a token is in `text`.
    fn is_in(&self, text: &[u8]) -> bool {
        self.spellings.iter().any(|it| it.find(text, 0).is_some())
    }

    /// Puts stars over every token in `text`; whether there was one.
    fn put_over(&self, text: &mut [u8]) -> bool {
        let mut found = false;
        for spelling in &self.spellings {
            let mut from = 0;
            while let Some(place) = spelling.find(text, from) {
                from = place.end;
                text[place].fill(b'*');
                found = true;
            }
        }
        found
    }

    /// A header's value without a token, if there is one in it.
    pub(super) fn header(&self, value: &HeaderValue) -> Option<HeaderValue> {
        if !self.is_in(value.as_bytes()) {
            return None;
        }
        let mut bytes = value.as_bytes().to_vec();
        self.put_over(&mut bytes);
        Some(HeaderValue::from_bytes(&bytes).unwrap_or(HeaderValue::from_static("")))
    }

    /// How many bytes at the end of `text` may be the beginning of a token.
    fn begun(&self, text: &[u8]) -> usize {
        let from = text.len().saturating_sub(self.longest.saturating_sub(1));
        let begins = |tail: &[u8]| {
            self.first[usize::from(tail[0])] && self.spellings.iter().any(|it| it.is_begun_by(tail))
        };
        (from..text.len()).find(|&at| begins(&text[at..])).map_or(0, |at| text.len() - at)
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

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn hex(secret: &[u8]) -> String {
        let digit = |it: u8| char::from(b"0123456789abcdef"[usize::from(it)]);
        secret.iter().flat_map(|it| [digit(it >> 4), digit(it & 15)]).collect()
    }

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
            TOKEN.replace('=', "\\u003d"),
            TOKEN.replace('+', "\\u002B"),
            TOKEN.replace('=', "&#x3D;").replace('/', "&#x2F;"),
            TOKEN.replace('+', "%2B").replace('=', "%3D"),
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
    fn a_beginning_that_comes_again_and_again_hides_no_token() {
        let begun = &TOKEN.as_bytes()[..20];
        let (out, found) = through(&[begun, begun, TOKEN.as_bytes(), begun, b"."]);
        assert!(found);
        assert_eq!(out, [begun, begun, &b"*".repeat(TOKEN.len()), begun, b"."].concat());
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
