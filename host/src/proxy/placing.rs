//! The token, put where the provider looks for it. Pure; the values do not print.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::egress::Way;
use crate::manifest::proxy::Place;
use crate::refresher::Served;

/// All but what RFC 3986 calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The header that holds the token.
pub(super) fn header_of(place: &Place) -> Option<&str> {
    match place {
        Place::Authorization | Place::Basic { .. } => Some("authorization"),
        Place::Header { name, .. } => Some(name),
        Place::Query(_) => None,
    }
}

/// Puts `token` into `headers` or the query of `way`. A token is visible ASCII, so it fits into both.
pub(super) fn put(place: &Place, token: &Served, headers: &mut HeaderMap, way: &mut Way) {
    let secret = token.token.expose_secret();
    match place {
        Place::Authorization => {
            set(headers, AUTHORIZATION, &format!("{} {secret}", token.token_type));
        }
        Place::Basic { before, behind } => {
            let user = Zeroizing::new(format!("{before}{secret}{behind}"));
            set(headers, AUTHORIZATION, &format!("Basic {}", STANDARD.encode(&*user)));
        }
        Place::Header { name, before } => {
            let Ok(name) = name.parse::<HeaderName>() else { return };
            set(headers, name, &format!("{before}{secret}"));
        }
        Place::Query(name) => {
            let (name, secret) =
                (utf8_percent_encode(name, ENCODED), utf8_percent_encode(secret, ENCODED));
            way.ask_with(&Zeroizing::new(format!("{name}={secret}")));
        }
    }
}

/// Sensitive: left out of `Debug`, and of the compression of headers.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::{Method, Pattern, Policy};

    /// The headers, and the query that a request to `rest` has then.
    fn put_into(place: &Place, rest: &str) -> (HeaderMap, String) {
        let token = Served {
            token: "a+b/c".into(),
            token_type: "Bearer".to_owned(),
            expires_at: None,
            generation: 1,
            short: None,
        };
        let policy = |patterns| Policy {
            plugin: "p".into(),
            provider: "p".into(),
            patterns,
            networks: Vec::new(),
            plaintext: false,
        };
        let open = Pattern::expand("GET https://a.example/*", &|_| None).unwrap();
        let way = Way::judged(
            &policy(vec![open]),
            &policy(Vec::new()),
            Method::Get,
            "https://a.example/",
            rest,
        );
        let (mut headers, mut way) = (HeaderMap::new(), way.unwrap());
        put(place, &token, &mut headers, &mut way);
        (headers, way.query().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_token_stands_where_the_manifest_says() {
        let (headers, query) = put_into(&Place::Authorization, "x?y=1");
        assert_eq!((&headers["authorization"], &*query), (&"Bearer a+b/c".parse().unwrap(), "y=1"));
        assert!(!format!("{headers:?}").contains("a+b"), "it does not print");
        let basic = Place::Basic { before: "api:".to_owned(), behind: String::new() };
        assert_eq!(put_into(&basic, "").0["authorization"], "Basic YXBpOmErYi9j");
        let header = Place::Header { name: "x-api-key".to_owned(), before: "Token ".to_owned() };
        assert_eq!(put_into(&header, "").0["x-api-key"], "Token a+b/c");
        let query = Place::Query("api key".to_owned());
        assert_eq!(put_into(&query, "x").1, "api%20key=a%2Bb%2Fc");
        assert_eq!(put_into(&query, "x?y=1").1, "y=1&api%20key=a%2Bb%2Fc");
    }
}
