//! What a body is. It is read as leniently as can be, because the tokens in it may be all that is left of a
//! grant: in any character set, as a form, behind a notice that somebody's framework printed. Where two
//! readers could disagree about a value, there is none.

use encoding_rs::Encoding;
use serde_json::{Map, Value};

use crate::sandbox::answers::document;

/// The body of an answer.
pub(super) enum Body {
    Json(Value),
    Text(String),
    Binary,
}

/// The shortest and the longest word that may be a token.
const SHORTEST_TOKEN: usize = 8;
const LONGEST_TOKEN: usize = 64 * 1024;

/// Names that a form has if it holds an answer of a token endpoint.
const FORM_NAMES: [&str; 3] = ["access_token", "oauth_token", "error"];

impl Body {
    /// The body in `bytes`, and the bytes of memory that it takes.
    pub(super) fn read(bytes: Vec<u8>, content_type: Option<&str>) -> (Self, usize) {
        if let Some((document, size)) = document::parse(&bytes) {
            return (Self::Json(unwrapped(document)), size);
        }
        let length = bytes.len();
        let Some(text) = text(bytes, content_type) else { return (Self::Binary, length) };
        let document = document::parse(text.as_bytes())
            .or_else(|| document::parse(behind_a_notice(&text)?.as_bytes()))
            .or_else(|| form(&text, content_type));
        match document {
            Some((document, size)) => (Self::Json(unwrapped(document)), size),
            None => (Self::Text(text), length),
        }
    }
}

/// JSON that stands as a string in JSON is what it says.
fn unwrapped(document: Value) -> Value {
    let inner = document.as_str().filter(|it| it.trim_start().starts_with('{'));
    inner.and_then(|it| document::parse(it.as_bytes())).map_or(document, |(inner, _)| inner)
}

/// The text of a body in the character set that it has, or that it is said to have. One with bytes that are
/// no text is text all the same if it begins like JSON: what cannot be read there is one value.
fn text(bytes: Vec<u8>, content_type: Option<&str>) -> Option<String> {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Some(text),
        Err(error) => error.into_bytes(),
    };
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        return encoding
            .decode_without_bom_handling_and_without_replacement(&bytes[mark..])
            .map(Into::into);
    }
    if let Some(encoding) = content_type.and_then(charset) {
        let (text, _, failed) = encoding.decode(&bytes);
        if !failed {
            return Some(text.into_owned());
        }
    }
    let looks_like_json = bytes.trim_ascii_start().starts_with(b"{");
    looks_like_json.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn charset(content_type: &str) -> Option<&'static Encoding> {
    let parameters = content_type.split(';').skip(1).filter_map(|it| it.split_once('='));
    let named = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    named.last().and_then(|(_, it)| Encoding::for_label(it.trim().trim_matches('"').as_bytes()))
}

/// The JSON at the end of a text that begins with something else: a notice of PHP, a guard against scripts.
fn behind_a_notice(text: &str) -> Option<&str> {
    let starts = text.match_indices('{').map(|(at, _)| &text[at..]).take(16);
    let is_object = |it: &&str| {
        document::parse_to_the_end(it.as_bytes())
            .is_some_and(|(it, _)| it.as_object().is_some_and(|it| !it.is_empty()))
    };
    starts.skip_while(|it| it.len() == text.len()).find(is_object)
}

/// A form, if the server says that it is one, or it has the names of a token endpoint.
fn form(text: &str, content_type: Option<&str>) -> Option<(Value, usize)> {
    let said = content_type.is_some_and(|it| it.contains("x-www-form-urlencoded"));
    let text = text.trim();
    if !text.contains('=') || text.contains(char::is_whitespace) {
        return None;
    }
    let fields = url::form_urlencoded::parse(text.as_bytes()).collect::<Vec<_>>();
    let has_names = fields.iter().any(|(name, _)| FORM_NAMES.contains(&name.as_ref()));
    if !said && !has_names {
        return None;
    }
    let mut document = Map::new();
    for (name, value) in fields {
        document::put(&mut document, name.into_owned(), value.into());
    }
    // Parsed once more, so that it is measured as every document is.
    document::parse(Value::from(document).to_string().as_bytes())
}

/// Whether a word may be a token: a word of people, or of an error, is none.
pub(super) fn may_be_a_token(word: &str) -> bool {
    if !(SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&word.len()) {
        return false;
    }
    let is_odd = |it: char| !it.is_ascii_graphic() || "&<>{}[]\"'`\\,;".contains(it);
    let has_digit = word.contains(|it: char| it.is_ascii_digit());
    let mixes_cases = word.contains(|it: char| it.is_ascii_uppercase())
        && word.contains(|it: char| it.is_ascii_lowercase())
        && !is_capitalised(word);
    let padding = word.trim_end_matches('=');
    !word.contains(is_odd) && !padding.contains('=') && (has_digit || mixes_cases)
}

