//! What a text looks like: a token, a date, a code. Judged by form alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A word of this many letters and digits mixed is taken for a token. UUIDs, request ids and hashes are
/// longer too: a plugin has no use for them but as facts.
const TOKEN: usize = 16;

/// A word of letters alone, without any separator, is longer in no language that providers speak.
const LONGEST_WORD: usize = 40;

/// A number that long is no count, no status and no time in milliseconds.
const LONGEST_NUMBER: usize = 16;

/// A compact JWS has three parts, a JWE five: base64url, and the first is a JSON object.
pub(in crate::sandbox) fn is_jwt(text: &str) -> bool {
    let is_part = |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it));
    let mut parts = text.split('.');
    let (Some(first), count) = (parts.next(), parts.count() + 1) else { return false };
    matches!(count, 3 | 5) && text.split('.').all(is_part) && is_header(first)
}

/// Half of a JWT's first part is enough to know it, and to know it before the rest of a cut text.
fn is_header(part: &str) -> bool {
    let start = part.get(..part.len().min(8) / 4 * 4).unwrap_or_default();
    let decoded = URL_SAFE_NO_PAD.decode(start).unwrap_or_default();
    let mut bytes = decoded.iter().skip_while(|it| it.is_ascii_whitespace());
    part.len() >= 8
        && bytes.next() == Some(&b'{')
        && bytes.all(|it| it.is_ascii_graphic() || it.is_ascii_whitespace())
}

/// Whether a JWT, or the beginning of one, stands anywhere in `text`.
pub(in crate::sandbox) fn has_jwt(text: &str) -> bool {
    let is_letter = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    let words = text.split(|it| !is_letter(it));
    words.filter(|it| it.len() >= 12).any(|word| {
        let (first, rest) = word.split_once('.').unwrap_or((word, ""));
        !rest.is_empty() && is_header(first)
    })
}

/// Whether a word is taken for an opaque token: letters and digits mixed, or too long for a word.
pub(in crate::sandbox) fn is_token(word: &str) -> bool {
    let count = |fits: fn(&u8) -> bool| word.bytes().filter(fits).count();
    let (letters, digits) = (count(u8::is_ascii_alphabetic), count(u8::is_ascii_digit));
    let is_mixed = letters > 0 && digits > 0 && letters + digits >= TOKEN;
    is_mixed || digits >= LONGEST_NUMBER || longest_run(word) > LONGEST_WORD
}

fn longest_run(word: &str) -> usize {
    let runs = word.split(|it: char| !it.is_alphanumeric());
    runs.map(str::len).max().unwrap_or_default()
}

/// A word of the provider's: `invalid_grant`, `security.bad_credentials`, `urn:x:y`.
pub(in crate::sandbox) fn is_code(text: &str) -> bool {
    let fits = |it: u8| it.is_ascii_alphanumeric() || b"._-:/".contains(&it);
    (1..=64).contains(&text.len()) && text.bytes().all(fits) && !is_token(text)
}

/// A number, perhaps with a sign, a fraction or an exponent; or a length of time, such as `PT1H`.
pub(in crate::sandbox) fn is_number(text: &str) -> bool {
    let text = text.trim();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let fits = |it: u8| it.is_ascii_digit() || b"+-.eE".contains(&it);
    let is_it = text.bytes().all(fits) || times::span(text) != times::Read::Unreadable;
    (1..=20).contains(&digits) && text.len() <= 24 && is_it
}

/// Whether a JSON number is what the provider wrote: with more digits it was rounded on its way, and a
/// secret that is half gone is still half there.
pub(in crate::sandbox) fn is_exact(number: &str) -> bool {
    number.bytes().filter(u8::is_ascii_digit).count() < LONGEST_NUMBER
}

/// Words that stand in dates.
const DATE_WORDS: &[&str] = &[
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "t",
    "z",
    "utc",
    "gmt",
    "am",
    "pm",
];

