//! Fills settings into a declared pattern and parses what comes out. A setting can add no structure
//! that the author did not write: no host where a path was meant, no second segment where one was.

use std::collections::BTreeSet;

use crate::egress::pattern::{Pattern, PatternError};
use crate::egress::request::Method;
use crate::egress::target::{Oddity, Target};

/// One pattern on its way from text to value.
pub(super) struct Expansion<'a> {
    pub(super) text: &'a str,
    pub(super) settings: &'a dyn Fn(&str) -> Option<String>,
}

impl Expansion<'_> {
    pub(super) fn run(&self) -> Result<Pattern, PatternError> {
        let (method, template) = self
            .text
            .split_once(' ')
            .and_then(|(name, rest)| Some((Method::parse(name)?, rest)))
            .ok_or_else(|| PatternError::Method { pattern: self.text.to_owned() })?;
        let (template, open) = match template.strip_suffix('*') {
            Some(closed) => (closed, true),
            None => (template, false),
        };
        if template.contains(['*', '?', '#']) {
            return Err(
                self.form("`*` is only allowed at the end of a path, and queries are not matched")
            );
        }
        let target = self.parse(&self.fill(template)?, open)?;
        Ok(Pattern {
            method,
            scheme: target.url.scheme().to_owned(),
            path: target.url.path().to_owned(),
            host: target.host,
            port: target.port,
            open,
            carries: BTreeSet::new(),
        })
    }

    fn parse(&self, url: &str, open: bool) -> Result<Target, PatternError> {
        let target = Target::parse(url).map_err(|oddity| match oddity {
            Oddity::Scheme(scheme) => self.form(&format!("{scheme} is not http or https")),
            Oddity::Form(reason) => self.form(&format!("it is a URL {reason}")),
        })?;
        let has_path = url.splitn(4, '/').nth(3).is_some();
        if open && !has_path {
            return Err(self.form("`*` matches the rest of a path, never a host"));
        }
        Ok(target)
    }

    fn fill(&self, template: &str) -> Result<String, PatternError> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) =
                after.split_once('}').ok_or_else(|| self.form("a `{` has no `}`"))?;
            filled.push_str(before);
            filled.push_str(&self.value(name, &filled, behind)?);
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// What `{name}` becomes, depending on its position.
    fn value(&self, name: &str, before: &str, behind: &str) -> Result<String, PatternError> {
        let (name, origin_alone) = match name.strip_suffix(".origin") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let missing =
            || PatternError::Missing { pattern: self.text.to_owned(), setting: name.to_owned() };
        let value = (self.settings)(name).filter(|value| !value.is_empty()).ok_or_else(missing)?;
        let fitted = if origin_alone {
            origin_of(&value, before)
        } else if before.is_empty() {
            as_origin(&value, behind)
        } else if before.matches('/').count() < 3 {
            as_host(&value)
        } else {
            as_segment(&value)
        };
        fitted.map_err(|reason| PatternError::Setting {
            pattern: self.text.to_owned(),
            setting: name.to_owned(),
            reason,
        })
    }

    fn form(&self, reason: &str) -> PatternError {
        PatternError::Form { pattern: self.text.to_owned(), reason: reason.to_owned() }
    }
}

/// `https://host`, `http://host:9002/prefix/`: one slash at the end is dropped, as people write it.
fn as_origin(value: &str, behind: &str) -> Result<String, &'static str> {
    if !behind.is_empty() && !behind.starts_with('/') {
        return Err("a whole address must be followed by `/`");
    }
    // A query is sent with a whole address, and never matched.
    let value = if behind.is_empty() { value.split('?').next().unwrap_or(value) } else { value };
    if value.contains(['*', '?', '#', '{', '}']) {
        return Err("an address must not have `*`, a query, a fragment or braces");
    }
    if Target::parse(value).is_err() {
        return Err("it is not a plain address like https://api.example.com");
    }
    // A whole address is used as written: for some servers a slash at the end matters.
    let path_follows = !behind.is_empty();
    let shorter = value.strip_suffix('/').filter(|_| path_follows);
    Ok(shorter.unwrap_or(value).to_owned())
}

/// `https://host:port` of an address with a path.
fn origin_of(value: &str, before: &str) -> Result<String, &'static str> {
    if !before.is_empty() {
        return Err("an origin must be at the beginning of an address");
    }
    let target = Target::parse(value)
        .map_err(|_| "it is not a plain address like https://api.example.com/login")?;
    Ok(target.url.origin().ascii_serialization())
}

/// A label of a host, or several. No port and no separator: those belong to the author.
fn as_host(value: &str) -> Result<String, &'static str> {
    let fits = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    if fits {
        Ok(value.to_owned())
    } else {
        Err("part of a host may only have letters, digits, `-` and `.`")
    }
}

