//! `keepfresh.lock`: for each plugin file the digest that was approved and what it asked for. Written
//! at the first load; an update that asks for no more is taken, one that asks for more has to wait. What
//! cannot be written down is not approved: the next start would not know what was approved before.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::catalogue::grant;
use crate::manifest::Manifest;
use crate::model::code;
use crate::model::descriptor::{Access, Descriptor, Field};
use crate::sandbox::Program;

/// The file's name.
pub(super) const FILE_NAME: &str = "keepfresh.lock";

const HEAD: &str = "\
# What each plugin file asked for when it was approved. Written by keepfresh; keep it in version control.
# For a file that asks for more: keepfresh plugin inspect FILE says what, and how to approve it.
";

/// Everything that was approved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockFile {
    #[serde(default)]
    plugins: BTreeMap<String, LockEntry>,
    /// Where it is.
    #[serde(skip)]
    path: PathBuf,
    /// Whether it has to be written.
    #[serde(skip)]
    changed: bool,
    /// Files that nothing was known of before.
    #[serde(skip)]
    new: BTreeSet<String>,
    /// Set when the file is there but cannot be understood: then nothing is approved by itself.
    #[serde(skip)]
    damaged: bool,
}

/// One approved file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockEntry {
    /// The plugin's version.
    pub version: String,
    /// SHA-256 of the file in hex.
    pub digest: String,
    /// Interfaces that it imports.
    pub imports: Vec<String>,
    /// Requests that it makes, each with what it may carry.
    pub access: BTreeMap<String, Vec<String>>,
    /// Defaults of its settings: they decide where requests go as much as the requests do.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
    /// Secrets that it places.
    pub secrets: Vec<String>,
    /// Secrets that it signs with.
    #[serde(default)]
    pub signs: Vec<String>,
    /// What it reads of answers: `code /error`.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Members that it seals besides the host's own.
    #[serde(default)]
    pub sealed: Vec<String>,
    /// What else holds unless the manifest says otherwise: rotation, schedule, lifetime, requests.
    #[serde(default)]
    pub terms: BTreeMap<String, String>,
}

impl LockEntry {
    /// What a loaded program asks for.
    pub fn of(program: &Program, digest: &str) -> Self {
        let descriptor = program.descriptor();
        let default = |it: &Field| Some((it.name.clone(), it.default.clone()?));
        Self {
            version: descriptor.version.clone(),
            digest: digest.to_owned(),
            imports: program.imports().to_vec(),
            access: access(&descriptor.access),
            defaults: descriptor.settings.iter().filter_map(default).collect(),
            secrets: descriptor.secrets.iter().map(|it| it.name.clone()).collect(),
            signs: descriptor.signs.clone(),
            reads: descriptor.reads.iter().map(ToString::to_string).collect(),
            sealed: descriptor.sealed.clone(),
            terms: terms(descriptor),
        }
    }
}

/// By request; one that is declared twice carries all that either carries.
fn access(declared: &[Access]) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::<String, Vec<String>>::new();
    for Access { request, carries } in declared {
        let names = all.entry(request.clone()).or_default();
        names.extend(carries.iter().cloned());
        names.sort();
        names.dedup();
    }
    all
}

fn terms(descriptor: &Descriptor) -> BTreeMap<String, String> {
    let terms = [
        ("rotation", Some(descriptor.rotation.to_string())),
        ("schedule", descriptor.schedule.clone()),
        ("lifetime", descriptor.lifetime.map(|it| format!("{it} s"))),
        ("logins", Some(logins(descriptor).to_owned())),
    ];
    let extra = descriptor.extra.iter().map(|(name, value)| (name.clone(), value.clone()));
    let terms = terms.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    terms.chain(extra).collect()
}

fn logins(descriptor: &Descriptor) -> &'static str {
    match (descriptor.unattended, descriptor.interactive) {
        (true, true) => "unattended, or by a person",
        (true, false) => "unattended",
        (false, true) => "by a person",
        (false, false) => "none",
    }
}

/// Where the file of a manifest is: beside the manifest, to be kept in version control with it; where it
/// neither is nor can be made, as in a folder that is mounted read-only, beside the database.
fn place(manifest: &Manifest) -> PathBuf {
    let usual = manifest.folder.join(FILE_NAME);
    let state = manifest.storage.path.with_file_name(FILE_NAME);
    if usual.exists() || !state.exists() && can_be_written(&manifest.folder) {
        return usual;
    }
    state
}

/// By the right to write, which says of a read-only mount that there is none.
fn can_be_written(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
}

impl LockFile {
    /// What was approved under `manifest`; empty when there is no file yet.
    pub fn of(manifest: &Manifest) -> Self {
        let path = place(manifest);
        Self { path: path.clone(), ..Self::read(&path) }
    }

