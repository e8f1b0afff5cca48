//! What can be asked, and what comes back. These types cross the socket between the command line and
//! the daemon, which are the same program.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::model::attempt::{Attempt, Outcome};
use crate::model::id::{AttemptId, ConnectionId};
use crate::operator::doctor::Finding;
use crate::operator::plugins::{PluginView, ScheduleView};
use crate::operator::view::{ConnectionView, Details};
use crate::storage::{Pruned, Statistics};

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
    /// Connections, of one provider or all.
    Connections {
        /// Whose.
        provider: Option<String>,
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
