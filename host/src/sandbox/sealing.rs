//! Which strings of a provider's answer a plugin must not read. Pure: a JSON document in, the same
//! document with its secrets replaced out.
//!
//! The limit, said plainly: a short opaque token under a name that nobody listed is readable until it
//! is taken as a secret.

use serde_json::Value;

use crate::sandbox::redact::{Redactor, SEALED};

/// Members that are sealed in any spelling (`accessToken`, `access-token`, `ACCESS_TOKEN`), besides
/// every name that ends in `token` or `secret`.
const NAMES: &[&str] = &[
    "access",
    "refresh",
    "jwt",
    "assertion",
    "password",
    "apikey",
    "secretkey",
    "privatekey",
    "devicecode",
    "session",
];

/// Decides what is sealed during one call.
#[derive(Clone)]
pub(super) struct Sealer {
    names: Vec<String>,
    known: Redactor,
}

impl Sealer {
    /// A sealer that also seals members called one of `names`, and strings that contain what `known`
    /// knows.
    pub(super) fn new(names: &[String], known: Redactor) -> Self {
        Self { names: names.iter().map(|it| fold(it)).collect(), known }
    }

    /// The document as a plugin may see it.
    pub(super) fn view(&self, document: &Value) -> Value {
        self.walk(document, false)
    }

    /// Whether a string that stands alone, such as a text body or a header, is sealed.
    pub(super) fn hides(&self, text: &str) -> bool {
        is_jwt(text) || self.known.knows_part_of(text)
    }

    fn walk(&self, value: &Value, named: bool) -> Value {
        match value {
            Value::String(text) if !text.is_empty() && (named || self.hides(text)) => {
                Value::String(SEALED.to_owned())
            }
            Value::Array(items) => items.iter().map(|it| self.walk(it, named)).collect(),
            Value::Object(members) => {
                let seal = |(name, value): (&String, &Value)| {
                    (self.shown(name), self.walk(value, self.is_secret(name)))
                };
                Value::Object(members.iter().map(seal).collect())
            }
            other => other.clone(),
        }
    }

    /// A member's name; providers have put what they refused into it.
    fn shown(&self, name: &str) -> String {
        if self.hides(name) { SEALED.to_owned() } else { name.to_owned() }
    }

    fn is_secret(&self, name: &str) -> bool {
        let name = fold(name);
        NAMES.contains(&name.as_str())
            || name.ends_with("token")
            || name.ends_with("secret")
            || self.names.contains(&name)
    }
}

/// A name without its spelling: letters and digits in lower case.
fn fold(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Three base64url parts of which the first is a JSON object.
pub(super) fn is_jwt(text: &str) -> bool {
    let is_part = |it: &str| {
        !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
    };
    text.starts_with("eyJ") && text.split('.').count() == 3 && text.split('.').take(2).all(is_part)
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use serde_json::json;

    use super::*;

    fn view(document: &Value) -> Value {
        let known = Redactor::default();
        known.learn(&SecretString::from("hunter22"));
        Sealer::new(&["magic_word".to_owned()], known).view(document)
    }

    #[test]
    fn tokens_are_sealed_in_any_spelling() {
        for name in
            ["access", "accessToken", "ACCESS_TOKEN", "refresh-token", "clientSecret", "magicWord"]
        {
            assert_eq!(view(&json!({ name: "abc" })), json!({ name: "[sealed]" }), "{name}");
        }
    }

    #[test]
    fn what_a_plugin_must_read_stays_readable() {
        let document = json!({ "token_type": "bearer", "code": "x", "id": 7, "expires_in": 30 });
        assert_eq!(view(&document), document);
    }

    #[test]
    fn a_jwt_is_sealed_under_any_name() {
        assert_eq!(
            view(&json!({ "value": "eyJhbGciOi.eyJzdWIi.c2ln" })),
            json!({ "value": "[sealed]" })
        );
    }

    #[test]
    fn an_echoed_secret_is_sealed() {
        assert_eq!(view(&json!({ "error": "bad hunter22" })), json!({ "error": "[sealed]" }));
    }

    #[test]
    fn a_secret_in_the_name_of_a_member_is_sealed() {
        let document = json!({ "errors": { "hunter22 is wrong": true } });
        assert_eq!(view(&document), json!({ "errors": { "[sealed]": true } }));
    }

    #[test]
    fn an_empty_token_is_shown_as_empty() {
        assert_eq!(view(&json!({ "refresh_token": "" })), json!({ "refresh_token": "" }));
    }

    #[test]
    fn members_of_a_sealed_object_go_by_their_own_names() {
        let document =
            json!({ "access_token": { "access_token": "x", "expires_at": 5, "hint": "y" } });
        let sealed =
            json!({ "access_token": { "access_token": "[sealed]", "expires_at": 5, "hint": "y" } });
        assert_eq!(view(&document), sealed);
    }
}