/// A piece of a path: separators are refused, everything unusual is percent-encoded.
fn as_segment(value: &str) -> Result<String, &'static str> {
    if value.contains(['/', '\\', '?', '#', '%', '*', ';', '{', '}']) || value.contains("..") {
        return Err("part of a path must not have separators, `%`, `*`, `..` or braces");
    }
    if value.chars().any(char::is_control) {
        return Err("it has a control character");
    }
    Ok(value.bytes().map(encoded).collect())
}

fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~!$&'()+,=:@".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand_with(text: &str, value: &str) -> Result<Pattern, PatternError> {
        Pattern::expand(text, &|name| (name == "x").then(|| value.to_owned()))
    }

    fn shown(text: &str, value: &str) -> String {
        expand_with(text, value).unwrap_or_else(|error| panic!("{error}")).to_string()
    }

    #[test]
    fn settings_fill_origins_hosts_and_segments() {
        for (text, value, expected) in [
            ("POST {x}/login", "https://api.example", "POST https://api.example/login"),
            ("POST {x}/login", "https://api.example/", "POST https://api.example/login"),
            ("POST {x}/login", "https://API.example:443/v1", "POST https://api.example/v1/login"),
            ("GET {x}/a", "http://127.0.0.1:9002", "GET http://127.0.0.1:9002/a"),
            ("GET {x}/a", "http://[::1]:9002/", "GET http://[::1]:9002/a"),
            ("GET {x}", "https://api.example/token", "GET https://api.example/token"),
            ("GET {x}/*", "https://api.example", "GET https://api.example/*"),
            ("GET https://{x}/a", "eu.api.example", "GET https://eu.api.example/a"),
            ("GET https://{x}.api.example/a", "eu", "GET https://eu.api.example/a"),
            ("PUT https://a.example/t/{x}/k", "a b", "PUT https://a.example/t/a%20b/k"),
            ("PUT https://a.example/t-{x}*", "é", "PUT https://a.example/t-%C3%A9*"),
            (
                "DELETE https://a.example/{x}",
                "me@b.example",
                "DELETE https://a.example/me@b.example",
            ),
            ("PATCH https://a.example:8443", "", "PATCH https://a.example:8443/"),
        ] {
            assert_eq!(shown(text, value), expected);
        }
    }

    #[test]
    fn settings_cannot_add_structure() {
        for value in ["a/b", "a?b", "a#b", "..", "a..b", "%2e", "a\\b", "*", "a;b", "{x}", "a\nb"] {
            let error = expand_with("GET https://a.example/{x}", value).unwrap_err();
            assert!(matches!(error, PatternError::Setting { .. }), "{value}: {error}");
            assert!(!error.to_string().contains(&format!("{value}:")), "{error}");
        }
        for value in ["a/", "a:1", "a@b", "a?b", "[::1]", "*", "ü", "a b"] {
            let error = expand_with("GET https://{x}.a.example/", value).unwrap_err();
            assert!(matches!(error, PatternError::Setting { .. }), "{value}: {error}");
        }
        for value in
            ["api.example", "ftp://a.example", "https://a@b", "https://a/?q", "https://a/*"]
        {
            let error = expand_with("GET {x}/a", value).unwrap_err();
            assert!(matches!(error, PatternError::Setting { .. }), "{value}: {error}");
        }
    }

    #[test]
    fn a_query_may_stand_at_the_end_of_a_whole_address_and_is_not_matched() {
        let bare = expand_with("POST {x}", "https://a.example/token").unwrap();
        for whole in ["https://a.example/token?p=policy", "https://a.example/token?"] {
            assert_eq!(expand_with("POST {x}", whole).unwrap(), bare, "{whole}");
        }
        for wrong in ["https://a.example/token#f?p", "https://a.ex?ample#f"] {
            assert!(expand_with("POST {x}/a", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_dot_from_a_setting_is_no_path_of_its_own() {
        let error = expand_with("GET https://a.example/{x}/b", ".").unwrap_err();
        assert!(matches!(error, PatternError::Form { .. }), "{error}");
        let joined = expand_with("GET https://a.example/.{x}/b", ".").unwrap_err();
        assert!(matches!(joined, PatternError::Form { .. }), "{joined}");
    }

    #[test]
    fn a_missing_setting_is_named() {
        for value in [None, Some(String::new())] {
            let error = Pattern::expand("GET {base_url}/a", &|_| value.clone()).unwrap_err();
            let text = "access `GET {base_url}/a` needs the setting `base_url`, which has no value";
            assert_eq!(error.to_string(), text);
        }
    }
}
