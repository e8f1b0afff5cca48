//! Which headers a plugin may set. Those that frame the message, choose the route or speak for a
//! proxy belong to the door; smuggling begins with two opinions about them. So do those that some
//! servers believe over the method, path or host of the request, which are what access is judged by.
//! It does not know what the allowed ones mean.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::egress::error::EgressError;
use crate::model::code;

/// How many headers a plugin may set.
const MOST_HEADERS: usize = 64;
/// How long they may be together. Servers commonly stop at 8 to 32 KiB.
pub(super) const MOST_BYTES: usize = 32 * 1024;

/// Set only by the host, or not at all, in the spelling of [`folded`]. `accept-encoding` is here because the
/// door decodes, and knows only two encodings.
#[rustfmt::skip]
const OF_THE_WAY: &[&str] = &[
    // They frame the message or belong to one hop.
    "host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade",
    "keep-alive", "expect", "http2-settings", "max-forwards", "accept-encoding", "alt-used",
    // For the one who asks: nginx, Akamai, Cloudflare, Fastly, Fly, WebLogic, App Engine.
    "x-client-ip", "client-ip", "real-ip", "true-client-ip", "x-true-client-ip", "x-client-cert",
    "cf-connecting-ip", "cf-connecting-ipv6", "cf-connecting-o2o", "cf-pseudo-ipv4", "cf-visitor",
    "fastly-client-ip", "fly-client-ip", "wl-proxy-client-ip", "wl-proxy-ssl", "x-cluster-client-ip",
    "x-originating-ip", "x-source-ip", "x-proxyuser-ip", "x-azure-clientip", "x-azure-socketip",
    "x-custom-ip-authorization", "x-coming-from", "x-user-ip", "client-cert", "client-cert-chain",
    // What a proxy says of itself, or of the way: also `Proxy`, which CGI hands on as HTTP_PROXY.
    "via", "x-via", "proxy", "x-proxy-url", "cdn-loop", "front-end-https", "x-scheme", "x-url-scheme",
    "surrogate-capability", "x-sendfile-type", "x-script-name",
];

/// The same for every name that begins so.
#[rustfmt::skip]
const OF_THE_WAY_PREFIXES: &[&str] = &[
    "proxy-", "forwarded", "x-forward", "x-real-", "x-remote-", "remote-", "ssl-client-", "x-ssl-",
    "x-envoy-", "x-appengine-", "x-accel-", "x-middleware-",
];

/// Some servers believe these over what the request itself says.
#[rustfmt::skip]
const OVERRIDING: &[&str] = &[
    // Frameworks take them for the method: Rack, Express, Slim, ASP.NET, Symfony.
    "x-method", "x-method-override", "http-method-override", "method-override",
    // For the address: Symfony and Zend behind IIS, WebDAV, old gateways.
    "x-override-url", "base-url", "http-url", "request-uri", "uri", "url", "destination",
    // For the host.
    "x-host", "x-host-override", "x-server-name", "host-override",
];

/// The same for every name that begins so.
const OVERRIDING_PREFIXES: &[&str] = &["x-http-", "x-original-", "x-rewrite-"];

/// What kind of header it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It says something to the server, whose own it is.
    Plain,
    /// It frames the message, or speaks of the way that it came.
    OfTheWay,
    /// Some servers believe it over the method, path or host of the request.
    Overriding,
}

/// What kind of header `name` is, in whatever spelling.
pub fn meaning(name: &HeaderName) -> Meaning {
    let text = folded(name.as_str());
    let is = |names: &[&str], prefixes: &[&str]| {
        names.contains(&text.as_str()) || prefixes.iter().any(|it| text.starts_with(it))
    };
    match () {
        () if is(OVERRIDING, OVERRIDING_PREFIXES) => Meaning::Overriding,
        () if is(OF_THE_WAY, OF_THE_WAY_PREFIXES) => Meaning::OfTheWay,
        () => Meaning::Plain,
    }
}

