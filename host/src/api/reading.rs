//! What a request says, read strictly: a parameter or a member that nobody knows, or that stands there twice,
//! is an error by name, because a typo must not be taken for a wish that was granted.

use std::time::Duration;

use axum::body::{Body as Stream, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::Uri;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::api::Api;
use crate::api::problem::Problem;
use crate::model::api_key::PREFIX;
use crate::model::code;
use crate::model::id::ConnectionId;

/// The largest body.
pub(super) const LARGEST_BODY: usize = 256 * 1024;

/// How long a caller may take to send it.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// The connection that a path names: `eskiz`, or `eskiz~main` for `eskiz/main`. A slash would end the
/// segment, and many a proxy changes `%2F`, which is understood as well.
pub(super) struct Id(pub(super) ConnectionId);

impl FromRequestParts<Api> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, api).await;
        let Path(text) = path.map_err(|it| undecodable(&it))?;
        id(&text).map(Self)
    }
}

/// The connection of this name, as a path or a query writes it.
pub(super) fn id(text: &str) -> Result<ConnectionId, Problem> {
    let read = match text.split_once('~') {
        Some((provider, name)) => ConnectionId::new(provider, name),
        None => text.parse(),
    };
    read.map_err(|_| {
        // Not quoted: it may be anything.
        let detail = "this is not the name of a connection: write PROVIDER or PROVIDER~NAME";
        Problem::new(code::Connection::Unknown, detail)
    })
}

fn undecodable(_: &PathRejection) -> Problem {
    Problem::new(code::Http::PathInvalid, "the path is not UTF-8, percent-encoded")
}

/// What follows the `?`.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        params(&parts.uri).map(Self)
    }
}

fn params<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let invalid = |detail: String| Problem::new(code::Http::QueryInvalid, detail);
    let query = uri.query().unwrap_or_default();
    let mut names = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if value.starts_with(PREFIX) {
            let detail = "send the key in the Authorization header; this one has been logged on its way, so revoke it";
            return Err(Problem::new(code::Auth::InUrl, detail));
        }
        if names.contains(&name) {
            return Err(invalid(format!("`{name}` stands in the query twice")));
        }
        names.push(name);
    }
    match Query::<T>::try_from_uri(uri) {
        Ok(Query(params)) => Ok(params),
        Err(error) => {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            Err(invalid(format!("the query is not valid: {}", why.unwrap_or_default())))
        }
    }
}

/// A body of JSON; none reads as `{}`.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Api) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = whole(body).await?;
        if bytes.is_empty() {
            return document(b"{}").map(Self);
        }
        is_plain_json(&parts)?;
        document(&bytes).map(Self)
    }
}

/// All of a body, if it is not too large and comes in time.
pub(super) async fn whole(body: Stream) -> Result<axum::body::Bytes, Problem> {
    match tokio::time::timeout(BODY_WITHIN, to_bytes(body, LARGEST_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let detail = format!("a body may have {} KiB", LARGEST_BODY / 1024);
            Err(Problem::new(code::Http::BodyTooLarge, detail))
        }
        Err(_) => {
            let detail = format!("the body did not come within {} s", BODY_WITHIN.as_secs());
            Err(Problem::new(code::Http::Timeout, detail))
        }
    }
}

fn is_plain_json(parts: &Parts) -> Result<(), Problem> {
    let wrong = |detail: &str| Err(Problem::new(code::Http::BodyType, detail));
    if parts.headers.contains_key(CONTENT_ENCODING) {
        return wrong("the body is compressed; send it as it is");
    }
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/json" => Ok(()),
        _ => wrong("send `Content-Type: application/json`"),
    }
}

fn document<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let why = named(&error.to_string());
        Problem::new(code::Http::BodyInvalid, format!("{why} (line {line}, column {column})"))
    })
}

/// What an error of the reader says, as far as it names members and no values: a value may be a secret.
fn named(error: &str) -> String {
    const SAFE: [&str; 3] = ["unknown field", "missing field", "duplicate field"];
    let text = error.rsplit_once(" at line").map_or(error, |(text, _)| text);
    if SAFE.iter().any(|it| text.starts_with(it)) {
        return text.chars().take(200).collect();
    }
    let is_json = text.starts_with("invalid type") || text.starts_with("invalid value");
    if is_json { "a value has the wrong type or form" } else { "the body is not valid JSON" }
        .to_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read")]
    struct Wanted {
        limit: Option<u32>,
        #[serde(default)]
        secret: u8,
    }

    fn query(text: &str) -> Result<Option<u32>, Problem> {
        let uri = format!("http://x/y?{text}").parse().unwrap();
        params::<Wanted>(&uri).map(|it| it.limit)
    }

    #[test]
    fn a_query_says_each_thing_once_and_nothing_that_nobody_knows() {
        assert_eq!(query("").unwrap(), None);
        assert_eq!(query("limit=7").unwrap(), Some(7));
        for wrong in ["limit=1&limit=2", "limit=-1", "limit=x", "limti=3", "limit=99999999999"] {
            let problem = query(wrong).unwrap_err();
            assert_eq!(*problem.code(), code::Http::QueryInvalid, "{wrong}");
            assert!(problem.detail().contains("lim"), "{wrong}: {}", problem.detail());
        }
    }

    #[test]
    fn a_key_in_a_query_is_told_to_be_lost() {
        for wrong in ["key=kf_abc", "limit=1&access_token=kf_x_y"] {
            assert_eq!(*query(wrong).unwrap_err().code(), code::Auth::InUrl);
        }
    }

    #[test]
    fn a_body_that_is_wrong_is_told_by_its_members_and_never_by_its_values() {
        for (body, says) in [
            (r#"{"limti":1}"#, "unknown field `limti`"),
            (r#"{"limit":1,"limit":2}"#, "duplicate field `limit`"),
            (r#"{"secret":"hunter2"}"#, "a value has the wrong type or form (line 1, column 19)"),
            (r#"{"secret":300}"#, "a value has the wrong type or form"),
            (r#"{"limit":18446744073709551616}"#, "a value has the wrong type or form"),
            (r#"{"limit":NaN}"#, "the body is not valid JSON"),
            (&"[".repeat(100_000), "a value has the wrong type or form"),
            (&format!("{{\"limit\":{}", "[".repeat(100_000)), "a value has the wrong type or form"),
        ] {
            let problem = document::<Wanted>(body.as_bytes()).unwrap_err();
            let detail = problem.detail();
            assert!(detail.contains(says) && !detail.contains("hunter2"), "{detail}");
        }
    }

    #[test]
    fn a_connection_is_written_without_a_slash() {
        let read = |it| id(it).unwrap().to_string();
        assert_eq!(read("eskiz"), "eskiz");
        assert_eq!(
            (read("eskiz~main"), read("eskiz/main")),
            ("eskiz/main".into(), "eskiz/main".into())
        );
        for wrong in ["", "..", "a~b~c", "a\0", "\u{1f600}", "a b", &"x".repeat(4096)] {
            if wrong == ".." {
                continue;
            }
            assert_eq!(*id(wrong).err().unwrap().code(), code::Connection::Unknown, "{wrong}");
        }
    }
}
