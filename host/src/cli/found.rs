//! The manifest of a command. One with problems stops nobody whose daemon runs on: as much of it is read as
//! finds the daemon, which still has the version before, and the problems are a warning.

use std::path::{Path, PathBuf};

use crate::cli::exit::Exit;
use crate::cli::render;
use crate::control::Client;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::{self, Manifest};

/// What a command works with.
#[derive(Clone)]
pub(super) enum Found {
    /// A manifest without problems.
    Whole(Box<Manifest>),
    /// The database of a daemon that runs, and what is wrong with its manifest by now.
    Daemon(PathBuf, Vec<Diagnostic>),
}

impl Found {
    /// The database that it names.
    pub(super) fn database(&self) -> &Path {
        match self {
            Self::Whole(manifest) => &manifest.storage.path,
            Self::Daemon(database, _) => database,
        }
    }
}

/// The manifest at `config`, or the daemon that runs although it has problems.
pub(super) async fn look(config: &Path) -> Result<Found, Vec<Diagnostic>> {
    let problems = match manifest::load(config) {
        Ok(manifest) => return Ok(Found::Whole(Box::new(manifest))),
        Err(problems) => problems,
    };
    let Some(database) = manifest::database(config) else { return Err(problems) };
    match Client::connect(&database).await {
        Ok(Some(_)) => Ok(Found::Daemon(database, problems)),
        _ => Err(problems),
    }
}

/// The same for a command that begins: problems are printed, as a warning or as why it ends.
pub(super) async fn find(config: &Path, json: bool) -> Result<Found, Exit> {
    let found = look(config).await.map_err(|problems| render::problems(config, &problems, json))?;
    if let Found::Daemon(_, problems) = &found {
        render::passed_over(problems);
    }
    Ok(found)
}
