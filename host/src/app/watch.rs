//! Tells that the manifest or the plugin folder has changed. Folders are watched, not files: editors
//! and installers replace files, and a watch on the old one would see nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tracing::warn;

use crate::manifest::Manifest;

/// Changes come in bursts; this long without one is the end of a burst.
const QUIET: Duration = Duration::from_millis(300);

/// A running watch; it ends when it is dropped. Changes between two calls are kept.
pub struct Watch {
    changes: mpsc::UnboundedReceiver<()>,
    file: PathBuf,
    dir: PathBuf,
    _watcher: Option<RecommendedWatcher>,
}

impl Watch {
    /// Watches the folders of `manifest`. Where that cannot be done, it says so: a reload is then a
    /// signal away.
    pub fn over(manifest: &Manifest) -> Self {
        let (told, changes) = mpsc::unbounded_channel();
        let (file, dir) = (absolute(&manifest.path), absolute(&manifest.plugins.dir));
        let concerns = {
            let (file, dir) = (file.clone(), dir.clone());
            move |path: &Path| path == file || path.starts_with(&dir)
        };
        let tell = move |event: notify::Result<notify::Event>| {
            let relevant = |it: &notify::Event| {
                !it.kind.is_access() && it.paths.iter().any(|path| concerns(path))
            };
            if event.is_ok_and(|it| relevant(&it)) {
                let _ = told.send(());
            }
        };
        let watcher = notify::recommended_watcher(tell).and_then(|mut watcher| {
            watcher.watch(file.parent().unwrap_or(Path::new("/")), RecursiveMode::NonRecursive)?;
            if dir.is_dir() {
                watcher.watch(&dir, RecursiveMode::NonRecursive)?;
            }
            Ok(watcher)
        });
        let watcher = watcher.map_err(|error| {
            warn!("file changes cannot be watched ({error}); reload with SIGHUP");
        });
        Self { changes, file, dir, _watcher: watcher.ok() }
    }

    /// Whether it watches what `manifest` names.
    pub(super) fn covers(&self, manifest: &Manifest) -> bool {
        self.file == absolute(&manifest.path) && self.dir == absolute(&manifest.plugins.dir)
    }

    /// Returns after the next burst of changes.
    pub(super) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            return std::future::pending().await;
        }
        while tokio::time::timeout(QUIET, self.changes.recv()).await.is_ok_and(|it| it.is_some()) {}
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}
