//! A request that policy let through, in the form the client sends. Making one is the check, so
//! nothing unchecked can be sent. It does not know how the answer is read.

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::egress::error::EgressError;
use crate::egress::headers;
use crate::egress::policy::Policy;
use crate::egress::request::{Body, Method, Payload, Request};
use crate::egress::target::{LONGEST_URL, Oddity, Target};
use crate::model::code;

/// The longest body a plugin may send.
pub(super) const LONGEST_BODY: usize = 256 * 1024;

pub(super) struct Outgoing {
    method: Method,
    url: Url,
    headers: HeaderMap,
    payload: Payload,
    /// For messages and the log.
    pub(super) host: String,
    /// The path as the access pattern has it, for the log.
    pub(super) route: String,
    /// Whether it does no harm if it arrives twice.
    pub(super) repeatable: bool,
}

impl Outgoing {
    pub(super) fn check(policy: &Policy, request: Request) -> Result<Self, EgressError> {
        let Request { method, url, query, headers, body, carries, repeatable } = request;
        let target = Target::parse(&url).map_err(|oddity| policy.odd_url(&oddity))?;
        let route = policy.judge(method, &target, &carries)?.route();
        let sets_its_type = matches!(body, Body::Form(_) | Body::Multipart(_));
        let headers = headers::check(&policy.plugin, &headers, sets_its_type)?;
        let payload = check_body(policy, &body)?;
        let url = with_query(policy, target.url, &query)?;
        Ok(Self { method, url, headers, payload, host: target.host, route, repeatable })
    }

    pub(super) fn into_builder(self, client: &Client) -> RequestBuilder {
        let builder = client.request(self.method.into(), self.url);
        let builder = match self.payload {
            // Without a length, some servers wait for a body or answer 411.
            Payload::Empty if self.method.usually_has_body() => builder.header(CONTENT_LENGTH, 0),
            Payload::Empty => builder,
            Payload::Text { content_type, text } => {
                builder.header(CONTENT_TYPE, content_type).body(text)
            }
            Payload::Parts(form) => builder.multipart(form),
        };
        // Last, because it replaces: a plugin may send JSON under a type of its own.
        builder.headers(self.headers)
    }
}

fn check_body(policy: &Policy, body: &Body) -> Result<Payload, EgressError> {
    let (payload, size) = body.encode();
    if size <= LONGEST_BODY {
        return Ok(payload);
    }
    let message = format!(
        "{} sent a body of {} KiB; the limit is {} KiB",
        policy.plugin,
        size.div_ceil(1024),
        LONGEST_BODY / 1024
    );
    Err(EgressError::denied(code::Egress::BodyTooLarge, message))
}

fn with_query(
    policy: &Policy,
    mut url: Url,
    query: &[(String, SecretString)],
) -> Result<Url, EgressError> {
    if query.is_empty() {
        return Ok(url);
    }
    let pairs = query.iter().map(|(name, value)| (name, value.expose_secret()));
    url.query_pairs_mut().extend_pairs(pairs);
    if url.as_str().len() > LONGEST_URL {
        return Err(policy.odd_url(&Oddity::Form("longer than 16 KiB")));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Pattern;

    fn policy() -> Policy {
        Policy {
            plugin: "eskiz".into(),
            provider: "eskiz".into(),
            patterns: vec![Pattern::expand("POST https://good.example/t", &|_| None).unwrap()],
            networks: Vec::new(),
            plaintext: false,
        }
    }

    fn post(query: &[(&str, &str)], body: Body) -> Request {
        let query =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let url = "https://good.example/t?a=1".into();
        let carries = std::collections::BTreeSet::new();
        let (headers, repeatable) = (Vec::new(), false);
        Request { method: Method::Post, url, query, headers, body, carries, repeatable }
    }

    #[test]
    fn query_pairs_are_encoded_and_added() {
        let outgoing = Outgoing::check(&policy(), post(&[("b&", "#/?")], Body::Empty));
        let outgoing = outgoing.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(outgoing.url.as_str(), "https://good.example/t?a=1&b%26=%23%2F%3F");
        assert_eq!((outgoing.host.as_str(), outgoing.route.as_str()), ("good.example", "/t"));
    }

    #[test]
    fn large_requests_are_refused_with_their_size() {
        let long = "a".repeat(300 * 1024);
        let fields = || vec![("f".to_owned(), SecretString::from(long.clone()))];
        for body in
            [Body::Json(long.clone().into()), Body::Form(fields()), Body::Multipart(fields())]
        {
            let error = Outgoing::check(&policy(), post(&[], body)).err().unwrap();
            assert_eq!(error.code().text(), "egress.body_too_large");
            assert!(error.to_string().starts_with("eskiz sent a body of 30"), "{error}");
            assert!(error.to_string().ends_with(" KiB; the limit is 256 KiB"), "{error}");
        }
        let error = Outgoing::check(&policy(), post(&[("q", &long)], Body::Empty)).err().unwrap();
        assert_eq!(error.to_string(), "eskiz asked for a URL longer than 16 KiB; refused");
    }
}
