//! Which headers pass, there and back. What belongs to one hop stays there; what speaks of the caller, or could
//! make the caller's browser or the provider believe something else, is taken out or refused. Pure.

use reqwest::header::{CONNECTION, HeaderMap, HeaderName, UPGRADE};

use crate::egress::{EgressError, Meaning, folded, meaning};
use crate::model::code;

/// Of the caller and of ours: the key, cookies of no account, traces, wishes to the proxy.
const NOT_SENT: [&str; 6] =
    ["authorization", "cookie", "cookie2", "traceparent", "tracestate", "baggage"];

/// A session at the provider is as good as a token; the rest would be taken for ours.
const NOT_RETURNED: [&str; 5] =
    ["set-cookie", "set-cookie2", "alt-svc", "strict-transport-security", "clear-site-data"];

/// Whether the caller wants another protocol than HTTP from here on.
pub(super) fn wants_websocket(headers: &HeaderMap) -> bool {
    let all = headers.get_all(UPGRADE).iter().filter_map(|it| it.to_str().ok());
    all.flat_map(|it| it.split(',')).any(|it| it.trim().eq_ignore_ascii_case("websocket"))
}

/// What goes on to the provider, or the header that must not. `place` is the one that the token gets.
pub(super) fn there(headers: &HeaderMap, place: Option<&str>) -> Result<HeaderMap, EgressError> {
    let of_hop = named_by_connection(headers);
    let place = place.map(folded);
    let mut passed = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        match meaning(name) {
            Meaning::Overriding => return Err(overriding(name)),
            Meaning::OfTheWay => continue,
            Meaning::Plain => {}
        }
        let text = folded(name.as_str());
        let is_ours = text.starts_with("keepfresh-") || place.as_ref() == Some(&text);
        if !is_ours && !NOT_SENT.contains(&name.as_str()) && !of_hop.contains(name) {
            passed.append(name.clone(), value.clone());
        }
    }
    Ok(passed)
}

/// What comes back to the caller.
pub(super) fn back(headers: &HeaderMap) -> HeaderMap {
    let of_hop = named_by_connection(headers);
    let mut passed = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let stays = is_of_hop(name)
            || of_hop.contains(name)
            || NOT_RETURNED.contains(&name.as_str())
            || name.as_str().starts_with("access-control-")
            || name.as_str().starts_with("keepfresh-");
        if !stays {
            passed.append(name.clone(), value.clone());
        }
    }
    passed
}

/// Of RFC 9110, 7.6.1, and what came before it.
fn is_of_hop(name: &HeaderName) -> bool {
    let name = name.as_str();
    let listed = [
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
    ];
    listed.contains(&name) || name.starts_with("proxy-")
}

/// Headers that `Connection` names are for one hop. It cannot name away what the message is framed by.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let all = headers.get_all(CONNECTION).iter().filter_map(|it| it.to_str().ok());
    let names = all.flat_map(|it| it.split(',')).filter_map(|it| it.trim().parse().ok());
    names.filter(|it: &HeaderName| it != "content-length" && it != "content-type").collect()
}

fn overriding(name: &HeaderName) -> EgressError {
    let message = format!(
        "the proxy does not pass on `{name}`: some servers take it for the method, path or host of the request"
    );
    EgressError::denied(code::Egress::HeaderDenied, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let parsed = lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        parsed.collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn what_belongs_to_the_caller_or_to_one_hop_is_not_sent() {
        let asked = headers(&[
            ("accept", "application/json"),
            ("authorization", "Bearer kf_key"),
            ("cookie", "a=b"),
            ("connection", "close, X-Hop, content-type"),
            ("x-hop", "1"),
            ("content-type", "text/plain"),
            ("transfer-encoding", "chunked"),
            ("te", "trailers"),
            ("expect", "100-continue"),
            ("proxy-authorization", "Basic YTpi"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x_forwarded_for", "10.0.0.1"),
            ("accept-encoding", "br"),
            ("traceparent", "00-1-2-01"),
            ("keepfresh-to", "https://a.example/"),
            ("x-api-key", "mine"),
            ("x_api_key", "mine"),
            ("idempotency-key", "7"),
        ]);
        let passed = there(&asked, Some("X-Api-Key")).unwrap();
        assert_eq!(names(&passed), ["accept", "content-type", "idempotency-key"]);
    }

    #[test]
    fn what_some_servers_take_for_method_or_path_is_refused_by_name() {
        for name in ["x-http-method-override", "X-Original-URL", "x_rewrite_url", "x-host"] {
            let error = there(&headers(&[(name, "x")]), None).unwrap_err();
            assert_eq!(error.code().text(), "egress.header_denied", "{name}");
            assert!(error.to_string().contains(&name.to_lowercase()), "{error}");
        }
    }

    #[test]
    fn what_would_be_taken_for_ours_does_not_come_back() {
        let answered = headers(&[
            ("content-type", "text/html"),
            ("set-cookie", "session=1"),
            ("connection", "keep-alive, x-hop"),
            ("keep-alive", "timeout=5"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("proxy-authenticate", "Basic"),
            ("strict-transport-security", "max-age=1"),
            ("alt-svc", "h3"),
            ("access-control-allow-origin", "*"),
            ("etag", "\"1\""),
            ("location", "https://elsewhere.example/"),
        ]);
        assert_eq!(names(&back(&answered)), ["content-type", "etag", "location"]);
    }

    #[test]
    fn websocket_is_recognised_and_other_upgrades_are_passed_over() {
        assert!(wants_websocket(&headers(&[("upgrade", "h2c, WebSocket")])));
        assert!(!wants_websocket(&headers(&[("upgrade", "h2c")])));
    }
}
