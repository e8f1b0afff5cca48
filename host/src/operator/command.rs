//! What can be asked. These types cross the socket between the command line and
//! the daemon, which are the same program.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::model::account::Role;
use crate::model::api_key::Grant;
use crate::model::attempt::Outcome;
use crate::model::audit::Action;
use crate::model::clock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::operator::import_file::Row;
use crate::operator::listing::PAGE;
use crate::operator::urgent::UrgentQuery;
use crate::storage::Filter;

/// One thing to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// How connections are doing; all of them when none is named.
    Status {
        /// Which.
        ids: Vec<ConnectionId>,
        /// Which part of all of them; all at once when not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<PageQuery>,
    },
    /// Connections.
    Connections {
        /// Which.
        selection: Selection,
        /// Which part of them; all at once when not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<PageQuery>,
    },
    /// Everything about one connection.
    Show {
        /// Which.
        id: ConnectionId,
    },
    /// Refreshes what is due, or all that is selected.
    Refresh {
        /// Which.
        selection: Selection,
        /// Even if the token is still valid.
        force: bool,
        /// Only says what would be refreshed, and why.
        dry_run: bool,
        /// Whether the reply waits for the outcomes.
        wait: bool,
    },
    /// A token that works.
    TokenGet {
        /// Whose.
        id: ConnectionId,
        /// Seconds that it must still live.
        min_ttl_s: u64,
    },
    /// Stores a token by hand.
    TokenSet {
        /// Whose.
        id: ConnectionId,
        /// The token, or a token endpoint's JSON.
        text: Plain,
    },
    /// Forgets the token.
    TokenClear {
        /// Whose.
        id: ConnectionId,
    },
    /// A caller's token was refused by the provider: another one.
    TokenRejected {
        /// Whose.
        id: ConnectionId,
        /// Which one; the current one when not given.
        generation: Option<u64>,
    },
    /// Sends a person's browser to the provider.
    ConnectStart {
        /// What is connected.
        id: ConnectionId,
        /// Where the browser comes back to.
        redirect_uri: String,
        /// What is wanted of it.
        wish: Wish,
    },
    /// The browser has come back.
    ConnectFinish {
        /// As the start packed it.
        visit: Plain,
        /// The query that it came back with.
        query: Plain,
    },
    /// Asks for a code that a person types in on another machine.
    DeviceStart {
        /// What is connected.
        id: ConnectionId,
        /// What is wanted of it.
        wish: Wish,
    },
    /// Has the person agreed?
    DevicePoll {
        /// As the start, or the last poll, packed it.
        visit: Plain,
    },
    /// Ends the grant at the provider and forgets it here.
    Disconnect {
        /// Which.
        id: ConnectionId,
        /// Forgets it here even if the provider does not answer.
        force: bool,
    },
    /// Connections to be there from now on.
    Enrol {
        /// Whose, in the manifest.
        provider: String,
        /// Which.
        rows: Vec<Row>,
        /// Whether tokens go over those that are there.
        replace: bool,
        /// Only says what would become of them.
        #[serde(default)]
        dry_run: bool,
    },
    /// Connections with their tokens and secrets in clear.
    Export {
        /// Which.
        selection: Selection,
        /// Which part of them.
        page: PageQuery,
    },
    /// Forgets a connection that was added.
    Remove {
        /// Which.
        id: ConnectionId,
    },
    /// Stops refreshing for a while.
    Pause {
        /// Which.
        id: ConnectionId,
        /// How long, in seconds; until it is resumed when not given.
        for_s: Option<u64>,
        /// Why, for the others.
        reason: Option<String>,
    },
    /// Goes on.
    Resume {
        /// Which.
        id: ConnectionId,
    },
    /// Runs the plugin over answers that were captured and not understood.
    Replay {
        /// Whose.
        id: ConnectionId,
    },
    /// Attempts, newest first.
    Log(LogQuery),
    /// One attempt.
    Attempt {
        /// Which.
        id: AttemptId,
    },
    /// Attempts in the order in which they end.
    Follow {
        /// Which.
        query: LogQuery,
        /// Behind this place in the order; where it ends now when not given.
        after: Option<i64>,
    },
    /// How refreshes went.
    Stats {
        /// Of this provider, or all.
        provider: Option<String>,
        /// The period that ends now, in seconds.
        since_s: u64,
    },
    /// All connections in numbers.
    Overview,
    /// Connections in the order in which people have to look at them, or in another one.
    Urgent {
        /// Which.
        query: UrgentQuery,
        /// Which part of them.
        page: PageQuery,
    },
    /// What has become of one connection.
    History {
        /// Which.
        id: ConnectionId,
    },
    /// Schedules with their next runs.
    Schedules,
    /// What is planned for the next 24 hours, and whether it fits.
    Forecast,
    /// Plugin files and what they may do.
    Plugins,
    /// One plugin file, with what it asks for beside what was approved.
    Plugin {
        /// Its name in the plugin folder.
        file: String,
    },
    /// What a new connection needs.
    Form {
        /// Of this provider.
        provider: String,
    },
    /// What this installation runs on.
    System,
    /// Forgets old attempts.
    Prune {
        /// The smallest age, in seconds.
        older_than_s: u64,
        /// Only attempts that ended so, and nothing else.
        #[serde(default)]
        outcome: Option<Outcome>,
    },
    /// Reads manifest and plugins anew; the daemon's alone.
    Reload,
    /// Whether this deployment is healthy.
    Doctor,
    /// Whether the daemon can do its work.
    Readiness,
    /// Makes a key for a program.
    ApiKeyCreate {
        /// What people call it.
        name: String,
        /// What it allows.
        grant: Grant,
    },
    /// The keys of programs.
    ApiKeys,
    /// Ends a key.
    ApiKeyRevoke {
        /// Its id or its name.
        key: String,
    },
    /// People who use the dashboard.
    Accounts,
    /// Makes an account, and a link by which its person chooses a password.
    AccountAdd {
        /// What it is called.
        name: String,
        /// What it may do.
        role: Role,
    },
    /// Makes another such link.
    AccountLink {
        /// Whose.
        name: String,
    },
    /// Changes what an account may do, and ends its sessions.
    AccountRole {
        /// Whose.
        name: String,
        /// What it may do from now on.
        role: Role,
    },
    /// Removes an account, and ends its sessions.
    AccountRemove {
        /// Which.
        name: String,
    },
    /// Who did what, newest first.
    Audit(AuditQuery),
    /// Who is told of what happens.
    Channels,
    /// Sends a message to a channel, to see whether it arrives.
    ChannelTest {
        /// Which.
        name: String,
    },
    /// Where what is current is delivered to.
    Sinks,
    /// Delivers what is current now.
    SinkRun {
        /// Which sink.
        name: String,
        /// Only of this connection.
        connection: Option<ConnectionId>,
    },
    /// A plugin file was approved; only to be written down.
    Approved {
        /// The file in the plugin folder.
        file: String,
        /// Its SHA-256.
        digest: String,
    },
}

