//! From a manifest to an app. What can fail without a database comes before there is one, so that a start that
//! fails leaves nothing behind that stands in the way of the next.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::app::{App, COMMAND_WAIT, OpenError, Purpose};
use crate::catalogue::{Catalogue, Loader};
use crate::delivery::sinks::Kit;
use crate::egress::Gate;
use crate::lifecycle::lock::{InstanceLock, LockError};
use crate::lifecycle::{Lifecycle, owner};
use crate::manifest::Manifest;
use crate::model::clock::Clock;
use crate::operator::accounts::People;
use crate::operator::api_keys::Keys;
use crate::operator::{self, Operator, Reloads};
use crate::proxy::Proxy;
use crate::refresher::Refresher;
use crate::sandbox::{Cache, Compiler, Sandbox};
use crate::storage::Storage;
use crate::vault::Vault;
use crate::vault::error::VaultError;
use crate::vault::key::MasterKey;
use crate::vault::keyring::Keyring;
use crate::vault::source::error::SourceError;

/// How long one waits that has found the database free, when another was faster.
const HANDOVER: Duration = Duration::from_secs(1);

/// What there is before the database is opened.
struct Opening {
    manifest: Manifest,
    purpose: Purpose,
    clock: Clock,
    gate: Gate,
    path: PathBuf,
    aside: Option<TempDir>,
    lock: Option<InstanceLock>,
    master: MasterKey,
    sandbox: Sandbox,
}

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
        let aside = aside(&manifest, purpose)?;
        let path = match &aside {
            Some(folder) => folder.path().join("keepfresh.db"),
            None => manifest.storage.path.clone(),
        };
        // The lock first: whoever comes meanwhile waits, however long a command takes to print the key.
        let lock = lock(&path, purpose).await?;
        let master = MasterKey::load(&manifest.vault.key).await;
        let master = master.map_err(|it| lacks_key(it, &path))?;
        let sandbox = Sandbox::start(compiler).map_err(|it| OpenError::Engine(it.to_string()))?;
        let opening =
            Opening { manifest, purpose, clock, gate, path, aside, lock, master, sandbox };
        let storage = open_storage(&opening.path, opening.lock.is_some()).await?;
        let app = opening.over(&storage).await;
        if app.is_err() {
            storage.close().await;
        }
        app
    }
}

impl Opening {
    async fn over(self, storage: &Storage) -> Result<App, OpenError> {
        if self.lock.is_some() {
            storage.forget_rooms().await?;
        }
        let vault = self.open_vault(storage).await?;
        let Self { manifest, purpose, clock, gate, path, aside, lock, sandbox, .. } = self;
        let lifecycle = Lifecycle::new();
        let keeps = purpose != Purpose::Look || owner::is_ours(&path);
        let cache = Some(Cache::new(path.with_extension("cache"), vault.clone(), keeps));
        let catalogue = Catalogue::default();
        let refresher = Refresher::new(storage, &vault, &catalogue, &clock, &lifecycle);
        let proxy = Proxy::new(&refresher.serving, &catalogue);
        let manifest = Arc::new(RwLock::new(Arc::new(manifest)));
        let sinks = Kit::new(storage, &clock, &gate, &refresher.currents);
        let (wishes, reloads) = Reloads::new();
        let operator = Operator::new(operator::Parts {
            storage: storage.clone(),
            vault: vault.clone(),
            keys: Keys::default(),
            people: People::default(),
            gate: gate.clone(),
            sinks: sinks.clone(),
            tally: operator::Tally::default(),
            catalogue: catalogue.clone(),
            refresher: refresher.clone(),
            proxy,
            clock: clock.clone(),
            lifecycle: lifecycle.clone(),
            manifest: Arc::clone(&manifest),
            daemon: purpose == Purpose::Serve,
            reloads: wishes,
            counts: operator::overview::Counts::default(),
            unheard: operator::Unheard::default(),
        });
        let app = App {
            lifecycle,
            clock,
            storage: storage.clone(),
            catalogue,
            refresher,
            operator,
            vault,
            loader: Loader { sandbox, cache, gate },
            sinks,
            manifest,
            reloading: Mutex::new(()),
            reloads,
            lock,
            looks: purpose == Purpose::Look,
            told: std::sync::Mutex::default(),
            _aside: aside,
        };
        app.adopt(app.manifest()).await?;
        Ok(app)
    }

    /// Opens the data keys; makes the first one only in a database that has nothing sealed.
    async fn open_vault(&self, storage: &Storage) -> Result<Vault, OpenError> {
        let instance = storage.instance_id().await?;
        // Two commands must not make a first key each.
        let _lock = match self.lock.is_some() {
            true => None,
            false if !storage.keyring().await?.is_empty() => None,
            false => Some(InstanceLock::acquire(&self.path, "command", COMMAND_WAIT).await?),
        };
        let rows = storage.keyring().await?;
        if !rows.is_empty() {
            return Ok(Vault::new(Keyring::open(&self.master, &rows)?, instance));
        }
        if storage.holds_sealed().await? {
            return Err(OpenError::KeysMissing(self.path.clone()));
        }
        let (keyring, first) = Keyring::create(&self.master)?;
        storage.add_key(first, self.clock.now()).await?;
        Ok(Vault::new(keyring, instance))
    }
}

/// Why there is no key: where there is no database either, nobody has made one yet.
fn lacks_key(error: VaultError, database: &Path) -> OpenError {
    let missing = matches!(error, VaultError::Source(SourceError::FileMissing { .. }));
    if missing && !database.exists() { OpenError::NoKey(error) } else { OpenError::Vault(error) }
}

/// The right to work on the database, where `purpose` needs it.
async fn lock(path: &Path, purpose: Purpose) -> Result<Option<InstanceLock>, LockError> {
    match purpose {
        Purpose::Look | Purpose::Visit => Ok(None),
        Purpose::Command => InstanceLock::acquire(path, "command", HANDOVER).await.map(Some),
        Purpose::Serve => InstanceLock::acquire(path, "serve", Duration::ZERO).await.map(Some),
    }
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
            // Opening it says why, in terms of the database.
            Err(LockError::Unusable { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
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
