//! What a provider says back, and the answers that every client meets one day.

use std::collections::BTreeMap;
use std::io::Write as _;

use axum::{body::Body, http::StatusCode, response::Response};
use flate2::{Compression, write::GzEncoder};
use serde::Deserialize;
use serde_json::Value;

/// Status, headers and body.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "RawAnswer")]
pub struct Answer {
    /// Any number from 100 to 999.
    pub status: u16,
    /// In the order in which they are sent.
    pub headers: Vec<(String, String)>,
    /// Need not be UTF-8.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with this content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same in gzip: what is megabytes can be a few bytes on the wire.
    ///
    /// # Panics
    /// Never: a vector takes all that is written to it.
    #[must_use]
    pub fn gzipped(mut self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&self.body).expect("a vector takes it");
        self.body = encoder.finish().expect("and its end");
        self.header("content-encoding", "gzip")
    }

    /// 401 that names no reason.
    pub fn unauthorized() -> Self {
        Self::new(401, "application/json", r#"{"message":"Unauthenticated."}"#)
    }

    /// 403 that names no reason.
    pub fn forbidden() -> Self {
        Self::new(403, "application/json", r#"{"message":"Forbidden."}"#)
    }

    /// 429, with a `Retry-After` of any text.
    pub fn rate_limited(retry_after: Option<&str>) -> Self {
        let answer = Self::new(429, "application/json", r#"{"message":"Too Many Attempts."}"#);
        match retry_after {
            Some(value) => answer.header("retry-after", value),
            None => answer,
        }
    }

    /// 500 in JSON.
    pub fn server_error() -> Self {
        Self::new(500, "application/json", r#"{"message":"Server Error"}"#)
    }

    /// 502 as nginx words it.
    pub fn bad_gateway() -> Self {
        nginx_page(502, "502 Bad Gateway")
    }

    /// 404 as nginx words it.
    pub fn nginx_not_found() -> Self {
        nginx_page(404, "404 Not Found")
    }

    /// 200 with a page for people, as a captive portal or a lost session gives.
    pub fn login_page() -> Self {
        let page = "<!doctype html>\n<title>Sign in</title>\n<form method=\"post\"><input name=\"login\"></form>\n";
        Self::new(200, "text/html; charset=utf-8", page)
    }

    /// 200 with a complete body that is half a JSON document.
    pub fn truncated_json() -> Self {
        Self::new(200, "application/json", r#"{"access_token":"invented-but-never-fin"#)
    }

    /// 302 to this URL.
    pub fn redirect(url: &str) -> Self {
        Self::new(302, "text/html", "").header("location", url)
    }

    /// Members of `extra` join, or replace, those of a JSON body. Other bodies stay as they are.
    #[must_use]
    pub fn merged(mut self, extra: &serde_json::Map<String, Value>) -> Self {
        if let Ok(Value::Object(mut members)) = serde_json::from_slice(&self.body) {
            members.extend(extra.clone());
            self.body = Value::Object(members).to_string().into_bytes();
        }
        self
    }

    /// The first half of the body, as a complete answer.
    #[must_use]
    pub fn halved(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        let mut builder = Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            builder = builder.header(name, value.as_bytes());
        }
        // A scripted header that HTTP cannot carry is a mistake of the test: it shows as a 599.
        builder.body(Body::from(answer.body)).unwrap_or_else(|error| {
            let mut response = Self::new(Body::from(error.to_string()));
            *response.status_mut() = StatusCode::from_u16(599).unwrap_or_default();
            response
        })
    }
}

fn nginx_page(status: u16, title: &str) -> Answer {
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    Answer::new(status, "text/html", page)
}

/// The JSON of a scripted answer: a `body` as text, or a `json` document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnswer {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    json: Option<Value>,
}

impl From<RawAnswer> for Answer {
    fn from(raw: RawAnswer) -> Self {
        let mut answer = match raw.json {
            Some(document) => Self::json(raw.status, &document),
            None => Self { status: raw.status, headers: Vec::new(), body: raw.body.into_bytes() },
        };
        answer.headers.extend(raw.headers);
        answer
    }
}
