//! Versions of what is shown: an `ETag` is the digest of the body, so that a caller need not read again what
//! has not changed, and changes nothing that it has not seen.

use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::api::problem::Problem;
use crate::model::code;
use crate::model::token::hex;

/// `body` with its version, or only that it is still the same.
pub(super) fn versioned(headers: &HeaderMap, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let tag = tag_of(&body);
    let known = headers.get(IF_NONE_MATCH).is_some_and(|it| names(it, &tag));
    let mut answer = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    let headers = answer.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\"")));
    // It may be kept, and has to be asked for all the same.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    answer
}

/// Fails if the caller has seen another version of `shown`.
pub(super) fn unchanged(headers: &HeaderMap, shown: &impl Serialize) -> Result<(), Problem> {
    let Some(wanted) = headers.get(IF_MATCH) else { return Ok(()) };
    let tag = tag_of(&serde_json::to_vec(shown).unwrap_or_default());
    if wanted == "*" || names(wanted, &tag) {
        return Ok(());
    }
    let detail = "it has changed since the version in `If-Match`; read it again";
    Err(Problem::new(code::Http::Changed, detail))
}

/// Whether the caller names a version that it has seen.
pub(super) fn is_conditional(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_MATCH)
}

fn tag_of(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    format!("\"{}\"", hex(&digest[..12]))
}

/// Whether a list of tags has this one.
fn names(header: &HeaderValue, tag: &str) -> bool {
    let tags = header.to_str().unwrap_or_default().split(',');
    tags.map(|it| it.trim().trim_start_matches("W/")).any(|it| it == tag || it == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn what_the_caller_has_is_not_sent_again() {
        let first = versioned(&HeaderMap::new(), &"a");
        let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
        assert_eq!(first.status(), 200);
        let again = |list: &str, body| versioned(&with(IF_NONE_MATCH, list), &body).status();
        assert_eq!(again(&tag, "a"), 304);
        assert_eq!(again(&format!("\"other\", W/{tag}"), "a"), 304);
        assert_eq!(again(&tag, "b"), 200);
    }

    #[test]
    fn what_the_caller_has_not_seen_is_not_changed() {
        let tag = versioned(&HeaderMap::new(), &"a").headers()[ETAG].clone();
        let tag = tag.to_str().unwrap();
        assert!(unchanged(&HeaderMap::new(), &"a").is_ok());
        assert!(unchanged(&with(IF_MATCH, tag), &"a").is_ok());
        assert!(unchanged(&with(IF_MATCH, "*"), &"a").is_ok());
        assert_eq!(*unchanged(&with(IF_MATCH, tag), &"b").unwrap_err().code(), code::Http::Changed);
    }
}
