//! The form of a sealed value, so that it can be read in ten years and moved nowhere. Pure: the
//! nonce is handed in, and it knows nothing of keyrings, databases or tokens.
//!
//! `version 1 | algorithm 1 | key id, u32 BE | nonce 24 | ciphertext | tag 16`. The plaintext is
//! `length, u32 BE | bytes | zeros` up to a multiple of 64, so that lengths say little.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::vault::error::VaultError;
use crate::vault::key::Key;
use crate::vault::place::Place;

/// What a sealed value is bound to: it opens here and nowhere else.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The data key, or 0 for the master key.
    pub(super) key_id: u32,
    /// The instance that the database belongs to.
    pub(super) instance: &'a str,
    /// Table, column, row and generation.
    pub(super) place: &'a Place<'a>,
}

const VERSION: u8 = 1;
const XCHACHA20_POLY1305: u8 = 1;
const NONCE: usize = 24;
const HEADER: usize = 6 + NONCE;
const TAG: usize = 16;
const LENGTH: usize = 4;
const BUCKET: usize = 64;

/// Seals `plain`. The nonce must never be used twice with one key: 24 random bytes are enough.
pub(super) fn seal(
    key: &Key,
    nonce: [u8; NONCE],
    context: &Context<'_>,
    plain: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let length = u32::try_from(plain.len())
        .map_err(|_| VaultError::Malformed("a value of 4 GiB or more cannot be sealed"))?;
    let padded = (LENGTH + plain.len()).next_multiple_of(BUCKET);
    // One buffer of the final size, sealed in place: no copy of the plaintext is left behind.
    let mut bytes = Vec::with_capacity(HEADER + padded + TAG);
    bytes.extend([VERSION, XCHACHA20_POLY1305]);
    bytes.extend(context.key_id.to_be_bytes());
    bytes.extend(nonce);
    bytes.extend(length.to_be_bytes());
    bytes.extend(plain);
    bytes.resize(HEADER + padded, 0);
    let tag = encrypt(key, nonce, &associated_data(context), &mut bytes[HEADER..])?;
    bytes.extend(tag);
    Ok(bytes)
}

/// The data key that a sealed value names. It is looked up, never found by trying.
pub(super) fn key_id(bytes: &[u8]) -> Result<u32, VaultError> {
    parse(bytes).map(|it| it.key_id)
}

/// Opens a value that was sealed with the same key and context.
pub(super) fn open(
    key: &Key,
    context: &Context<'_>,
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let parts = parse(bytes)?;
    let mut plain = Zeroizing::new(parts.ciphertext.to_vec());
    cipher(key)
        .decrypt_inout_detached(
            &XNonce::from(parts.nonce),
            &associated_data(context),
            plain.as_mut_slice().into(),
            &Tag::from(parts.tag),
        )
        .map_err(|_| context.place.refused())?;
    unpad(&mut plain)?;
    Ok(plain)
}

struct Parts<'a> {
    key_id: u32,
    nonce: [u8; NONCE],
    ciphertext: &'a [u8],
    tag: [u8; TAG],
}

fn parse(bytes: &[u8]) -> Result<Parts<'_>, VaultError> {
    let short = || VaultError::Malformed("a sealed value is shorter than its header says");
    let ([version, algorithm], rest) = bytes.split_first_chunk::<2>().ok_or_else(short)?;
    if (*version, *algorithm) != (VERSION, XCHACHA20_POLY1305) {
        return Err(VaultError::Malformed("a sealed value has an unknown version or algorithm"));
    }
    let (key_id, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or_else(short)?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG>().ok_or_else(short)?;
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BUCKET) {
        return Err(VaultError::Malformed("a sealed value has an invalid length"));
    }
    Ok(Parts { key_id: u32::from_be_bytes(*key_id), nonce: *nonce, ciphertext, tag: *tag })
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.expose_secret().into())
}

fn encrypt(
    key: &Key,
    nonce: [u8; NONCE],
    associated_data: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; TAG], VaultError> {
    cipher(key)
        .encrypt_inout_detached(&XNonce::from(nonce), associated_data, buffer.into())
        .map(Into::into)
        .map_err(|_| VaultError::Malformed("a value is too long to be sealed"))
}