/// Which entries of the audit log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AuditQuery {
    /// Of this actor: `key:ID`, `user:UID`, `account:NAME`.
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<Action>,
    /// Of this subject.
    pub subject: Option<String>,
    /// The period that ends now, in seconds.
    pub since_s: Option<u64>,
    /// Which part of them.
    pub page: PageQuery,
}

/// A page was to begin after something that no page has named.
pub(super) fn bad_cursor() -> Failure {
    let message = "the cursor is not one that a page has named; begin without one";
    Failure::new(Case::Misconfigured, code::Command::Usage, message)
}

/// What a person who connects an account wants of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Scopes besides those of the settings.
    pub scopes: Vec<String>,
    /// Whether it may be another account than the one that is connected.
    pub other_account: bool,
}

/// Which connections; everything when nothing is set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Selection {
    /// These.
    pub ids: Vec<ConnectionId>,
    /// Those of this provider.
    pub provider: Option<String>,
    /// Those whose last try failed.
    pub failed: bool,
    /// Those with this label.
    pub label: Option<String>,
    /// Those whose token a caller asked for within this time, in seconds.
    pub active_within_s: Option<u64>,
}

impl Selection {
    /// What the database is asked for at `now`.
    pub fn filter(&self, now: Timestamp) -> Filter {
        let Self { ids, provider, failed, label, active_within_s } = self.clone();
        let active_since = active_within_s.map(|it| clock::before(now, Duration::from_secs(it)));
        Filter { ids, provider, failed, label, active_since }
    }
}

/// Which attempts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LogQuery {
    /// Of this provider.
    pub provider: Option<String>,
    /// Of this connection.
    pub connection: Option<ConnectionId>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// The period that ends now, in seconds.
    pub since_s: Option<u64>,
    /// The largest number of attempts.
    pub limit: u32,
    /// Which part of them; all at once when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageQuery>,
}

/// Part of a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PageQuery {
    /// What the page before this one named as next; from the beginning when not given.
    pub after: Option<String>,
    /// The largest number of rows, if that is fewer than a page has.
    pub limit: Option<u32>,
}

impl PageQuery {
    /// How many rows it may have.
    pub(super) fn limit(&self) -> u32 {
        self.limit.unwrap_or(PAGE).clamp(1, PAGE)
    }
}

/// A secret that crosses the socket in clear: the socket is the owner's alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Plain(pub SecretString);

impl From<String> for Plain {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<SecretString> for Plain {
    fn from(secret: SecretString) -> Self {
        Self(secret)
    }
}

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.expose_secret())
    }
}

impl Command {
    /// Whether it changes nothing, so that it need not wait for whoever does.
    pub fn only_looks(&self) -> bool {
        matches!(
            self,
            Self::Status { .. }
                | Self::Connections { .. }
                | Self::Show { .. }
                | Self::Log(_)
                | Self::Attempt { .. }
                | Self::Follow { .. }
                | Self::Stats { .. }
                | Self::Overview
                | Self::Urgent { .. }
                | Self::History { .. }
                | Self::Schedules
                | Self::Forecast
                | Self::Plugins
                | Self::Plugin { .. }
                | Self::Form { .. }
                | Self::System
                | Self::Channels
                | Self::Sinks
                | Self::Doctor
                | Self::Readiness
                | Self::Refresh { dry_run: true, .. }
                | Self::Enrol { dry_run: true, .. }
                | Self::Export { .. }
        )
    }
}
