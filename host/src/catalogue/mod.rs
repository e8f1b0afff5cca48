//! Which plugins there are, and which provider of the manifest runs on which. A capability exists only
//! if the plugin declares it and the operator allows it; a file that cannot be used is listed with its
//! reason and does not affect the others, and one that no provider uses is only listed.

/// Reading the plugin folder.
mod discover;

/// A file that an operator may approve.
mod approval;

/// What an update asks for more than the operator has seen.
mod grant;

/// `keepfresh.lock`: what was approved.
mod lock;

/// A provider bound to its plugin.
mod plugin;

/// What programs may send through the proxy.
mod proxied;

/// What the operator has configured, as digests.
mod config;

/// What a provider's plugin declares and is not granted.
mod ungranted;

/// What holds, and where it comes from.
mod effective;

/// A provider's table for the manifest.
mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

pub use approval::Candidate;
pub use config::{Changed, Config, Configs};
pub use discover::digest_of;
pub use effective::{Effective, Held, Origin};
pub use lock::{LockEntry, LockFile};
pub use plugin::{BindProblem, Own, Plugin};
pub use sample::Sample;

use crate::egress::Gate;
use crate::manifest::Manifest;
use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};
use crate::sandbox::{Cache, Program, Sandbox};

/// Maximum number of files that are read and loaded at once, so that few are in memory before compilation.
const AT_ONCE: usize = 8;

/// Everything that is loaded. A clone is cheap and sees reloads.
#[derive(Clone, Default)]
pub struct Catalogue(Arc<RwLock<Arc<Shelf>>>);

/// One consistent view of what is loaded.
#[derive(Default)]
pub struct Shelf {
    /// Every `.wasm` file of the folder, by file name.
    pub files: Vec<FileReport>,
    /// Providers of the manifest, each with its plugin or the reason that it has none.
    pub providers: BTreeMap<String, Result<Arc<Plugin>, Failure>>,
    /// What is wrong between the manifest and the plugins, with provider and key.
    pub problems: Vec<(String, BindProblem)>,
}

/// A file of the plugin folder.
#[derive(Clone)]
pub struct FileReport {
    /// The file's name, `.wasm` included.
    pub file: String,
    /// SHA-256 of the file in hex.
    pub digest: String,
    /// The program in use, which may be an older one that was approved.
    pub program: Option<Arc<Program>>,
    /// Digest of the program in use.
    pub running: Option<String>,
    /// Why the file itself is not used.
    pub refused: Option<Failure>,
    /// What was approved for it before this load.
    pub approved: Option<LockEntry>,
    /// What it asks for; none of one that is not loaded.
    pub asks: Option<LockEntry>,
}

impl FileReport {
    /// Of a file that was not looked at yet.
    pub fn of(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            digest: String::new(),
            program: None,
            running: None,
            refused: None,
            approved: None,
            asks: None,
        }
    }

    /// The command that approves it, if it waits for that.
    pub fn approve_command(&self) -> Option<String> {
        let waits = matches!(
            self.refused.as_ref()?.code,
            Code::PluginFile(code::PluginFile::PermissionsWidened)
        );
        waits.then(|| approval::command(&self.file, &self.digest))
    }
}

impl Shelf {
    /// The version of the plugin file with that digest, while it is known: of what runs, of what ran before the last
    /// load, of what waits. Nobody keeps those of older files.
    pub fn version(&self, digest: &str) -> Option<&str> {
        self.files.iter().find_map(|it| it.version(digest))
    }
}

impl FileReport {
    fn version(&self, digest: &str) -> Option<&str> {
        let mut entries = self.asks.iter().chain(&self.approved);
        let entry = entries.find(|it| it.digest == digest).map(|it| it.version.as_str());
        let runs = self.running.as_deref() == Some(digest);
        let program = self.program.as_ref().filter(|_| runs);
        entry.or_else(|| program.map(|it| it.descriptor().version.as_str()))
    }
}

/// Writes approvals down, or does not.
type Record = fn(&mut LockFile) -> Result<(), lock::Unrecorded>;

