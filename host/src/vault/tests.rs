//! What the vault promises about sealed values. Key files, rings and the envelope's form have their
//! tests beside them.

use std::collections::HashSet;

use crate::vault::key::MasterKey;
use crate::vault::keyring::Keyring;
use crate::vault::place::{Place, Purpose};
use crate::vault::{Sealed, Vault};

const CANARY: &[u8] = b"CANARY_eyJhbGciOiJIUzI1NiJ9";
const PLACE: Place<'_> =
    Place { table: "generations", column: "tokens", row: "eskiz/default", generation: 7 };

fn vault() -> Vault {
    let (keyring, _) = Keyring::create(&MasterKey::random().ok().unwrap()).unwrap();
    Vault::new(keyring, "instance".to_owned())
}

fn refusal(vault: &Vault, purpose: Purpose, place: &Place<'_>, sealed: &Sealed) -> &'static str {
    vault.open(purpose, place, sealed).unwrap_err().code().entry().unwrap().text
}

#[test]
fn what_was_sealed_opens() {
    let vault = vault();
    for length in [0, 1, 59, 60, 61, 64, 4096, 1 << 20] {
        let plain = vec![7; length];
        let sealed = vault.seal(Purpose::Tokens, &PLACE, &plain).unwrap();
        let stored = Sealed::from_bytes(sealed.into_bytes());
        assert_eq!(*vault.open(Purpose::Tokens, &PLACE, &stored).unwrap(), plain);
    }
}

#[test]
fn one_value_sealed_twice_looks_different() {
    let vault = vault();
    let seal = || vault.seal(Purpose::Tokens, &PLACE, CANARY).unwrap();
    assert_ne!(seal(), seal());
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let vault = vault();
    let bytes = vault.seal(Purpose::Tokens, &PLACE, CANARY).unwrap().into_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let code = refusal(&vault, Purpose::Tokens, &PLACE, &Sealed::from_bytes(flipped));
        let expected = match bit / 8 {
            0..2 => "vault.malformed",
            2..6 => "vault.unknown_key",
            _ => "vault.bad_context",
        };
        assert_eq!(code, expected, "bit {bit}");
    }
}

#[test]
fn a_value_opens_in_its_own_place_only() {
    let vault = vault();
    let sealed = vault.seal(Purpose::Tokens, &PLACE, CANARY).unwrap();
    let elsewhere = [
        Place { table: "captures", ..PLACE },
        Place { column: "secrets", ..PLACE },
        Place { row: "eskiz/reports", ..PLACE },
        Place { generation: 6, ..PLACE },
        Place { generation: 8, ..PLACE },
    ];
    for place in elsewhere {
        assert_eq!(refusal(&vault, Purpose::Tokens, &place, &sealed), "vault.bad_context");
    }
}

#[test]
fn a_value_opens_for_its_own_purpose_only() {
    let vault = vault();
    let sealed = vault.seal(Purpose::Tokens, &PLACE, CANARY).unwrap();
    for purpose in [Purpose::Capture, Purpose::Credential] {
        assert_eq!(refusal(&vault, purpose, &PLACE, &sealed), "vault.bad_context");
    }
}

#[test]
fn a_value_of_another_instance_does_not_open() {
    let master = MasterKey::random().ok().unwrap();
    let (keyring, row) = Keyring::create(&master).unwrap();
    let here = Vault::new(keyring, "here".to_owned());
    let there = Vault::new(Keyring::open(&master, &[row]).unwrap(), "there".to_owned());
    let sealed = here.seal(Purpose::Tokens, &PLACE, CANARY).unwrap();
    assert_eq!(refusal(&there, Purpose::Tokens, &PLACE, &sealed), "vault.bad_context");
}

#[test]
fn a_value_under_another_data_key_does_not_open() {
    let sealed = vault().seal(Purpose::Tokens, &PLACE, CANARY).unwrap();
    assert_eq!(refusal(&vault(), Purpose::Tokens, &PLACE, &sealed), "vault.bad_context");
}

