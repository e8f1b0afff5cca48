//! What a body is, whatever is said of it.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn bare(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// The body, or the code of what went wrong.
fn undone(encodings: &[&str], wire: &[u8]) -> Result<Vec<u8>, String> {
    let header = |value: &&str| ("content-encoding".to_owned(), (*value).to_owned());
    let headers = encodings.iter().map(header).collect::<Vec<_>>();
    match undo("api.x", &headers, wire.to_vec()) {
        (body, None) => Ok(body),
        (_, Some(error)) => Err(error.code().text().to_owned()),
    }
}

#[test]
fn the_body_decides_and_not_what_is_said_of_it() {
    let plain = br#"{"access_token":"abc"}"#;
    let zipped = gzip(plain);
    for (encodings, wire) in [
        (&[][..], plain.to_vec()),
        (&["identity"], plain.to_vec()),
        (&["utf-8"], plain.to_vec()),
        (&["none"], plain.to_vec()),
        (&["UTF-8, 8bit", ""], plain.to_vec()),
        (&["gzip"], plain.to_vec()),
        (&["deflate"], plain.to_vec()),
        (&["br"], plain.to_vec()),
        (&["zstd, gzip"], plain.to_vec()),
        (&["gzip"], zipped.clone()),
        (&["GZip"], zipped.clone()),
        (&["x-gzip"], zipped.clone()),
        (&["utf-8, gzip"], zipped.clone()),
        (&[], zipped.clone()),
        (&["identity"], zipped.clone()),
        (&["gzip, gzip"], zipped.clone()),
        (&["gzip", "gzip"], gzip(&zipped)),
        (&["deflate, gzip"], gzip(&zlib(plain))),
        (&["gzip"], [gzip(&plain[..5]), gzip(&plain[5..])].concat()),
        (&["deflate"], zlib(plain)),
        (&["deflate"], bare(plain)),
    ] {
        assert_eq!(undone(encodings, &wire).unwrap(), plain, "{encodings:?}");
    }
    assert_eq!(undone(&["gzip"], b"").unwrap(), b"");
}

#[test]
fn an_encoding_that_is_one_and_is_not_understood_is_named() {
    let brotli = [0x0b, 0x02, 0x80, 0x61, 0xff, 0x03];
    for encoding in ["br", "zstd", "compress", "gzip, br"] {
        let refused = undone(&[encoding], &brotli).unwrap_err();
        assert_eq!(refused, "provider.encoding_unsupported", "{encoding}");
    }
}

#[test]
fn a_bomb_is_cut_by_size_and_by_ratio() {
    let zeros = gzip(&vec![0; 5 * 1024 * 1024]);
    let noise: Vec<u8> =
        (0..90_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let mixed = gzip(&[noise, vec![0; 5 * 1024 * 1024]].concat());
    for (wire, text) in [
        (&zeros, "api.x answered with a body that grows more than 100 times; outcome unknown"),
        (&mixed, "api.x answered with more than 4 MiB after decompression; outcome unknown"),
    ] {
        let error = undo("api.x", &[], wire.clone()).1.unwrap();
        assert_eq!(
            (error.code().text(), error.to_string().as_str()),
            ("provider.body_too_large", text)
        );
    }
    assert!(undone(&["gzip, gzip"], &gzip(&zeros)).is_err());
    assert_eq!(undone(&["gzip"], &gzip(&vec![b'a'; 60_000])).unwrap().len(), 60_000);
}

#[test]
fn every_cut_of_a_compressed_body_is_an_error_and_no_panic() {
    let plain = b"{\"access_token\":\"abc\",\"expires_in\":3600}";
    let wire = gzip(plain);
    for end in 3..wire.len() {
        let refused = undone(&["gzip"], &wire[..end]).unwrap_err();
        assert_eq!(refused, "provider.encoding_invalid", "cut at {end}");
    }
    let junk = [wire, b"junk".to_vec()].concat();
    let (body, fault) = undo("api.x", &[], junk);
    assert_eq!(body, plain, "what could be unpacked is here");
    assert!(fault.is_some());
}