/// What loading needs.
pub struct Loader {
    /// Runs what is loaded.
    pub sandbox: Sandbox,
    /// Compiled components; without it every load compiles.
    pub cache: Option<Cache>,
    /// The door that plugins send through.
    pub gate: Gate,
}

impl Catalogue {
    /// The current view; it does not change while it is held.
    pub fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a new view in place; calls that run go on with the old one.
    pub fn replace(&self, shelf: Shelf) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(shelf);
    }

    /// The plugin of a provider, or why it has none.
    pub fn plugin(&self, provider: &str) -> Result<Arc<Plugin>, Failure> {
        let unknown = || {
            let message = format!(
                "provider `{provider}` is not in the manifest; add [providers.{provider}] or remove the connection"
            );
            Err(Failure::new(Case::Misconfigured, code::Manifest::ProviderMissing, message))
        };
        self.shelf().providers.get(provider).cloned().unwrap_or_else(unknown)
    }
}

impl Loader {
    /// Loads the folder of `manifest` and binds its providers. Never fails as a whole: what cannot be
    /// used says why.
    pub async fn load(&self, manifest: &Manifest, now: Timestamp) -> Shelf {
        self.shelf(manifest, LockFile::record, now).await
    }

    /// The same without writing anything: what would be loaded.
    pub async fn look(&self, manifest: &Manifest, now: Timestamp) -> Shelf {
        self.shelf(manifest, |_| Ok(()), now).await
    }

    async fn shelf(&self, manifest: &Manifest, record: Record, now: Timestamp) -> Shelf {
        let files = self.files(manifest, record, now).await;
        let mut shelf = Shelf { files, ..Shelf::default() };
        for provider in manifest.providers.values() {
            let bound = self.bind(provider, &mut shelf, &manifest.plugins.dir);
            shelf.providers.insert(provider.name.clone(), bound);
        }
        shelf
    }

    /// Every file of the folder, by name. Those that a provider uses are loaded side by side: one that
    /// is slow to compile or to describe itself holds up none that is not.
    async fn files(&self, manifest: &Manifest, record: Record, now: Timestamp) -> Vec<FileReport> {
        let mut lock = LockFile::of(manifest);
        let providers = manifest.providers.values();
        let used = providers.map(|it| format!("{}.wasm", it.plugin)).collect::<BTreeSet<_>>();
        let found = discover::folder(&manifest.plugins.dir).into_iter();
        let loads = found.map(|it| self.file(used.contains(&it.file), it, now));
        let mut files = stream::iter(loads).buffered(AT_ONCE).collect::<Vec<_>>().await;
        for file in &mut files {
            admit(file, &mut lock);
        }
        if let Err(unrecorded) = record(&mut lock) {
            let theirs = files.iter_mut().filter(|it| unrecorded.files.contains(&it.file));
            theirs.for_each(|it| refuse(it, not_recorded(&it.file, &unrecorded.why)));
        }
        let lock = &lock;
        let without = files.iter_mut().filter(|it| used.contains(&it.file) && it.program.is_none());
        join_all(without.map(|it| self.fall_back(it, lock, now))).await;
        files
    }

    /// One file; if a provider uses it, with its program.
    async fn file(&self, used: bool, found: discover::Found, now: Timestamp) -> FileReport {
        let mut report = FileReport::of(&found.file);
        let looked_at = if used {
            self.load_into(&mut report, &found, now).await
        } else {
            found.digest().map(|it| report.digest = it)
        };
        report.refused = looked_at.err();
        report
    }

    async fn load_into(
        &self,
        report: &mut FileReport,
        found: &discover::Found,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let bytes = found.read()?;
        report.digest = digest_of(&bytes);
        let cache = self.cache.as_ref();
        let loaded = self.sandbox.load(&found.file, bytes, &report.digest, cache, now).await;
        report.program = Some(Arc::new(loaded.map_err(|it| discover::refusal(&it))?));
        report.running = Some(report.digest.clone());
        Ok(())
    }

    /// Keeps the approved program running from its compiled form, if that is still there.
    async fn fall_back(&self, report: &mut FileReport, lock: &LockFile, now: Timestamp) {
        let (Some(entry), Some(cache)) = (lock.entry(&report.file), &self.cache) else { return };
        let recalled = self.sandbox.recall(&report.file, &entry.digest, cache, now).await;
        if let Some(program) = recalled {
            report.running = Some(entry.digest.clone());
            report.program = Some(Arc::new(program));
        }
    }

