//! `connection`, and `connect`, which brings one.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::arguments::value::{duration, pair};
use crate::model::id::ConnectionId;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConnectionVerb {
    /// List connections
    List {
        /// Only connections of this provider
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// Only connections with this label
        #[arg(long, value_name = "LABEL")]
        label: Option<String>,
        /// Only connections whose token was requested in the last TIME: 7d, 24h
        #[arg(long, value_parser = duration, value_name = "TIME")]
        active_within: Option<u64>,
    },
    /// Add a connection; its secrets are read from a file or standard input
    Add(Add),
    /// Import connections from a file: CSV with a header, a JSON array, or JSON lines
    Import(Import),
    /// Delete an added connection here; its grant at the provider is not revoked
    Remove {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
    /// Show everything about a connection except its secrets
    Show {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
    /// Stop refreshing a connection for a while
    Pause {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// How long: 2h, 1d; by default until it is resumed
        #[arg(long = "for", value_parser = duration, value_name = "TIME")]
        time: Option<u64>,
        /// The reason, shown to others
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Resume refreshing a paused connection
    Resume {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
}

/// `connection add`
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// PROVIDER or PROVIDER/NAME
    pub(in crate::cli) connection: ConnectionId,
    /// A label to find it by
    #[arg(long, value_name = "LABEL")]
    pub(in crate::cli) label: Vec<String>,
    /// A setting for this connection only
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
    pub(in crate::cli) setting: Vec<(String, String)>,
    /// A JSON file with `secrets` and tokens, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) from: Option<PathBuf>,
    /// Replace a token that is already stored
    #[arg(long)]
    pub(in crate::cli) replace: bool,
}

/// `connection import`
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// A provider of the manifest
    pub(in crate::cli) provider: String,
    /// The file to read, or - for standard input
    pub(in crate::cli) file: PathBuf,
    /// Format of the file; by default from its extension
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "json"])]
    pub(in crate::cli) format: Option<String>,
    /// Rename a column of the file
    #[arg(long, value_parser = pair, value_name = "THEIRS=OURS")]
    pub(in crate::cli) map: Vec<(String, String)>,
    /// Replace tokens that are already stored; they are usually newer than those in a file
    #[arg(long)]
    pub(in crate::cli) replace: bool,
    /// Check the file and change nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Import the valid rows even if others are invalid
    #[arg(long)]
    pub(in crate::cli) skip_bad: bool,
}

/// `connect`
#[derive(Debug, Args)]
pub(in crate::cli) struct Connect {
    /// PROVIDER or PROVIDER/NAME
    pub(in crate::cli) connection: ConnectionId,
    /// Name of the connection, instead of PROVIDER/NAME
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,
    /// Log in with a code on another device
    #[arg(long)]
    pub(in crate::cli) device: bool,
    /// Paste the address that the browser ends at: for a browser on another machine
    #[arg(long, conflicts_with = "device")]
    pub(in crate::cli) paste: bool,
    /// Print the URL instead of opening a browser, which is that of $BROWSER where it is set
    #[arg(long)]
    pub(in crate::cli) no_browser: bool,
    /// Port of the redirect URI, if it must be registered with the provider; 0 picks a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(in crate::cli) port: u16,
    /// Host of the redirect URI: 127.0.0.1 or localhost
    #[arg(long, default_value = "127.0.0.1", value_name = "HOST", value_parser = ["127.0.0.1", "localhost"])]
    pub(in crate::cli) host: String,
    /// A scope to request in addition to those of the settings
    #[arg(long, value_name = "SCOPE")]
    pub(in crate::cli) scope: Vec<String>,
    /// Connect although the person logs in as another account than before
    #[arg(long)]
    pub(in crate::cli) other_account: bool,
    /// How long to wait for the person
    #[arg(long, value_parser = duration, default_value = "10m", value_name = "TIME")]
    pub(in crate::cli) wait: u64,
}