/// Fields with their lengths, not joined with separators, so that no two contexts read alike.
fn associated_data(context: &Context<'_>) -> Vec<u8> {
    let place = context.place;
    let fields: [&[u8]; 8] = [
        b"keepfresh",
        &[VERSION, XCHACHA20_POLY1305],
        &context.key_id.to_be_bytes(),
        context.instance.as_bytes(),
        place.table.as_bytes(),
        place.column.as_bytes(),
        place.row.as_bytes(),
        &place.generation.to_be_bytes(),
    ];
    let prefixed = fields.iter().flat_map(|it| [&(it.len() as u64).to_be_bytes()[..], it].concat());
    prefixed.collect()
}

/// Leaves the bytes in place: the buffer is wiped to its capacity when it is dropped.
fn unpad(plain: &mut Vec<u8>) -> Result<(), VaultError> {
    let broken = VaultError::Malformed("the length in a sealed value does not match its size");
    let Some(length) = plain.first_chunk::<LENGTH>().map(|it| u32::from_be_bytes(*it)) else {
        return Err(broken);
    };
    plain.drain(..LENGTH);
    match usize::try_from(length) {
        Ok(length) if length <= plain.len() => plain.truncate(length),
        _ => return Err(broken),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::vault::key;

    const PLACE: Place<'_> =
        Place { table: "generations", column: "tokens", row: "eskiz/default", generation: 7 };

    fn context() -> Context<'static> {
        Context { key_id: 1, instance: "instance", place: &PLACE }
    }

    fn hex(bytes: &[u8]) -> String {
        key::hex(bytes)
    }

    /// The vector of draft-irtf-cfrg-xchacha-03, A.3.1.
    #[test]
    fn the_cipher_gives_the_published_answer() {
        let key = key::from_bytes(std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap()));
        let nonce = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let associated = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let mut text = b"Ladies and Gentlemen of the class of '99: If I could offer you \
            only one tip for the future, sunscreen would be it."
            .to_vec();
        let tag = encrypt(&key, nonce, &associated, &mut text).unwrap();
        assert_eq!(
            hex(&text),
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb\
             731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452\
             2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
             21f9664c97637da9768812f615c68b13b52e"
        );
        assert_eq!(hex(&tag), "c0875924c1c7987947deafd8780acf49");
    }

    /// Databases hold this form: when this fails, raise `VERSION` instead of changing the digest.
    #[test]
    fn the_form_of_version_one_never_changes() {
        let sealed = seal(&key::from_bytes([1; 32]), [2; NONCE], &context(), b"plain").unwrap();
        assert_eq!(hex(&sealed[..HEADER]), format!("010100000001{}", "02".repeat(NONCE)));
        assert_eq!(hex(&Sha256::digest(&sealed)[..8]), "413ba9db5cac5096");
    }

    #[test]
    fn lengths_come_in_buckets() {
        let length = |plain: usize| {
            let key = key::from_bytes([1; 32]);
            seal(&key, [2; NONCE], &context(), &vec![0; plain]).unwrap().len() - HEADER - TAG
        };
        assert_eq!([0, 1, 60, 61, 124, 125].map(length), [64, 64, 64, 128, 128, 192]);
    }

    #[test]
    fn a_length_that_is_never_written_is_malformed() {
        let key = key::from_bytes([1; 32]);
        let sealed = seal(&key, [2; NONCE], &context(), &[7; 100]).unwrap();
        for length in 0..sealed.len() {
            let error = open(&key, &context(), &sealed[..length]).unwrap_err();
            let whole_bucket = length == HEADER + BUCKET + TAG;
            let expected = if whole_bucket { "vault.bad_context" } else { "vault.malformed" };
            assert_eq!(error.code().text(), expected, "cut to {length} bytes");
        }
    }

    #[test]
    fn contexts_that_join_to_the_same_text_differ() {
        let place = |table, column| Place { table, column, row: "r", generation: 0 };
        let data =
            |place: &Place<'_>| associated_data(&Context { key_id: 1, instance: "i", place });
        assert_ne!(data(&place("ab", "c")), data(&place("a", "bc")));
    }
}
