//! `keepfresh plugin approve NAME --digest SHA256`: writes into `keepfresh.lock` what a file asks for, if
//! it is the file that was inspected, and makes a running daemon use it at once.

use std::path::Path;

use tokio::sync::mpsc;

use crate::app;
use crate::catalogue::{Candidate, LockFile};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::control;
use crate::lifecycle::owner;
use crate::manifest::{self, Manifest};
use crate::model::audit::{Action, Actor, AuditRecord};
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::said;
use crate::operator::{Command, Reply};
use crate::sandbox::{Compiler, Sandbox};

pub(super) async fn approve(config: &Path, name: &str, digest: Option<&str>, json: bool) -> Exit {
    let manifest = match manifest::load(config) {
        Ok(manifest) => manifest,
        Err(problems) => return render::problems(config, &problems, json),
    };
    let file = format!("{}.wasm", name.strip_suffix(".wasm").unwrap_or(name));
    let candidate = match approved(&manifest, &file, digest).await {
        Ok(candidate) => candidate,
        Err(failure) => return render::failure(&failure, json),
    };
    match tell(&manifest, &file, candidate.digest()).await {
        Ok(runs) => render::approved(&file, &candidate, runs, json),
        Err(failure) => {
            let message =
                format!("{file} is approved, but the daemon does not use it yet: {failure}");
            render::failure(&Failure { message, ..failure }, json)
        }
    }
}

/// Approves the file if it is the one that was inspected.
async fn approved(
    manifest: &Manifest,
    file: &str,
    digest: Option<&str>,
) -> Result<Candidate, Failure> {
    let sandbox = Sandbox::start(Compiler::itself()).map_err(|error| {
        Failure::new(Case::HostFault, code::Internal::Engine, error.to_string())
    })?;
    let found = manifest.plugins.dir.join(file);
    let candidate = Candidate::read(&found, &sandbox, Clock::system().now()).await?;
    let mut lock = LockFile::of(manifest);
    let path = lock.path().to_owned();
    if lock.is_damaged() {
        let message = format!(
            "{} cannot be read; restore it, or delete it to approve every plugin again",
            path.display()
        );
        return Err(Failure::new(Case::Misconfigured, code::PluginFile::LockDamaged, message));
    }
    let Some(digest) = digest else {
        let command = candidate.command(&manifest.path);
        return Err(not_looked_at(&found, candidate.asks_beyond(&lock), &command));
    };
    if !candidate.digest().starts_with(digest) {
        return Err(another(&found, &candidate, digest));
    }
    candidate.approve(&mut lock);
    lock.write().map_err(|error| {
        let message = format!("{} cannot be written: {error}", path.display());
        Failure::new(Case::HostFault, code::PluginFile::LockUnwritable, message)
    })?;
    Ok(candidate)
}

fn not_looked_at(path: &Path, more: Option<Vec<String>>, command: &str) -> Failure {
    let asks = match more {
        None => "was never approved".to_owned(),
        Some(more) if more.is_empty() => "asks for no more than was approved".to_owned(),
        Some(more) => format!("asks for more than was approved ({})", more.join(", ")),
    };
    let path = path.display();
    let message = format!(
        "{path} {asks}; nothing was approved: check it with `keepfresh plugin inspect {path}`, then run: {command}"
    );
    Failure::new(Case::Misconfigured, code::PluginFile::DigestNeeded, message)
}

fn another(path: &Path, candidate: &Candidate, digest: &str) -> Failure {
    let (path, found) = (path.display(), candidate.digest());
    let message = format!(
        "{path} is not the file that was inspected: its digest is sha256:{found}, not sha256:{digest}; nothing was approved: inspect it again with `keepfresh plugin inspect {path}`"
    );
    Failure::new(Case::Misconfigured, code::PluginFile::DigestMismatch, message)
}

/// Adds the approval to the audit log, where no daemon does it. The lock file has it in any case.
async fn write_down(manifest: &Manifest, file: &str, digest: &str) {
    let record = AuditRecord {
        at: Clock::system().now(),
        actor: Actor::User(owner::own()),
        action: Action::Approved,
        subject: file.to_owned(),
        detail: Some(format!("sha256:{digest}")),
        count: 1,
    };
    app::audit(manifest, record).await;
}

/// Makes a running daemon reload its plugins. `true` once it runs the file, `false` when there
/// is no daemon.
async fn tell(manifest: &Manifest, file: &str, digest: &str) -> Result<bool, Failure> {
    let Some(daemon) = control::Client::connect(&manifest.storage.path).await? else {
        write_down(manifest, file, digest).await;
        return Ok(false);
    };
    let (nobody, _) = mpsc::unbounded_channel();
    let (written, by) = (file.to_owned(), digest.to_owned());
    let approved = Command::Approved { file: written, digest: by };
    control::ask(daemon, &approved, &nobody).await?;
    let Some(daemon) = control::Client::connect(&manifest.storage.path).await? else {
        return Ok(false);
    };
    let Reply::Plugins(plugins) = control::ask(daemon, &Command::Reload, &nobody).await? else {
        return Ok(true);
    };
    let unseen = || {
        let message = "its plugin folder has another file; is it the daemon of this manifest?";
        Failure::new(Case::Misconfigured, code::PluginFile::Missing, message)
    };
    let view = plugins.iter().find(|it| it.file == file && it.digest == Some(said::digest(digest)));
    match &view.ok_or_else(unseen)?.refused {
        None => Ok(true),
        Some(it) => Err(it.clone()),
    }
}
