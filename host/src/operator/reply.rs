//! What comes back from a command. These types cross the socket between the command line and the
//! daemon, which are the same program.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::account::AccountView;
use crate::model::api_key::ApiKey;
use crate::model::attempt::{Attempt, Outcome};
use crate::model::audit::AuditEntry;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::operator::accounts::NewLink;
use crate::operator::api_keys::NewKey;
use crate::operator::attempt::AttemptDetails;
use crate::operator::channels::ChannelView;
use crate::operator::command::Plain;
use crate::operator::doctor::Finding;
use crate::operator::forecast::ForecastView;
use crate::operator::history::History;
use crate::operator::import_file::{Remarks, Row};
use crate::operator::inspected::{FormView, PluginDetails};
use crate::operator::overview::Overview;
use crate::operator::plugins::{PluginView, ScheduleView};
use crate::operator::readiness::Readiness;
use crate::operator::sinks::{SinkRun, SinkView};
use crate::operator::system::SystemView;
use crate::operator::urgent::UrgentView;
use crate::operator::view::{ConnectionView, Details};
use crate::refresher::{Served, Short};
use crate::storage::{Figures, Pruned, Statistics};

/// What came of a command.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "reply", content = "with", rename_all = "kebab-case")]
pub enum Reply {
    /// It is done, and there is nothing to show.
    Done(ConnectionId),
    /// Connections.
    Connections(Vec<ConnectionView>),
    /// Some of them.
    ConnectionPage(Page<ConnectionView>),
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
        /// Set when it does not live as long as was asked for.
        short: Option<Short>,
    },
    /// A token was stored.
    Stored {
        /// Whose.
        id: ConnectionId,
        /// Its number.
        generation: u64,
    },
    /// How far a login of a person has come.
    Connect(ConnectStep),
    /// What became of a grant that was ended.
    Disconnected {
        /// Whose.
        id: ConnectionId,
        /// Whether the provider has ended it.
        revoked: bool,
        /// Whether the connection is gone; one that the manifest lists stays, without a token.
        removed: bool,
    },
    /// What became of connections that were added.
    Enrolled(Enrolled),
    /// Connections in clear.
    Exported(Exported),
    /// Attempts.
    Attempts(Vec<Attempt>),
    /// Some of them.
    AttemptPage(Page<Attempt>),
    /// One of them.
    Attempt(Box<AttemptDetails>),
    /// Those that have ended since.
    Followed(Followed),
    /// How refreshes went.
    Stats(StatsView),
    /// All connections in numbers.
    Overview(Box<Overview>),
    /// Some connections, those first that need somebody.
    Urgent(Page<UrgentView>),
    /// What has become of one.
    History(Box<History>),
    /// Schedules.
    Schedules(Vec<ScheduleView>),
    /// What is planned for the next 24 hours.
    Forecast(Box<ForecastView>),
    /// Plugin files.
    Plugins(Vec<PluginView>),
    /// One of them.
    Plugin(Box<PluginDetails>),
    /// What a new connection needs.
    Form(Box<FormView>),
    /// What this installation runs on.
    System(Box<SystemView>),
    /// What was forgotten.
    Pruned {
        /// Attempts.
        attempts: u64,
        /// Events.
        events: u64,
    },
    /// What the doctor found.
    Findings(Vec<Finding>),
    /// Whether the daemon can do its work.
    Readiness(Readiness),
    /// A key that was just made.
    NewKey(Box<NewKey>),
    /// A key that was just revoked.
    Revoked(Box<ApiKey>),
    /// Keys.
    ApiKeys(Vec<ApiKey>),
    /// People who use the dashboard.
    Accounts(Vec<AccountView>),
    /// One of them, as it is now, or was before it was removed.
    Account(Box<AccountView>),
    /// A link by which a person chooses a password.
    AccountLink(Box<NewLink>),
    /// Channels.
    Channels(Vec<ChannelView>),
    /// A message to the channel of this name has arrived.
    ChannelTested(String),
    /// Sinks.
    Sinks(Vec<SinkView>),
    /// What came of delivering all of a sink.
    SinkRan(Box<SinkRun>),
    /// Entries of the audit log.
    Audit(Page<AuditEntry>),
}

/// Part of a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// In order.
    pub rows: Vec<T>,
    /// Why others between them cannot be read, where those have no row of their own here.
    pub unreadable: Vec<Failure>,
    /// What the next page begins after, if there is one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// This page and the one that follows it.
    #[must_use]
    pub(super) fn and(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        self.unreadable.extend(other.unreadable);
        self.next = other.next;
        self
    }
}

/// Attempts in the order in which they ended.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Followed {
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// Why others between them cannot be read.
    pub unreadable: Vec<Failure>,
    /// The place to go on behind.
    pub next: i64,
    /// Whether there are more already.
    pub more: bool,
}

