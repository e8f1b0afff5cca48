//! One process at a time on one database: two that refresh the same token would lose it. The lock
//! is the kernel's, so it ends with its process however that ends. Knows nothing of the database.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::lifecycle::owner;
use crate::model::clock::Clock;
use crate::model::code::{self, Code};

/// Held for as long as it lives.
#[derive(Debug)]
pub struct InstanceLock {
    file: File,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id; `None` in the instant between taking the lock and signing it.
    pub pid: Option<u32>,
    /// `serve` or `command`.
    pub role: String,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error(
        "another process ({holder}) is using {}; stop it, or wait until it is done",
        path.display()
    )]
    Locked {
        /// Who.
        holder: Holder,
        /// The database.
        path: PathBuf,
    },
    /// The lock file cannot be used.
    #[error(
        "the lock file {} cannot be used: {cause}{}",
        path.display(), owner::remedy(path).unwrap_or_default()
    )]
    Unusable {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

const STEP: Duration = Duration::from_millis(25);
/// Waited for at least, because [`holder`] looks by taking the lock for an instant.
const GRACE: Duration = Duration::from_millis(75);

impl InstanceLock {
    /// Takes the lock of the database, trying for as long as `wait`. `role` is `serve` or
    /// `command`, and is what the next one is told.
    pub async fn acquire(
        db_path: &Path,
        role: &'static str,
        wait: Duration,
    ) -> Result<Self, LockError> {
        let started = Instant::now();
        loop {
            match attempt(db_path, role) {
                Err(LockError::Locked { .. }) if started.elapsed() < wait.max(GRACE) => {
                    tokio::time::sleep(STEP).await;
                }
                result => return result,
            }
        }
    }
}

/// Who holds the lock of the database; `None` when nobody does.
pub fn holder(db_path: &Path) -> Option<Holder> {
    let mut file = File::open(lock_path(db_path)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(read_holder(&mut file)),
        _ => None,
    }
}

/// Quick enough for an asynchronous caller: a file is opened, and nothing is waited for.
fn attempt(db_path: &Path, role: &'static str) -> Result<InstanceLock, LockError> {
    let path = lock_path(db_path);
    let unusable = |cause| LockError::Unusable { path: path.clone(), cause };
    let mut file = open(&path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = read_holder(&mut file);
            return Err(LockError::Locked { holder, path: db_path.to_owned() });
        }
        Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
    }
    sign(&mut file, role).map_err(unusable)?;
    Ok(InstanceLock { file })
}

/// Not truncated: until the lock is taken, what is written there belongs to its holder.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// `pid role started-at`, on one line, for the next process and for a person.
fn sign(file: &mut File, role: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let (pid, now) = (std::process::id(), Clock::system().now());
    file.write_all(format!("{pid} {role} {now:.0}\n").as_bytes())
}

fn read_holder(file: &mut File) -> Holder {
    let mut text = String::new();
    // What cannot be read is a holder without a name.
    let _ = file.take(256).read_to_string(&mut text);
    let mut words = text.split_ascii_whitespace();
    let pid = words.next().and_then(|it| it.parse().ok());
    Holder { pid, role: words.next().unwrap_or("process").to_owned() }
}

/// Beside the database itself, wherever links lead, so that one database has one lock.
fn lock_path(db_path: &Path) -> PathBuf {
    let mut path = real_path(db_path).unwrap_or_else(|| db_path.to_owned()).into_os_string();
    path.push(".lock");
    path.into()
}

/// A database that is not there yet has a folder that is.
fn real_path(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().or_else(|| {
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    })
}

impl LockError {
    /// `area.cause`, the same in CLI, API, log and attempts.
    pub fn code(&self) -> Code {
        let code = match self {
            Self::Locked { .. } => code::Instance::Locked,
            Self::Unusable { .. } => code::Instance::LockUnusable,
        };
        code.into()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "pid {pid}, keepfresh {}", self.role),
            None => write!(f, "keepfresh {}", self.role),
        }
    }
}

impl Drop for InstanceLock {
    fn drop(&mut self) {
        // The file stays: removing it could leave two processes with a lock on two files. Closing
        // it unlocks; its name is taken out first, so that no process reads a stale one.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn database() -> PathBuf {
        let mut name = [0; 8];
        getrandom::fill(&mut name).unwrap();
        let name = format!("keepfresh-lock-{:x}", u64::from_be_bytes(name));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        folder.join("keepfresh.db")
    }

    async fn locked(path: &Path) -> String {
        let result = InstanceLock::acquire(path, "command", Duration::ZERO).await;
        let error = result.unwrap_err();
        assert_eq!(error.code().text(), "instance.locked");
        error.to_string()
    }

    #[tokio::test]
    async fn a_second_one_is_told_who_is_first() {
        let path = database();
        let _first = InstanceLock::acquire(&path, "serve", Duration::ZERO).await.unwrap();
        let message = locked(&path).await;
        let pid = std::process::id();
        let expected =
            format!("another process (pid {pid}, keepfresh serve) is using {}", path.display());
        assert!(message.starts_with(&expected), "{message}");
    }

    #[tokio::test]
    async fn a_lock_ends_with_its_holder() {
        let path = database();
        assert_eq!(holder(&path), None);
        let first = InstanceLock::acquire(&path, "serve", Duration::ZERO).await.unwrap();
        let expected = Holder { pid: Some(std::process::id()), role: "serve".to_owned() };
        assert_eq!(holder(&path), Some(expected));
        drop(first);
        assert_eq!(holder(&path), None);
        InstanceLock::acquire(&path, "command", Duration::ZERO).await.unwrap();
    }

    #[tokio::test]
    async fn waiting_takes_the_lock_when_it_is_free() {
        let path = database();
        let first = InstanceLock::acquire(&path, "command", Duration::ZERO).await.unwrap();
        let second = InstanceLock::acquire(&path, "serve", Duration::from_secs(10));
        let release = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(second, release);
        assert!(second.is_ok());
    }

    #[tokio::test]
    async fn a_link_to_the_database_has_the_same_lock() {
        let path = database();
        fs::write(&path, "").unwrap();
        let link = path.with_file_name("link.db");
        symlink(&path, &link).unwrap();
        let _first = InstanceLock::acquire(&path, "serve", Duration::ZERO).await.unwrap();
        locked(&link).await;
    }

    #[tokio::test]
    async fn what_a_dead_process_left_is_no_holder() {
        let path = database();
        fs::write(lock_path(&path), "1 serve 2026-01-01T00:00:00Z\n").unwrap();
        assert_eq!(holder(&path), None);
        InstanceLock::acquire(&path, "serve", Duration::ZERO).await.unwrap();
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_said_so() {
        let path = Path::new("/nonexistent/keepfresh.db");
        let error = InstanceLock::acquire(path, "serve", Duration::ZERO).await.unwrap_err();
        assert_eq!(error.code().text(), "instance.lock_unusable");
    }
}
