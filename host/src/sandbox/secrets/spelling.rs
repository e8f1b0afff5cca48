//! Other spellings of a text, undone: percent-encoding, HTML, JSON escapes, base64, hex, and one inside
//! of another. Whoever looks for a secret in a text looks in all of these. Pure; knows no secrets.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// How often one encoding may be inside of another.
const ROUNDS: usize = 3;

/// What is looked for has so many bytes at least.
const SHORTEST: usize = 4;

/// Runs have no padding of their own, and a run may be cut anywhere: what is left over is no error.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What `text` says in other spellings, where that has `least` bytes or more; without the text itself. No spelling is
/// shorter than what it spells, so what is too short is not undone.
pub(in crate::sandbox) fn undone(text: &[u8], least: usize) -> Vec<Vec<u8>> {
    let least = least.max(SHORTEST);
    if text.len() < least {
        return Vec::new();
    }
    let (escapes, runs) = (|it: &[u8]| escapes(it, least), |it: &[u8]| runs(it, least));
    let mut found = vec![text.to_vec()];
    let mut done = 0;
    for _ in 0..ROUNDS {
        let next = found[done..].iter().flat_map(|it| escapes(it)).collect::<Vec<_>>();
        done = found.len();
        // Several kinds of escape come to the same in whatever order they are undone.
        for text in next {
            if !found.contains(&text) {
                found.push(text);
            }
        }
    }
    let decoded = found.iter().flat_map(|it| runs(it)).collect::<Vec<_>>();
    // A value that was encoded before base64 was put over it: HTTP Basic in a claim of a JWT, say.
    let inner = |it: &Vec<u8>| [escapes(it), runs(it)].concat();
    found.extend(decoded.iter().flat_map(inner).collect::<Vec<_>>());
    found.extend(decoded);
    found.swap_remove(0);
    found
}

/// The same with one kind of escape undone, for each kind that is in it.
fn escapes(text: &[u8], least: usize) -> Vec<Vec<u8>> {
    let has = |byte: u8| text.contains(&byte);
    let mut all = Vec::new();
    if has(b'%') || has(b'+') {
        all.push(percent(text));
    }
    if has(b'&') {
        all.push(html(text));
    }
    if has(b'\\') {
        all.push(backslash(text));
    }
    all.retain(|it| it.len() >= least);
    all
}

/// What an escape means: a byte of the text, or a character of it.
enum Unit {
    Byte(u8),
    Character(char),
}

/// RFC 3986, upper and lower case, and the `+` of forms.
fn percent(text: &[u8]) -> Vec<u8> {
    replace(text, |rest| match rest {
        [b'%', a, b, ..] => Some((3, Unit::Byte(16 * nibble(*a)? + nibble(*b)?))),
        [b'+', ..] => Some((1, Unit::Byte(b' '))),
        _ => None,
    })
}

/// JSON's escapes, and `\xHH` of those who print bytes.
fn backslash(text: &[u8]) -> Vec<u8> {
    let short = |byte: u8| match byte {
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        b'"' | b'\'' | b'\\' | b'/' => Some(byte),
        _ => None,
    };
    replace(text, |rest| match rest {
        [b'\\', b'u', ..] => Some((6, Unit::Character(code(rest.get(2..6)?, 16)?))),
        [b'\\', b'x', a, b, ..] => Some((4, Unit::Byte(16 * nibble(*a)? + nibble(*b)?))),
        [b'\\', byte, ..] => Some((2, Unit::Byte(short(*byte)?))),
        _ => None,
    })
}

/// Entities by name, by number and by hexadecimal number, of the characters that secrets are made of.
fn html(text: &[u8]) -> Vec<u8> {
    const NAMED: &[(&[u8], u8)] = &[
        (b"&amp;", b'&'),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&plus;", b'+'),
        (b"&sol;", b'/'),
        (b"&equals;", b'='),
        (b"&colon;", b':'),
        (b"&num;", b'#'),
        (b"&nbsp;", b' '),
    ];
    replace(text, |rest| {
        if !rest.starts_with(b"&") {
            return None;
        }
        let named = NAMED.iter().find(|(name, _)| rest.starts_with(name));
        named.map(|(name, byte)| (name.len(), Unit::Byte(*byte))).or_else(|| numbered(rest))
    })
}

fn numbered(rest: &[u8]) -> Option<(usize, Unit)> {
    let end = rest.iter().take(10).position(|it| *it == b';')?;
    let character = match rest.get(..end)? {
        [b'&', b'#', b'x' | b'X', digits @ ..] => code(digits, 16),
        [b'&', b'#', digits @ ..] => code(digits, 10),
        _ => None,
    };
    Some((end + 1, Unit::Character(character?)))
}

fn code(digits: &[u8], base: u32) -> Option<char> {
    char::from_u32(u32::from_str_radix(std::str::from_utf8(digits).ok()?, base).ok()?)
}

