//! The one place where the stages meet: everything is built here once and handed down.

/// Connections of the manifest, and what a change of it means for them.
mod reconcile;

/// The daemon.
mod serve;

/// What is stored, for those who only look.
mod stored;

/// Changes of the manifest and of the plugin folder.
mod watch;

/// Links on the way to a file.
mod links;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::{Mutex, mpsc};

pub use serve::{ServeError, serve};
pub use stored::{stored, token_at_hand};
pub use watch::Watch;

use crate::catalogue::{Catalogue, Loader};
use crate::egress::Gate;
use crate::lifecycle::Lifecycle;
use crate::lifecycle::lock::{InstanceLock, LockError};
use crate::lifecycle::owner;
use crate::manifest::Manifest;
use crate::model::clock::Clock;
use crate::model::code::{self, Code};
use crate::operator::{self, Operator, Reload, Reloads};
use crate::refresher::Refresher;
use crate::sandbox::{Cache, Compiler, Sandbox};
use crate::scheduler::Scheduler;
use crate::storage::{Storage, StorageError};
use crate::vault::Vault;
use crate::vault::error::VaultError;
use crate::vault::key::MasterKey;
use crate::vault::keyring::Keyring;

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
    manifest: Arc<RwLock<Arc<Manifest>>>,
    /// One reload at a time.
    reloading: Mutex<()>,
    /// Wishes to reload, which the daemon follows.
    reloads: mpsc::UnboundedReceiver<Reload>,
    lock: Option<InstanceLock>,
    looks: bool,
    /// A folder for what would be made beside the database, when nothing is to be made there.
    _aside: Option<TempDir>,
}

/// How long a command waits for another command to finish.
pub const COMMAND_WAIT: Duration = Duration::from_secs(20);

/// How long one waits that has found the database free, when another was faster.
const HANDOVER: Duration = Duration::from_secs(1);

impl App {
    /// Opens everything that `manifest` names. `gate` is the door that plugins send through, `compiler`
    /// makes code of them.
    pub async fn open(
        manifest: Manifest,
        purpose: Purpose,
        clock: Clock,
        gate: Gate,
        compiler: Compiler,
    ) -> Result<Self, OpenError> {
        let lifecycle = Lifecycle::new();
        let aside = aside(&manifest, purpose)?;
        let path = match &aside {
            Some(folder) => folder.path().join("keepfresh.db"),
            None => manifest.storage.path.clone(),
        };
        let lock = match purpose {
            Purpose::Look | Purpose::Visit => None,
            Purpose::Command => Some(InstanceLock::acquire(&path, "command", HANDOVER).await?),
            Purpose::Serve => Some(InstanceLock::acquire(&path, "serve", Duration::ZERO).await?),
        };
        let storage = open_storage(&path, lock.is_some()).await?;
        if lock.is_some() {
            storage.forget_rooms().await?;
        }
        let vault = open_vault(&manifest, &path, &storage, &clock, lock.is_some()).await?;
        let sandbox = Sandbox::start(compiler).map_err(|it| OpenError::Engine(it.to_string()))?;
        let keeps = purpose != Purpose::Look || owner::is_ours(&path);
        let cache = Some(Cache::new(cache_dir(&path), vault.clone(), keeps));
        let loader = Loader { sandbox, cache, gate };
        let catalogue = Catalogue::default();
        let refresher = Refresher::new(&storage, &vault, &catalogue, &clock, &lifecycle);
        let manifest = Arc::new(RwLock::new(Arc::new(manifest)));
        let (wishes, reloads) = Reloads::new();
        let operator = Operator::new(operator::Parts {
            storage: storage.clone(),
            catalogue: catalogue.clone(),
            refresher: refresher.clone(),
            clock: clock.clone(),
            lifecycle: lifecycle.clone(),
            manifest: Arc::clone(&manifest),
            daemon: purpose == Purpose::Serve,
            reloads: wishes,
        });
        let reloading = Mutex::new(());
        let app = Self {
            lifecycle,
            clock,
            storage,
            catalogue,
            refresher,
            operator,
            vault,
            loader,
            manifest,
            reloading,
            reloads,
            lock,
            looks: purpose == Purpose::Look,
            _aside: aside,
        };
        app.adopt(app.manifest()).await?;
        Ok(app)
    }

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

    /// A scheduler over this app, not started.
    pub fn scheduler(&self) -> Scheduler {
        Scheduler::new(
            self.storage.clone(),
            self.catalogue.clone(),
            self.refresher.clone(),
            self.clock.clone(),
            self.lifecycle.clone(),
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

/// Somewhere else, for a look where there is no database.
fn aside(manifest: &Manifest, purpose: Purpose) -> Result<Option<TempDir>, OpenError> {
    let path = &manifest.storage.path;
    let there = path.parent().is_none_or(|it| it.as_os_str().is_empty() || it.is_dir());
    // A folder that is not there is a mistake in the manifest, and said as one.
    if purpose != Purpose::Look || path.exists() || !there {
        return Ok(None);
    }
    let made = tempfile::Builder::new().prefix("keepfresh-").tempdir();
    made.map(Some).map_err(OpenError::Aside)
}

fn cache_dir(database: &Path) -> std::path::PathBuf {
    database.with_extension("cache")
}

/// Opens the database. Who has to change its schema for that does so alone: two at once would each find what
/// the other has just made.
async fn open_storage(path: &Path, alone: bool) -> Result<Storage, OpenError> {
    let _lock = if alone { None } else { lock_for_migration(path).await? };
    Ok(Storage::open(path).await?)
}

/// The lock, unless nothing is to be changed, or somebody else does it meanwhile.
async fn lock_for_migration(path: &Path) -> Result<Option<InstanceLock>, OpenError> {
    let begun = Instant::now();
    loop {
        if Storage::is_up_to_date(path).await {
            return Ok(None);
        }
        match InstanceLock::acquire(path, "command", Duration::ZERO).await {
            Ok(lock) => return Ok(Some(lock)),
            Err(LockError::Locked { .. }) if begun.elapsed() < COMMAND_WAIT => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Opens the data keys; makes the first one only in a database that has nothing sealed.
async fn open_vault(
    manifest: &Manifest,
    path: &Path,
    storage: &Storage,
    clock: &Clock,
    alone: bool,
) -> Result<Vault, OpenError> {
    let master = MasterKey::load(&manifest.vault.key).await?;
    let instance = storage.instance_id().await?;
    // Two commands must not make a first key each.
    let _lock = match alone {
        true => None,
        false if !storage.keyring().await?.is_empty() => None,
        false => Some(InstanceLock::acquire(path, "command", COMMAND_WAIT).await?),
    };
    let rows = storage.keyring().await?;
    if !rows.is_empty() {
        return Ok(Vault::new(Keyring::open(&master, &rows)?, instance));
    }
    if storage.holds_sealed().await? {
        return Err(OpenError::KeysMissing(path.to_owned()));
    }
    let (keyring, first) = Keyring::create(&master)?;
    storage.add_key(first, clock.now()).await?;
    Ok(Vault::new(keyring, instance))
}

#[cfg(test)]
mod tests;