/// `Unauthorized`, `BadRequest`: words that are put together.
fn is_capitalised(word: &str) -> bool {
    let letters_alone = word.chars().all(|it| it.is_ascii_alphabetic());
    let capitals = word.chars().filter(char::is_ascii_uppercase).count();
    letters_alone
        && word.starts_with(|it: char| it.is_ascii_uppercase())
        && capitals * 4 <= word.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(bytes: &[u8], content_type: &str) -> Option<Value> {
        match Body::read(bytes.to_vec(), Some(content_type)).0 {
            Body::Json(document) => Some(document),
            Body::Text(_) | Body::Binary => None,
        }
    }

    #[test]
    fn tokens_are_found_in_whatever_they_come() {
        let utf_16 = |text: &str| {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            [0xff, 0xfe].into_iter().chain(units).collect::<Vec<_>>()
        };
        let plain = r#"{"access_token":"abc"}"#;
        for (bytes, content_type) in [
            (plain.as_bytes().to_vec(), "text/html"),
            (utf_16(plain), "application/json"),
            (b"\"{\\\"access_token\\\":\\\"abc\\\"}\"".to_vec(), "application/json"),
            (b"access_token=abc".to_vec(), "application/x-www-form-urlencoded; charset=utf-8"),
            (b"access_token=abc\n".to_vec(), "text/plain"),
            (format!(")]}}',\n{plain}").into_bytes(), "application/json"),
            (format!("<br />\n<b>Notice</b>: {{x}} in y.php\n{plain}\n").into_bytes(), "text/html"),
            (format!("{plain}\n<!-- 0.3 s -->").into_bytes(), "application/json"),
            (br#"{"access_token":"abc","access_token":"abc"}"#.to_vec(), "application/json"),
        ] {
            let found = document(&bytes, content_type);
            assert_eq!(found, Some(json!({ "access_token": "abc" })), "{content_type}: {bytes:?}");
        }
    }

    #[test]
    fn a_value_in_another_character_set_costs_no_token() {
        let latin_1 = b"{\"access_token\":\"abc\",\"name\":\"Ren\xe9\"}";
        for (content_type, name) in [
            ("application/json; charset=ISO-8859-1", "Ren\u{e9}"),
            ("application/json; charset=\"windows-1252\"", "Ren\u{e9}"),
            ("application/json", "Ren\u{fffd}"),
            ("application/json; charset=utf-8", "Ren\u{fffd}"),
            ("application/json; charset=nonsense", "Ren\u{fffd}"),
        ] {
            let found = document(latin_1, content_type).unwrap();
            assert_eq!(found, json!({ "access_token": "abc", "name": name }), "{content_type}");
        }
        assert!(document(b"\xff\xd8\xff\xe0", "image/jpeg").is_none());
    }

    #[test]
    fn a_value_that_two_readers_could_read_differently_is_none() {
        let twice = br#"{"access_token":"abc","scope":"a","scope":"b"}"#;
        let found = document(twice, "application/json").unwrap();
        assert_eq!(found, json!({ "access_token": "abc", "scope": null }));
        let twice = document(b"access_token=a&access_token=b", "text/plain").unwrap();
        assert_eq!(twice, json!({ "access_token": null }));
    }

    #[test]
    fn what_is_no_document_is_not_made_one() {
        for body in [
            "{\"access_token\":\"ab",
            "the token is abc=def",
            "a=b",
            "<html><script>x = {\"access_token\":\"abc\"}</script></html>",
            "{\"a\":1,}",
        ] {
            assert!(document(body.as_bytes(), "text/plain").is_none(), "{body}");
        }
    }

    #[test]
    fn a_word_of_people_is_no_token() {
        for token in [
            "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDB9.c2ln",
            "ya29.a0AfB_byC1d2E3f4",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b",
            "12345678",
            "aGVsbG8gd29ybGQ=",
            "GhijKlmNopQrstUv",
        ] {
            assert!(may_be_a_token(token), "{token}");
        }
        for word in [
            "OK",
            "null",
            "undefined",
            "invalid_grant",
            "unauthorized",
            "Unauthorized",
            "InternalServerError",
            "access_token=abc12345&refresh_token=def",
            "{\"access_token\":\"abc1",
            "<token>abc12345</token>",
            "short1",
            "",
        ] {
            assert!(!may_be_a_token(word), "{word}");
        }
    }
}
