//! `keepfresh check`: every problem of the manifest, of the plugins, and between them, each with its
//! line and its remedy; and when everything would run. Changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::app;
use crate::catalogue::{Changed, Configs, Loader, Shelf};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::egress::Gate;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest};
use crate::model::clock::{self, Clock};
use crate::model::code;
use crate::model::id::ConnectionId;
use crate::model::state::span;
use crate::operator::examine::{Deployment, examine};
use crate::refresher::longest_margin;
use crate::sandbox::{Compiler, Sandbox};
use crate::storage::{Storage, StorageError};

/// Connections that a changed setting or secret has not reached yet.
#[derive(Debug, Serialize)]
pub(super) struct Stale {
    /// One of them.
    pub(super) connection: ConnectionId,
    /// How many there are.
    pub(super) connections: u64,
    /// What has changed since their tokens.
    pub(super) changed: Vec<Changed>,
}

/// Connections whose tokens live too short a time for `refresh_before`.
#[derive(Debug, Serialize)]
pub(super) struct Capped {
    /// One.
    pub(super) connection: ConnectionId,
    /// What the manifest says.
    pub(super) refresh_before: String,
    /// How long its token lives.
    pub(super) lifetime: String,
    /// How long before its end it is refreshed.
    pub(super) used: String,
}

/// What a check finds where nothing is wrong.
pub(super) struct Checked<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) shelf: &'a Shelf,
    pub(super) stale: Vec<Stale>,
    pub(super) capped: Vec<Capped>,
    /// Whether everything that holds is wanted.
    pub(super) effective: bool,
    pub(super) now: Timestamp,
}

pub(super) async fn run(config: &Path, effective: bool, json: bool) -> Exit {
    let manifest = match manifest::load(config) {
        Ok(manifest) => manifest,
        Err(problems) => return render::problems(config, &problems, json),
    };
    let sandbox = match Sandbox::start(Compiler::itself()) {
        Ok(sandbox) => sandbox,
        Err(error) => {
            return render::fail(code::Internal::Engine, &error.to_string(), json);
        }
    };
    let loader = Loader { sandbox, cache: None, gate: Gate::system() };
    let now = Clock::system().now();
    let shelf = Arc::new(loader.look(&manifest, now).await);
    let problems = problems(&manifest, &shelf).await;
    if !problems.is_empty() {
        return render::problems(config, &problems, json);
    }
    let stale = stale(&manifest, &shelf).await;
    let capped = capped(&manifest, &shelf).await;
    let checked = Checked { manifest: &manifest, shelf: &shelf, stale, capped, effective, now };
    render::check::checked(&checked, json);
    Exit::Done
}

/// What is wrong: what an examination finds, and rows that cannot be read. A file that is not there yet has none.
async fn problems(manifest: &Manifest, shelf: &Shelf) -> Vec<Diagnostic> {
    let (storage, unopened) = match Storage::open_as_it_is(&manifest.storage.path).await {
        Ok(storage) => (storage, None),
        Err(error) => (None, Some(of_storage(manifest, &error, NO_DATABASE))),
    };
    let deployment = Deployment { manifest, shelf, storage: storage.as_ref() };
    let examined = examine(deployment).await.into_iter();
    let mut problems =
        examined.flat_map(|it| it.faults).map(|it| it.diagnostic(manifest)).collect::<Vec<_>>();
    problems.extend(unopened);
    if let Some(storage) = storage {
        problems.extend(rows(manifest, &storage).await);
        storage.close().await;
    }
    problems
}

/// Connections whose tokens came of other settings or secrets than those of now. What cannot be known is
/// left out: a database of another version, or one that is not there yet.
async fn stale(manifest: &Manifest, shelf: &Arc<Shelf>) -> Vec<Stale> {
    let Some((storage, vault)) = app::stored(manifest).await else { return Vec::new() };
    let mut configs = Configs::new(Arc::clone(shelf), vault, true);
    let mut stale = Vec::new();
    for it in storage.came_of().await.unwrap_or_default() {
        let changed = configs.changed_since(&it.id, &it.settings, &it.config).await;
        if !changed.is_empty() {
            stale.push(Stale { connection: it.id, connections: it.count, changed });
        }
    }
    storage.close().await;
    stale
}

/// Connections of the manifest whose `refresh_before` is more than a third of their token's lifetime: of the one
/// that is stored, else as the plugin declares it.
async fn capped(manifest: &Manifest, shelf: &Shelf) -> Vec<Capped> {
    let storage = Storage::open_as_it_is(&manifest.storage.path).await.ok().flatten();
    let mut capped = Vec::new();
    for (provider, connection) in manifest.connections() {
        let Some(wanted) = provider.refresh_before else { continue };
        let declared = shelf.providers.get(&provider.name).and_then(|it| it.as_ref().ok());
        let declared = declared.and_then(|it| it.descriptor().lifetime);
        let lifetime = match &storage {
            Some(storage) => lifetime_of(storage, &connection.id).await,
            None => None,
        };
        let declared = declared.map(|it| Duration::from_secs(it.into()));
        let Some(lifetime) = lifetime.or(declared) else { continue };
        let used = longest_margin(lifetime);
        if used < wanted {
            let [refresh_before, lifetime, used] = [wanted, lifetime, used].map(in_words);
            let connection = connection.id.clone();
            capped.push(Capped { connection, refresh_before, lifetime, used });
        }
    }
    if let Some(storage) = storage {
        storage.close().await;
    }
    capped
}

async fn lifetime_of(storage: &Storage, id: &ConnectionId) -> Option<Duration> {
    let token = storage.load(id).await.ok()??.connection.token?;
    let seconds = token.expires_at?.duration_since(token.issued_at).as_secs();
    // An answer takes its time: to the minute, it is what the provider means.
    let minutes = (u64::try_from(seconds).ok()? + 30) / 60;
    Some(Duration::from_secs(minutes * 60)).filter(|it| !it.is_zero())
}

fn in_words(length: Duration) -> String {
    span(Timestamp::UNIX_EPOCH, clock::after(Timestamp::UNIX_EPOCH, length))
}

/// Rows of the database that cannot be read.
async fn rows(manifest: &Manifest, storage: &Storage) -> Vec<Diagnostic> {
    match storage.unreadable().await {
        Ok(found) => found.iter().take(ROWS).map(|it| of_storage(manifest, it, ONE_ROW)).collect(),
        Err(error) => vec![of_storage(manifest, &error, NO_DATABASE)],
    }
}

fn of_storage(manifest: &Manifest, error: &StorageError, help: &str) -> Diagnostic {
    manifest.diagnostic(&["storage", "url"], error.code(), &error.to_string(), help)
}

const NO_DATABASE: &str = "keepfresh cannot work without its database";

/// Maximum number of rows that are named; with more, the file is damaged.
const ROWS: usize = 20;

const ONE_ROW: &str = "other rows are not affected: restore this row from a backup, or delete the connection: keepfresh connection remove";
