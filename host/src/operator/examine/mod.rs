//! What can be wrong with a deployment and is seen without sending anything: one list, for the start of the
//! daemon, for `check` and for `doctor`. Each fault has its place in the manifest.

/// The key and the disk.
mod store;

/// Secrets.
mod secrets;

/// Sinks.
mod sinks;

/// Plugin files, providers and what is granted to them.
mod plugins;

use crate::catalogue::Shelf;
use crate::manifest::Manifest;
use crate::manifest::diagnostic::Diagnostic;
use crate::model::code::Code;
use crate::operator::Operator;
use crate::storage::Storage;

/// What is examined.
#[derive(Clone, Copy)]
pub struct Deployment<'a> {
    /// What the operator wants.
    pub manifest: &'a Manifest,
    /// What is loaded of it.
    pub shelf: &'a Shelf,
    /// The database; `None` if there is none yet.
    pub storage: Option<&'a Storage>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The keys of the manifest that lead to it.
    pub path: Vec<String>,
    /// `area.cause`.
    pub code: Code,
    /// What was looked at, in few words.
    pub what: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// One examination.
#[derive(Clone, Debug)]
pub struct Examined {
    /// What was looked at.
    pub what: &'static str,
    /// What is said where nothing is wrong.
    pub fine: String,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// All examinations, in the order in which what depends on what.
pub async fn examine(it: Deployment<'_>) -> Vec<Examined> {
    vec![
        plugins::providers(it),
        plugins::files(it),
        plugins::grants(it),
        secrets::secrets(it).await,
        store::key(it).await,
        store::disk(it),
        sinks::sinks(it),
    ]
}

impl Operator {
    /// What is wrong with this deployment.
    pub async fn examine(&self) -> Vec<Examined> {
        let (manifest, shelf) = (self.manifest(), self.0.catalogue.shelf());
        let storage = Some(&self.0.storage);
        examine(Deployment { manifest: &manifest, shelf: &shelf, storage }).await
    }
}

impl Fault {
    fn new(path: &[&str], code: impl Into<Code>, what: String, message: String) -> Self {
        let path = path.iter().map(|&it| it.to_owned()).collect();
        Self { path, code: code.into(), what, message, help: String::new() }
    }

    fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The provider that it is about.
    pub fn provider(&self) -> Option<&str> {
        match self.path.as_slice() {
            [first, name, ..] if first == "providers" => Some(name),
            _ => None,
        }
    }

    /// What is wrong and what to do, in one line.
    pub fn sentence(&self) -> String {
        match self.help.as_str() {
            "" => self.message.clone(),
            help => format!("{}; {help}", self.message),
        }
    }

    /// At its place in the manifest.
    pub fn diagnostic(&self, manifest: &Manifest) -> Diagnostic {
        let path = self.path.iter().map(String::as_str).collect::<Vec<_>>();
        manifest.diagnostic(&path, self.code.clone(), &self.message, &self.help)
    }
}
