//! A secret in a file. Links are followed, because Kubernetes mounts secrets as links; the checks
//! are made on the file that was opened, not on its name. Knows nothing of what the secret is for.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::vault::source::error::SourceError;
use crate::vault::source::{LARGEST, as_secret};

/// What to do about a file that others may read or change.
#[derive(Clone, Copy, Debug)]
pub(super) enum Care {
    /// Nothing: systemd made it.
    Trust,
    /// Say so. Container engines mount secrets readable for all, and there it does no harm.
    Warn,
    /// Refuse it.
    Refuse,
}

/// Write for group and others, read for others.
const LOOSE: u32 = 0o026;

/// Reads the file.
pub(super) async fn read(path: &Path, care: Care) -> Result<SecretString, SourceError> {
    let owned = path.to_owned();
    // Not `tokio::fs`: its buffers are not wiped.
    match tokio::task::spawn_blocking(move || read_now(&owned, care)).await {
        Ok(result) => result,
        Err(cause) => Err(unreadable(path, io::Error::other(cause))),
    }
}

fn read_now(path: &Path, care: Care) -> Result<SecretString, SourceError> {
    let file = open(path)?;
    check_mode(path, &file, care)?;
    // Room for one byte more than allowed: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    let limit = LARGEST as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|cause| unreadable(path, cause))?;
    as_secret(&bytes, || format!("file:{}", path.display()))
}

/// `NONBLOCK`, so that a named pipe without a writer is refused instead of waited for.
fn open(path: &Path) -> Result<File, SourceError> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = file.map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => SourceError::FileMissing { path: path.to_owned() },
        _ => unreadable(path, cause),
    })?;
    match file.metadata() {
        Ok(facts) if facts.is_file() => Ok(file),
        Ok(_) => Err(unreadable(path, io::Error::other("it is not an ordinary file"))),
        Err(cause) => Err(unreadable(path, cause)),
    }
}

fn check_mode(path: &Path, file: &File, care: Care) -> Result<(), SourceError> {
    let facts = file.metadata().map_err(|cause| unreadable(path, cause))?;
    let mode = facts.permissions().mode() & 0o7777;
    match care {
        Care::Refuse if mode & LOOSE != 0 => {
            Err(SourceError::FileMode { path: path.to_owned(), mode })
        }
        Care::Warn if mode & LOOSE != 0 && first_time(path) => {
            tracing::warn!(
                "the secret file {} has mode {mode:04o}: others may read or change it",
                path.display()
            );
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Secrets are read often, and one warning is enough.
fn first_time(path: &Path) -> bool {
    static WARNED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    WARNED.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned())
}

fn unreadable(path: &Path, cause: io::Error) -> SourceError {
    SourceError::FileUnreadable { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::symlink;

    use secrecy::ExposeSecret;

    use super::*;

    fn written(bytes: &[u8], mode: u32) -> PathBuf {
        let path = crate::vault::test_folder().join("secret");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[tokio::test]
    async fn a_link_is_followed() {
        let path = written(b"secret", 0o440);
        let link = path.with_file_name("link");
        symlink(&path, &link).unwrap();
        assert_eq!(read(&link, Care::Refuse).await.unwrap().expose_secret(), "secret");
    }

    #[tokio::test]
    async fn a_loose_mode_is_refused_for_keys_only() {
        for mode in [0o644, 0o620, 0o602, 0o666] {
            let path = written(b"secret", mode);
            let error = read(&path, Care::Refuse).await.unwrap_err();
            assert_eq!(error.code().text(), "secret.file_mode");
            assert!(error.to_string().contains("chmod 600"));
            assert!(read(&path, Care::Warn).await.is_ok());
        }
    }

    #[tokio::test]
    async fn what_is_no_secret_has_a_code_of_its_own() {
        let folder = crate::vault::test_folder();
        for (path, code) in [
            (folder.join("missing"), "secret.file_missing"),
            (folder, "secret.file_unreadable"),
            (written(&[0xff, 0xfe], 0o600), "secret.not_text"),
            (written(&vec![b'a'; LARGEST + 1], 0o600), "secret.too_large"),
        ] {
            assert_eq!(read(&path, Care::Warn).await.unwrap_err().code().text(), code);
        }
        let empty = crate::vault::source::Source::File(written(b"\n", 0o600));
        assert_eq!(empty.read().await.unwrap_err().code().text(), "secret.empty");
    }
}