/// How far a login of a person has come.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum ConnectStep {
    /// A browser has to go to an address.
    Browser {
        /// The login, to be handed in with what the browser brings.
        visit: Plain,
        /// Where to.
        url: Plain,
        /// Whether that is the second time, because the first brought no refresh token.
        again: bool,
    },
    /// A person has to type in a code.
    Device {
        /// The login, to be handed in with each poll.
        visit: Plain,
        /// The code.
        user_code: String,
        /// Where.
        verification_uri: String,
        /// The same with the code in it.
        verification_uri_complete: Option<String>,
        /// Seconds between polls.
        interval_s: u64,
        /// Seconds that the code works.
        expires_in_s: u64,
    },
    /// The person has not decided yet.
    Waiting {
        /// The login, to be handed in with the next poll.
        visit: Plain,
        /// Seconds until that.
        interval_s: u64,
        /// Why the last poll was not answered, if it was not.
        trouble: Option<String>,
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
    /// Those that were there and were updated.
    pub updated: u64,
    /// Those that are unchanged since the last import.
    pub unchanged: u64,
    /// Those whose token was kept, because it is newer than what was said.
    pub kept: u64,
    /// Those that were refused.
    pub refused: Vec<Refusal>,
    /// What a person should know of the others.
    #[serde(default)]
    pub remarks: Remarks,
}

/// A connection that was not added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its line in the file; 0 when there is none.
    pub line: u64,
    /// Its name, if it has one.
    pub name: String,
    /// Why.
    pub message: String,
}

/// Some connections in clear.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Exported {
    /// With everything that an import takes.
    pub rows: Vec<Row>,
    /// What a person should know of some, and those that cannot be read.
    pub notes: Vec<Refusal>,
    /// What the next page begins after, if there is one.
    pub next: Option<String>,
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
    /// Connections whose turn did not come, because keepfresh was told to stop.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left: u64,
    /// How many were left out because the outcome of their last refresh is unknown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// What sending may cost, where a person insisted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
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

/// How refreshes went, as shown. They are counted by the hour.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatsView {
    /// The beginning of the first hour that is counted.
    pub since: Timestamp,
    /// All providers together.
    #[serde(flatten)]
    pub all: FiguresView,
    /// Each provider for itself.
    pub providers: BTreeMap<String, FiguresView>,
}

/// Counts and durations, as shown.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Figures)]
pub struct FiguresView {
    /// New generations.
    pub success: u64,
    /// Failures.
    pub failed: u64,
    /// Nothing sent.
    pub skipped: u64,
    /// Share of successes among what was sent, 0 to 1, to four digits; null when nothing was.
    pub success_rate: Option<f64>,
    /// Half of the attempts that asked the provider waited for it so many milliseconds at most, without the time
    /// for their turn; null when none did. Rounded up, by a quarter at most.
    pub p50_ms: Option<u64>,
    /// The same of 95 in a hundred.
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

impl Enrolled {
    /// The sum of both.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        self.added += other.added;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.kept += other.kept;
        self.refused.extend(other.refused);
        self.remarks.extend(other.remarks);
        self
    }
}

impl Reply {
    /// The reply to a refresh.
    pub fn refreshed(attempts: Vec<Attempt>, queued: Vec<ConnectionId>) -> Self {
        let count =
            |outcome| attempts.iter().filter(|it| it.outcome() == Some(outcome)).count() as u64;
        let summary = Summary {
            success: count(Outcome::Success),
            failed: count(Outcome::Failed),
            skipped: count(Outcome::Skipped),
        };
        Self::Refreshed(Refreshed { attempts, summary, queued, ..Refreshed::default() })
    }

    /// The same, when the turn of so many did not come.
    #[must_use]
    pub fn leaving(mut self, count: u64) -> Self {
        if let Self::Refreshed(refreshed) = &mut self {
            refreshed.left = count;
        }
        self
    }

    /// The same, when so many were left out for their doubt.
    #[must_use]
    pub fn leaving_out(mut self, count: u64) -> Self {
        if let Self::Refreshed(refreshed) = &mut self {
            refreshed.left_out = count;
        }
        self
    }

    /// The same, with what a person has to know.
    #[must_use]
    pub fn warning(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        if let Self::Refreshed(refreshed) = &mut self {
            refreshed.warnings.extend(warnings);
        }
        self
    }
}

impl From<Served> for Reply {
    fn from(served: Served) -> Self {
        let Served { token, token_type, expires_at, generation, short } = served;
        Self::Token { token: token.into(), token_type, expires_at, generation, short }
    }
}

impl From<Pruned> for Reply {
    fn from(pruned: Pruned) -> Self {
        Self::Pruned { attempts: pruned.attempts, events: pruned.events }
    }
}

impl StatsView {
    /// What was found since then.
    pub(super) fn of(found: Statistics, since: Timestamp) -> Self {
        let providers = found.providers.into_iter().map(|(name, it)| (name, it.into())).collect();
        Self { since, all: found.all.into(), providers }
    }
}

impl From<Figures> for FiguresView {
    fn from(found: Figures) -> Self {
        let Figures { success, failed, skipped, causes, p50_ms, p95_ms } = found;
        #[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^52")]
        let rate = || (success as f64 / (success + failed) as f64 * 10_000.0).round() / 10_000.0;
        let success_rate = (success + failed > 0).then(rate);
        Self { success, failed, skipped, success_rate, p50_ms, p95_ms, causes }
    }
}