    fn read(path: &Path) -> Self {
        let parsed = match fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).map_err(|it| it.message().to_owned()),
            // The first load: what is there now is what the operator put there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::default(),
            Err(error) => Err(error.to_string()),
        };
        match parsed {
            Ok(lock) => lock,
            Err(error) => {
                warn!(
                    error.code = code::PluginFile::LockDamaged.text(),
                    "{} cannot be read ({}); no plugin is used until it is restored, or deleted to approve all again",
                    path.display(),
                    error
                );
                Self { damaged: true, ..Self::default() }
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was approved for `file`.
    pub fn entry(&self, file: &str) -> Option<&LockEntry> {
        self.plugins.get(file)
    }

    /// Takes the file if it asks for no more than was approved; else says what more it asks for.
    pub(super) fn admit(&mut self, file: &str, asks: LockEntry) -> Result<(), Vec<String>> {
        if self.damaged {
            return Err(vec![format!("{FILE_NAME} cannot be read")]);
        }
        let more = self.entry(file).map(|old| grant::widened(old, &asks)).unwrap_or_default();
        if !more.is_empty() {
            return Err(more);
        }
        if self.entry(file).is_none() {
            self.new.insert(file.to_owned());
        }
        if self.entry(file) != Some(&asks) {
            info!(plugin = file, digest = asks.digest, "approved {file} {}", asks.version);
            self.approve(file, asks);
        }
        Ok(())
    }

    /// Approves whatever the file asks for.
    pub fn approve(&mut self, file: &str, asks: LockEntry) {
        self.plugins.insert(file.to_owned(), asks);
        self.changed = true;
    }

    /// Whether the file is there and cannot be understood; writing it would lose what was approved.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Writes the file if something was approved. Where that fails, the files that nothing was known of
    /// before are forgotten again and given back with the reason; one that asks for no more than before
    /// needs no new entry.
    pub(super) fn record(&mut self) -> Result<(), Unrecorded> {
        if !self.changed {
            return Ok(());
        }
        let Err(error) = self.write() else { return Ok(()) };
        let why = format!("{} cannot be written: {error}", self.path.display());
        warn!(error.code = code::PluginFile::LockUnwritable.text(), "{why}");
        let files = std::mem::take(&mut self.new);
        self.plugins.retain(|file, _| !files.contains(file));
        Err(Unrecorded { files, why })
    }

    /// Writes the file in one step.
    pub fn write(&self) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        let temporary = self.path.with_extension("lock.tmp");
        let mut file = fs::File::create(&temporary)?;
        // It holds no secret, and whoever checks a deployment reads it.
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
        file.write_all(HEAD.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)
    }
}

/// Approvals that could not be written down.
pub(super) struct Unrecorded {
    /// Whose.
    pub(super) files: BTreeSet<String>,
    /// Why, with the path.
    pub(super) why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(folder: &Path) -> Manifest {
        let text = format!("[storage]\nurl = \"sqlite:{}/state/keepfresh.db\"", folder.display());
        crate::manifest::parse(&text, &folder.join("conf/keepfresh.toml")).unwrap()
    }

    fn lock(manifest: &Manifest) -> (LockFile, Result<(), Vec<String>>) {
        let mut lock = LockFile::of(manifest);
        let asks = LockEntry {
            version: "1".to_owned(),
            digest: "00".to_owned(),
            imports: Vec::new(),
            access: BTreeMap::new(),
            defaults: BTreeMap::new(),
            secrets: Vec::new(),
            signs: Vec::new(),
            reads: Vec::new(),
            sealed: Vec::new(),
            terms: BTreeMap::new(),
        };
        let admitted = lock.admit("x.wasm", asks);
        (lock, admitted)
    }

    #[test]
    fn approvals_lie_beside_the_manifest_or_where_the_state_is() {
        let folder = tempfile::tempdir().unwrap();
        let [usual, state] = ["conf", "state"].map(|it| folder.path().join(it));
        fs::create_dir(&state).unwrap();
        // A folder that cannot be written is, for root too, one that is not there.
        lock(&manifest(folder.path())).0.record().unwrap_or_else(|it| panic!("{}", it.why));
        assert!(state.join(FILE_NAME).exists());
        fs::create_dir(&usual).unwrap();
        assert_eq!(LockFile::of(&manifest(folder.path())).path(), state.join(FILE_NAME));
        fs::remove_file(state.join(FILE_NAME)).unwrap();
        lock(&manifest(folder.path())).0.record().unwrap_or_else(|it| panic!("{}", it.why));
        assert!(usual.join(FILE_NAME).exists() && !state.join(FILE_NAME).exists());
    }

    #[test]
    fn what_cannot_be_written_down_is_not_approved() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = manifest(folder.path());
        let (mut lock, admitted) = lock(&manifest);
        assert_eq!(admitted, Ok(()));
        let refused = lock.record().err().unwrap();
        assert!(refused.files.contains("x.wasm") && refused.why.contains("cannot be written"));
        assert_eq!(lock.entry("x.wasm"), None);
    }
}
