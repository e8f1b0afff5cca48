//! What can be typed.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;

use crate::model::attempt::Outcome;
use crate::model::code::Code;
use crate::model::id::ConnectionId;

/// Keeps the API tokens of other people's services fresh
#[derive(Debug, Parser)]
#[command(name = "keepfresh", version, propagate_version = true, max_term_width = 100)]
pub(super) struct Arguments {
    /// The manifest
    #[arg(long, global = true, default_value = "keepfresh.toml", value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Prints JSON for scripts
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Writes a commented manifest and a key; never overwrites
    Init,
    /// Runs the daemon
    Serve,
    /// Reads the manifest, loads the plugins that it uses, computes next runs; says all problems at once
    Check,
    /// How connections are doing; exit 4 when a person is needed, 3 when something is late
    Status {
        /// PROVIDER or PROVIDER/NAME
        connections: Vec<ConnectionId>,
    },
    /// Refreshes what is due
    Refresh {
        /// PROVIDER or PROVIDER/NAME
        connections: Vec<ConnectionId>,
        /// Every connection of this provider
        #[arg(long, value_name = "NAME", conflicts_with = "connections")]
        provider: Option<String>,
        /// Every connection; this is what happens when nothing is named, too
        #[arg(long, conflicts_with_all = ["connections", "provider"])]
        all: bool,
        /// What failed last
        #[arg(long)]
        failed: bool,
        /// With this label
        #[arg(long, value_name = "LABEL")]
        label: Option<String>,
        /// Whose token somebody asked for in the last 7d...
        #[arg(long, value_parser = duration, value_name = "TIME")]
        active_within: Option<u64>,
        /// Whatever the expiry
        #[arg(long)]
        force: bool,
        /// Waits for the outcomes when a daemon does the work
        #[arg(long)]
        sync: bool,
        /// Says what would be refreshed, and why
        #[arg(long)]
        dry_run: bool,
    },
    /// Connects an account in a browser, or with a code on another machine
    Connect(Connect),
    /// Ends the grant at the provider, then forgets it here
    Disconnect {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// Forgets it here even if the provider does not answer
        #[arg(long)]
        force: bool,
    },
    /// Tokens: get, set, clear, rejected
    Token {
        #[command(subcommand)]
        verb: TokenVerb,
    },
    /// Connections: list, show, add, import, remove, pause, resume
    Connection {
        #[command(subcommand)]
        verb: ConnectionVerb,
    },
    /// Attempts, newest first
    Log {
        /// PROVIDER or PROVIDER/NAME
        connection: Option<ConnectionId>,
        /// Of this provider
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// success, failed or skipped
        #[arg(long)]
        outcome: Option<Outcome>,
        /// Of the last 24h, 7d...
        #[arg(long, value_parser = duration, value_name = "TIME")]
        since: Option<u64>,
        /// Goes on printing new ones
        #[arg(long)]
        follow: bool,
        /// At most so many
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Success rate, durations, failures by cause
    Stats {
        /// Of this provider
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// In the last 24h, 7d...
        #[arg(long, value_parser = duration, default_value = "24h", value_name = "TIME")]
        since: u64,
    },
    /// Schedules
    Schedule {
        #[command(subcommand)]
        verb: ScheduleVerb,
    },
    /// Plugins: list, inspect, approve, replay
    Plugin {
        #[command(subcommand)]
        verb: PluginVerb,
    },
    /// Removes old attempts
    Prune {
        /// Older than 30d...
        #[arg(long, value_parser = duration, default_value = "30d", value_name = "TIME")]
        older_than: u64,
    },
    /// Says whether this deployment is healthy, and if not, what to do
    Doctor,
    /// What an error code means and what helps; all of them when none is given
    Explain(Explain),
    /// Prints shell completions
    Completions {
        /// bash, zsh, fish...
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenVerb {
    /// Prints the token alone, refreshing first when it must
    Get {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// How long it must still live: 5m...
        #[arg(long, value_parser = duration, default_value = "0s", value_name = "TIME")]
        min_ttl: u64,
        /// Prints the Authorization header
        #[arg(long)]
        header: bool,
    },
    /// Stores a token from standard input: the token alone, or a token endpoint's JSON
    Set {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
    /// Says that the provider refused a token, and prints another one
    Rejected {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// Which token set it was of; the current one when not given
        #[arg(long, value_name = "NUMBER")]
        generation: Option<u64>,
    },
    /// Forgets the tokens
    Clear {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConnectionVerb {
    /// All connections
    List {
        /// Of this provider
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// With this label
        #[arg(long, value_name = "LABEL")]
        label: Option<String>,
        /// Whose token somebody asked for in the last 7d...
        #[arg(long, value_parser = duration, value_name = "TIME")]
        active_within: Option<u64>,
    },
    /// Adds one; what is secret comes from a file or standard input
    Add {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// A word to find it by
        #[arg(long, value_name = "LABEL")]
        label: Vec<String>,
        /// A setting of its own: NAME=VALUE
        #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
        setting: Vec<(String, String)>,
        /// JSON with `secrets` and tokens: a file, or - for standard input
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// Puts the token over the one that is there
        #[arg(long)]
        replace: bool,
    },
    /// Adds those in a file: CSV with a heading, a JSON list, or JSON lines
    Import(Import),
    /// Forgets one that was added, without telling the provider
    Remove {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
    /// Everything about one, but its secrets
    Show {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
    /// Stops refreshing for a while
    Pause {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// For 2h, 1d...; until it is resumed when not given
        #[arg(long = "for", value_parser = duration, value_name = "TIME")]
        time: Option<u64>,
        /// Why, for the others
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Goes on refreshing
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
    /// The name of the connection, if not given with a slash
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// With a code on another machine
    #[arg(long)]
    pub(super) device: bool,
    /// Prints the address and opens nothing
    #[arg(long)]
    pub(super) no_browser: bool,
    /// The port that the browser comes back to, where the provider wants to know it; any when 0
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(super) port: u16,
    /// The host name in the address that it comes back to: 127.0.0.1 or localhost
    #[arg(long, default_value = "127.0.0.1", value_name = "HOST", value_parser = ["127.0.0.1", "localhost"])]
    pub(super) host: String,
    /// Wanted besides the scopes of the settings
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Vec<String>,
    /// How long to wait for the person
    #[arg(long, value_parser = duration, default_value = "10m", value_name = "TIME")]
    pub(super) wait: u64,
}

/// `explain`
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The code, as messages and `--json` show it: `egress.tls_failed`...
    #[arg(value_parser = AnyCode, hide_possible_values = true)]
    pub(super) code: Option<String>,
    /// Prints all of them as docs/errors.md has them
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

/// `connection import`
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Whose connections, in the manifest
    pub(super) provider: String,
    /// The file, or - for standard input
    pub(super) file: PathBuf,
    /// How it is written; by its name when not given
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "json"])]
    pub(super) format: Option<String>,
    /// What a column of the file means here: THEIRS=OURS
    #[arg(long, value_parser = pair, value_name = "THEIRS=OURS")]
    pub(super) map: Vec<(String, String)>,
    /// Puts tokens over those that are there, which are newer as a rule
    #[arg(long)]
    pub(super) replace: bool,
    /// Reads the file and changes nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Imports the rows that can be read, even if others cannot
    #[arg(long)]
    pub(super) skip_bad: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ScheduleVerb {
    /// Expression, provider, next runs
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum PluginVerb {
    /// Files of the plugin folder, and what they may do
    List,
    /// What a file would ask for: imports, access, secrets, digest
    Inspect {
        /// A .wasm file
        file: PathBuf,
    },
    /// Lets a file have what it asks for, if it is the one that was inspected
    Approve {
        /// The file's name without .wasm
        name: String,
        /// What `plugin inspect` showed, or its first 12 hex digits; without it nothing is approved
        #[arg(long, value_parser = digest, value_name = "SHA256")]
        digest: Option<String>,
    },
    /// Reads captured answers once more
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
        None => Err(format!("`{text}` is not a time; write 90s, 5m, 24h or 30d")),
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
    Err(format!("it is not the digest of a file, nor its first {SHORTEST_DIGEST} hex digits"))
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
