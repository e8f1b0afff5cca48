//! Commands to a running daemon: a Unix socket beside the database, one JSON document a line. Only
//! the owner of the daemon, and root, get an answer; and only they are asked anything.

/// The asking side.
mod client;

/// The answering side.
mod server;

/// Where they meet.
mod socket;

use serde::{Deserialize, Serialize};

pub use client::{Client, ask};
pub use server::{Server, one_of_ours};
pub use socket::bind_private;

use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::{Progress, Reply};

/// The longest command: rows to add, a token to set.
const LONGEST_COMMAND: u64 = 1 << 20;

/// What the daemon sends: progress as often as it likes, then the end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Frame {
    Progress(Box<Progress>),
    Done(Box<Reply>),
    Failed(Failure),
}

fn broken(what: &str) -> Failure {
    let message = format!("the daemon did not answer correctly ({what}); is it the same version?");
    Failure::new(Case::HostFault, code::Daemon::Unreachable, message)
}
