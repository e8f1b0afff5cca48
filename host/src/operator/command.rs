//! What can be asked, and what comes back. These types cross the socket between the command line and
//! the daemon, which are the same program.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::model::attempt::{Attempt, Outcome};
use crate::model::id::{AttemptId, ConnectionId};
use crate::operator::doctor::Finding;
use crate::operator::plugins::{PluginView, ScheduleView};
use crate::operator::roster::Row;
use crate::operator::view::{ConnectionView, Details};
use crate::refresher::Served;
use crate::storage::{Filter, Pruned, Statistics};

/// One thing to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// Is anybody there?
    Ping,
    /// How connections are doing; all of them when none is named.
    Status {
        /// Which.
        ids: Vec<ConnectionId>,
    },
    /// Connections.
    Connections {
        /// Which.
        selection: Selection,
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
        /// Whatever the expiry.
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
        /// Wanted besides those of the settings.
        scopes: Vec<String>,
    },
    /// The browser has come back.
    ConnectFinish {
        /// As the start named it.
        visit: String,
        /// The query that it came back with.
        query: Plain,
    },
    /// Asks for a code that a person types in on another machine.
    DeviceStart {
        /// What is connected.
        id: ConnectionId,
        /// Wanted besides those of the settings.
        scopes: Vec<String>,
    },
    /// Has the person agreed?
    DevicePoll {
        /// As the start named it.
        visit: String,
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
        /// For so many seconds; for ever when not given.
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
    /// How refreshes went.
    Stats {
        /// Of this provider, or all.
        provider: Option<String>,
        /// In the last so many seconds.
        since_s: u64,
    },
    /// Schedules with their next runs.
    Schedules,
    /// Plugin files and what they may do.
    Plugins,
    /// Forgets old attempts.
    Prune {
        /// Older than so many seconds.
        older_than_s: u64,
    },
    /// Whether this deployment is healthy.
    Doctor,
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
    /// Those whose token a caller asked for in the last so many seconds.
    pub active_within_s: Option<u64>,
}

impl Selection {
    /// What the database is asked for at `now`.
    pub fn filter(&self, now: Timestamp) -> Filter {
        let Self { ids, provider, failed, label, active_within_s } = self.clone();
        let active_since = active_within_s.map(|it| now - Duration::from_secs(it));
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
    /// Of the last so many seconds.
    pub since_s: Option<u64>,
    /// Newer than this one.
    pub after: Option<AttemptId>,
    /// At most so many.
    pub limit: u32,
}

/// A secret that crosses the socket in clear: the socket is the owner's alone.
#[derive(Debug, Deserialize)]
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

/// What came of a command.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "reply", content = "with", rename_all = "kebab-case")]
pub enum Reply {
    /// It is done, and there is nothing to show.
    Done,
    /// Connections.
    Connections(Vec<ConnectionView>),
    /// One connection.
    Connection(Box<Details>),
    /// Attempts, with their sum and what was only queued.
    Refreshed(Refreshed),
    /// What a dry run found.
    Plan(Vec<Planned>),
    /// A token.
    Token {
        /// What to present.
        token: Plain,
        /// How.
        token_type: String,
        /// Until when.
        expires_at: Option<Timestamp>,
        /// Which one.
        generation: u64,
    },
    /// The new generation's number.
    Generation(u64),
    /// How far a login of a person has come.
    Connect(ConnectStep),
    /// What became of a grant that was ended.
    Disconnected {
        /// Whether the provider has ended it.
        revoked: bool,
        /// Whether the connection is gone; one that the manifest lists stays, without a token.
        removed: bool,
    },
    /// What became of connections that were added.
    Enrolled(Enrolled),
    /// Attempts.
    Attempts(Vec<Attempt>),
    /// How refreshes went.
    Stats(StatsView),
    /// Schedules.
    Schedules(Vec<ScheduleView>),
    /// Plugin files.
    Plugins(Vec<PluginView>),
    /// What was forgotten.
    Pruned {
        /// Attempts.
        attempts: u64,
        /// Events.
        events: u64,
    },
    /// What the doctor found.
    Findings(Vec<Finding>),
}

/// How far a login of a person has come.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum ConnectStep {
    /// A browser has to go to an address.
    Browser {
        /// To name it by.
        visit: String,
        /// Where to.
        url: Plain,
        /// Whether that is the second time, because the first brought no refresh token.
        again: bool,
    },
    /// A person has to type in a code.
    Device {
        /// To name it by.
        visit: String,
        /// The code.
        user_code: String,
        /// Where.
        verification_uri: String,
        /// The same with the code in it.
        verification_uri_complete: Option<String>,
        /// Seconds between polls.
        interval_s: u64,
    },
    /// The person has not decided yet.
    Waiting {
        /// Seconds until the next poll.
        interval_s: u64,
    },
    /// It is done.
    Connected {
        /// The connection as it is now.
        details: Box<Details>,
        /// Whether it goes on after its first token.
        can_refresh: bool,
    },
}

