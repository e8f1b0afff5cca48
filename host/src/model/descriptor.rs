//! What a plugin says about itself: data from `describe`, already checked by the sandbox.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::rotation::Rotation;

/// A setting or secret that a connection needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The key in the manifest.
    pub name: String,
    /// A short name for people.
    pub title: String,
    /// One sentence for people.
    pub help: String,
    /// Whether a connection works without it.
    pub required: bool,
    /// The value when the manifest gives none; never for secrets.
    pub default: Option<String>,
}

/// A request that a plugin makes, and the secrets that may go there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// `POST {base_url}/api/auth/login`.
    pub request: String,
    /// Names of secrets, or one of [`TOKENS`].
    pub carries: Vec<String>,
}

/// What else a request may carry, besides the secrets of the connection, and how it is called in a
/// sentence.
pub const TOKENS: &[(&str, &str)] = &[
    ("access-token", "the access token"),
    ("refresh-token", "the refresh token"),
    ("extra-tokens", "further tokens"),
    ("code", "the authorization code"),
    ("code-verifier", "the PKCE verifier"),
    ("device-code", "the device code"),
    ("answer", "tokens of an earlier answer"),
];

/// A place in an answer that a plugin reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// A pointer, perhaps with `*` and `**`; empty for a text body; `header:NAME`.
    pub place: String,
    /// What may be there.
    pub kind: Kind,
}

impl fmt::Display for Read {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.place.is_empty() { "the whole body" } else { &self.place };
        write!(out, "{} {place}", self.kind.name())
    }
}

/// What may be read at a place. Everything else there is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A number, also as a string; or a length of time.
    Number,
    /// A date or a time.
    Date,
    /// A word of the provider's: an error code, a type.
    Code,
    /// Words for people.
    Text,
    /// A fact about an account.
    Fact,
    /// A URL without query and fragment.
    Address,
}

impl Kind {
    /// The word for it in the lock file and in `plugin inspect`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date => "date",
            Self::Code => "code",
            Self::Text => "text",
            Self::Fact => "fact",
            Self::Address => "address",
        }
    }
}

/// A plugin's own account of the provider it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Lower-case name, such as "eskiz".
    pub name: String,
    /// Semantic version of the plugin.
    pub version: String,
    /// The provider's name for people.
    pub title: String,
    /// One sentence about it.
    pub about: String,
    /// The provider's own documentation.
    pub documentation: Option<String>,
    /// Settings that a connection takes.
    pub settings: Vec<Field>,
    /// Secrets that a connection takes.
    pub secrets: Vec<Field>,
    /// Whether `login` works unattended.
    pub unattended: bool,
    /// Whether a person can log in through a browser.
    pub interactive: bool,
    /// What happens to the old refresh token when it is used.
    pub rotation: Rotation,
    /// Requests it makes, and what each carries.
    pub access: Vec<Access>,
    /// What it reads of answers.
    pub reads: Vec<Read>,
    /// Response members, besides the host's own list, that hold secrets.
    pub sealed: Vec<String>,
    /// Secrets that it signs with.
    pub signs: Vec<String>,
    /// Seconds that a token lives when nothing else says so.
    pub lifetime: Option<u32>,
    /// Cron expression used when the manifest gives none.
    pub schedule: Option<String>,
    /// Further facts for later versions of the contract.
    pub extra: Vec<(String, String)>,
}

impl Descriptor {
    /// What a request carries and where to, for people: settings with a default are filled in.
    pub fn sentence(&self, access: &Access) -> String {
        let (method, address) = access.request.split_once(' ').unwrap_or(("", &access.request));
        let mut address = address.to_owned();
        for field in &self.settings {
            if let Some(default) = &field.default {
                address = address.replace(&format!("{{{}}}", field.name), default);
            }
        }
        let carried = access.carries.iter().map(|it| self.spoken(it)).collect::<Vec<_>>();
        let carried = match carried.as_slice() {
            [] => "no secret".to_owned(),
            [one] => one.clone(),
            [all @ .., last] => format!("{} and {last}", all.join(", ")),
        };
        format!("sends {carried} to {address} ({method})")
    }

    fn spoken(&self, name: &str) -> String {
        let token = TOKENS.iter().find(|(it, _)| *it == name);
        let secret = self.secrets.iter().find(|it| it.name == name);
        match (token, secret) {
            (Some((_, spoken)), _) => (*spoken).to_owned(),
            (None, Some(field)) => format!("your {}", field.title),
            (None, None) => name.to_owned(),
        }
    }

    /// What is known of a plugin before it was asked.
    pub fn unknown() -> Self {
        Self {
            name: String::new(),
            version: String::new(),
            title: String::new(),
            about: String::new(),
            documentation: None,
            settings: Vec::new(),
            secrets: Vec::new(),
            unattended: false,
            interactive: false,
            rotation: Rotation::Unknown,
            access: Vec::new(),
            reads: Vec::new(),
            sealed: Vec::new(),
            signs: Vec::new(),
            lifetime: None,
            schedule: None,
            extra: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_in_one_sentence() {
        let field = |name: &str, title: &str, default: Option<&str>| Field {
            name: name.to_owned(),
            title: title.to_owned(),
            help: String::new(),
            required: true,
            default: default.map(str::to_owned),
        };
        let plugin = Descriptor {
            settings: vec![field("base_url", "Base URL", Some("https://a.example"))],
            secrets: vec![field("password", "password", None), field("api_key", "API key", None)],
            ..Descriptor::unknown()
        };
        let told = |request: &str, carries: &[&str]| {
            let carries = carries.iter().map(|&it| it.to_owned()).collect();
            plugin.sentence(&Access { request: request.to_owned(), carries })
        };
        assert_eq!(
            told("POST {base_url}/login", &["password", "api_key", "refresh-token"]),
            "sends your password, your API key and the refresh token to https://a.example/login (POST)"
        );
        assert_eq!(told("GET {page}", &[]), "sends no secret to {page} (GET)");
    }
}