    fn bind(
        &self,
        provider: &crate::manifest::provider::Provider,
        shelf: &mut Shelf,
        dir: &Path,
    ) -> Result<Arc<Plugin>, Failure> {
        let file = format!("{}.wasm", provider.plugin);
        let missing =
            |message| Failure::new(Case::Misconfigured, code::PluginFile::Missing, message);
        let Some(report) = shelf.files.iter().find(|it| it.file == file) else {
            let message = format!("{file} is not in {}; put it there", dir.display());
            let problem = BindProblem::missing_file(provider, &message);
            shelf.problems.push((provider.name.clone(), problem));
            return Err(missing(message));
        };
        let (Some(program), Some(digest)) = (&report.program, &report.running) else {
            let why = report.refused.clone();
            return Err(why.unwrap_or_else(|| missing(format!("{file} is not loaded"))));
        };
        match Plugin::bind(provider, Arc::clone(program), digest, self.gate.clone()) {
            Ok(plugin) => Ok(Arc::new(plugin)),
            Err(problems) => {
                let failure = BindProblem::failure(&problems);
                let name = &provider.name;
                shelf.problems.extend(problems.into_iter().map(|it| (name.clone(), it)));
                Err(failure)
            }
        }
    }
}

/// Removes the program again if it asks for more than was approved.
fn admit(report: &mut FileReport, lock: &mut LockFile) {
    let Some(program) = &report.program else { return };
    let asks = LockEntry::of(program, &report.digest);
    (report.approved, report.asks) = (lock.entry(&report.file).cloned(), Some(asks.clone()));
    let Err(more) = lock.admit(&report.file, asks) else { return };
    refuse(report, not_approved(report, lock, &more));
}

fn refuse(report: &mut FileReport, why: Failure) {
    report.refused = Some(why);
    (report.program, report.running) = (None, None);
}

fn not_recorded(file: &str, why: &str) -> Failure {
    let message = format!(
        "{file} is not used: its approval cannot be recorded, and the next start would not know what was approved ({why}); make that folder writable, or put a {} from another installation there",
        lock::FILE_NAME
    );
    Failure::new(Case::Misconfigured, code::PluginFile::LockUnwritable, message)
}

fn not_approved(report: &FileReport, lock: &LockFile, more: &[String]) -> Failure {
    let (file, more) = (&report.file, more.join(", "));
    let (code, message) = if lock.is_damaged() {
        let message = format!(
            "{file} is not used: {} cannot be read, so it is not known what was approved; restore it, or check each plugin with `keepfresh plugin inspect` and delete {0}",
            lock::FILE_NAME
        );
        (code::PluginFile::LockDamaged, message)
    } else {
        let approve = approval::command(file, &report.digest);
        let message = format!(
            "{file} asks for more than was approved ({more}); check it with `keepfresh plugin inspect`, then run: {approve}"
        );
        (code::PluginFile::PermissionsWidened, message)
    };
    Failure::new(Case::Misconfigured, code, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(digest: &str, version: &str) -> LockEntry {
        let (imports, access, secrets) = (json!([]), json!({}), json!([]));
        let entry = json!({
            "version": version, "digest": digest, "imports": imports, "access": access, "secrets": secrets,
        });
        serde_json::from_value(entry).unwrap()
    }

    #[test]
    fn the_version_of_a_file_is_known_now_and_from_before_the_last_load() {
        let (approved, asks) = (Some(entry("aa", "1.2.0")), Some(entry("bb", "1.3.0")));
        let file = FileReport { approved, asks, ..FileReport::of("x.wasm") };
        let shelf = Shelf { files: vec![FileReport::of("y.wasm"), file], ..Shelf::default() };
        assert_eq!((shelf.version("aa"), shelf.version("bb")), (Some("1.2.0"), Some("1.3.0")));
        assert_eq!((shelf.version("cc"), shelf.version("")), (None, None));
    }
}
