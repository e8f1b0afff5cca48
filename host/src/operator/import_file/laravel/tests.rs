//! Values as Laravel seals them, made here by its rules: opened with the right key, and by no other.

use aws_lc_rs::cipher::{EncryptionContext, PaddedBlockEncryptingKey};
use serde_json::json;

use super::*;

const KEY: &str = "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const RAW: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn keys(texts: &[&str]) -> Keys {
    let mut keys = Keys::default();
    for text in texts {
        assert!(keys.add(&(*text).to_owned().into()), "{text}");
    }
    keys
}

/// A value as `Crypt::encryptString` makes it with a key of 16 or 32 bytes.
fn cbc(key: &[u8], text: &str) -> String {
    let algorithm =
        if key.len() == 16 { &aws_lc_rs::cipher::AES_128 } else { &aws_lc_rs::cipher::AES_256 };
    let cipher = UnboundCipherKey::new(algorithm, key).unwrap();
    let mut value = text.as_bytes().to_vec();
    let iv = EncryptionContext::Iv128(FixedLength::from([7; 16]));
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).unwrap();
    cipher.less_safe_encrypt(&mut value, iv).unwrap();
    let (iv, value) = (STANDARD.encode([7; 16]), STANDARD.encode(value));
    let signed = [iv.as_str(), &value].concat();
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    let mac = crate::model::token::hex(mac.as_ref());
    STANDARD.encode(json!({ "iv": iv, "value": value, "mac": mac, "tag": "" }).to_string())
}

/// The same with the cipher `aes-256-gcm`.
fn gcm(key: &[u8], text: &str) -> String {
    let algorithm =
        if key.len() == 16 { &aws_lc_rs::aead::AES_128_GCM } else { &aws_lc_rs::aead::AES_256_GCM };
    let cipher = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap());
    let mut value = text.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key([7; 12]);
    let tag = cipher.seal_in_place_separate_tag(nonce, Aad::empty(), &mut value).unwrap();
    let [iv, value, tag] = [&[7; 12], value.as_slice(), tag.as_ref()].map(|it| STANDARD.encode(it));
    STANDARD.encode(json!({ "iv": iv, "value": value, "mac": "", "tag": tag }).to_string())
}

fn read(text: &str, keys: &Keys) -> Result<Opened, &'static str> {
    open(text, Some(keys)).expect("it is recognised")
}

#[test]
fn a_value_is_opened_whatever_the_cipher_and_whether_php_serialised_it() {
    let held = || Ok(Some("ya29.token".to_owned()));
    for text in ["ya29.token", "s:10:\"ya29.token\";"] {
        for sealed in [cbc(RAW, text), gcm(RAW, text)] {
            assert_eq!(read(&sealed, &keys(&[KEY])), held());
            assert_eq!(read(&sealed, &keys(&["0123456789abcdef0123456789abcdef"])), held());
        }
        for sealed in [cbc(&RAW[..16], text), gcm(&RAW[..16], text)] {
            assert_eq!(read(&sealed, &keys(&["0123456789abcdef"])), held());
        }
    }
    assert_eq!(read(&cbc(RAW, "N;"), &keys(&[KEY])), Ok(None));
}

#[test]
fn a_key_is_found_in_a_line_of_env_with_those_before_it() {
    let env = format!(
        "APP_NAME=Shop\nAPP_KEY=\"base64:{}\"\nAPP_PREVIOUS_KEYS={KEY},\n",
        STANDARD.encode([1; 32])
    );
    let held = Ok(Some("x".to_owned()));
    assert_eq!(read(&cbc(RAW, "x"), &keys(&[&env])), held);
    assert_eq!(read(&cbc(&[1; 32], "x"), &keys(&[&env])), held);
    assert_eq!(read(&cbc(RAW, "x"), &keys(&["fedcba9876543210fedcba9876543210", KEY])), held);
    for wrong in ["", "base64:AAAA", "base64:!", "short", "APP_KEY=\n"] {
        assert!(!Keys::default().add(&wrong.to_owned().into()), "{wrong}");
    }
}

#[test]
fn another_key_a_changed_value_and_one_that_is_cut_off_are_told_apart() {
    let other = keys(&["fedcba9876543210fedcba9876543210"]);
    for sealed in [cbc(RAW, "x"), gcm(RAW, "x")] {
        assert_eq!(read(&sealed, &other), Err(OTHER_KEY));
        assert_eq!(open(&sealed, None), Some(Err(NO_KEY)));
        assert_eq!(read(&sealed[..sealed.len() - 7], &keys(&[KEY])), Err(CUT_OFF));
        let text = String::from_utf8(STANDARD.decode(&sealed).unwrap()).unwrap();
        let mut parts: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (member, changed) in
            [("value", "AAAA"), ("iv", "AAAAAAAAAAAAAAAAAAAAAA=="), ("mac", "00"), ("tag", "AAAA")]
        {
            let before = std::mem::replace(&mut parts[member], changed.into());
            let sealed = STANDARD.encode(parts.to_string());
            // The MAC of GCM is empty, and nobody looks at it.
            if member != "mac" || before != "" {
                assert_eq!(read(&sealed, &keys(&[KEY])), Err(OTHER_KEY), "{member}");
            }
            parts[member] = before;
        }
    }
    assert!(open("eyJhbGciOiJIUzI1NiJ9.e30.x", None).is_none());
    assert!(open("", None).is_none());
}
