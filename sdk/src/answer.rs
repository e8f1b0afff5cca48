//! Reading an answer. Flows see an [`Answer`], which is the host's response in a component and a
//! canned one in a test, and can tell whether a secret is there but never what it is.

use times::{Open, Read};

use crate::bindings::keepfresh::provider::http::{Response, Shape};
use crate::bindings::keepfresh::provider::log::{Level, log};
use crate::bindings::keepfresh::provider::secrets::Secret;
use crate::bindings::keepfresh::provider::types::Failure;
use crate::tokens::Source;

/// A complete answer of a provider.
pub trait Answer {
    /// The HTTP status.
    fn status(&self) -> u16;

    /// What the body is, whatever it says.
    fn shape(&self) -> Shape;

    /// A header that speaks of the message, or was declared.
    fn header(&self, name: &str) -> Option<String>;

    /// JSON text of the value at a pointer. What was not declared reads `"[sealed]"`; names of
    /// members, lists, `true`, `false` and `null` can always be seen.
    fn json(&self, pointer: &str) -> Option<String>;

    /// The string at a pointer, if the descriptor declares to read it and it is what was declared.
    fn text(&self, pointer: &str) -> Option<String>;

    /// Whether there is a string at a pointer that is not empty, sealed or not.
    fn has_secret(&self, pointer: &str) -> bool;

    /// Whether there is a header of that name that is not empty, sealed or not. Of `Authorization`
    /// the scheme is left out.
    fn has_secret_header(&self, name: &str) -> bool;

    /// The registered claims of a JWT in this answer as JSON text, not verified; none when the
    /// secret there is no JWT.
    fn claims(&self, token: &Source) -> Option<String>;

    /// Tells the operator what is odd about this answer and was passed over.
    fn note(&self, _what: &str) {}

    /// Whether the status is 200 to 299.
    fn is_success(&self) -> bool {
        (200..300).contains(&self.status())
    }

    /// Whether the body is JSON.
    fn is_json(&self) -> bool {
        matches!(self.shape(), Shape::Json | Shape::QuotedWord)
    }

    /// Whether there is an object at a pointer.
    fn is_object(&self, pointer: &str) -> bool {
        self.json(pointer).is_some_and(|json| json.starts_with('{'))
    }

    /// Whether the body is a page for people: no API sends one, a gateway before it does.
    fn is_page(&self) -> bool {
        self.shape() == Shape::Markup
    }

    /// What is written at a pointer: a string as it is, anything else as JSON text, and nothing when
    /// there is nothing.
    fn written(&self, pointer: &str) -> String {
        // Most that is asked for is not there, or a number: one look at the answer is enough then.
        let json = self.json(pointer);
        let is_text = json.as_ref().is_some_and(|it| it.starts_with('"')) || pointer.is_empty();
        let text = is_text.then(|| self.text(pointer)).flatten();
        text.or(json).unwrap_or_default()
    }

    /// The whole part of a number at a pointer that is not negative, also when it is written as a string:
    /// declared as a number.
    fn number(&self, pointer: &str) -> Option<u64> {
        times::number(&self.written(pointer))
    }
}

/// Not among the methods above, because those are in every plugin, used or not.
impl dyn Answer + '_ {
    /// The Unix second that a member such as `expires_in` means, declared as a number; none when it says no
    /// end. What was not taken literally is noted.
    pub fn after(&self, pointer: &str, now: u64) -> Option<u64> {
        noted(self, pointer, times::after(&self.written(pointer), now))
    }

    /// The Unix second that a member such as `expires_at` means, declared as a date; none when it says no
    /// end. What was not taken literally is noted.
    pub fn until(&self, pointer: &str, now: u64) -> Option<u64> {
        noted(self, pointer, times::until(&self.written(pointer), now))
    }
}

fn noted(answer: &dyn Answer, pointer: &str, read: Read) -> Option<u64> {
    if let Some(remark) = remark(pointer, read) {
        answer.note(&remark);
    }
    read.value()
}

/// What the operator may want to know of how a time was read.
fn remark(pointer: &str, read: Read) -> Option<String> {
    match read {
        Read::Is(_, notes) if notes.is_empty() => None,
        Read::Is(_, notes) => Some(format!("{pointer} is {notes}")),
        // Zero is how some say "never", and they say it every time.
        Read::Open(Open::Nothing | Open::Zero | Open::Never) => None,
        Read::Open(open @ Open::Far) => Some(format!("{pointer} gives no end: {open}")),
        Read::Unreadable => Some(format!("{pointer} is nothing that can be read as a time")),
    }
}

impl Answer for Response {
    fn status(&self) -> u16 {
        self.status()
    }

    fn shape(&self) -> Shape {
        self.shape()
    }

    fn header(&self, name: &str) -> Option<String> {
        self.header(name)
    }

    fn json(&self, pointer: &str) -> Option<String> {
        self.json(pointer)
    }

    fn text(&self, pointer: &str) -> Option<String> {
        self.text(pointer)
    }

    fn has_secret(&self, pointer: &str) -> bool {
        match self.json(pointer) {
            Some(json) => is_secret(&json),
            None => pointer.is_empty() && self.secret(pointer).is_some(),
        }
    }

    fn has_secret_header(&self, name: &str) -> bool {
        self.secret_header(name).is_some()
    }

