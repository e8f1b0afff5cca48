//! Undoes gzip and deflate. The door asks for no compression, but some servers compress anyway; done
//! here rather than in the client, because only here it has a cap. It does not know other
//! encodings, and more than one at a time.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::egress::error::EgressError;
use crate::model::code;

/// An encoding we undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Deflate,
}

/// The longest body after decoding.
const LONGEST: usize = 4 * 1024 * 1024;
/// How many times longer than on the wire it may become. Text rarely passes twenty.
const LARGEST_RATIO: usize = 100;
/// Small bodies may have any ratio: a short answer of equal letters is no bomb.
const ALWAYS_ALLOWED: usize = 64 * 1024;

impl Encoding {
    /// The encoding of an answer, `Some(None)` for a plain one, and `None` for one we do not undo.
    #[expect(clippy::option_option, reason = "three answers, and the caller treats each once")]
    pub(super) fn of(headers: &HeaderMap) -> Option<Option<Self>> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let Some(value) = values.next() else { return Some(None) };
        if values.next().is_some() {
            return None;
        }
        match value.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(None),
            "gzip" | "x-gzip" => Some(Some(Self::Gzip)),
            "deflate" => Some(Some(Self::Deflate)),
            _ => None,
        }
    }
}

/// The body without its encoding.
pub(super) fn decode(host: &str, encoding: Encoding, wire: &[u8]) -> Result<Vec<u8>, EgressError> {
    let limit = wire.len().saturating_mul(LARGEST_RATIO).clamp(ALWAYS_ALLOWED, LONGEST);
    let decoded = match encoding {
        Encoding::Gzip => read_capped(MultiGzDecoder::new(wire), limit),
        Encoding::Deflate if has_zlib_header(wire) => read_capped(ZlibDecoder::new(wire), limit),
        Encoding::Deflate => read_capped(DeflateDecoder::new(wire), limit),
    };
    let body = decoded.map_err(|_| {
        EgressError::unreadable(
            code::Provider::EncodingInvalid,
            format!("{host} sent a compressed answer that cannot be unpacked; outcome unknown"),
        )
    })?;
    if body.len() > limit { Err(too_large(host, limit)) } else { Ok(body) }
}

/// Reads one byte more than the limit, so that the caller sees that there was more.
fn read_capped(decoder: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    decoder.take(limit as u64 + 1).read_to_end(&mut body)?;
    Ok(body)
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use reqwest::header::HeaderValue;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_three_usual_forms_are_undone() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"hello").unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(b"hello").unwrap();
        for (encoding, wire) in [
            (Encoding::Gzip, gzip(b"hello")),
            (Encoding::Gzip, [gzip(b"hel"), gzip(b"lo")].concat()),
            (Encoding::Deflate, zlib.finish().unwrap()),
            (Encoding::Deflate, bare.finish().unwrap()),
        ] {
            assert_eq!(decode("h", encoding, &wire).unwrap(), b"hello");
        }
    }

    #[test]
    fn a_bomb_is_cut_by_size_and_by_ratio() {
        let zeros = gzip(&vec![0; 5 * 1024 * 1024]);
        let error = decode("api.x", Encoding::Gzip, &zeros).unwrap_err();
        assert_eq!(error.code().text(), "provider.body_too_large");
        let text = "api.x answered with a body that grows more than 100 times; outcome unknown";
        assert_eq!(error.to_string(), text);

        let noise: Vec<u8> =
            (0..90_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let mixed = gzip(&[noise, vec![0; 5 * 1024 * 1024]].concat());
        let error = decode("api.x", Encoding::Gzip, &mixed).unwrap_err();
        let text = "api.x answered with more than 4 MiB after decompression; outcome unknown";
        assert_eq!(error.to_string(), text);
        assert_eq!(decode("h", Encoding::Gzip, &gzip(&vec![b'a'; 60_000])).unwrap().len(), 60_000);
    }

    #[test]
    fn every_cut_of_a_compressed_body_is_an_error_and_no_panic() {
        let wire = gzip(b"{\"access_token\":\"abc\",\"expires_in\":3600}");
        for end in 1..wire.len() {
            let error = decode("h", Encoding::Gzip, &wire[..end]).unwrap_err();
            assert_eq!(error.code().text(), "provider.encoding_invalid", "cut at {end}");
        }
        let junk = [wire, b"junk".to_vec()].concat();
        assert!(decode("h", Encoding::Gzip, &junk).is_err());
    }

    #[test]
    fn one_known_encoding_is_undone_and_no_other() {
        for (values, expected) in [
            (&[][..], Some(None)),
            (&["identity"], Some(None)),
            (&["GZip"], Some(Some(Encoding::Gzip))),
            (&["x-gzip"], Some(Some(Encoding::Gzip))),
            (&["deflate"], Some(Some(Encoding::Deflate))),
            (&["br"], None),
            (&["zstd"], None),
            (&["gzip, br"], None),
            (&["gzip, gzip"], None),
            (&["gzip", "gzip"], None),
            (&["compress"], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(Encoding::of(&headers), expected, "{values:?}");
        }
    }
}
