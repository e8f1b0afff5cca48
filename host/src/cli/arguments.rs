//! What can be typed.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;

use crate::model::attempt::Outcome;
use crate::model::code::Code;
use crate::model::id::ConnectionId;
use crate::model::state::State;

/// Where the manifest is.
const MANIFEST: &str = "The manifest to use; by default the first of $KEEPFRESH_CONFIG, ./keepfresh.toml, \
                        $XDG_CONFIG_HOME/keepfresh/keepfresh.toml, /etc/keepfresh/keepfresh.toml";

/// Keep the API tokens of other people's services fresh
#[derive(Debug, Parser)]
#[command(name = "keepfresh", version, propagate_version = true, max_term_width = 100)]
pub(super) struct Arguments {
    #[arg(long, global = true, value_name = "FILE", help = MANIFEST)]
    pub(super) config: Option<PathBuf>,
    /// Print JSON for scripts
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Create a commented manifest and a key; existing files are never overwritten
    Init,
    /// Run the daemon
    Serve,
    /// Check the manifest and its plugins, show the next runs, and report every problem at once
    Check,
    /// Show the state of connections; exit code 4: a person is needed, 3: something is late
    Status {
        /// PROVIDER or PROVIDER/NAME
        connections: Vec<ConnectionId>,
        /// Only connections of this provider
        #[arg(long, value_name = "NAME", conflicts_with = "connections")]
        provider: Option<String>,
        /// Only connections with this label
        #[arg(long, value_name = "LABEL", conflicts_with = "connections")]
        label: Option<String>,
        /// Only connections in this state, for example `late`; can be repeated
        #[arg(long, value_name = "STATE", conflicts_with = "connections")]
        state: Vec<State>,
        /// A line for each connection, however many there are
        #[arg(long)]
        all: bool,
    },
    /// Refresh the connections that are due
    Refresh {
        /// PROVIDER or PROVIDER/NAME
        connections: Vec<ConnectionId>,
        /// Only connections of this provider
        #[arg(long, value_name = "NAME", conflicts_with = "connections")]
        provider: Option<String>,
        /// All connections; the default when none are named
        #[arg(long, conflicts_with_all = ["connections", "provider"])]
        all: bool,
        /// Only connections whose last attempt failed
        #[arg(long)]
        failed: bool,
        /// Only connections with this label
        #[arg(long, value_name = "LABEL")]
        label: Option<String>,
        /// Only connections whose token was requested in the last TIME: 7d, 24h
        #[arg(long, value_parser = duration, value_name = "TIME")]
        active_within: Option<u64>,
        /// Refresh even if the token is still valid
        #[arg(long)]
        force: bool,
        /// Wait for the results when a daemon does the work
        #[arg(long)]
        sync: bool,
        /// Show what would be refreshed and why, and refresh nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Connect an account: log in with a browser, or with a code on another device
    Connect(Connect),
    /// Revoke the grant at the provider, then delete the tokens here
    Disconnect {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// Delete the tokens even if the provider cannot be reached
        #[arg(long)]
        force: bool,
    },
    /// Get, set, clear or report a token
    Token {
        #[command(subcommand)]
        verb: TokenVerb,
    },
    /// List, show, add, import, remove, pause or resume connections
    Connection {
        #[command(subcommand)]
        verb: ConnectionVerb,
    },
    /// Show attempts, newest first
    Log {
        /// PROVIDER or PROVIDER/NAME
        connection: Option<ConnectionId>,
        /// Only attempts of this provider
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// Only attempts with this outcome: success, failed or skipped
        #[arg(long)]
        outcome: Option<Outcome>,
        /// Only attempts in the last TIME: 24h, 7d
        #[arg(long, value_parser = duration, value_name = "TIME")]
        since: Option<u64>,
        /// Keep printing new attempts
        #[arg(long)]
        follow: bool,
        /// Maximum number of attempts
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Show success rate, durations, and failures by cause
    Stats {
        /// Only this provider
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// The period to count: the last 24h, 7d
        #[arg(long, value_parser = duration, default_value = "24h", value_name = "TIME")]
        since: u64,
    },
    /// List schedules
    Schedule {
        #[command(subcommand)]
        verb: ScheduleVerb,
    },
    /// List, inspect or approve plugins, or replay an answer
    Plugin {
        #[command(subcommand)]
        verb: PluginVerb,
    },
    /// Delete old attempts
    Prune {
        /// Delete attempts older than TIME: 30d, 24h
        #[arg(long, value_parser = duration, default_value = "30d", value_name = "TIME")]
        older_than: u64,
    },
    /// Check the health of this installation, and say how to fix what is wrong
    Doctor,
    /// Explain an error code: what it means and what helps; without a code, list them all
    Explain(Explain),
    /// Print shell completions
    Completions {
        /// bash, zsh, fish...
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenVerb {
    /// Print the access token, refreshed first if necessary
    Get {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// Minimum time that the token must remain valid: 5m
        #[arg(long, value_parser = duration, default_value = "0s", value_name = "TIME")]
        min_ttl: u64,
        /// Print it as an Authorization header
        #[arg(long)]
        header: bool,
    },
    /// Store a token from standard input: the bare token, or the JSON of a token endpoint
    Set {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
    /// Report that the provider rejected a token, and print a new one
    Rejected {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// Generation of the rejected token; the current one by default
        #[arg(long, value_name = "NUMBER")]
        generation: Option<u64>,
    },
    /// Delete the tokens
    Clear {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConnectionVerb {
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

/// `connect`
#[derive(Debug, Args)]
pub(super) struct Connect {
    /// PROVIDER or PROVIDER/NAME
    pub(super) connection: ConnectionId,
    /// Name of the connection, instead of PROVIDER/NAME
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Log in with a code on another device
    #[arg(long)]
    pub(super) device: bool,
    /// Print the URL instead of opening a browser
    #[arg(long)]
    pub(super) no_browser: bool,
    /// Port of the redirect URI, if it must be registered with the provider; 0 picks a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(super) port: u16,
    /// Host of the redirect URI: 127.0.0.1 or localhost
    #[arg(long, default_value = "127.0.0.1", value_name = "HOST", value_parser = ["127.0.0.1", "localhost"])]
    pub(super) host: String,
    /// A scope to request in addition to those of the settings
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Vec<String>,
    /// How long to wait for the login
    #[arg(long, value_parser = duration, default_value = "10m", value_name = "TIME")]
    pub(super) wait: u64,
}

/// `explain`
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The code, as in messages and `--json`: `egress.tls_failed`
    #[arg(value_parser = AnyCode, hide_possible_values = true)]
    pub(super) code: Option<String>,
    /// Print them all in the form of docs/errors.md
    #[arg(long, hide = true, conflicts_with = "code")]
    pub(super) markdown: bool,
}

/// Takes any text, so that the answer to a wrong one can be a short one, and tells shells the codes.
#[derive(Clone)]
struct AnyCode;

impl TypedValueParser for AnyCode {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let entries = Code::all().filter_map(|it| it.entry());
        Some(Box::new(entries.map(|it| PossibleValue::new(it.text).help(it.meaning))))
    }
}

/// `connection add`
#[derive(Debug, Args)]
pub(super) struct Add {
    /// PROVIDER or PROVIDER/NAME
    pub(super) connection: ConnectionId,
    /// A label to find it by
    #[arg(long, value_name = "LABEL")]
    pub(super) label: Vec<String>,
    /// A setting for this connection only
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
    pub(super) setting: Vec<(String, String)>,
    /// A JSON file with `secrets` and tokens, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// Replace a token that is already stored
    #[arg(long)]
    pub(super) replace: bool,
}

/// `connection import`
#[derive(Debug, Args)]
pub(super) struct Import {
    /// A provider of the manifest
    pub(super) provider: String,
    /// The file to read, or - for standard input
    pub(super) file: PathBuf,
    /// Format of the file; by default from its extension
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "json"])]
    pub(super) format: Option<String>,
    /// Rename a column of the file
    #[arg(long, value_parser = pair, value_name = "THEIRS=OURS")]
    pub(super) map: Vec<(String, String)>,
    /// Replace tokens that are already stored; they are usually newer than those in a file
    #[arg(long)]
    pub(super) replace: bool,
    /// Check the file and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Import the valid rows even if others are invalid
    #[arg(long)]
    pub(super) skip_bad: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ScheduleVerb {
    /// List schedules with their provider and next runs
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum PluginVerb {
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

/// `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A day in seconds.
const DAY: u64 = 86_400;

/// No length of time is longer: a hundred years, which every calendar holds beside today.
const LONGEST_DAYS: u64 = 36_500;

/// Seconds of a duration as people write it: `90s`, `5m`, `24h`, `30d`.
fn duration(text: &str) -> Result<u64, String> {
    match seconds(text) {
        None => Err(format!("`{text}` is not a duration; write 90s, 5m, 24h or 30d")),
        Some(it) if it > LONGEST_DAYS * DAY => {
            Err(format!("`{text}` is too long; {LONGEST_DAYS}d is the longest"))
        }
        Some(it) => Ok(it),
    }
}

fn seconds(text: &str) -> Option<u64> {
    let days = text.strip_suffix('d').and_then(|it| it.parse::<u64>().ok());
    let parsed = || u64::try_from(text.parse::<SignedDuration>().ok()?.as_secs()).ok();
    days.map(|it| it.saturating_mul(DAY)).or_else(parsed)
}

/// The hex digits of a SHA-256, whole or its beginning, as `plugin inspect` shows them.
fn digest(text: &str) -> Result<String, String> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    let fits = (SHORTEST_DIGEST..=64).contains(&hex.len());
    if fits && hex.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Ok(hex.to_ascii_lowercase());
    }
    Err(format!("not a SHA-256 digest, nor at least its first {SHORTEST_DIGEST} hex digits"))
}

/// Fewer hex digits are too easy to make another file for.
const SHORTEST_DIGEST: usize = 12;

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_are_written_as_people_write_them() {
        assert_eq!(duration("30d"), Ok(2_592_000));
        assert_eq!(duration("5m"), Ok(300));
        assert_eq!(duration("1h 30m"), Ok(5_400));
        assert!(duration("soon").is_err());
        assert!(duration("-5m").is_err());
    }

    #[test]
    fn a_time_has_an_end() {
        assert_eq!(duration("36500d"), Ok(LONGEST_DAYS * DAY));
        for long in ["36501d", "300000000d", "99999999999999d", "876001h", "9223372036854775807s"] {
            assert_eq!(duration(long), Err(format!("`{long}` is too long; 36500d is the longest")));
        }
        // More than any type holds.
        assert!(duration("99999999999999999999d").is_err());
        assert!(duration("18446744073709551616s").is_err());
    }

    #[test]
    fn a_digest_is_given_whole_or_by_its_beginning() {
        let whole = "0123456789abcdef".repeat(4);
        assert_eq!(digest(&format!("sha256:{}", whole.to_uppercase())), Ok(whole.clone()));
        assert_eq!(digest(&whole[..12]), Ok(whole[..12].to_owned()));
        for wrong in ["", "sha256:", &whole[..11], "0123456789xy", &format!("{whole}0")] {
            assert!(digest(wrong).is_err(), "{wrong}");
        }
    }
}
