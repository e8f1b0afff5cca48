//! Which headers a plugin may set. Those that frame the message, choose the route or speak for a
//! proxy belong to the door; smuggling begins with two opinions about them. It refuses to know what
//! the allowed ones mean.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::egress::error::EgressError;

/// How many headers a plugin may set.
const MOST_HEADERS: usize = 64;
/// How long they may be together. Servers commonly stop at 8 to 32 KiB.
pub(super) const MOST_BYTES: usize = 32 * 1024;

/// Set by the door, or by nobody. `accept-encoding` is here because the door decodes, and knows only
/// two encodings.
const DENIED: [&str; 14] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "expect",
    "http2-settings",
    "forwarded",
    "via",
    "accept-encoding",
    "alt-used",
];
const DENIED_PREFIXES: [&str; 2] = ["proxy-", "x-forwarded-"];

/// The headers as HTTP wants them, or the first that may not be set.
pub(super) fn check(
    plugin: &str,
    headers: &[(String, SecretString)],
    body_sets_its_type: bool,
) -> Result<HeaderMap, EgressError> {
    let bytes: usize =
        headers.iter().map(|(name, value)| name.len() + value.expose_secret().len()).sum();
    if headers.len() > MOST_HEADERS || bytes > MOST_BYTES {
        return Err(denied(format!("{plugin} may set {MOST_HEADERS} headers of 32 KiB together")));
    }
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let known = allowed_name(name)
            .filter(|known| !(body_sets_its_type && known == "content-type"))
            .ok_or_else(|| {
                denied(format!("{plugin} may not set the header \"{}\"", shown(name)))
            })?;
        let value = sensitive(value).ok_or_else(|| {
            denied(format!("{plugin} may not set the header \"{known}\" to a value that is not one line of visible ASCII"))
        })?;
        map.append(known, value);
    }
    Ok(map)
}

fn denied(message: String) -> EgressError {
    EgressError::denied("egress.header_denied", message)
}

fn allowed_name(name: &str) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let text = name.as_str();
    let denied =
        DENIED.contains(&text) || DENIED_PREFIXES.iter().any(|prefix| text.starts_with(prefix));
    (!denied).then_some(name)
}

/// Sensitive values are left out of `Debug` and of HPACK's table, where a later answer could probe
/// for them. Other letters than ASCII have no agreed meaning in a header.
fn sensitive(value: &SecretString) -> Option<HeaderValue> {
    let text = Some(value.expose_secret()).filter(|text| text.is_ascii())?;
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A name may be anything; the message shows a short visible part of it.
fn shown(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(name: &str, value: &str) -> Result<HeaderMap, EgressError> {
        check("eskiz", &[(name.to_owned(), value.into())], false)
    }

    #[test]
    fn headers_that_frame_or_route_are_denied_in_any_spelling() {
        let names =
            DENIED.iter().chain(&["proxy-authorization", "Proxy-Connection", "x-forwarded-for"]);
        for name in names {
            let upper = name.to_ascii_uppercase();
            for name in [*name, upper.as_str()] {
                let error = check_one(name, "x").unwrap_err();
                assert_eq!(error.code(), "egress.header_denied");
                assert_eq!(error.to_string(), format!("eskiz may not set the header \"{name}\""));
            }
        }
    }

    #[test]
    fn ordinary_headers_pass_and_may_repeat() {
        for name in ["Authorization", "Cookie", "Accept", "X-Api-Key", "User-Agent", "Content-Type"]
        {
            assert!(check_one(name, "a b\tc").is_ok(), "{name}");
        }
        let twice = [("x-a".to_owned(), "1".into()), ("X-A".to_owned(), "2".into())];
        assert_eq!(check("eskiz", &twice, false).unwrap().get_all("x-a").iter().count(), 2);
    }

    #[test]
    fn no_line_can_be_broken() {
        for bad in ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "a\u{7f}b", "é"] {
            let error = check_one("x-a", bad).unwrap_err();
            assert_eq!(error.code(), "egress.header_denied", "{bad:?}");
            assert!(!error.to_string().contains(bad), "the value is not repeated");
            assert_eq!(check_one(bad, "x").unwrap_err().code(), "egress.header_denied", "{bad:?}");
        }
        for name in ["", " ", "a b", "a:", "host ", " host", "ho\tst"] {
            assert!(check_one(name, "x").is_err(), "{name:?}");
        }
        let shown = check_one("x\r\ny", "v").unwrap_err().to_string();
        assert_eq!(shown, "eskiz may not set the header \"x\\r\\ny\"");
    }

    #[test]
    fn a_body_with_its_own_type_keeps_it() {
        let own = [("Content-Type".to_owned(), "text/plain".into())];
        assert!(check("eskiz", &own, true).is_err());
        assert!(check("eskiz", &own, false).is_ok());
    }

    #[test]
    fn there_are_at_most_64_headers_of_32_kib() {
        let many = |count| vec![("x-a".to_owned(), SecretString::from("1")); count];
        assert!(check("eskiz", &many(64), false).is_ok());
        assert!(check("eskiz", &many(65), false).is_err());
        assert!(check_one("x-a", &"a".repeat(MOST_BYTES)).is_err());
    }

    #[test]
    fn values_do_not_print() {
        let map = check_one("authorization", "Bearer t0ken").unwrap();
        assert!(!format!("{map:?}").contains("t0ken"));
    }
}
