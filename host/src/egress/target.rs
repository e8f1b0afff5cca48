//! A URL that means to us what it means to the server. Browsers repair odd URLs; we refuse them,
//! because each repair is a chance for a check and a connection to disagree. It does not know who
//! may go there.

use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// A parsed URL whose text was already in normal form.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) url: Url,
    /// Lower case; an IPv6 address has its brackets.
    pub(super) host: String,
    /// Explicit, or the scheme's own.
    pub(super) port: u16,
    /// The host as an address, if it is one.
    pub(super) address: Option<std::net::IpAddr>,
}

/// Why a text is no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Oddity {
    /// A scheme that is neither http nor https.
    Scheme(String),
    /// Something a parser would have to repair; the words finish `a URL ...`.
    Form(&'static str),
}

/// The longest URL, with its query.
pub(super) const LONGEST_URL: usize = 16 * 1024;

impl Target {
    pub(super) fn parse(text: &str) -> Result<Self, Oddity> {
        check_characters(text)?;
        let (scheme, rest) = split_scheme(text)?;
        let url = Url::parse(text).map_err(|_| Oddity::Form("that cannot be parsed"))?;
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path_and_query) = rest.split_at(authority_end);
        let target = Self::of(url)?;
        target.check_authority(authority)?;
        target.check_path(path_and_query)?;
        debug_assert_eq!(target.url.scheme(), scheme);
        Ok(target)
    }

    /// `rest` behind `base`, which is in normal form. Behind a whole origin, a path may hold encoded separators:
    /// names of objects and projects have slashes, and there is no part to break out of.
    pub(super) fn behind(base: &str, rest: &str) -> Result<Self, Oddity> {
        let (origin, text) = (Self::parse(base)?, format!("{base}{rest}"));
        if origin.url.path() != "/" || !base.ends_with('/') {
            return Self::parse(&text);
        }
        check_characters(&text)?;
        let url = Url::parse(&text).map_err(|_| Oddity::Form("that cannot be parsed"))?;
        let written = rest.split('?').next().unwrap_or_default();
        let is_as_written = url.path().strip_prefix('/') == Some(written);
        if !is_as_written || !has_whole_escapes(written) || climbs(written) {
            return Err(Oddity::Form("with dot segments or odd escapes in its path"));
        }
        Ok(Self { url, ..origin })
    }

    pub(super) fn is_plaintext(&self) -> bool {
        self.url.scheme() == "http"
    }

    fn of(url: Url) -> Result<Self, Oddity> {
        let address = match url.host() {
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(v4)) => Some(v4.into()),
            Some(Host::Ipv6(v6)) => Some(v6.into()),
            None => return Err(Oddity::Form("without a host")),
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or_default();
        Ok(Self { url, host, port, address })
    }

    /// The host and port must be written as the parser understands them: that refuses `0x7f.1`,
    /// `127.1`, percent signs and everything else that is repaired silently.
    fn check_authority(&self, written: &str) -> Result<(), Oddity> {
        let written = written.to_ascii_lowercase();
        if written.contains('@') {
            return Err(Oddity::Form("with a user name or password"));
        }
        if self.host.ends_with('.') {
            return Err(Oddity::Form("whose host ends in a dot"));
        }
        if self.address.is_none() && !is_name(&self.host) {
            return Err(Oddity::Form("whose host is not a name"));
        }
        if written == self.host || written == format!("{}:{}", self.host, self.port) {
            return Ok(());
        }
        Err(Oddity::Form("whose host or port is not written in its normal form"))
    }

    /// The path must stay as it is when parsed, and have no second reading behind an encoding.
    fn check_path(&self, written: &str) -> Result<(), Oddity> {
        let path = written.split('?').next().unwrap_or_default();
        if hides_structure(path) {
            return Err(Oddity::Form("with dot segments or encoded separators in its path"));
        }
        if path != self.url.path() && !(path.is_empty() && self.url.path() == "/") {
            return Err(Oddity::Form("whose path is not correctly percent-encoded"));
        }
        Ok(())
    }
}

/// Narrower than what a URL allows: a name server and a certificate know no more than this.
fn is_name(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        })
}

fn check_characters(text: &str) -> Result<(), Oddity> {
    if text.len() > LONGEST_URL {
        return Err(Oddity::Form("longer than 16 KiB"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Oddity::Form("with a character other than visible ASCII"));
    }
    if text.contains('\\') {
        return Err(Oddity::Form("with a backslash"));
    }
    if text.contains('#') {
        return Err(Oddity::Form("with a fragment"));
    }
    Ok(())
}

fn split_scheme(text: &str) -> Result<(String, &str), Oddity> {
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(Oddity::Form("without a scheme"));
    };
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "https" && scheme != "http" {
        let is_name =
            scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        return Err(if is_name && scheme.len() <= 16 {
            Oddity::Scheme(scheme)
        } else {
            Oddity::Form("without a scheme")
        });
    }
    let rest = rest.strip_prefix("//").ok_or(Oddity::Form("without // after the scheme"))?;
    Ok((scheme, rest))
}

