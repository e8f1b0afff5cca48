//! `log`.

use clap::Subcommand;

use crate::model::id::AttemptId;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LogVerb {
    /// Show everything about one attempt
    Show {
        /// Its id, as `log --json` has it
        attempt: AttemptId,
    },
}
