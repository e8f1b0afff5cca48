//! Compression undone while an answer passes. The proxy asks for none, because what is compressed cannot be
//! looked through; some servers compress anyway. Memory is bounded by the piece that is unpacked at a time.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// Bytes that are unpacked at a time: at most a thousand times as many come out.
const AT_ONCE: usize = 4 * 1024;

/// What a body is packed in.
pub(super) enum Unpacking {
    /// Nothing.
    Plain,
    /// RFC 1952.
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// RFC 1950, which HTTP calls deflate.
    Zlib(Box<ZlibDecoder<Vec<u8>>>),
}

impl Unpacking {
    /// What the headers of an answer say; `None` for what cannot be undone.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let all = headers.get_all(CONTENT_ENCODING).iter().map(|it| it.to_str().unwrap_or("?"));
        let words = all.flat_map(|it| it.split(',')).map(|it| it.trim().to_ascii_lowercase());
        let words = words.filter(|it| !matches!(it.as_str(), "" | "identity")).collect::<Vec<_>>();
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => Some(Self::Plain),
            ["gzip" | "x-gzip"] => Some(Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))),
            ["deflate"] => Some(Self::Zlib(Box::new(ZlibDecoder::new(Vec::new())))),
            _ => None,
        }
    }

    /// Whether the body comes as it is.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    /// Unpacks the next part of `packed`, and takes it off.
    pub(super) fn next(&mut self, packed: &mut Bytes) -> io::Result<Bytes> {
        let part = match self {
            Self::Plain => return Ok(std::mem::take(packed)),
            _ => packed.split_to(packed.len().min(AT_ONCE)),
        };
        match self {
            Self::Plain => Ok(part),
            Self::Gzip(decoder) => {
                decoder.write_all(&part)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()).into())
            }
            Self::Zlib(decoder) => {
                decoder.write_all(&part)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()).into())
            }
        }
    }

    /// What is left when the body has ended; an error if it has ended too early.
    pub(super) fn end(&mut self) -> io::Result<Bytes> {
        match self {
            Self::Plain => Ok(Bytes::new()),
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                Ok(std::mem::take(decoder.get_mut()).into())
            }
            Self::Zlib(decoder) => {
                decoder.try_finish()?;
                Ok(std::mem::take(decoder.get_mut()).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use reqwest::header::HeaderValue;

    use super::*;

    fn encoded_as(word: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(word))])
    }

    fn unpacked(word: &'static str, packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut unpacking = Unpacking::of(&encoded_as(word)).unwrap();
        let mut out = Vec::new();
        for piece in packed.chunks(1000) {
            let mut piece = Bytes::copy_from_slice(piece);
            while !piece.is_empty() {
                out.extend_from_slice(&unpacking.next(&mut piece)?);
            }
        }
        out.extend_from_slice(&unpacking.end()?);
        Ok(out)
    }

    #[test]
    fn what_servers_compress_unasked_is_undone() {
        let text = "a line of an answer\n".repeat(5000);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(unpacked("gzip", &gzip).unwrap(), text.as_bytes());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(text.as_bytes()).unwrap();
        let zlib = zlib.finish().unwrap();
        assert_eq!(unpacked("deflate", &zlib).unwrap(), text.as_bytes());
        assert!(
            unpacked("gzip", &gzip[..gzip.len() / 2]).is_err(),
            "a body that is cut is an error"
        );
        assert!(unpacked("gzip", b"not packed").is_err());
    }

    #[test]
    fn what_cannot_be_looked_through_is_not_passed() {
        assert!(Unpacking::of(&HeaderMap::new()).is_some_and(|it| it.is_plain()));
        assert!(Unpacking::of(&encoded_as("identity")).is_some_and(|it| it.is_plain()));
        for word in ["br", "zstd", "gzip, br", "gzip, gzip"] {
            assert!(Unpacking::of(&encoded_as(word)).is_none(), "{word}");
        }
    }
}
