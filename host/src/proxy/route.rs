//! A request of a program, read: below which address of the manifest it goes, what it may take along, and how it
//! is sent with a token. What is wrong with it is refused before anything is sent.

use std::sync::Arc;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};

use crate::catalogue::Plugin;
use crate::egress::{EgressError, Passed, Passing, Policy, Upload, Way};
use crate::manifest::proxy::{Place, Proxy};
use crate::model::code::{self, Code};
use crate::model::id::ConnectionId;
use crate::proxy::{Asked, Refusal, headers, placing};
use crate::refresher::Served;

/// The header by which a program names an address, where the manifest has several.
pub const TO: &str = "keepfresh-to";

/// Where a request goes, and may go.
pub(super) struct Route {
    plugin: Arc<Plugin>,
    way: Way,
    headers: HeaderMap,
    length: Option<u64>,
}

impl Route {
    /// The route of what is `asked` for, and what is sent along it.
    pub(super) fn of(
        plugin: Arc<Plugin>,
        id: &ConnectionId,
        asked: Asked,
    ) -> Result<(Self, Upload), Refusal> {
        let Asked { method, path, query, headers, length, body } = asked;
        let on = plugin.provider().proxy.as_ref().zip(plugin.proxied());
        let (proxy, policy) = on.ok_or_else(|| off(id))?;
        if headers::wants_websocket(&headers) {
            let message = "WebSocket cannot be passed on; get the token and connect directly";
            return Err(Refusal::denied(code::Proxy::Upgrade, message));
        }
        let base = base(proxy, id, &headers)?;
        let rest = rest(proxy, &base, &path, query.as_deref())?;
        let mut headers = headers::there(&headers, placing::header_of(&proxy.place))?;
        // What is compressed cannot be looked through for the token.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let way = Way::judged(policy, plugin.policy_of(id.name()), method, &base, &rest);
        let way = way.map_err(|it| with_remedy(it, policy))?;
        Ok((Self { plugin, way, headers, length }, body))
    }

    /// Whether it is sent while there is no token.
    pub(super) fn goes_without(&self) -> bool {
        self.proxy().is_some_and(|it| it.goes_without)
    }

    /// Sends it with `token`.
    pub(super) async fn send(
        &self,
        token: Option<&Served>,
        body: Upload,
    ) -> Result<Passed, EgressError> {
        let (Some(proxy), Some(policy)) = (self.proxy(), self.plugin.proxied()) else {
            return Err(EgressError::denied(code::Proxy::Off, "the provider has no proxy"));
        };
        let (mut way, mut headers) = (self.way.clone(), self.headers.clone());
        if let Some(token) = token {
            placing::put(&proxy.place, token, &mut headers, &mut way);
        }
        let passing = Passing { way, headers, length: self.length, body };
        self.plugin.gate().pass(policy, passing).await
    }

    fn proxy(&self) -> Option<&Proxy> {
        self.plugin.provider().proxy.as_ref()
    }
}

fn off(id: &ConnectionId) -> Refusal {
    let provider = id.provider();
    let message = format!(
        "nothing may be sent to {provider} through Keepfresh; add to [providers.{provider}]: proxy = {{ to = [\"https://...\"] }}"
    );
    Refusal::denied(code::Proxy::Off, message)
}

/// The address of the manifest that is meant.
fn base(proxy: &Proxy, id: &ConnectionId, headers: &HeaderMap) -> Result<String, Refusal> {
    let Some(wanted) = headers.get(TO) else {
        return proxy.to.first().cloned().ok_or_else(|| off(id));
    };
    let wanted = wanted.to_str().unwrap_or_default();
    let is_meant = |it: &&String| *it == wanted || it.strip_suffix('/') == Some(wanted);
    proxy.to.iter().find(is_meant).cloned().ok_or_else(|| {
        let all = proxy.to.join(", ");
        let message = format!(
            "`Keepfresh-To` is none of the addresses of {} (allowed: {all})",
            id.provider()
        );
        Refusal::denied(code::Proxy::ToDenied, message)
    })
}

