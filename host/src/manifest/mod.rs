//! What the operator wants: `keepfresh.toml`, read into types that cannot be wrong. Every problem of a
//! file is found in one reading, with its place and its remedy. Knows nothing of what a plugin
//! declares: other stages point at the manifest with [`crate::manifest::Manifest::diagnostic`].

/// Which networks a plugin may reach, and what else it may do.
pub mod access;
/// Who is told of what happens.
pub mod channel;
/// Pages for people.
pub mod dashboard;
/// A problem of the manifest.
pub mod diagnostic;
/// Where things stand in the text.
pub mod place;
/// One provider and its connections.
pub mod provider;
/// What programs may send through the proxy.
pub mod proxy;
/// Which keys there are.
pub mod reference;
/// Storage, key and plugin folder.
pub mod section;
/// Where the HTTP API listens.
pub mod server;
/// Where what is current is delivered to.
pub mod sink;
/// Where mail goes through.
pub mod smtp;
/// The manifest that `keepfresh init` writes.
pub mod template;
/// Schedules, retries and rates.
pub mod timing;
/// The words of a channel's messages.
pub mod wording;

mod problems;
mod render;
mod secret;
mod suggest;
mod syntax;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use value::short;

use crate::manifest::channel::{Alerts, Channel, Heartbeat};
use crate::manifest::dashboard::Dashboard;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::place::Places;
use crate::manifest::problems::Problems;
use crate::manifest::provider::{Connection, Provider};
use crate::manifest::reference::Section;
use crate::manifest::section::{Plugins, Storage, Vault};
use crate::manifest::server::Server;
use crate::manifest::sink::Sink;
use crate::manifest::table::Table;
use crate::model::code::Code;
use crate::model::id::ConnectionId;

/// A manifest without problems.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The file it was read from.
    pub path: PathBuf,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    /// Where tokens are stored.
    pub storage: Storage,
    /// Where the key is.
    pub vault: Vault,
    /// Where plugins are.
    pub plugins: Plugins,
    /// Where the HTTP API listens.
    pub server: Server,
    /// Pages for people.
    pub dashboard: Dashboard,
    /// What holds for all channels.
    pub alerts: Alerts,
    /// Who is told of what happens.
    pub channels: Vec<Channel>,
    /// Where what is current is delivered to.
    pub sinks: Vec<Sink>,
    /// Where a sign of life goes.
    pub heartbeat: Option<Heartbeat>,
    /// Providers by name.
    pub providers: BTreeMap<String, Provider>,
    places: Places,
}

/// Reads and parses the file.
pub fn load(path: &Path) -> Result<Manifest, Vec<Diagnostic>> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path),
        Err(error) => Err(vec![Diagnostic::unreadable(path, &error)]),
    }
}

/// Parses a manifest that was read from `path`, and finds all its problems at once.
pub fn parse(text: &str, path: &Path) -> Result<Manifest, Vec<Diagnostic>> {
    let problems = Problems::new(text, path);
    let (root, errors) = DeTable::parse_recoverable(text);
    if syntax::report(&errors, &problems) {
        let manifest = read(root.get_ref(), path, &problems);
        return problems.finish(manifest);
    }
    Err(problems.into_found())
}

/// The plugin folder of the file, whatever else is wrong with it.
pub fn plugin_folder(path: &Path) -> PathBuf {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let problems = Problems::new(&text, path);
    let (root, _) = DeTable::parse_recoverable(&text);
    let plugins = Table::root(root.get_ref(), &problems).table("plugins", "");
    Plugins::read(plugins, &folder_of(path)).dir
}

/// The database of the file, whatever else is wrong with it: that finds a running daemon. `None` where it
/// names one that cannot be made out, because another database may have a daemon, too.
pub fn database(path: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(path).ok()?;
    let problems = Problems::new(&text, path);
    let (root, _) = DeTable::parse_recoverable(&text);
    let storage = Table::root(root.get_ref(), &problems).table("storage", "");
    let storage = Storage::read(storage, &folder_of(path));
    let is_named =
        root.get_ref().get("storage").is_some_and(|it| it.get_ref().get("url").is_some());
    let is_known = problems.finish(()).is_ok() && (is_named || !text.contains("storage"));
    is_known.then_some(storage.path)
}

fn read(entries: &DeTable<'_>, path: &Path, problems: &Problems<'_>) -> Manifest {
    let root = Table::root(entries, problems).with(Section::Root, "");
    let folder = folder_of(path);
    let places = Places::collect(entries, problems.lines());
    problems.hide(places.hidden());
    Manifest {
        path: path.to_owned(),
        storage: Storage::read(root.table("storage", "`[storage]`"), &folder),
        vault: Vault::read(root.table("vault", "`[vault]`"), &folder),
        plugins: Plugins::read(root.table("plugins", "`[plugins]`"), &folder),
        server: Server::read(root.table("server", "`[server]`"), &folder),
        dashboard: Dashboard::read(root.table("dashboard", "`[dashboard]`"), &folder),
        alerts: Alerts::read(root.table("alerts", "`[alerts]`")),
        channels: channel::read_all(&root, &folder),
        sinks: sink::read_all(&root, &folder),
        heartbeat: Heartbeat::read(
            root.table("heartbeat", "`[heartbeat]`"),
            root.node("heartbeat").is_some(),
            &folder,
        ),
        providers: provider::read_all(&root.table("providers", "`[providers]`"), &folder),
        folder,
        places,
    }
}

/// The parent, where `keepfresh.toml` alone means the current folder.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

impl Manifest {
    /// Every connection that the manifest lists, in the order of its providers' names.
    pub fn connections(&self) -> impl Iterator<Item = (&Provider, &Connection)> {
        self.providers.values().flat_map(|it| it.connections.iter().map(move |row| (it, row)))
    }

    /// Whether it lists this connection.
    pub fn lists(&self, id: &ConnectionId) -> bool {
        let provider = self.providers.get(id.provider());
        provider.is_some_and(|it| it.connections.iter().any(|it| it.id == *id))
    }

    /// The line of a key that is in the file.
    pub fn line(&self, path: &[&str]) -> Option<usize> {
        self.places.find(path).map(|it| it.line)
    }

    /// A problem that another stage found, at that key or at the nearest table around it.
    pub fn diagnostic(
        &self,
        path: &[&str],
        code: impl Into<Code>,
        message: &str,
        help: &str,
    ) -> Diagnostic {
        let place = self.places.nearest(path);
        Diagnostic::new(code, &self.path, place, message, help).hiding(self.places.hidden())
    }
}
