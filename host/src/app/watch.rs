//! Tells that the manifest or the plugin folder has changed. Folders are watched, not files: editors
//! and installers replace files, and a watch on the old one would see nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tracing::warn;

use crate::app::links::names_on_the_way;
use crate::manifest::Manifest;

/// Changes come in bursts; this long without one is the end of a burst.
const QUIET: Duration = Duration::from_millis(300);

/// A running watch; it ends when it is dropped. Changes between two calls are kept.
pub struct Watch {
    changes: mpsc::UnboundedReceiver<()>,
    names: Arc<Names>,
    _watcher: Option<RecommendedWatcher>,
}

/// What a change concerns.
#[derive(PartialEq)]
struct Names {
    /// Those that decide what is found: see `links`.
    names: BTreeSet<PathBuf>,
    /// The real folder of plugins, in which every name counts.
    plugins: PathBuf,
}

impl Names {
    fn of(manifest: &Manifest) -> Self {
        let dir = &manifest.plugins.dir;
        let plugins = std::fs::canonicalize(dir).or_else(|_| std::path::absolute(dir));
        let plugins = plugins.unwrap_or_else(|_| dir.clone());
        let mut names = names_on_the_way(&manifest.path);
        names.extend(names_on_the_way(dir));
        // A plugin may be a link itself.
        let files = std::fs::read_dir(&plugins).into_iter().flatten().filter_map(Result::ok);
        names.extend(files.take(MOST_PLUGINS).flat_map(|it| names_on_the_way(&it.path())));
        Self { names, plugins }
    }

    fn concern(&self, path: &Path) -> bool {
        self.names.contains(path) || path.starts_with(&self.plugins)
    }

    /// Folders in which something of it may change.
    fn folders(&self) -> BTreeSet<&Path> {
        let parents = self.names.iter().filter_map(|it| it.parent());
        parents.chain(self.plugins.is_dir().then_some(&*self.plugins)).collect()
    }
}

/// Files of the plugin folder whose links are followed: a folder may be full of something else.
const MOST_PLUGINS: usize = 1_000;

impl Watch {
    /// Watches the folders of `manifest`, and those of links that lead there. Where that cannot be done,
    /// it says so: a reload is then a signal away.
    pub fn over(manifest: &Manifest) -> Self {
        let (told, changes) = mpsc::unbounded_channel();
        let names = Arc::new(Names::of(manifest));
        let concerned = Arc::clone(&names);
        let tell = move |event: notify::Result<notify::Event>| {
            let relevant = |it: &notify::Event| {
                !it.kind.is_access() && it.paths.iter().any(|path| concerned.concern(path))
            };
            if event.is_ok_and(|it| relevant(&it)) {
                let _ = told.send(());
            }
        };
        let watcher = notify::recommended_watcher(tell).and_then(|mut watcher| {
            for folder in names.folders() {
                watcher.watch(folder, RecursiveMode::NonRecursive)?;
            }
            Ok(watcher)
        });
        let watcher = watcher.map_err(|error| {
            warn!("file changes cannot be watched ({error}); reload with SIGHUP");
        });
        Self { changes, names, _watcher: watcher.ok() }
    }

    /// Whether it watches what `manifest` names.
    pub(super) fn covers(&self, manifest: &Manifest) -> bool {
        *self.names == Names::of(manifest)
    }

    /// Returns after the next burst of changes.
    pub(super) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            return std::future::pending().await;
        }
        while tokio::time::timeout(QUIET, self.changes.recv()).await.is_ok_and(|it| it.is_some()) {}
    }
}
