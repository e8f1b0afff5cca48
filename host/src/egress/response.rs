//! What came back, read under caps and decoded. It does not print: headers and body hold tokens. It
//! does not know what a status or a body means.

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::egress::arrival::Arrival;
use crate::egress::error::EgressError;
use crate::egress::fault;
use crate::model::code;

/// A complete answer, whatever its status; a redirect is an answer like any other.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers in order, names in lower case. Those about compression are left out when the
    /// body was decoded.
    pub headers: Vec<(String, String)>,
    /// The body without its compression.
    pub body: Vec<u8>,
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

/// The most headers that are read; no server sends so many in good faith.
pub(super) const MOST_HEADERS: usize = 512;

/// The longest headers that are read, together.
pub(super) const MOST_HEADER_BYTES: u32 = 128 * 1024;

/// Headers that are kept, and their bytes: what is beyond may be lost, and no token with it.
const KEPT_HEADERS: usize = 64;
const KEPT_HEADER_BYTES: usize = 32 * 1024;

/// The limit of a body as it comes.
const LONGEST_ON_WIRE: usize = 1024 * 1024;

/// Reads the rest of an answer whose head has come, until `end`. A body that is cut short is kept as far
/// as it came, with the reason.
pub(super) async fn read(
    host: &str,
    mut answer: reqwest::Response,
    end: Instant,
    deadline: Duration,
) -> Result<Arrival, EgressError> {
    if answer.status().is_informational() {
        return Err(fault::invalid(host, "a switch of protocols that was not asked for"));
    }
    let (status, headers) = (answer.status().as_u16(), kept(answer.headers()));
    let mut body = Zeroizing::new(Vec::new());
    let read = timeout_at(end, read_body(host, &mut answer, &mut body));
    let read = read.await.unwrap_or_else(|_| Err(fault::late(host, "body", deadline)));
    Arrival::new(status, headers, body.to_vec(), read.err().as_ref()).whole()
}

async fn read_body(
    host: &str,
    answer: &mut reqwest::Response,
    body: &mut Vec<u8>,
) -> Result<(), EgressError> {
    while let Some(chunk) = answer.chunk().await.map_err(|error| fault::of_answer(host, &error))? {
        let room = LONGEST_ON_WIRE - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            let message = format!("{host} answered with more than 1 MiB; outcome unknown");
            return Err(EgressError::unreadable(code::Provider::BodyTooLarge, message));
        }
    }
    Ok(())
}

/// The first headers, as text: a byte that is none is shown as one that cannot be read.
fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut room = KEPT_HEADER_BYTES;
    let all = headers.iter().take(KEPT_HEADERS).map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    all.take_while(|(name, value)| {
        let size = name.len() + value.len();
        let fits = size <= room;
        room = room.saturating_sub(size);
        fits
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
