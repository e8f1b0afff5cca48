//! Undoes compression. The door asks for none, but some servers compress anyway; done here rather than in
//! the client, because only here it has a cap, and because what a server says of its body need not be so:
//! the body decides. Encodings that nobody knows are passed over, as far as the body is plain.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::egress::error::EgressError;
use crate::model::code;

/// An encoding that a body may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Deflate,
    /// One that exists and is not undone here.
    Other,
}

/// The longest body after decoding.
const LONGEST: usize = 4 * 1024 * 1024;
/// How many times longer than on the wire it may become. Text rarely passes twenty.
const LARGEST_RATIO: usize = 100;
/// Small bodies may have any ratio: a short answer of equal letters is no bomb.
const ALWAYS_ALLOWED: usize = 64 * 1024;

/// Encodings that exist (<https://www.iana.org/assignments/http-parameters>) and are not undone.
const OTHERS: [&str; 8] =
    ["br", "zstd", "compress", "x-compress", "exi", "pack200-gzip", "dcb", "dcz"];

/// The body without its encodings, as far as they can be undone, and what went wrong if anything did.
pub(super) fn undo(
    host: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
) -> (Vec<u8>, Option<EgressError>) {
    let mut body = body;
    // The last one named was applied last.
    for encoding in named(headers).into_iter().rev() {
        let undone = match encoding {
            _ if body.is_empty() => continue,
            Encoding::Gzip if !is_gzip(&body) => continue,
            Encoding::Gzip => decode(host, MultiGzDecoder::new(body.as_slice()), body.len()),
            Encoding::Deflate if has_zlib_header(&body) => {
                decode(host, ZlibDecoder::new(body.as_slice()), body.len())
            }
            Encoding::Deflate | Encoding::Other if is_plain(&body) => continue,
            Encoding::Deflate => decode(host, DeflateDecoder::new(body.as_slice()), body.len()),
            Encoding::Other => return (body, Some(unsupported(host))),
        };
        match undone {
            (plain, None) => body = plain,
            failed => return failed,
        }
    }
    if is_gzip(&body) {
        return decode(host, MultiGzDecoder::new(body.as_slice()), body.len());
    }
    (body, None)
}

/// The encodings that an answer names, without those that are none.
fn named(headers: &[(String, String)]) -> Vec<Encoding> {
    let values = headers.iter().filter(|(name, _)| name == "content-encoding");
    let words = values.flat_map(|(_, value)| value.split(','));
    words.filter_map(|it| encoding(&it.trim().to_ascii_lowercase())).collect()
}

fn encoding(word: &str) -> Option<Encoding> {
    match word {
        "gzip" | "x-gzip" => Some(Encoding::Gzip),
        "deflate" => Some(Encoding::Deflate),
        other => OTHERS.contains(&other).then_some(Encoding::Other),
    }
}

/// What comes out of `decoder`, to the end or to where it fails.
fn decode(host: &str, decoder: impl Read, wire: usize) -> (Vec<u8>, Option<EgressError>) {
    // At most 1 MiB in and 4 MiB out: some milliseconds, not worth another thread.
    let limit = wire.saturating_mul(LARGEST_RATIO).clamp(ALWAYS_ALLOWED, LONGEST);
    let mut body = Vec::new();
    let read = read_capped(decoder, limit, &mut body);
    let fault = match read {
        Err(_) => Some(broken(host)),
        Ok(()) if body.len() > limit => Some(too_large(host, limit)),
        Ok(()) => None,
    };
    (body, fault)
}

/// Reads one byte more than the limit, so that the caller sees that there was more.
fn read_capped(decoder: impl Read, limit: usize, body: &mut Vec<u8>) -> io::Result<()> {
    decoder.take(limit as u64 + 1).read_to_end(body).map(drop)
}

fn is_gzip(wire: &[u8]) -> bool {
    wire.starts_with(&[0x1f, 0x8b, 8])
}

/// Whether a body can be read as it is.
fn is_plain(wire: &[u8]) -> bool {
    std::str::from_utf8(wire).is_ok_and(|text| !text.contains(|it| matches!(it, '\0'..='\x08')))
}

/// The standard says deflate is wrapped in zlib; some servers send it bare.
fn has_zlib_header(wire: &[u8]) -> bool {
    matches!(wire, [first, second, ..]
        if first & 0x0f == 8 && (u16::from(*first) * 256 + u16::from(*second)) % 31 == 0)
}

fn too_large(host: &str, limit: usize) -> EgressError {
    let message = if limit == LONGEST {
        format!("{host} answered with more than 4 MiB after decompression; outcome unknown")
    } else {
        format!(
            "{host} answered with a body that grows more than {LARGEST_RATIO} times; outcome unknown"
        )
    };
    EgressError::unreadable(code::Provider::BodyTooLarge, message)
}

fn broken(host: &str) -> EgressError {
    let message =
        format!("{host} sent a compressed answer that cannot be unpacked; outcome unknown");
    EgressError::unreadable(code::Provider::EncodingInvalid, message)
}

fn unsupported(host: &str) -> EgressError {
    let message = format!(
        "{host} answered in an encoding nobody asked for (only gzip and deflate are understood); \
         outcome unknown"
    );
    EgressError::unreadable(code::Provider::EncodingUnsupported, message)
}

#[cfg(test)]
mod tests;