/// What became of connections that were added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// New ones.
    pub added: u64,
    /// Those that were there and are now as it was said.
    pub updated: u64,
    /// Those that were as it was said.
    pub unchanged: u64,
    /// Those whose token was kept, because it is newer than what was said.
    pub kept: u64,
    /// Those that were refused, with the reason.
    pub refused: Vec<(String, String)>,
}

/// The reply to a refresh.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Refreshed {
    /// Finished attempts, in the order in which they ended.
    pub attempts: Vec<Attempt>,
    /// Their sum.
    pub summary: Summary,
    /// Connections whose attempts go on in the daemon.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queued: Vec<ConnectionId>,
}

/// Counts by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// New generations.
    pub success: u64,
    /// Failures.
    pub failed: u64,
    /// Nothing sent.
    pub skipped: u64,
}

/// What a refresh would do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Planned {
    /// With which connection.
    pub connection: ConnectionId,
    /// `refresh`, `login`, `skip`, `wait`.
    pub action: String,
    /// Why.
    pub reason: String,
}

/// How refreshes went, as shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatsView {
    /// New generations.
    pub success: u64,
    /// Failures.
    pub failed: u64,
    /// Nothing sent.
    pub skipped: u64,
    /// Share of successes among what was sent, 0 to 1; null when nothing was.
    pub success_rate: Option<f64>,
    /// Median duration in milliseconds.
    pub p50_ms: Option<u64>,
    /// 95th percentile in milliseconds.
    pub p95_ms: Option<u64>,
    /// Failures by error code.
    pub causes: BTreeMap<String, u64>,
}

/// One step of a long command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// Finished so far.
    pub done: u64,
    /// Of so many.
    pub total: u64,
    /// The one that has just finished.
    pub attempt: Attempt,
}

impl Command {
    /// The query of a look at the log.
    pub fn query(&self) -> Option<LogQuery> {
        match self {
            Self::Log(query) => Some(query.clone()),
            _ => None,
        }
    }

    /// Whether it changes nothing, so that it need not wait for whoever does.
    pub fn only_looks(&self) -> bool {
        matches!(
            self,
            Self::Ping
                | Self::Status { .. }
                | Self::Connections { .. }
                | Self::Show { .. }
                | Self::Log(_)
                | Self::Stats { .. }
                | Self::Schedules
                | Self::Plugins
                | Self::Doctor
                | Self::Refresh { dry_run: true, .. }
        )
    }
}

impl Enrolled {
    /// The sum of both.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        self.added += other.added;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.kept += other.kept;
        self.refused.extend(other.refused);
        self
    }
}

impl Reply {
    /// The reply to a refresh.
    pub fn refreshed(attempts: Vec<Attempt>, queued: Vec<ConnectionId>) -> Self {
        let count =
            |outcome| attempts.iter().filter(|it| it.outcome == Some(outcome)).count() as u64;
        let summary = Summary {
            success: count(Outcome::Success),
            failed: count(Outcome::Failed),
            skipped: count(Outcome::Skipped),
        };
        Self::Refreshed(Refreshed { attempts, summary, queued })
    }
}

impl From<Served> for Reply {
    fn from(served: Served) -> Self {
        let Served { token, token_type, expires_at, generation } = served;
        Self::Token { token: token.into(), token_type, expires_at, generation }
    }
}

impl From<Pruned> for Reply {
    fn from(pruned: Pruned) -> Self {
        Self::Pruned { attempts: pruned.attempts, events: pruned.events }
    }
}

impl From<Statistics> for Reply {
    fn from(found: Statistics) -> Self {
        let Statistics { success, failed, skipped, causes, p50_ms, p95_ms } = found;
        #[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^52")]
        let rate = || success as f64 / (success + failed) as f64;
        let success_rate = (success + failed > 0).then(rate);
        Self::Stats(StatsView { success, failed, skipped, success_rate, p50_ms, p95_ms, causes })
    }
}
