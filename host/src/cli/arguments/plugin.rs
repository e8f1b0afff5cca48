//! `plugin`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::arguments::value::digest;
use crate::model::id::ConnectionId;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PluginVerb {
    /// List the files of the plugin folder and what they may do
    List,
    /// Show what a file asks for: imports, requests, secrets, digest
    Inspect {
        /// The .wasm file
        file: PathBuf,
    },
    /// Approve what a file asks for, if it is the file that was inspected
    Approve {
        /// Name of the file without .wasm
        name: String,
        /// Digest shown by `plugin inspect`, or at least its first 12 hex digits
        #[arg(long, value_parser = digest, value_name = "SHA256")]
        digest: Option<String>,
    },
    /// Run a plugin again over captured answers
    Replay {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
}
