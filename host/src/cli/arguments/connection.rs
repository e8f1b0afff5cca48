//! `connection`, and `connect`, which brings one.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};

use crate::cli::arguments::value::{duration, pair};
use crate::model::id::{ConnectionId, IdError, check_name};
use crate::operator::Selection;
use crate::operator::import_file::Format;

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
    /// Import connections from a file: CSV or TSV with a heading, a JSON array, or JSON lines
    Import(Import),
    /// Write connections to a file that `import` reads, with their tokens and secrets in clear
    Export(Export),
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
    /// A label to find it by, besides those that it has
    #[arg(long, value_name = "LABEL")]
    pub(in crate::cli) label: Vec<String>,
    /// A setting for this connection only
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
    pub(in crate::cli) setting: Vec<(String, String)>,
    /// A file with one row as `connection import` reads it, such as a JSON object; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) from: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) reading: Reading,
    /// Replace a token that is already stored
    #[arg(long)]
    pub(in crate::cli) replace: bool,
}

/// `connection export`
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// PROVIDER for all of its connections, or PROVIDER/NAME for one
    #[arg(value_name = "PROVIDER")]
    pub(in crate::cli) provider: Whose,
    /// The file to write, which must not exist, or - for standard output
    pub(in crate::cli) file: PathBuf,
    /// Format of the file: csv or jsonl; by default from its name, and else jsonl
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "jsonl"])]
    pub(in crate::cli) format: Option<String>,
    /// Only connections with this label
    #[arg(long, value_name = "LABEL")]
    pub(in crate::cli) label: Option<String>,
    /// Do not ask: tokens and secrets go out in clear
    #[arg(long)]
    pub(in crate::cli) yes: bool,
}

/// All connections of a provider, or one.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Whose {
    All(String),
    One(ConnectionId),
}

impl FromStr for Whose {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.contains('/') {
            return text.parse().map(Self::One);
        }
        check_name(text).map(|()| Self::All(text.to_owned()))
    }
}

impl Export {
    /// Whose connections.
    pub(in crate::cli) fn provider(&self) -> &str {
        match &self.provider {
            Whose::All(provider) => provider,
            Whose::One(id) => id.provider(),
        }
    }

    /// Which connections.
    pub(in crate::cli) fn selection(&self) -> Selection {
        let label = self.label.clone();
        let all = Selection { label, ..Selection::default() };
        match self.provider.clone() {
            Whose::All(provider) => Selection { provider: Some(provider), ..all },
            Whose::One(id) => Selection { ids: vec![id], ..all },
        }
    }

    /// How the file is written.
    pub(in crate::cli) fn format(&self) -> Format {
        let ending = self.file.extension().and_then(|it| it.to_str());
        match self.format.as_deref().or(ending).and_then(Format::named) {
            Some(Format::Csv) => Format::Csv,
            _ => Format::JsonLines,
        }
    }

    /// Whether it goes to standard output.
    pub(in crate::cli) fn is_standard_output(&self) -> bool {
        self.file.as_os_str() == "-"
    }
}

/// Where keys of Laravel are.
const LARAVEL_KEY: &str = "Where the key is that opens columns encrypted by Laravel: env:APP_KEY or file:.env; \
                           can be repeated for older keys";

/// How a file of connections is read.
#[derive(Debug, Args)]
pub(in crate::cli) struct Reading {
    /// Format of the file: csv, tsv, json or jsonl; by default from its name and its beginning
    #[arg(long, value_name = "FORMAT", value_parser = Format::NAMES)]
    pub(in crate::cli) format: Option<String>,
    /// Rename a column of the file; can be repeated
    #[arg(long, value_parser = pair, value_name = "THEIRS=OURS")]
    pub(in crate::cli) map: Vec<(String, String)>,
    /// Leave a column of the file out; can be repeated, and '*' is every column without a meaning
    #[arg(long, value_name = "COLUMN")]
    pub(in crate::cli) ignore: Vec<String>,
    #[arg(long, value_name = "SOURCE", help = LARAVEL_KEY)]
    pub(in crate::cli) laravel_key: Vec<String>,
}

/// `connection import`
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// A provider of the manifest
    pub(in crate::cli) provider: String,
    /// The file to read, or - for standard input
    pub(in crate::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) reading: Reading,
    /// A label for every row, besides those that it has
    #[arg(long, value_name = "LABEL")]
    pub(in crate::cli) label: Vec<String>,
    /// Replace tokens that are already stored; they are usually newer than those in a file
    #[arg(long)]
    pub(in crate::cli) replace: bool,
    /// Check every row as an import does, and change nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Import the valid rows even if others are invalid
    #[arg(long)]
    pub(in crate::cli) skip_bad: bool,
}

/// `connect`
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
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
