//! What a plugin declares it contacts: `POST {base_url}/api/auth/login`, with its settings filled in
//! once, when the manifest is read. It does not know grants and addresses.

use std::collections::BTreeSet;
use std::fmt;

use crate::egress::expansion::Expansion;
use crate::egress::request::Method;

/// One allowed method, scheme, host, port and path. A query is never part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pub(super) method: Method,
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
    /// The pattern ended in `*`: any rest of the path is allowed.
    pub(super) open: bool,
    /// Names of the secrets that may go there.
    pub(super) carries: BTreeSet<String>,
}

/// Why a declared access cannot be used. `pattern` is the text as the plugin wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It does not begin with a method and a space.
    #[error("access `{pattern}` does not begin with GET, POST, PUT, PATCH or DELETE")]
    Method {
        /// The declared text.
        pattern: String,
    },
    /// A setting it names has no value.
    #[error("access `{pattern}` needs the setting `{setting}`, which has no value")]
    Missing {
        /// The declared text.
        pattern: String,
        /// The setting's name.
        setting: String,
    },
    /// A setting's value does not fit its place.
    #[error("access `{pattern}` cannot use the setting `{setting}`: {reason}")]
    Setting {
        /// The declared text.
        pattern: String,
        /// The setting's name.
        setting: String,
        /// What is wrong with the value, without the value.
        reason: &'static str,
    },
    /// The text, or what it became, is no URL that can be matched.
    #[error("access `{pattern}` is not usable: {reason}")]
    Form {
        /// The declared text.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
}

impl Pattern {
    /// Fills in the settings and parses the result. `{name}` at the beginning of the URL is a whole
    /// origin, perhaps with a path prefix; elsewhere it is one piece of the host or of the path.
    pub fn expand(
        text: &str,
        settings: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PatternError> {
        Expansion { text, settings }.run()
    }

    /// Everything below `to`, an absolute URL, if it ends in a slash, else only that; with `method`.
    pub fn at(to: &str, method: Method) -> Result<Self, PatternError> {
        let star = if to.ends_with('/') { "*" } else { "" };
        let pattern = Self::expand(&format!("GET {to}{star}"), &|_| None)?;
        Ok(Self { method, ..pattern })
    }

    /// The same for a request that may carry the secrets of these names.
    #[must_use]
    pub fn carrying(self, names: impl IntoIterator<Item = String>) -> Self {
        Self { carries: names.into_iter().collect(), ..self }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host in lower case, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, explicit or the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path as declared, with its `*`.
    pub fn route(&self) -> String {
        format!("{}{}", self.path, if self.open { "*" } else { "" })
    }

    /// Where it goes, as declared: scheme, host, port unless it is the usual one, path.
    pub fn address(&self) -> String {
        let Self { scheme, host, port, .. } = self;
        let route = self.route();
        match (scheme.as_str(), port) {
            ("https", 443) | ("http", 80) => format!("{scheme}://{host}{route}"),
            _ => format!("{scheme}://{host}:{port}{route}"),
        }
    }

    /// Whether any rest of the path is allowed.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the request does more than read something with an access token.
    pub(super) fn makes_tokens(&self) -> bool {
        self.method != Method::Get || self.carries.iter().any(|it| it != "access-token")
    }

    pub(super) fn allows_path(&self, path: &str) -> bool {
        if self.open { path.starts_with(&self.path) } else { path == self.path }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.method, self.address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand_with(text: &str, value: &str) -> Result<Pattern, PatternError> {
        Pattern::expand(text, &|name| (name == "x").then(|| value.to_owned()))
    }

    #[test]
    fn texts_that_say_too_much_are_refused() {
        for text in [
            "GET *",
            "GET https://*",
            "GET https://a.example*",
            "GET https://*.example/",
            "GET {x}*",
            "GET https://a.example/*/b",
            "GET https://a.example/?q=1",
            "GET https://a.example/#f",
            "GET ftp://a.example/",
            "GET https://u@a.example/",
            "GET https://a.example/../b",
            "GET https://a.example/{x",
            "GET  https://a.example/",
            "GET https://a.example/ ",
            "GET /path",
            "GET ",
            "GET https://a.example./",
            "GET {x}b/",
        ] {
            assert!(expand_with(text, "https://a.example").is_err(), "{text}");
        }
        for text in ["", "https://a.example/", "get https://a.example/", "TRACE https://a.example/"]
        {
            let error = expand_with(text, "a").unwrap_err();
            assert!(matches!(error, PatternError::Method { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn a_star_opens_the_rest_of_the_path_only() {
        let open = expand_with("GET https://a.example/api/*", "").unwrap();
        for (path, allowed) in
            [("/api/", true), ("/api/a/b", true), ("/api", false), ("/ap", false)]
        {
            assert_eq!(open.allows_path(path), allowed, "{path}");
        }
        let exact = expand_with("GET https://a.example/api", "").unwrap();
        for (path, allowed) in [("/api", true), ("/api/", false), ("/API", false), ("/", false)] {
            assert_eq!(exact.allows_path(path), allowed, "{path}");
        }
    }
}