/// `text` with whatever `read` understands replaced by what it means.
fn replace(text: &[u8], read: impl Fn(&[u8]) -> Option<(usize, Unit)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let (length, unit) = read(rest).unwrap_or((1, Unit::Byte(*first)));
        match unit {
            Unit::Byte(byte) => out.push(byte),
            Unit::Character(it) => out.extend_from_slice(it.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = rest.get(length..).unwrap_or(tail);
    }
    out
}

/// What the runs of letters and digits are in base64, whichever byte they begin at, and in hex.
fn runs(text: &[u8], least: usize) -> Vec<Vec<u8>> {
    let letters = |it: &u8| it.is_ascii_alphanumeric() || b"+/-_".contains(it);
    // Encoders break lines, and a broken line goes on.
    let breaks = |it: &u8| b"\r\n".contains(it);
    let joined = if text.iter().any(breaks) {
        Cow::Owned(text.iter().copied().filter(|it| !breaks(it)).collect())
    } else {
        Cow::Borrowed(text)
    };
    let mut all = Vec::new();
    // Four letters are three bytes.
    for run in joined.split(|it| !letters(it)).filter(|it| it.len() * 3 / 4 >= least) {
        let one_alphabet = run
            .iter()
            .map(|it| match it {
                b'+' => b'-',
                b'/' => b'_',
                other => *other,
            })
            .collect::<Vec<_>>();
        all.extend((0..4).filter_map(|start| base64(one_alphabet.get(start..)?)));
        all.extend([0, 1].into_iter().filter_map(|start| hex(run.get(start..)?, least)));
    }
    all.retain(|it| it.len() >= least);
    all
}

fn base64(run: &[u8]) -> Option<Vec<u8>> {
    // One letter alone is no byte.
    let whole = if run.len() % 4 == 1 { run.len() - 1 } else { run.len() };
    BASE64.decode(run.get(..whole)?).ok()
}

/// What `run` begins with in hex, if that is `least` bytes or more.
fn hex(run: &[u8], least: usize) -> Option<Vec<u8>> {
    let digits = run.iter().take_while(|it| it.is_ascii_hexdigit()).count();
    let pair = |it: &[u8]| Some(16 * nibble(*it.first()?)? + nibble(*it.get(1)?)?);
    (digits / 2 >= least).then(|| run.chunks_exact(2).map_while(pair).collect())
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|it| u8::try_from(it).ok())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    const SECRET: &str = "Zq7 &/+\"x<é>~pw";

    fn finds(text: &str) -> bool {
        let all = undone(text.as_bytes(), SECRET.len());
        all.iter().any(|it| it.windows(SECRET.len()).any(|it| it == SECRET.as_bytes()))
    }

    fn bytes(each: impl Fn(u8) -> String) -> String {
        SECRET.bytes().map(each).collect()
    }

    fn characters(each: impl Fn(char) -> String) -> String {
        SECRET.chars().map(each).collect()
    }

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let json = serde_json::to_string(SECRET).unwrap();
        let html = "Zq7 &amp;/+&quot;x&lt;é&gt;~pw";
        for text in [
            bytes(|it| format!("%{it:02X}")),
            bytes(|it| format!("%{it:02x}")),
            url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect(),
            json.clone(),
            html.to_owned(),
            characters(|it| format!("&#{};", u32::from(it))),
            characters(|it| format!("&#x{:X};", u32::from(it))),
            characters(|it| format!("\\u{:04x}", u32::from(it))),
            bytes(|it| format!("\\x{it:02x}")),
            bytes(|it| format!("{it:02x}")),
            bytes(|it| format!("{it:02X}")),
        ] {
            assert!(finds(&format!("bad: {text} (sent)")), "{text}");
        }
    }

    #[test]
    fn a_secret_is_found_in_base64_whatever_stands_before_it() {
        for before in ["", "a", "ab", "abc", "abcd"] {
            let joined = format!("{before}{SECRET}:tail");
            for text in [STANDARD.encode(&joined), URL_SAFE_NO_PAD.encode(&joined)] {
                assert!(finds(&text), "{text}");
                assert!(finds(&format!("\"x{text}\"")), "{text}");
                let (start, end) = text.split_at(7);
                assert!(finds(&format!("{start}\r\n{end}")), "{text}");
            }
        }
    }

    #[test]
    fn one_encoding_inside_of_another_is_undone() {
        let encode = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        assert!(finds(&encode(&encode(SECRET))));
        assert!(finds(&STANDARD.encode(encode(SECRET))));
        assert!(finds(&encode(&STANDARD.encode(SECRET))));
        let basic = STANDARD.encode(format!("user:{SECRET}"));
        let claims = format!(r#"{{"sub":"Basic {basic}"}}"#);
        assert!(finds(&format!("eyJhbGciOiJub25lIn0.{}.x", URL_SAFE_NO_PAD.encode(claims))));
    }

    #[test]
    fn a_plain_word_has_no_other_spelling_worth_the_name() {
        assert!(undone(b"error", 0).is_empty());
        assert!(!finds("the password was wrong & the user is locked (100%)"));
    }
}
