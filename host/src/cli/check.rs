//! `keepfresh check`: every problem of the manifest, of the plugins, and between them, each with its
//! line and its remedy; and when everything would run. Changes nothing.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::app;
use crate::catalogue::{Changed, Configs, Loader, Shelf};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::egress::Gate;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::provider::{Connection, Provider};
use crate::manifest::{self, Manifest};
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::id::ConnectionId;
use crate::sandbox::{Compiler, Sandbox};
use crate::storage::{Storage, StorageError};
use crate::vault::key::MasterKey;

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

pub(super) async fn run(config: &Path, json: bool) -> Exit {
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
    let mut problems = between(&manifest, &shelf);
    problems.extend(files(&manifest, &shelf));
    problems.extend(secrets(&manifest).await);
    problems.extend(key(&manifest).await);
    problems.extend(rows(&manifest).await);
    if !problems.is_empty() {
        return render::problems(config, &problems, json);
    }
    let stale = stale(&manifest, &shelf).await;
    render::checked(&manifest, &shelf, &stale, now, json);
    Exit::Done
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

/// Conflicts between a provider's section and its plugin.
fn between(manifest: &Manifest, shelf: &Shelf) -> Vec<Diagnostic> {
    let place = |(provider, problem): &(String, crate::catalogue::BindProblem)| {
        let mut path = vec!["providers", provider];
        path.extend(problem.path.iter().map(String::as_str));
        let message = format!("provider `{provider}`: {}", problem.message);
        manifest.diagnostic(&path, problem.code.clone(), &message, &problem.help)
    };
    shelf.problems.iter().map(place).collect()
}

/// Files that are refused, at the first provider that needs them, else at the folder's line.
fn files(manifest: &Manifest, shelf: &Shelf) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for file in &shelf.files {
        let Some(failure) = &file.refused else { continue };
        let user =
            manifest.providers.values().find(|it| format!("{}.wasm", it.plugin) == file.file);
        let path = match user {
            Some(provider) => vec!["providers", provider.name.as_str(), "plugin"],
            None => vec!["plugins", "dir"],
        };
        let help = format!("replace {} with a working plugin, or remove it", file.file);
        found.push(manifest.diagnostic(&path, code::PluginFile::Refused, &failure.message, &help));
    }
    found
}

/// Secrets that cannot be read.
async fn secrets(manifest: &Manifest) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (provider, connection) in manifest.connections() {
        for (name, source) in provider.secrets_of(connection.id.name()) {
            let Err(error) = source.read().await else { continue };
            let message = format!("the secret `{name}` of {} cannot be read", connection.id);
            let path = place_of(provider, connection, &name);
            let path = path.iter().map(String::as_str).collect::<Vec<_>>();
            let problem = manifest.diagnostic(&path, error.code(), &message, &error.to_string());
            if !found.contains(&problem) {
                found.push(problem);
            }
        }
    }
    found
}

/// The keys that lead to a secret: to the connection's own, if it has one, which goes over the
/// provider's.
fn place_of(provider: &Provider, connection: &Connection, secret: &str) -> Vec<String> {
    let own = connection.secrets.contains_key(secret);
    let index = provider.connections.iter().position(|it| own && it.id == connection.id);
    let mut path = vec!["providers".to_owned(), provider.name.clone()];
    path.extend(index.into_iter().flat_map(|it| ["connections".to_owned(), it.to_string()]));
    path.extend(["secrets".to_owned(), secret.to_owned()]);
    path
}

/// Rows of the database that cannot be read; a file that is not there yet has none.
async fn rows(manifest: &Manifest) -> Vec<Diagnostic> {
    let problem = |error: StorageError, help: &str| {
        manifest.diagnostic(&["storage", "url"], error.code(), &error.to_string(), help)
    };
    let found = async {
        match Storage::open_as_it_is(&manifest.storage.path).await? {
            Some(storage) => {
                let found = storage.unreadable().await;
                storage.close().await;
                found
            }
            None => Ok(Vec::new()),
        }
    };
    match found.await {
        Ok(found) => found.into_iter().take(ROWS).map(|it| problem(it, ONE_ROW)).collect(),
        Err(error) => vec![problem(error, "keepfresh cannot work without its database")],
    }
}

/// Maximum number of rows that are named; with more, the file is damaged.
const ROWS: usize = 20;

const ONE_ROW: &str = "other rows are not affected: restore this row from a backup, or delete the connection: keepfresh connection remove";

/// The key that seals the database, if it is missing or not valid.
async fn key(manifest: &Manifest) -> Option<Diagnostic> {
    let error = MasterKey::load(&manifest.vault.key).await.err()?;
    let message = "the vault key cannot be read";
    Some(manifest.diagnostic(&["vault", "key"], error.code(), message, &error.to_string()))
}
