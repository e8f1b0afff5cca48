//! What can be typed.

mod access;
mod account;
mod channel;
mod connection;
mod explain;
mod log;
mod manifest;
mod plugin;
mod provider;
mod schedule;
mod sink;
mod token;
mod value;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(super) use access::{ApiKeyVerb, Audit};
pub(super) use account::AccountVerb;
pub(super) use channel::ChannelVerb;
pub(super) use connection::{Add, Connect, ConnectionVerb, Export, Import, Reading};
pub(super) use explain::Explain;
pub(super) use log::LogVerb;
pub(super) use manifest::ManifestVerb;
pub(super) use plugin::PluginVerb;
pub(super) use provider::ProviderVerb;
pub(super) use schedule::ScheduleVerb;
pub(super) use sink::SinkVerb;
pub(super) use token::TokenVerb;
use value::duration;

use crate::model::attempt::Outcome;
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
    Check {
        /// Print what holds for each provider and connection, and where each value comes from
        #[arg(long)]
        effective: bool,
    },
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
    /// List, show, add, import, export, remove, pause or resume connections
    Connection {
        #[command(subcommand)]
        verb: ConnectionVerb,
    },
    /// Show attempts, newest first, or one of them
    #[command(args_conflicts_with_subcommands = true)]
    Log {
        #[command(subcommand)]
        verb: Option<LogVerb>,
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
        /// Keep printing attempts as they end
        #[arg(long)]
        follow: bool,
        /// Maximum number of attempts
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Show success rate, how long providers took, and failures by cause, for each provider
    Stats {
        /// Only this provider
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// The period to count, by whole hours: the last 24h, 7d, 30d
        #[arg(long, value_parser = duration, default_value = "24h", value_name = "TIME")]
        since: u64,
    },
    /// List schedules, or show what is planned for the next 24 hours
    Schedule {
        #[command(subcommand)]
        verb: ScheduleVerb,
    },
    /// Print the reference of the manifest, or a schema for editors
    Manifest {
        #[command(subcommand)]
        verb: ManifestVerb,
    },
    /// Print the table of a provider for the manifest
    Provider {
        #[command(subcommand)]
        verb: ProviderVerb,
    },
    /// List, inspect or approve plugins, or replay an answer
    Plugin {
        #[command(subcommand)]
        verb: PluginVerb,
    },
    /// Delete old attempts; statistics keep counting them
    Prune {
        /// Delete attempts older than TIME: 30d, 24h
        #[arg(long, value_parser = duration, default_value = "30d", value_name = "TIME")]
        older_than: u64,
        /// Only attempts with this outcome: success, failed or skipped
        #[arg(long)]
        outcome: Option<Outcome>,
    },
    /// Create, list or revoke API keys for programs
    ApiKey {
        #[command(subcommand)]
        verb: ApiKeyVerb,
    },
    /// Create, list or remove accounts for people who use the dashboard
    Account {
        #[command(subcommand)]
        verb: AccountVerb,
    },
    /// List the channels that are told of problems, or send one a test message
    Channel {
        #[command(subcommand)]
        verb: ChannelVerb,
    },
    /// List the sinks that tokens are delivered to, or deliver all of one now
    Sink {
        #[command(subcommand)]
        verb: SinkVerb,
    },
    /// Show who read, changed or approved what, newest first
    Audit(Audit),
    /// Check the health of this installation, and say how to fix what is wrong
    Doctor,
    /// Ask the daemon whether it can do its work; exit code 0: it can, 1: it cannot, 5: no daemon
    Healthcheck,
    /// Explain an error code: what it means and what helps; without a code, list them all
    Explain(Explain),
    /// Print shell completions
    Completions {
        /// bash, zsh, fish...
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// The words of every command that does something.
    fn leaves(command: &clap::Command, words: &str, found: &mut Vec<String>) {
        let mut below = command.get_subcommands().filter(|it| it.get_name() != "help").peekable();
        if below.peek().is_none() || command.is_args_conflicts_with_subcommands_set() {
            found.push(words.trim().to_owned());
        }
        below.for_each(|it| leaves(it, &format!("{words} {}", it.get_name()), found));
    }

    #[test]
    fn every_command_that_prints_json_has_a_schema_and_a_row_on_the_page() {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let page = std::fs::read_to_string(docs.join("json.md")).unwrap();
        let mut found = Vec::new();
        leaves(&Arguments::command(), "", &mut found);
        assert!(found.len() > 25, "{found:?}");
        for words in found.iter().filter(|it| *it != "completions") {
            let name = format!("schemas/{}.json", words.replace(' ', "-"));
            assert!(docs.join(&name).is_file(), "docs/{name} is missing");
            let row = format!("| `{words}` | [");
            assert!(page.contains(&row) && page.contains(&name), "docs/json.md lacks {words}");
        }
    }
}
