//! Tells that the manifest or the plugin folder has changed. Folders are watched, not files: editors
//! and installers replace files, and a watch on the old one would see nothing. But in the folder of the database
//! something changes with each refresh, and the kernel would wake us each time: there the names that count are looked at
//! now and then.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
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

/// How often names beside the database are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// A running watch; it ends when it is dropped. Changes between two calls are kept.
pub struct Watch {
    changes: mpsc::UnboundedReceiver<()>,
    looks: Looks,
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
        let plugins = fs::canonicalize(dir).or_else(|_| std::path::absolute(dir));
        let plugins = plugins.unwrap_or_else(|_| dir.clone());
        let mut names = names_on_the_way(&manifest.path);
        names.extend(names_on_the_way(dir));
        // A plugin may be a link itself.
        let files = fs::read_dir(&plugins).into_iter().flatten().filter_map(Result::ok);
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

/// Names that are looked at, and how they were found.
struct Looks(Vec<(PathBuf, Option<Found>)>);

/// What changes with a file, or where a link leads: place, size, and the times of its content and of itself.
type Found = [i64; 6];

impl Looks {
    fn at<'a>(names: impl Iterator<Item = &'a PathBuf>) -> Self {
        Self(names.map(|it| (it.clone(), found(it))).collect())
    }

    /// Whether something is otherwise than at the last look.
    fn differ(&mut self) -> bool {
        let look = |(name, before): &mut (PathBuf, Option<Found>)| {
            let now = found(name);
            std::mem::replace(before, now) != now
        };
        // Each of them is looked at.
        self.0.iter_mut().map(look).fold(false, |any, it| any | it)
    }
}

#[expect(clippy::cast_possible_wrap, reason = "they are compared and nothing else")]
fn found(name: &Path) -> Option<Found> {
    let it = fs::symlink_metadata(name).ok()?;
    let (mtime, ctime) = (it.mtime_nsec(), it.ctime_nsec());
    Some([it.ino() as i64, it.size() as i64, it.mtime(), mtime, it.ctime(), ctime])
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
        let busy = beside(&manifest.storage.path, &names);
        let looks = Looks::at(names.names.iter().filter(|it| it.parent() == busy.as_deref()));
        let watcher = notify::recommended_watcher(tell).and_then(|mut watcher| {
            for folder in names.folders().into_iter().filter(|it| Some(*it) != busy.as_deref()) {
                watcher.watch(folder, RecursiveMode::NonRecursive)?;
            }
            Ok(watcher)
        });
        let watcher = watcher.map_err(|error| {
            warn!("file changes cannot be watched ({error}); reload with SIGHUP");
        });
        Self { changes, looks, names, _watcher: watcher.ok() }
    }

    /// Whether it watches what `manifest` names.
    pub(super) fn covers(&self, manifest: &Manifest) -> bool {
        *self.names == Names::of(manifest)
    }

    /// Returns after the next burst of changes.
    pub(super) async fn changed(&mut self) {
        self.next().await;
        while tokio::time::timeout(QUIET, self.next()).await.is_ok() {}
    }

    async fn next(&mut self) {
        loop {
            tokio::select! {
                Some(()) = self.changes.recv() => return,
                () = tokio::time::sleep(LOOK) => {
                    if self.looks.differ() {
                        return;
                    }
                }
            }
        }
    }
}

/// The real folder of the database, unless plugins are there as well: in that one every name counts.
fn beside(database: &Path, names: &Names) -> Option<PathBuf> {
    let folder = database.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
    (folder != names.plugins).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_becomes_of_a_name_is_seen_once() {
        let home = tempfile::tempdir().unwrap();
        let [file, link, other] = ["file", "link", "other"].map(|it| home.path().join(it));
        let names = [file.clone(), link.clone()];
        let mut looks = Looks::at(names.iter());
        assert!(!looks.differ());
        let mut seen = |what: &str| assert!(looks.differ() && !looks.differ(), "{what}");
        fs::write(&file, "a").unwrap();
        seen("it is there");
        fs::write(&file, "ab").unwrap();
        seen("it is longer");
        fs::write(&other, "cd").unwrap();
        fs::rename(&other, &file).unwrap();
        seen("it was replaced by one of the same size");
        std::os::unix::fs::symlink("a", &link).unwrap();
        seen("a link leads somewhere");
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("b", &link).unwrap();
        seen("it leads somewhere else");
        fs::write(&file, "abc").unwrap();
        fs::remove_file(&link).unwrap();
        seen("both have changed");
        fs::remove_file(&file).unwrap();
        seen("it is gone");
        fs::write(&other, "").unwrap();
        assert!(!looks.differ(), "what else is in the folder is nothing to it");
    }
}
