//! `keepfresh.lock`: for each plugin file the digest that was approved and what it asked for. Written
//! at the first load; an update that asks for no more is taken, one that asks for more has to wait.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::catalogue::grant;
use crate::model::code;
use crate::model::descriptor::{Access, Descriptor, Field};
use crate::sandbox::Program;

/// The file's name, beside the manifest.
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
    /// Whether it has to be written.
    #[serde(skip)]
    changed: bool,
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

impl LockFile {
    /// The file's content; empty when there is none yet.
    pub fn read(path: &Path) -> Self {
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

    /// Writes the file if something was approved; a failure is said and costs nothing but the memory
    /// of it.
    pub(super) fn write_if_changed(&self, path: &Path) {
        if !self.changed {
            return;
        }
        if let Err(error) = self.write(path) {
            warn!(
                error.code = code::PluginFile::LockUnwritable.text(),
                "{} cannot be written: {error}",
                path.display()
            );
        }
    }

    /// Writes the file in one step.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        let temporary = path.with_extension("lock.tmp");
        let mut file = fs::File::create(&temporary)?;
        file.write_all(HEAD.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    }
}