/// What follows the address: the path without the slash that `base` has, and the query.
fn rest(proxy: &Proxy, base: &str, path: &str, query: Option<&str>) -> Result<String, Refusal> {
    let below = path.strip_prefix('/').unwrap_or(path);
    let is_all = base.ends_with('/') || below.is_empty();
    let mut rest = if is_all { below.to_owned() } else { format!("/{below}") };
    let Some(query) = query else { return Ok(rest) };
    if let Place::Query(name) = &proxy.place {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        if pairs.any(|(it, _)| it.eq_ignore_ascii_case(name)) {
            let message = format!("the query has `{name}`, which the proxy puts the token into");
            return Err(Refusal::denied(code::Proxy::Parameter, message));
        }
    }
    rest.push('?');
    rest.push_str(query);
    Ok(rest)
}

/// What would allow it, where the manifest can.
fn with_remedy(error: EgressError, policy: &Policy) -> EgressError {
    let key = match (&error, error.code()) {
        (EgressError::Denied { .. }, Code::Egress(code::Egress::MethodDenied)) => "methods",
        (EgressError::Denied { .. }, Code::Egress(code::Egress::PathDenied)) => "to",
        _ => return error,
    };
    let message =
        format!("{error}; to allow it, change `{key}` in [providers.{}.proxy]", policy.provider);
    EgressError::denied(error.code(), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Method;

    fn proxy(to: &[&str], place: Place) -> Proxy {
        let to = to.iter().map(|&it| it.to_owned()).collect();
        Proxy { to, methods: vec![Method::Get], place, goes_without: false }
    }

    #[test]
    fn a_path_stands_behind_the_address_of_the_manifest() {
        let proxy = proxy(&["https://a.example/v1/"], Place::Authorization);
        for (path, query, wanted) in [
            ("", None, ""),
            ("/", None, ""),
            ("/users", Some("page=2"), "users?page=2"),
            ("//evil.example/x", None, "/evil.example/x"),
            ("/a%2Fb", Some(""), "a%2Fb?"),
        ] {
            assert_eq!(rest(&proxy, "https://a.example/v1/", path, query).unwrap(), wanted);
        }
        assert_eq!(rest(&proxy, "https://a.example/send", "/", None).unwrap(), "");
        assert_eq!(rest(&proxy, "https://a.example/send", "/x", None).unwrap(), "/x");
    }

    #[test]
    fn an_address_is_named_as_in_the_manifest_or_refused() {
        let proxy = proxy(&["https://a.example/", "https://b.example/v1/"], Place::Authorization);
        let id = "x/a".parse().unwrap();
        let named = |to: &'static str| {
            base(&proxy, &id, &HeaderMap::from_iter([(TO.parse().unwrap(), to.parse().unwrap())]))
        };
        assert_eq!(base(&proxy, &id, &HeaderMap::new()).unwrap(), "https://a.example/");
        assert_eq!(named("https://b.example/v1").unwrap(), "https://b.example/v1/");
        for other in ["https://evil.example/", "https://b.example/", "b.example", ""] {
            assert!(
                matches!(named(other), Err(Refusal::Denied(_, it)) if it.contains("b.example/v1/"))
            );
        }
    }

    #[test]
    fn the_parameter_of_the_token_is_nobody_elses() {
        let proxy = proxy(&["https://a.example/"], Place::Query("api_key".to_owned()));
        let check = |query: &str| rest(&proxy, "https://a.example/", "/x", Some(query));
        assert!(check("page=1").is_ok());
        for query in ["api_key=mine", "a=1&API_KEY=mine", "api%5Fkey=mine"] {
            assert!(matches!(check(query), Err(Refusal::Denied(..))), "{query}");
        }
    }
}
