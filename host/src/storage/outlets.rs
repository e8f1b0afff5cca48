//! Outlets: channels, and whatever else is told of what happens. Each has a state that people see, and messages that
//! wait until they are delivered or given up. What is in a message, and what an alert is, is not known here.
//!
//! Messages are sent in order: the first that has to wait holds up those behind it. Those that are apart have
//! receivers of their own, and neither wait for others nor hold them up.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::code::Code;
use crate::storage::{Storage, StorageError};

/// What waits in order, and was not told to, is tried again so soon after something new has come behind it: news would
/// be old when they arrive, and a receiver that is down is asked no more often than this.
pub(super) const NEWS_WITHIN: Duration = Duration::from_mins(1);

/// How an outlet is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlet {
    /// `channel:NAME`.
    pub name: String,
    /// When something was delivered last.
    pub delivered_at: Option<Timestamp>,
    /// When it began to fail; `None` when the last delivery went well.
    pub failing_since: Option<Timestamp>,
    /// Why it fails.
    pub error: Option<(Code, String)>,
    /// When the other side said that it wants nothing any more.
    pub disabled_at: Option<Timestamp>,
    /// Messages that wait.
    pub waiting: u64,
    /// When the first of them is tried.
    pub next_at: Option<Timestamp>,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number; none is given twice.
    pub id: i64,
    /// When it was made.
    pub made_at: Timestamp,
    /// JSON.
    pub content: String,
    /// How often it was tried.
    pub tries: u32,
    /// When it is to be tried next, if nothing holds it up.
    pub next_at: Timestamp,
    /// Those who did not take it yet; `None` while nobody did.
    pub rest: Option<Vec<String>>,
}

/// How messages of an outlet follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// One after the other, as they were made.
    InOrder,
    /// Each by itself, the longest waiting first.
    Apart,
}

/// The place of a message in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) next_at: i64,
    pub(super) id: i64,
}

/// Some messages of a lane.
#[derive(Debug, Default)]
pub(super) struct Queued {
    /// Those that can be read.
    pub(super) messages: Vec<Message>,
    /// Why others between them cannot.
    pub(super) unreadable: Vec<StorageError>,
    /// Where the last one is, whether it can be read or not; `None` when there are none.
    pub(super) last: Option<Place>,
}

/// What an outlet has heard and what came of it, in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// Whose.
    pub outlet: String,
    /// Up to this event it has heard everything.
    pub seen: Option<i64>,
    /// Alerts as they are now, by subject; `None` forgets one.
    pub alerts: Vec<(String, Option<String>)>,
    /// Contents of new messages.
    pub messages: Vec<String>,
    /// Contents of new messages that are apart.
    pub apart: Vec<String>,
    /// Now.
    pub at: Timestamp,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Whose.
    pub outlet: String,
    /// Of which message; `None` where the outlet has none, as one that delivers what is current.
    pub message: Option<i64>,
    /// How.
    pub ending: Ending,
    /// Now.
    pub at: Timestamp,
}

/// How one try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was delivered.
    Delivered,
    /// It is tried again then.
    Again(Timestamp, Code, String),
    /// The same, and not before, whatever comes meanwhile: the other side has said so.
    Told(Timestamp, Code, String),
    /// Some have it; it is tried again then for the rest, and holds up nobody meanwhile.
    Partly {
        /// Those who did not take it.
        rest: Vec<String>,
        /// When it is tried again.
        next: Timestamp,
        /// Why they did not.
        code: Code,
        /// The same in one sentence.
        why: String,
    },
    /// Nobody needs it any more.
    Dropped,
    /// It is not tried again.
    GivenUp(Code, String),
    /// It is not tried again, and nothing else is sent there.
    Disabled(Code, String),
}

impl Storage {
    /// Up to `limit` messages of an outlet that are to be tried at `now`: those in order up to the first that has to
    /// wait, and behind them those that are apart. Those that cannot be read are told of in the log and passed over.
    pub async fn messages(
        &self,
        outlet: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Message>, StorageError> {
        let mut due = Vec::new();
        for lane in [Lane::InOrder, Lane::Apart] {
            let queued = self.queued(outlet, lane, limit).await?;
            due.extend(queued.into_iter().take_while(|it| it.next_at <= now));
        }
        due.truncate(limit as usize);
        Ok(due)
    }

    /// When the next message of an outlet is to be tried.
    pub async fn next_message(&self, outlet: &str) -> Result<Option<Timestamp>, StorageError> {
        let mut next = Vec::new();
        for lane in [Lane::InOrder, Lane::Apart] {
            let queued = self.queued(outlet, lane, 1).await?;
            next.extend(queued.first().map(|it| it.next_at));
        }
        Ok(next.into_iter().min())
    }

    /// What an outlet has said of each subject.
    pub async fn alerts(&self, outlet: &str) -> Result<Vec<(String, String)>, StorageError> {
        let all = self.engine.alerts(outlet).await?;
        let readable = |it: Result<_, StorageError>| it.inspect_err(|it| self.report(it)).ok();
        Ok(all.into_iter().filter_map(readable).collect())
    }

    /// The first messages of a lane that can be read.
    async fn queued(
        &self,
        outlet: &str,
        lane: Lane,
        limit: u32,
    ) -> Result<Vec<Message>, StorageError> {
        let (mut read, mut after) = (Vec::new(), Place { next_at: i64::MIN, id: i64::MIN });
        loop {
            let queued = self.engine.queued(outlet, lane, after, limit).await?;
            queued.unreadable.iter().for_each(|it| self.report(it));
            read.extend(queued.messages);
            match queued.last {
                Some(last) if read.len() < limit as usize => after = last,
                _ => return Ok(read),
            }
        }
    }
}
