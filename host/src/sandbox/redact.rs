//! Secrets that the host knows, and striking them out of whatever a plugin says.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use zeroize::Zeroizing;

/// What stands where a secret stood.
pub const SEALED: &str = "[sealed]";

/// Shorter ones are not struck out: they would take half the alphabet with them.
const SHORTEST: usize = 4;

/// The secrets known during one call, the longest first. A clone shares them.
#[derive(Clone, Default)]
pub struct Redactor(Arc<Mutex<Vec<SecretString>>>);

impl Redactor {
    /// Knows `secret` from now on, also as forms and JSON spell it: an error page quotes what was sent.
    pub fn learn(&self, secret: &SecretString) {
        let text = secret.expose_secret();
        let quoted = Zeroizing::new(Value::from(text).to_string());
        self.know(text);
        self.know(&Zeroizing::new(form_encoded(text)));
        let inside = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        self.know(inside.unwrap_or_default());
    }

    /// A secret that begins with another must be struck out first, or its end would stay.
    fn know(&self, text: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = known.iter().all(|it| it.expose_secret() != text);
        if text.len() >= SHORTEST && is_new {
            let place = known.partition_point(|it| it.expose_secret().len() >= text.len());
            known.insert(place, SecretString::from(text));
        }
    }

    /// Whether `text` contains a known secret.
    pub fn knows_part_of(&self, text: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().any(|it| text.contains(it.expose_secret()))
    }

    /// `text` with every known secret struck out.
    pub fn strike<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(Cow::Borrowed(text), |text, secret| {
            if text.contains(secret.expose_secret()) {
                Cow::Owned(text.replace(secret.expose_secret(), SEALED))
            } else {
                text
            }
        })
    }

    /// `text` with secrets struck out, control characters escaped, and at most `most` bytes.
    pub fn clean(&self, text: &str, most: usize) -> String {
        let struck = self.strike(text);
        let mut out = String::with_capacity(struck.len().min(most));
        for character in struck.chars() {
            let start = out.len();
            match character {
                it if it.is_control() || is_direction(it) => out.extend(it.escape_default()),
                it => out.push(it),
            }
            if out.len() > most {
                out.truncate(start);
                out.push('…');
                break;
            }
        }
        out
    }
}

/// As `application/x-www-form-urlencoded` has it: bytes of ours go out so, and come back so.
fn form_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            it if it.is_ascii_alphanumeric() => out.push(char::from(it)),
            // Writing to a string cannot fail.
            it => drop(write!(out, "%{it:02X}")),
        }
    }
    out
}

/// Characters that turn a line around or hide in it.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_secret_is_struck_out_wherever_it_stands() {
        let redactor = Redactor::default();
        redactor.learn(&SecretString::from("hunter22"));
        assert_eq!(redactor.strike("a hunter22 b hunter22"), "a [sealed] b [sealed]");
        assert!(redactor.knows_part_of("xhunter22x"));
    }

    #[test]
    fn a_secret_that_begins_with_another_is_struck_out_whole() {
        let redactor = Redactor::default();
        redactor.learn(&SecretString::from("prod"));
        redactor.learn(&SecretString::from("prod-7e1f"));
        assert_eq!(redactor.strike("prod-7e1f of prod"), "[sealed] of [sealed]");
    }

    #[test]
    fn a_secret_is_known_as_forms_and_json_spell_it() {
        let redactor = Redactor::default();
        redactor.learn(&SecretString::from("a b&c\"d"));
        assert_eq!(redactor.strike("key=a+b%26c%22d"), "key=[sealed]");
        assert_eq!(redactor.strike(r#"{"key":"a b&c\"d"}"#), r#"{"key":"[sealed]"}"#);
    }

    #[test]
    fn a_line_cannot_forge_another_or_colour_the_terminal() {
        let clean = Redactor::default().clean("a\nERROR b\u{1b}[31m\u{202e}", 100);
        assert_eq!(clean, "a\\nERROR b\\u{1b}[31m\\u{202e}");
    }

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        assert_eq!(Redactor::default().clean("ääää", 5), "ää…");
    }
}