    fn claims(&self, token: &Source) -> Option<String> {
        let found = match token {
            Source::At(pointer) => self.secret(pointer),
            Source::Header(name) => self.secret_header(name),
            Source::Given(_) => None,
        };
        found.as_ref().and_then(Secret::claims)
    }

    fn note(&self, what: &str) {
        log(Level::Warn, what);
    }
}

/// What stands where a string or a number is sealed, as JSON.
const SEALED: [&str; 2] = ["\"[sealed]\"", "\"[sealed number]\""];

/// Whether JSON text is a string that is not empty.
pub(crate) fn is_secret(json: &str) -> bool {
    json.starts_with('"') && json != "\"\"" && json != SEALED[1]
}

/// The refresh token at `pointer`, if the answer has one. Missing, null or empty means that the old one
/// stays: an access token is worth more than a rule about what stands beside it.
pub fn refresh_token_at(
    answer: &dyn Answer,
    pointer: &str,
) -> Result<Option<crate::Source>, Failure> {
    if answer.has_secret(pointer) {
        return Ok(Some(pointer.into()));
    }
    match answer.json(pointer).as_deref() {
        None | Some("null") => Ok(None),
        Some("\"\"") => {
            answer.note(&format!("the refresh token at {pointer} is empty; the old one is kept"));
            Ok(None)
        }
        Some(_) => Err(Failure::unexpected(format!("what is at {pointer} is not a refresh token"))),
    }
}

/// A JSON object of the named members below `base`, for a profile. What is missing, null or
/// sealed is left out. The host's JSON text is passed on as it is: a JSON library would be a
/// quarter of a plugin.
pub fn facts(answer: &dyn Answer, base: &str, names: &[&str]) -> String {
    let fact = |name: &&str| {
        let json = answer.json(&format!("{base}/{name}"))?;
        let hidden = json == "null" || SEALED.contains(&json.as_str());
        (!hidden).then(|| format!("\"{name}\":{json}"))
    };
    format!("{{{}}}", names.iter().filter_map(fact).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Canned;

    #[test]
    fn a_refresh_token_is_new_or_the_old_one_is_kept() {
        let read = |body| refresh_token_at(&Canned::new(200, body), "/refresh");
        assert_eq!(read(r#"{"refresh":"r"}"#).unwrap(), Some("/refresh".into()));
        assert_eq!(read("{}").unwrap(), None);
        assert_eq!(read(r#"{"refresh":null}"#).unwrap(), None);
        assert_eq!(read(r#"{"refresh":""}"#).unwrap(), None);
        assert!(matches!(read(r#"{"refresh":{}}"#), Err(Failure::Unexpected(_))));
    }

    #[test]
    fn the_registered_claims_of_a_jwt_can_be_read_and_no_others() {
        // {"exp":1700000300,"email":"a@b.example"}
        let jwt = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAzMDAsImVtYWlsIjoiYUBiLmV4YW1wbGUifQ.c2ln";
        let answer = Canned::new(200, &format!(r#"{{"a":"{jwt}","b":"opaque"}}"#))
            .header("authorization", &format!("Bearer {jwt}"));
        let claims = r#"{"exp":1700000300}"#;
        assert_eq!(answer.claims(&"/a".into()).unwrap(), claims);
        assert_eq!(answer.claims(&Source::Header("Authorization".to_owned())).unwrap(), claims);
        assert_eq!(answer.claims(&"/b".into()), None);
    }

    #[test]
    fn facts_leave_out_what_is_sealed_or_missing() {
        let answer = Canned::new(200, r#"{"id":1,"name":"A \"b\"","api_token":"x","role":null}"#);
        let names = ["id", "name", "api_token", "role", "balance"];
        assert_eq!(facts(&answer, "", &names), r#"{"id":1,"name":"A \"b\""}"#);
    }

    #[test]
    fn a_number_may_come_as_a_string_or_with_a_fraction() {
        let answer = Canned::new(200, r#"{"a":3600,"b":"7200","c":"soon","d":-1,"e":3600.0}"#);
        let read = ["/a", "/b", "/c", "/d", "/e", "/f"].map(|it| answer.number(it));
        assert_eq!(read, [Some(3600), Some(7200), None, None, Some(3600), None]);
    }

    #[test]
    fn a_member_says_how_long_or_until_when() {
        let answer = Canned::new(
            200,
            r#"{"a":3600000,"b":"2023-11-14T23:13:20Z","c":9e18,"d":0,"e":"soon","f":null}"#,
        );
        let answer: &dyn Answer = &answer;
        let end = Some(1_700_003_600);
        let read = ["/a", "/b", "/c", "/d", "/e", "/f", "/g"];
        let ends = [end, end, None, None, None, None, None];
        assert_eq!(read.map(|it| answer.after(it, 1_700_000_000)), ends);
        assert_eq!(read.map(|it| answer.until(it, 1_700_000_000)), ends);
    }

    #[test]
    fn what_was_not_literal_is_remarked_once_and_without_what_was_written() {
        let remarked = |text: &str| remark("/x", times::after(text, 1_700_000_000));
        for text in ["3600", "3600.0", "", "null", "0", "never"] {
            assert_eq!(remarked(text), None, "{text}");
        }
        assert_eq!(remarked("3600000").unwrap(), "/x is taken for milliseconds");
        let far = "/x gives no end: it is further away than any token lives";
        assert_eq!(remarked("9223372036854775").unwrap(), far);
        assert_eq!(remarked("CANARY").unwrap(), "/x is nothing that can be read as a time");
    }
}