#[test]
fn pairs_of_places_never_open_each_other() {
    let vault = vault();
    let rows: Vec<String> = (0..60).map(|it| format!("eskiz/{it}")).collect();
    let place = |at: usize| Place { row: &rows[at], generation: (at % 5) as u64, ..PLACE };
    let sealed: Vec<Sealed> = (0..rows.len())
        .map(|it| vault.seal(Purpose::Tokens, &place(it), CANARY).unwrap())
        .collect();
    for (from, value) in sealed.iter().enumerate() {
        for to in (0..rows.len()).filter(|it| *it != from) {
            assert!(vault.open(Purpose::Tokens, &place(to), value).is_err(), "{from} in {to}");
        }
    }
}

#[test]
fn nothing_of_the_value_shows() {
    let vault = vault();
    let sealed = vault.seal(Purpose::Tokens, &PLACE, CANARY).unwrap();
    assert!(!sealed.as_bytes().windows(6).any(|it| it == b"CANARY"));
    assert_eq!(format!("{sealed:?}"), "Sealed(110 bytes)");
    assert_eq!(format!("{vault:?}"), "Vault(Keyring { ids: [1], .. })");
}

#[test]
fn a_refusal_names_the_place_and_not_the_value() {
    let vault = vault();
    let sealed = vault.seal(Purpose::Tokens, &PLACE, CANARY).unwrap();
    let place = Place { generation: 8, ..PLACE };
    let message = vault.open(Purpose::Tokens, &place, &sealed).unwrap_err().to_string();
    assert!(message.contains("generations.tokens of row `eskiz/default`, generation 8"));
    assert!(!message.contains("CANARY"));
}

#[test]
fn nonces_do_not_repeat() {
    let vault = vault();
    let nonces: HashSet<[u8; 24]> = (0..100_000)
        .map(|_| vault.seal(Purpose::Tokens, &PLACE, b"").unwrap())
        .map(|it| it.as_bytes()[6..30].try_into().unwrap())
        .collect();
    assert_eq!(nonces.len(), 100_000);
}

#[test]
fn a_mac_is_keyed_and_stable() {
    let (here, there) = (vault(), vault());
    let mac = here.mac(b"code");
    assert_eq!(mac, here.clone().mac(b"code"));
    assert!(here.verify_mac(b"code", &mac));
    assert!(!here.verify_mac(b"other code", &mac));
    assert!(!here.verify_mac(b"code", &mac[..31]));
    assert!(!there.verify_mac(b"code", &mac));
}

#[test]
fn the_digest_of_an_api_key_is_keyed_and_names_its_key() {
    let (here, there) = (vault(), vault());
    let digest = here.api_key_digest(&[b"key"]);
    assert_eq!(digest.len(), 36);
    assert!(here.clone().is_api_key(&[b"key"], &digest));
    assert!(!here.is_api_key(&[b"another"], &digest));
    assert!(!here.is_api_key(&[b"key"], &digest[..35]) && !here.is_api_key(&[b"key"], &[]));
    assert!(!there.is_api_key(&[b"key"], &digest), "another database has other keys");
    assert_ne!(digest[4..], here.mac(b"key"), "and code has yet another");
    let of_no_key = [&[0, 0, 0, 9], &digest[4..]].concat();
    assert!(!here.is_api_key(&[b"key"], &of_no_key));
}

#[test]
fn the_digest_of_what_a_person_logs_in_with_is_keyed_and_of_one_kind() {
    let (here, there) = (vault(), vault());
    let digest = here.account_digest("session", b"id");
    assert!(here.is_account("session", b"id", &digest));
    assert!(
        !here.is_account("session", b"di", &digest) && !here.is_account("link", b"id", &digest)
    );
    assert!(!there.is_account("session", b"id", &digest), "another database has other keys");
    assert!(!here.is_api_key(&[b"session\0id"], &digest), "an API key is something else");
}
