//! Commands to a running daemon: a Unix socket beside the database, one JSON document a line. Only
//! the owner of the daemon, and root, get an answer.

/// The asking side.
mod client;

/// The answering side.
mod server;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use client::{Client, ask};
pub use server::Server;

use crate::model::failure::{Case, Failure};
use crate::operator::{Progress, Reply};

/// The longest path that a Unix socket can have, less the zero at its end.
const LONGEST_PATH: usize = 100;

/// What the daemon sends: progress as often as it likes, then the end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Frame {
    Progress(Box<Progress>),
    Done(Box<Reply>),
    Failed { code: String, message: String },
}

/// Where the socket of a database is: beside it, or in the temporary folder when that path is longer
/// than a socket's may be.
pub fn socket_path(database: &Path) -> PathBuf {
    let database = std::path::absolute(database).unwrap_or_else(|_| database.to_owned());
    let beside = database.with_extension("sock");
    if beside.as_os_str().len() <= LONGEST_PATH {
        return beside;
    }
    let digest = crate::catalogue::digest_of(database.as_os_str().as_encoded_bytes());
    std::env::temp_dir().join(format!("keepfresh-{}.sock", &digest[..16]))
}

fn broken(what: &str) -> Failure {
    let message =
        format!("the daemon did not answer as it should ({what}); is it the same version?");
    Failure::new(Case::HostFault, "daemon.unreachable", message)
}
