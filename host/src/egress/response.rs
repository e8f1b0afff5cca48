//! What came back, read under caps and decoded. It does not print: headers and body hold tokens. It
//! does not know what a status or a body means.

use std::fmt;

use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::egress::decode;
use crate::egress::error::EgressError;
use crate::egress::fault;
use crate::model::code;

/// A complete answer, whatever its status; a redirect is an answer like any other.
#[derive(Serialize, Deserialize)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers in order, names in lower case. Those about compression are left out when the
    /// body was decoded.
    pub headers: Vec<(String, String)>,
    /// The body without its compression.
    #[serde(with = "base64_text")]
    pub body: Vec<u8>,
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

impl fmt::Debug for Response {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// The limits of an answer's head.
pub(super) const MOST_HEADERS: usize = 64;
pub(super) const MOST_HEADER_BYTES: u32 = 32 * 1024;

/// The limit of a body as it comes.
const LONGEST_ON_WIRE: usize = 1024 * 1024;

/// Reads the rest of an answer whose head has come.
pub(super) async fn read(
    host: &str,
    mut answer: reqwest::Response,
) -> Result<Response, EgressError> {
    check_head(host, &answer)?;
    let status = answer.status().as_u16();
    let encoding = decode::Encoding::of(answer.headers()).ok_or_else(|| unsupported(host))?;
    let wire = read_body(host, &mut answer).await?;
    let decoded = encoding.is_some() && !wire.is_empty();
    let body = match encoding {
        // At most 1 MiB in and 4 MiB out: some milliseconds, not worth another thread.
        Some(encoding) if decoded => decode::decode(host, encoding, &wire)?,
        _ => wire.to_vec(),
    };
    Ok(Response { status, headers: shown(answer.headers(), decoded), body })
}

fn check_head(host: &str, answer: &reqwest::Response) -> Result<(), EgressError> {
    let headers = answer.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > MOST_HEADERS || bytes > MOST_HEADER_BYTES as usize {
        return Err(fault::headers_too_large(host));
    }
    // Two opinions about the length are how answers of others are smuggled in.
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        return Err(fault::invalid(host, "conflicting lengths"));
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let coded = codings.next().is_some_and(|one| !one.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if coded || codings.next().is_some() {
        return Err(fault::invalid(host, "a transfer encoding that was not requested"));
    }
    if answer.status().is_informational() {
        return Err(fault::invalid(host, "a protocol switch that was not requested"));
    }
    Ok(())
}

async fn read_body(
    host: &str,
    answer: &mut reqwest::Response,
) -> Result<Zeroizing<Vec<u8>>, EgressError> {
    let too_large = || {
        EgressError::unreadable(
            code::Provider::BodyTooLarge,
            format!("{host} answered with more than 1 MiB; outcome unknown"),
        )
    };
    if answer.content_length().is_some_and(|length| length > LONGEST_ON_WIRE as u64) {
        return Err(too_large());
    }
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = answer.chunk().await.map_err(|error| fault::of_answer(host, &error))? {
        if body.len() + chunk.len() > LONGEST_ON_WIRE {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unsupported(host: &str) -> EgressError {
    EgressError::unreadable(
        code::Provider::EncodingUnsupported,
        format!(
            "{host} answered in an encoding that was not requested (only gzip and deflate are \
             supported); outcome unknown"
        ),
    )
}

fn shown(headers: &HeaderMap, decoded: bool) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| !(decoded && (*name == CONTENT_ENCODING || *name == CONTENT_LENGTH)))
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_does_not_print_what_it_holds() {
        let headers = vec![("set-cookie".to_owned(), "s3cret".to_owned())];
        let response = Response { status: 200, headers, body: b"t0ken".to_vec() };
        assert_eq!(format!("{response:?}"), "Response { status: 200, headers: 1, body: 5 bytes }");
    }
}
