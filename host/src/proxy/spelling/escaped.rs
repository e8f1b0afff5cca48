//! A secret of which any character may be escaped, in whichever way: libraries escape this or that, and few agree. No
//! list of spellings would have them all, so each character is compared for itself. Letters and digits are escaped by
//! nobody.

use std::collections::BTreeSet;
use std::ops::Range;

use memchr::memmem::Finder;
use zeroize::Zeroizing;

use crate::proxy::spelling::BEGINNING;

/// The longest way to write one character: `&#x0002b;`, with zeros that nobody needs.
const LONGEST: usize = 9;

/// A secret, character by character.
pub(in crate::proxy) struct Escaped {
    secret: Zeroizing<Vec<u8>>,
    /// The letters and digits that it begins with, if it does.
    beginning: Option<Finder<'static>>,
}

/// How a text goes on, compared with a secret.
enum Match {
    /// With all of it, in so many bytes.
    Whole(usize),
    /// With a part of it, and ends there.
    Begun,
    /// With something else.
    No,
}

impl Escaped {
    pub(super) fn new(secret: Zeroizing<Vec<u8>>) -> Self {
        let plain = secret.iter().take(BEGINNING).take_while(|it| it.is_ascii_alphanumeric());
        let plain = plain.count();
        let beginning = (plain > 0).then(|| Finder::new(&secret[..plain]).into_owned());
        Self { secret, beginning }
    }

    pub(super) fn find(&self, text: &[u8], mut from: usize) -> Option<Range<usize>> {
        loop {
            let at = from + self.candidate(&text[from..])?;
            if let Match::Whole(length) = self.compare(&text[at..]) {
                return Some(at..at + length);
            }
            from = at + 1;
        }
    }

    pub(super) fn is_begun_by(&self, text: &[u8]) -> bool {
        matches!(self.compare(text), Match::Begun)
    }

    pub(super) fn longest(&self) -> usize {
        let escaped = self.secret.iter().filter(|it| !it.is_ascii_alphanumeric()).count();
        self.secret.len() + escaped * (LONGEST - 1)
    }

    pub(super) fn first(&self) -> Vec<u8> {
        match self.secret[0] {
            plain if plain.is_ascii_alphanumeric() => vec![plain],
            other => vec![other, b'%', b'\\', b'&'],
        }
    }

    /// The next place at which it may begin.
    fn candidate(&self, text: &[u8]) -> Option<usize> {
        match &self.beginning {
            Some(beginning) => beginning.find(text),
            None => text.iter().position(|it| self.first().contains(it)),
        }
    }

    fn compare(&self, text: &[u8]) -> Match {
        let (mut at, mut left) = (0, &self.secret[..]);
        while let Some((byte, rest)) = left.split_first() {
            if text.get(at) == Some(byte) {
                if is_escape(*byte) {
                    return in_either_way(text, at, left);
                }
                at += 1;
            } else {
                match escaped(&text[at..], *byte) {
                    Match::Whole(length) => at += length,
                    other => return other,
                }
            }
            left = rest;
        }
        Match::Whole(at)
    }
}

fn is_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&')
}

/// Goes on with a secret that has such a byte itself: it stands for itself, or begins an escape.
fn in_either_way(text: &[u8], at: usize, secret: &[u8]) -> Match {
    let (mut places, mut is_begun) = (BTreeSet::from([at]), false);
    for byte in secret {
        let mut next = BTreeSet::new();
        for at in places {
            if text.get(at) == Some(byte) {
                next.insert(at + 1);
            }
            match escaped(&text[at..], *byte) {
                Match::Whole(length) => drop(next.insert(at + length)),
                Match::Begun => is_begun = true,
                Match::No => {}
            }
        }
        places = next;
    }
    match places.last() {
        Some(end) => Match::Whole(*end),
        None if is_begun => Match::Begun,
        None => Match::No,
    }
}

/// Whether `text` begins with `byte` in one of the ways in which it is escaped.
fn escaped(text: &[u8], byte: u8) -> Match {
    match text.first() {
        None => Match::Begun,
        _ if byte.is_ascii_alphanumeric() => Match::No,
        Some(b'%') => digits(&text[1..], 1, 2, byte),
        Some(b'\\') => in_json(text, byte),
        Some(b'&') => in_html(text, byte),
        Some(_) => Match::No,
    }
}

/// `\u002b`, `\/`.
fn in_json(text: &[u8], byte: u8) -> Match {
    match text.get(1) {
        None => Match::Begun,
        Some(b'u') => digits(&text[2..], 2, 4, byte),
        Some(it) if *it == byte => Match::Whole(2),
        Some(_) => Match::No,
    }
}

