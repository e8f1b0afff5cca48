//! `healthcheck`: whether the daemon can do its work, as an exit code; for containers and service managers.

use std::path::Path;

use tokio::sync::mpsc;

use crate::cli::exit::Exit;
use crate::cli::{found, render};
use crate::control;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::{Command, Readiness, Reply};

pub(super) async fn run(config: &Path, json: bool) -> Exit {
    let found = match found::find(config, json).await {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    match ask(found.database()).await {
        Ok(readiness) => render::readiness(&readiness, json),
        Err(failure) => render::failure(&failure, json),
    }
}

/// Asks the daemon alone: this process cannot stand in for it.
async fn ask(database: &Path) -> Result<Readiness, Failure> {
    let missing = |message: &str| Failure::new(Case::HostFault, code::Daemon::Unreachable, message);
    let daemon = control::Client::connect(database).await?;
    let daemon =
        daemon.ok_or_else(|| missing("no daemon is running; start one: keepfresh serve"))?;
    let (nobody, _) = mpsc::unbounded_channel();
    match control::ask(daemon, &Command::Readiness, &nobody).await? {
        Reply::Readiness(readiness) => Ok(readiness),
        _ => Err(missing("the daemon gave another reply; is it the same version?")),
    }
}