/// Whether a server that decodes once more than we do, or that strips `;parameters`, could see
/// another structure in this path.
fn hides_structure(path: &str) -> bool {
    let mut plain = path.to_ascii_lowercase();
    while plain.contains("%25") {
        plain = plain.replace("%25", "%");
    }
    let encoded = ["%2f", "%5c", "%2e", "%00", "%3b"].iter().any(|hidden| plain.contains(hidden));
    let dotted = plain
        .split('/')
        .any(|segment| matches!(segment.split(';').next().unwrap_or_default(), "." | ".."));
    encoded || dotted || !has_whole_escapes(&plain)
}

/// A path as the most lenient of servers reads it: decoded, in small letters, without empty segments and
/// without what stands behind a semicolon.
pub(super) fn plainest(path: &str) -> String {
    let path = decoded(path);
    segments(&path).filter(|it| !matches!(*it, "" | ".")).collect::<Vec<_>>().join("/")
}

/// Whether such a server finds a segment that leads elsewhere.
fn climbs(path: &str) -> bool {
    segments(&decoded(path)).any(|it| matches!(it, "." | ".."))
}

/// In small letters, without any escape.
fn decoded(path: &str) -> String {
    let mut path = path.to_ascii_lowercase();
    loop {
        let decoded = percent_decode_str(&path).decode_utf8_lossy().to_ascii_lowercase();
        if decoded == path {
            return path;
        }
        path = decoded;
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split(['/', '\\']).map(|it| it.split(';').next().unwrap_or_default())
}

fn has_whole_escapes(path: &str) -> bool {
    path.split('%')
        .skip(1)
        .all(|after| after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_urls_are_taken_as_they_are() {
        for (text, host, port) in [
            ("https://good.example", "good.example", 443),
            ("https://good.example/", "good.example", 443),
            ("HTTPS://Good.Example:443/a/b?c=%2f..#".trim_end_matches('#'), "good.example", 443),
            ("https://good.example:8443/a%20b/~c;v=1/", "good.example", 8443),
            ("http://127.0.0.1:9002/x", "127.0.0.1", 9002),
            ("http://[::1]:9002/x", "[::1]", 9002),
            ("https://xn--e1afmkfd.example/...", "xn--e1afmkfd.example", 443),
            ("https://good.example?a=1", "good.example", 443),
            ("https://good.example/a:b@c/d,e", "good.example", 443),
        ] {
            let target = Target::parse(text).unwrap_or_else(|odd| panic!("{text}: {odd:?}"));
            assert_eq!((target.host.as_str(), target.port), (host, port), "{text}");
        }
    }

    #[test]
    fn schemes_other_than_http_are_named() {
        for scheme in ["file", "gopher", "ftp", "ws", "data", "javascript", "unix", "h2c"] {
            let text = format!("{scheme}://good.example/");
            assert_eq!(Target::parse(&text).unwrap_err(), Oddity::Scheme(scheme.into()));
        }
    }

    #[test]
    fn odd_forms_are_refused_and_never_repaired() {
        let table = "https://good@evil.example/ https://a:b@good.example/ https://@good.example/ \
            https://good.example@/ https://good.example./ https://good.example./a https:good.example \
            https:/good.example https:///good.example https:\\\\good.example https://good.example\\@evil/ \
            https://0x7f.1/ https://0x7f000001/ https://2130706433/ https://017700000001/ https://127.1/ \
            https://127.0.1/ https://0177.0.0.1/ https://127.0.0.01/ https://%67ood.example/ \
            https://good%2eexample/ https://ｇood.example/ https://good。example/ https://müller.example/ \
            https://good.example:0443/ https://good.example:/ https://good.example:99999/ \
            https://good.example:443:443/ https://[0:0:0:0:0:0:0:1]/ https://[::127.0.0.1]/ \
            https://[fe80::1%25eth0]/ https://good.example/#x https://good.example/a/../b \
            https://good.example/./a https://good.example/a/.. https://good.example/%2e%2e/b \
            https://good.example/%2E/b https://good.example/a%2fb https://good.example/a%2Fb \
            https://good.example/a%5cb https://good.example/a%252fb https://good.example/a%25252e \
            https://good.example/a/..;/b https://good.example/.;x/b https://good.example/%00 \
            https://good.example/%zz https://good.example/% https://good.example/a\"b \
            https://good.example/a<b https://good.example/é https:// https://: // good.example \
            /path https://?a https://a..b\\ https://good\u{ad}.example/ https://good.example/\u{202e}";
        for text in table.split_whitespace() {
            assert!(matches!(Target::parse(text), Err(Oddity::Form(_))), "{text}");
        }
        for text in ["https://good.exa\tmple/", " https://good.example/", "https://good.example/\n"]
        {
            assert!(matches!(Target::parse(text), Err(Oddity::Form(_))), "{text:?}");
        }
    }

    #[test]
    fn no_byte_can_be_slipped_into_a_host() {
        for byte in 0..=255_u8 {
            let text = format!("https://good{}example/", char::from(byte));
            if let Ok(target) = Target::parse(&text) {
                assert!(byte.is_ascii_alphanumeric() || b"-._/?".contains(&byte), "{text}");
                assert!(text.to_ascii_lowercase().starts_with(&format!("https://{}", target.host)));
            }
        }
    }

    #[test]
    fn a_url_has_a_longest_length() {
        let text = format!("https://good.example/{}", "a".repeat(LONGEST_URL));
        assert_eq!(Target::parse(&text).unwrap_err(), Oddity::Form("longer than 16 KiB"));
    }
}