/// `byte` in so many hexadecimal digits, with what stood before them.
fn digits(text: &[u8], before: usize, count: usize, byte: u8) -> Match {
    let there = &text[..text.len().min(count)];
    let wanted = format!("{byte:0count$x}");
    match wanted.as_bytes().get(..there.len()) {
        Some(wanted) if there.eq_ignore_ascii_case(wanted) => {
            if there.len() == count {
                Match::Whole(before + count)
            } else {
                Match::Begun
            }
        }
        _ => Match::No,
    }
}

/// `&amp;`, `&#43;`, `&#x2B;`.
fn in_html(text: &[u8], byte: u8) -> Match {
    let head = &text[..text.len().min(LONGEST)];
    let Some(end) = head.iter().position(|it| *it == b';') else {
        let goes_on = head[1..].iter().all(|it| it.is_ascii_alphanumeric() || *it == b'#');
        let is_cut = text.len() < LONGEST;
        return if is_cut && goes_on { Match::Begun } else { Match::No };
    };
    let number = match &head[1..end] {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        b"amp" => Some(b'&'),
        b"lt" => Some(b'<'),
        b"gt" => Some(b'>'),
        b"quot" => Some(b'"'),
        b"apos" => Some(b'\''),
        _ => None,
    };
    if number == Some(byte) { Match::Whole(end + 1) } else { Match::No }
}

fn number(digits: &[u8], base: u32) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, base).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each character in one of its ways.
    fn written(secret: &str, ways: &[u8]) -> String {
        let each = secret.bytes().zip(ways.iter().cycle()).map(|(byte, way)| {
            let plain = char::from(byte);
            match way % 9 {
                _ if plain.is_ascii_alphanumeric() => plain.to_string(),
                0 => plain.to_string(),
                1 => format!("%{byte:02X}"),
                2 => format!("%{byte:02x}"),
                3 => format!("\\u{byte:04X}"),
                4 => format!("\\u{byte:04x}"),
                5 => format!("\\{plain}"),
                6 => format!("&#{byte};"),
                7 => format!("&#x{byte:X};"),
                _ => format!("&#x{byte:02x};"),
            }
        });
        each.collect()
    }

    proptest! {
        #[test]
        fn whichever_characters_are_escaped_in_whichever_way_it_is_found(
            secret in "[!-~]{8,40}", ways in proptest::collection::vec(any::<u8>(), 1..20),
            before in "[ -~]{0,20}", behind in "[ -~]{0,20}",
        ) {
            let text = format!("{before}{}{behind}", written(&secret, &ways));
            let escaped = Escaped::new(Zeroizing::new(secret.clone().into_bytes()));
            // What begins in `before` may end in its midst, where that is the same by chance.
            prop_assert!(escaped.find(text.as_bytes(), 0).is_some(), "{} in {}", secret, text);
        }

        #[test]
        fn every_part_of_it_begins_it(secret in "[!-~]{8,40}", ways in proptest::collection::vec(any::<u8>(), 1..20)) {
            let text = written(&secret, &ways);
            let escaped = Escaped::new(Zeroizing::new(secret.into_bytes()));
            for end in 0..text.len() {
                let part = &text.as_bytes()[..end];
                // Where only the escape of a last `%` is cut off, all of it is there already.
                let is_there = escaped.find(part, 0).is_some();
                prop_assert!(is_there || escaped.is_begun_by(part), "{}", &text[..end]);
            }
            prop_assert!(text.len() <= escaped.longest());
        }
    }

    #[test]
    fn what_libraries_make_of_it_is_found() {
        let escaped = Escaped::new(Zeroizing::new(b"ab+c/d9==".to_vec()));
        for text in [
            "ab+c/d9\\u003d\\u003d",
            "ab\\u002Bc/d9==",
            "ab+c&#x2F;d9&#x3D;&#x3D;",
            "ab%2Bc/d9%3D%3D",
            "ab&#43;c\\/d9==",
        ] {
            assert_eq!(escaped.find(text.as_bytes(), 0), Some(0..text.len()), "{text}");
        }
        let odd = Escaped::new(Zeroizing::new(br"&\%abcdef".to_vec()));
        for text in [r"&\%abcdef", r"&amp;\%25abcdef", r"&\\%abcdef", r"&\\\%abcdef"] {
            assert_eq!(odd.find(text.as_bytes(), 0), Some(0..text.len()), "{text}");
        }
        for other in ["ab+c/d8==", "ab%2Cc/d9==", "ab+c/d9=", "ab&plus;c/d9=="] {
            assert_eq!(escaped.find(other.as_bytes(), 0), None, "{other}");
        }
    }
}
