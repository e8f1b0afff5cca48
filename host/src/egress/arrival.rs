//! An answer as it came over the wire, before anybody judges it: what arrived is made durable first, and
//! read afterwards, as leniently as can be. Where more comes on a connection than was asked for, while nobody asks, it is not used
//! again. It does not print: headers and body hold tokens.

use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::egress::decode;
use crate::egress::error::EgressError;
use crate::egress::response::Response;
use crate::model::code::Code;

/// What arrived, whatever its status; a redirect is an answer like any other.
#[derive(Serialize, Deserialize)]
pub struct Arrival {
    /// The status code.
    pub status: u16,
    /// The headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came, with its compression.
    #[serde(with = "base64_text")]
    pub body: Vec<u8>,
    /// Why the body may not be all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut: Option<Cut>,
}

/// What ended a body before its time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cut {
    in_doubt: bool,
    code: String,
    message: String,
}

impl Arrival {
    /// An answer of which `cut` says why it may not be all.
    pub(crate) fn new(
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        cut: Option<&EgressError>,
    ) -> Self {
        Self { status, headers, body, cut: cut.map(Cut::of) }
    }

    /// The same if all of it came, or what came is a whole document in spite of what the server said.
    pub(super) fn whole(self) -> Result<Self, EgressError> {
        let Some(cut) = &self.cut else { return Ok(self) };
        let (body, _) = decode::undo("", &self.headers, self.body.clone());
        if is_whole_document(&body) { Ok(self) } else { Err(cut.error()) }
    }

    /// The answer without its compression, or why it cannot be read. What is odd about it and does no harm
    /// is forgiven: a whole JSON document is one, whatever was said of it.
    pub fn open(self, host: &str) -> Result<Response, EgressError> {
        let Self { status, mut headers, body, cut } = self;
        let before = body.len();
        let (body, fault) = decode::undo(host, &headers, body);
        let fault = fault.or_else(|| cut.map(|it| it.error()));
        if let Some(fault) = fault.filter(|_| !is_whole_document(&body)) {
            return Err(fault);
        }
        if body.len() != before {
            headers.retain(|(name, _)| name != "content-encoding" && name != "content-length");
        }
        Ok(Response { status, headers, body })
    }
}

impl Cut {
    fn of(error: &EgressError) -> Self {
        let in_doubt = matches!(error, EgressError::InDoubt { .. });
        Self { in_doubt, code: error.code().text().to_owned(), message: error.to_string() }
    }

    fn error(&self) -> EgressError {
        let (code, message) = (Code::read(&self.code), self.message.clone());
        if self.in_doubt {
            return EgressError::in_doubt(code, message);
        }
        EgressError::unreadable(code, message)
    }
}

/// Whether a body is a JSON object to its end: such a one says itself that nothing of it is missing.
fn is_whole_document(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    body.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

impl fmt::Debug for Arrival {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Arrival")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// A body in JSON: as text, where a list of numbers would take four times the room.
mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(body: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(body))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_does_not_print_what_it_holds() {
        let headers = vec![("set-cookie".to_owned(), "s3cret".to_owned())];
        let arrival = Arrival::new(200, headers, b"t0ken".to_vec(), None);
        let text = "Arrival { status: 200, headers: 1, body: 5 bytes, .. }";
        assert_eq!(format!("{arrival:?}"), text);
    }

    #[test]
    fn an_answer_that_was_kept_by_an_older_version_is_read() {
        let old = r#"{"status":200,"headers":[["a","b"]],"body":"eyJhIjoxfQ=="}"#;
        let response = serde_json::from_str::<Arrival>(old).unwrap().open("h").unwrap();
        assert_eq!((response.status, response.body.as_slice()), (200, &br#"{"a":1}"#[..]));
    }
}
