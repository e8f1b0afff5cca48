//! What this installation runs on: program, database, key, disk.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::failure::Failure;
use crate::operator::readiness::Readiness;
use crate::operator::{Operator, Reply};
use crate::refresher::host_fault;
use crate::storage::Tally;

/// What this installation runs on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SystemView {
    /// Of the program.
    pub version: String,
    /// Now, by the daemon's clock.
    pub now: Timestamp,
    /// Whether it can do its work.
    pub readiness: Readiness,
    /// The manifest.
    pub manifest: PathBuf,
    /// The plugin folder.
    pub plugins: PathBuf,
    /// The database.
    pub database: PathBuf,
    /// Bytes of the database with its write-ahead log.
    pub database_bytes: u64,
    /// Bytes that are free on its disk; none where that cannot be told.
    pub free_bytes: Option<u64>,
    /// Where the master key is, never the key.
    pub key: String,
    /// Data keys: the number of each, the master key that wraps it, and whether new values are sealed with it.
    pub keys: Vec<(u32, String, bool)>,
    /// All connections.
    pub connections: u64,
    /// Those that wait for a person.
    pub problems: u64,
    /// Where the HTTP API listens.
    pub listen: Option<String>,
    /// How long attempts are kept, in seconds.
    pub retention_s: u64,
}

impl Operator {
    pub(super) async fn system(&self) -> Result<Reply, Failure> {
        let manifest = self.manifest();
        let path = &manifest.storage.path;
        let tally = self.0.storage.tally().await.map_err(|it| host_fault(&it))?;
        let keys = self.0.storage.keyring().await.map_err(|it| host_fault(&it))?;
        let key = |it: crate::vault::keyring::WrappedKey| {
            (it.id, it.master_id, it.state == crate::vault::keyring::KeyState::Primary)
        };
        let Tally { connections, problems } = tally;
        Ok(Reply::System(Box::new(SystemView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: self.now(),
            readiness: self.readiness().await,
            manifest: absolute(&manifest.path),
            plugins: absolute(&manifest.plugins.dir),
            database: absolute(path),
            database_bytes: bytes_of(path),
            free_bytes: free(path),
            key: manifest.vault.key.label(),
            keys: keys.into_iter().map(key).collect(),
            connections,
            problems,
            listen: manifest.server.listen.map(|it| it.to_string()),
            retention_s: manifest.storage.retention.as_secs(),
        })))
    }
}

/// A path that makes sense wherever it is read.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Of the file and of what SQLite keeps beside it.
fn bytes_of(path: &Path) -> u64 {
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let files = [path.to_owned(), beside("-wal")];
    files.iter().filter_map(|it| it.metadata().ok()).map(|it| it.len()).sum()
}

fn free(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