/// Digits with the usual separators, and the usual words between them.
pub(in crate::sandbox) fn is_date(text: &str) -> bool {
    let is_word = |it: &str| DATE_WORDS.contains(&it.to_ascii_lowercase().as_str());
    let fits = |it: char| it.is_ascii_alphanumeric() || " :/.,+-".contains(it);
    let mut words = text.split(|it: char| !it.is_ascii_alphabetic()).filter(|it| !it.is_empty());
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.chars().all(fits) && (4..=23).contains(&digits) && text.len() <= 40 && words.all(is_word)
}

/// `text` with the words that look like tokens replaced by `mark`.
pub(in crate::sandbox) fn without_tokens(text: &str, mark: &str) -> String {
    let is_end = |it: char| it.is_whitespace() || "\"'<>()[]{},;=|`".contains(it);
    let seal = |word: &str| {
        let (body, end) = word.split_at(word.trim_end_matches(is_end).len());
        if is_token(body) || has_jwt(body) { format!("{mark}{end}") } else { word.to_owned() }
    };
    text.split_inclusive(is_end).map(seal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln";

    #[test]
    fn a_jwt_is_known_wherever_it_stands_and_however_it_begins() {
        let spaced = format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode("{ \"alg\":\"none\"}"));
        let broken = format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode("{\n\"typ\":\"JWT\"}"));
        let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.";
        let encrypted = "eyJhbGciOiJkaXIifQ..AAAA.BBBB.CCCC";
        for token in [JWT, &spaced, &broken, unsigned, encrypted] {
            assert!(is_jwt(token), "{token}");
            for text in [format!("Bearer {token}"), format!("https://a.example/?t={token}#x")] {
                assert!(has_jwt(&text), "{text}");
            }
        }
        for text in ["www.example.com", "security.bad.credentials", "1.2.3", "a.b.c", ""] {
            assert!(!is_jwt(text) && !has_jwt(text), "{text}");
        }
    }

    #[test]
    fn an_opaque_token_is_told_from_a_word() {
        for word in [
            "0123456789abcdef0123456789abcdef01234567",
            "ya29.a0AfB_byC1d2E3f4",
            "sk-live-4f1d9a7e21b0",
            "31c41c16-0000-4000-8000-000000000000",
            "12345678901234567890",
            &"x".repeat(41),
        ] {
            assert!(is_token(word), "{word}");
        }
        for word in [
            "invalid_grant",
            "security.bad_credentials",
            "application/x-www-form-urlencoded",
            "token.verification_failed",
            "404",
            "1700000060000",
            "v2.1",
            "2026-11-26",
        ] {
            assert!(!is_token(word), "{word}");
        }
    }

    #[test]
    fn codes_numbers_and_dates_have_their_form() {
        for (text, code, number, date) in [
            ("invalid_grant", true, false, false),
            ("two words", false, false, false),
            ("", false, false, false),
            ("3600", true, true, true),
            ("3600.0", true, true, true),
            ("-1", true, true, false),
            ("PT1H", true, true, false),
            ("1 day, 0:00:00", false, true, false),
            ("8f3a61", true, false, false),
            ("2026-11-26T08:00:00.123+05:00", false, false, true),
            ("Wed, 21 Oct 2026 07:28:00 GMT", false, false, true),
            ("14020824014320", true, true, true),
            ("1402/08/24 01:43:20", false, false, true),
            ("deadbeef20261126", false, false, false),
            ("1a2b3c4d", true, false, false),
        ] {
            assert_eq!(
                (is_code(text), is_number(text), is_date(text)),
                (code, number, date),
                "{text}"
            );
        }
    }

    #[test]
    fn a_sentence_keeps_its_words_and_loses_its_tokens() {
        let text = format!("Token 'ya29.a0AfB_byC1d2E3f4', or {JWT}, has expired (400).");
        let shown = "Token '[sealed]', or [sealed], has expired (400).";
        assert_eq!(without_tokens(&text, "[sealed]"), shown);
        let plain = "expected application/x-www-form-urlencoded, got text/html";
        assert_eq!(without_tokens(plain, "[sealed]"), plain);
    }
}
