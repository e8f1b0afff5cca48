//! Passwords of people: a digest that costs memory and time, made and checked. What it costs is what makes guessing
//! dear, so it must not run where other tasks wait: callers see to that.

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::account::PasswordHash;
use crate::vault::error::VaultError;

/// KiB of memory, rounds, and lanes: about a tenth of a second.
const MEMORY: u32 = 64 * 1024;
const ROUNDS: u32 = 3;
const LANES: u32 = 1;

/// A digest with the same cost that no password has: who is not known is looked at as long as who is. Its salt
/// and its output are letters that somebody has typed.
const NOBODYS: &str =
    "$argon2id$v=19$m=65536,t=3,p=1$bm9ib2R5cyBzYWx0IQ$bm9ib2R5IGtub3dzIGEgcGFzc3dvcmQgZm9yIHRoaXM";

/// The digest of a password that was chosen.
pub fn hash(password: &SecretString) -> Result<PasswordHash, VaultError> {
    let hashed = hasher()?.hash_password(password.expose_secret().as_bytes());
    hashed.map(|it| PasswordHash(it.to_string())).map_err(|_| NO_DIGEST)
}

/// Whether `password` is the one that `hash` was made of. Without one it is not, and that takes as long.
pub fn is_right(password: &SecretString, hash: Option<&PasswordHash>) -> bool {
    let text = hash.map_or(NOBODYS, |it| &it.0);
    let Ok(parsed) = argon2::PasswordHash::new(text) else { return false };
    let is_equal = hasher()
        .is_ok_and(|it| it.verify_password(password.expose_secret().as_bytes(), &parsed).is_ok());
    is_equal && hash.is_some()
}

const NO_DIGEST: VaultError = VaultError::Malformed("a password cannot be hashed");

fn hasher() -> Result<Argon2<'static>, VaultError> {
    let params = Params::new(MEMORY, ROUNDS, LANES, None).map_err(|_| NO_DIGEST)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_password_is_recognised_and_another_is_not() {
        let password = SecretString::from("correct horse battery");
        let made = hash(&password).unwrap();
        assert!(made.0.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{}", made.0);
        assert!(!made.0.contains("horse"));
        assert!(is_right(&password, Some(&made)));
        assert!(!is_right(&"correct horse batterz".into(), Some(&made)));
        assert_ne!(hash(&password).unwrap(), made, "each has a salt of its own");
    }

    #[test]
    fn what_is_no_digest_opens_nothing() {
        let broken = PasswordHash("$argon2id$".to_owned());
        assert!(!is_right(&"correct horse battery".into(), Some(&broken)));
    }

    #[test]
    fn who_has_no_password_is_looked_at_as_long() {
        assert!(argon2::PasswordHash::new(NOBODYS).is_ok());
        let password = SecretString::from("correct horse battery");
        let made = hash(&password).unwrap();
        let time = |hash| {
            let begun = Instant::now();
            assert!(!is_right(&"another one altogether".into(), hash));
            begun.elapsed()
        };
        let (known, unknown) = (time(Some(&made)), time(None));
        assert!(unknown > known / 4, "{unknown:?} {known:?}");
    }
}
