//! The master key, which lives outside the database and wraps the data keys, and how keys are
//! derived from keys. It cannot be printed, and a new one never replaces an existing one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::vault::error::VaultError;
use crate::vault::source::Source;

/// Thirty-two bytes on the heap that do not print and are wiped when dropped.
pub(super) type Key = SecretBox<[u8; 32]>;

/// The key that wraps the data keys. Without it the database is noise: keep a copy elsewhere.
pub struct MasterKey(Key);

/// The mark that [`MasterKey::generate_file`] puts before the base64, so that a person who finds
/// the file knows what it is.
const MARK: &str = "kf-key-1:";

impl MasterKey {
    /// Reads the key from where `vault.key` says. A file that others may read or change is refused.
    pub async fn load(source: &Source) -> Result<Self, VaultError> {
        let text = source.read_private().await?;
        Self::parse(&text).ok_or_else(|| VaultError::KeyInvalid { origin: source.label() })
    }

    /// A new key, written to a new file that only its owner can read. Blocks until it is on disk.
    pub fn generate_file(path: &Path) -> Result<Self, VaultError> {
        let key = Self::random()?;
        key.write_new(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => VaultError::KeyExists { path: path.to_owned() },
            _ => VaultError::KeyUnwritable { path: path.to_owned(), cause },
        })?;
        Ok(key)
    }

    /// Eight hex digits that tell keys apart and say nothing of the key.
    pub fn id(&self) -> String {
        hex(&derive(&self.0, "master-id").expose_secret()[..4])
    }

    pub(crate) fn random() -> Result<Self, VaultError> {
        random_key().map(Self)
    }

    /// What wraps data keys: derived, so that the master key itself never meets a cipher.
    pub(super) fn wrapping_key(&self) -> Key {
        derive(&self.0, "keyring")
    }

    fn parse(text: &SecretString) -> Option<Self> {
        let text = text.expose_secret().trim();
        let body = text.strip_prefix(MARK).unwrap_or(text);
        let bytes = from_hex(body).or_else(|| from_base64(body))?;
        let mut key = Key::default();
        // Lengths that differ would make `copy_from_slice` panic.
        (bytes.len() == 32).then(|| key.expose_secret_mut().copy_from_slice(&bytes))?;
        Some(Self(key))
    }

    fn write_new(&self, path: &Path) -> io::Result<()> {
        let body = Zeroizing::new(STANDARD.encode(self.0.expose_secret()));
        let line = Zeroizing::new([MARK, &body, "\n"].concat());
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        // The name of the file is data of the folder, and is made durable there.
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// A key for one purpose, from which neither `key` nor the keys of other purposes follow.
pub(super) fn derive(key: &Key, purpose: &str) -> Key {
    let info = format!("keepfresh/v1/{purpose}");
    let mut derived = Key::default();
    Hkdf::<Sha256>::new(None, key.expose_secret())
        .expand(info.as_bytes(), derived.expose_secret_mut())
        .expect("32 bytes are below the 8160 that HKDF-SHA256 can give");
    derived
}

pub(super) fn random_key() -> Result<Key, VaultError> {
    let mut key = Key::default();
    getrandom::fill(key.expose_secret_mut()).map_err(VaultError::Random)?;
    Ok(key)
}

pub(super) fn random_nonce() -> Result<[u8; 24], VaultError> {
    let mut nonce = [0; 24];
    getrandom::fill(&mut nonce).map_err(VaultError::Random)?;
    Ok(nonce)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, it| text + &format!("{it:02x}"))
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() != 64 || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok());
    let mut bytes = Zeroizing::new(Vec::with_capacity(32));
    for byte in pairs {
        bytes.push(byte?);
    }
    Some(bytes)
}

/// Decoded into one buffer, so that an attempt that fails half-way leaves nothing behind.
fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; 64]);
    let length = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|it| it.decode_slice(text, &mut bytes).ok())?;
    bytes.truncate(length);
    Some(bytes)
}

#[cfg(test)]
pub(super) fn from_bytes(bytes: [u8; 32]) -> Key {
    Key::new(Box::new(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn id_of(text: &str) -> Option<String> {
        MasterKey::parse(&SecretString::from(text)).map(|it| it.id())
    }

    #[test]
    fn hex_base64_and_the_written_form_are_the_same_key() {
        let written = format!("{MARK}{}\n", STANDARD.encode([7; 32]));
        let id = id_of(&"07".repeat(32)).unwrap();
        assert_eq!(id.len(), 8);
        assert_eq!(id_of(&STANDARD.encode([7; 32])).as_ref(), Some(&id));
        assert_eq!(id_of(&URL_SAFE_NO_PAD.encode([7; 32])).as_ref(), Some(&id));
        assert_eq!(id_of(&written).as_ref(), Some(&id));
    }

    #[test]
    fn anything_else_is_not_a_key() {
        for text in ["", "password", &"07".repeat(31), &"07".repeat(33), MARK] {
            assert_eq!(id_of(text), None, "{text}");
        }
    }

    #[test]
    fn the_id_is_not_a_part_of_the_key() {
        assert_ne!(id_of(&"07".repeat(32)).unwrap(), "07070707");
    }

    #[tokio::test]
    async fn a_generated_file_is_private_and_loads_again() {
        let folder = crate::vault::test_folder();
        let path = folder.join("master.key");
        let made = MasterKey::generate_file(&path).ok().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
        let loaded = MasterKey::load(&Source::File(path)).await.ok().unwrap();
        assert_eq!(loaded.id(), made.id());
    }

    #[test]
    fn a_key_is_never_written_over_a_file() {
        let path = crate::vault::test_folder().join("master.key");
        fs::write(&path, "something else").unwrap();
        let error = MasterKey::generate_file(&path).err().unwrap();
        assert_eq!(error.code().text(), "vault.key_exists");
        assert_eq!(fs::read_to_string(&path).unwrap(), "something else");
    }

    #[tokio::test]
    async fn a_key_file_that_others_may_read_is_refused() {
        let path = crate::vault::test_folder().join("master.key");
        MasterKey::generate_file(&path).ok().unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = MasterKey::load(&Source::File(path)).await.err().unwrap();
        assert_eq!(error.code().text(), "secret.file_mode");
    }

    #[tokio::test]
    async fn text_that_is_no_key_names_its_source_and_not_itself() {
        let path = crate::vault::test_folder().join("master.key");
        fs::write(&path, "CANARY").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        let error = MasterKey::load(&Source::File(path)).await.err().unwrap();
        assert_eq!(error.code().text(), "vault.key_invalid");
        assert!(error.to_string().contains("master.key"));
        assert!(!error.to_string().contains("CANARY"));
    }
}
