//! The one place where the stages meet: everything is built here once and handed down.

/// Connections of the manifest, and what a change of it means for them.
mod reconcile;

/// From a manifest to an app.
mod opening;

/// What is wrong, told.
mod examining;

/// The daemon.
mod serve;

/// What is stored, for those who only look.
mod stored;

/// Changes of the manifest and of the plugin folder.
mod watch;

/// Links on the way to a file.
mod links;

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Mutex, mpsc};

pub use serve::{ServeError, serve};
pub use stored::{audit, stored, token_at_hand};
pub use watch::Watch;

use crate::catalogue::{Catalogue, Loader};
use crate::delivery;
use crate::delivery::sinks::Kit;
use crate::lifecycle::Lifecycle;
use crate::lifecycle::lock::{InstanceLock, LockError};
use crate::manifest::Manifest;
use crate::model::clock::Clock;
use crate::model::code::{self, Code};
use crate::operator::{Operator, Reload};
use crate::refresher::Refresher;
use crate::scheduler::Scheduler;
use crate::storage::{Storage, StorageError};
use crate::vault::Vault;
use crate::vault::error::VaultError;

/// What an app is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Read-only: shares the database with the process that works on it, and makes nothing where there
    /// is none yet. Whoever looks first may be another user than the daemon.
    Look,
    /// Works on the database now and then, each time alone.
    Visit,
    /// One command that works on the database, alone.
    Command,
    /// The daemon, alone.
    Serve,
}

/// Why an app cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works on the database.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The key.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// No key, and no database that was sealed with one.
    #[error("{0}; for a first start, make one with: keepfresh init")]
    NoKey(VaultError),
    /// There is something sealed, and the keys that it was sealed with are gone.
    #[error(
        "the database {0} holds sealed values but no data keys; restore it from a backup, because a new key cannot decrypt them"
    )]
    KeysMissing(std::path::PathBuf),
    /// The engine that runs plugins.
    #[error("the plugin engine cannot start: {0}")]
    Engine(String),
    /// No folder for a look where there is no database.
    #[error("no temporary folder can be made to look without a database: {0}; set TMPDIR to one")]
    Aside(std::io::Error),
}

impl OpenError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Lock(error) => error.code(),
            Self::Storage(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::NoKey(_) => code::Vault::NoKey.into(),
            Self::KeysMissing(_) => code::Vault::KeysMissing.into(),
            Self::Engine(_) => code::Internal::Engine.into(),
            Self::Aside(_) => code::Storage::Unavailable.into(),
        }
    }
}

/// Everything, built once.
pub struct App {
    /// Tasks and their end.
    pub lifecycle: Lifecycle,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub storage: Storage,
    /// What is loaded.
    pub catalogue: Catalogue,
    /// What refreshes.
    pub refresher: Refresher,
    /// What carries out commands.
    pub operator: Operator,
    vault: Vault,
    loader: Loader,
    sinks: Kit,
    manifest: Arc<RwLock<Arc<Manifest>>>,
    /// One reload at a time.
    reloading: Mutex<()>,
    /// Wishes to reload, which the daemon follows.
    reloads: mpsc::UnboundedReceiver<Reload>,
    lock: Option<InstanceLock>,
    looks: bool,
    /// What the last examination found.
    told: std::sync::Mutex<BTreeSet<String>>,
    /// A folder for what would be made beside the database, when nothing is to be made there.
    _aside: Option<TempDir>,
}

/// How long a command waits for another command to finish.
pub const COMMAND_WAIT: Duration = Duration::from_secs(20);

impl App {
    /// The manifest in force.
    pub fn manifest(&self) -> Arc<Manifest> {
        Arc::clone(&self.manifest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The right to work on the database, for an app that was opened for looking: as long as it is
    /// held, nobody else does.
    pub async fn alone(&self, wait: Duration) -> Result<InstanceLock, OpenError> {
        let path = self.manifest().storage.path.clone();
        Ok(InstanceLock::acquire(&path, "command", wait).await?)
    }

    /// What those work with who tell what happened, with the scheduler that they vouch for.
    pub fn delivery(&self, scheduler: &Scheduler) -> delivery::Parts {
        delivery::Parts {
            storage: self.storage.clone(),
            clock: self.clock.clone(),
            lifecycle: self.lifecycle.clone(),
            gate: self.loader.gate.clone(),
            catalogue: self.catalogue.clone(),
            turns: Arc::clone(&self.refresher.turns),
            scheduler: scheduler.clone(),
            sinks: self.sinks.clone(),
            manifest: Arc::clone(&self.manifest),
        }
    }

    /// A scheduler over this app, not started.
    pub fn scheduler(&self) -> Scheduler {
        Scheduler::new(
            self.storage.clone(),
            self.catalogue.clone(),
            self.refresher.clone(),
            self.clock.clone(),
            self.lifecycle.clone(),
            Arc::clone(&self.manifest),
        )
    }

    /// Puts `manifest` in force: its plugins, its connections, its times.
    pub async fn adopt(&self, manifest: Arc<Manifest>) -> Result<(), StorageError> {
        let _one = self.reloading.lock().await;
        // What authorities are trusted may have changed with everything else.
        self.loader.gate.renew();
        let now = self.clock.now();
        let shelf = if self.looks {
            self.loader.look(&manifest, now).await
        } else {
            self.loader.load(&manifest, now).await
        };
        self.catalogue.replace(shelf);
        *self.manifest.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&manifest);
        self.reconcile(&manifest).await
    }
}

#[cfg(test)]
mod tests;