/// The headers as HTTP wants them, or the first that may not be set.
pub(super) fn check(
    plugin: &str,
    headers: &[(String, SecretString)],
    body_sets_its_type: bool,
) -> Result<HeaderMap, EgressError> {
    let bytes: usize =
        headers.iter().map(|(name, value)| name.len() + value.expose_secret().len()).sum();
    if headers.len() > MOST_HEADERS || bytes > MOST_BYTES {
        return Err(denied(format!(
            "{plugin} may set at most {MOST_HEADERS} headers, 32 KiB in total"
        )));
    }
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let known = allowed_name(name)
            .filter(|it| !(body_sets_its_type && folded(it.as_str()) == "content-type"))
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
    EgressError::denied(code::Egress::HeaderDenied, message)
}

fn allowed_name(name: &str) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    (meaning(&name) == Meaning::Plain).then_some(name)
}

/// As servers fold it that hand headers on as variables: CGI makes `_` of `-`, and PHP of a dot too, so
/// that `X_Forwarded.For` arrives as what it looks like.
pub fn folded(name: &str) -> String {
    let fold = |it: char| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '-' };
    name.chars().map(fold).collect()
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

    /// In capitals, as a variable, and as PHP folds it.
    fn spellings(name: &str) -> [String; 4] {
        let capitals = name.to_ascii_uppercase();
        [name.to_owned(), capitals.replace('-', "_"), name.replace('-', "."), capitals]
    }

    #[test]
    fn headers_that_frame_or_route_are_denied_in_any_spelling() {
        let listed = OF_THE_WAY.iter().chain(OVERRIDING);
        let names = listed.chain(&["proxy-authorization", "Proxy-Connection"]);
        for name in names.flat_map(|it| spellings(it)) {
            let error = check_one(&name, "x").unwrap_err();
            assert_eq!(error.code().text(), "egress.header_denied");
            assert_eq!(error.to_string(), format!("eskiz may not set the header \"{name}\""));
        }
    }

    #[test]
    fn headers_that_frameworks_and_proxies_believe_are_denied_in_any_spelling() {
        for name in [
            "X-HTTP-Method-Override",
            "X-HTTP-Method",
            "X-Method-Override",
            "X-Original-Method",
            "X-Original-URL",
            "X-Original-URI",
            "X-Original-Host",
            "X-Original-Forwarded-For",
            "X-Rewrite-URL",
            "X-Host",
            "X-HTTP-Host-Override",
            "X-HTTP-DestinationURL",
            "X-Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Prefix",
            "X-Forward-For",
            "X-Forwarder-For",
            "Forwarded",
            "Forwarded-For-IP",
            "X-Real-IP",
            "X-Client-IP",
            "X-Remote-Addr",
            "Remote-User",
            "True-Client-IP",
            "CF-Connecting-IP",
            "Fastly-Client-IP",
            "X-Cluster-Client-IP",
            "X-AppEngine-User-IP",
            "X-Envoy-Original-Path",
            "X-SSL-Client-Verify",
            "X-Middleware-Subrequest",
            "X-Accel-Mapping",
            "Proxy",
        ] {
            for name in spellings(name) {
                let error = check_one(&name, "x").unwrap_err();
                assert_eq!(error.code().text(), "egress.header_denied", "{name}");
            }
        }
    }

    #[test]
    fn ordinary_headers_pass_and_may_repeat() {
        for name in [
            "Authorization",
            "Cookie",
            "Accept",
            "X-Api-Key",
            "User-Agent",
            "Content-Type",
            "X-Requested-With",
            "X-Request-Id",
            "X-User-Id",
            "CF-Access-Client-Id",
            "Origin",
        ] {
            assert!(check_one(name, "a b\tc").is_ok(), "{name}");
        }
        let twice = [("x-a".to_owned(), "1".into()), ("X-A".to_owned(), "2".into())];
        assert_eq!(check("eskiz", &twice, false).unwrap().get_all("x-a").iter().count(), 2);
    }

    #[test]
    fn no_line_can_be_broken() {
        for bad in ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "a\u{7f}b", "é"] {
            let error = check_one("x-a", bad).unwrap_err();
            assert_eq!(error.code().text(), "egress.header_denied", "{bad:?}");
            assert!(!error.to_string().contains(bad), "the value is not repeated");
            assert_eq!(
                check_one(bad, "x").unwrap_err().code().text(),
                "egress.header_denied",
                "{bad:?}"
            );
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
        let folded = [("content_type".to_owned(), "text/plain".into())];
        assert!(check("eskiz", &folded, true).is_err());
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
