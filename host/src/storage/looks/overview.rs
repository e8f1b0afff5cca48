//! All connections in numbers: how many are in which state, when their tokens end, when they are refreshed. Costs
//! what is in trouble, and for the rest one pass over two indexes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::event::EventKind;
use crate::model::state::State;
use crate::storage::OutboxEvent;

/// How all connections are.
#[derive(Clone, Debug, Default)]
pub struct Overall {
    /// How many are in each state; of those that have not been connected yet, none.
    pub states: BTreeMap<State, u64>,
    /// How many failed last, the paused ones too.
    pub failed: u64,
    /// When their tokens end.
    pub ends: EndCounts,
    /// How many are due in each of the hours that were asked for.
    pub due: Vec<u64>,
    /// What has changed last for people, newest first.
    pub changes: Vec<OutboxEvent>,
}

/// How many tokens end when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndCounts {
    /// Have ended.
    pub past: u64,
    /// Within an hour.
    pub hour: u64,
    /// Within a day, and not within an hour.
    pub day: u64,
    /// Within a week, and not within a day.
    pub week: u64,
    /// Within thirty days, and not within a week.
    pub month: u64,
    /// Later.
    pub later: u64,
    /// Nobody says when.
    pub unknown: u64,
}

/// What is counted.
#[derive(Clone, Debug)]
pub struct Counting {
    /// Now.
    pub now: Timestamp,
    /// What was due before is late.
    pub overdue: Timestamp,
    /// Beginnings of hours.
    pub hours: Vec<Timestamp>,
    /// How many changes are wanted.
    pub changes: u32,
}

/// Kinds of events that change what people have to do.
pub(in crate::storage) const CHANGES: &[EventKind] = &[
    EventKind::Recovered,
    EventKind::Failed,
    EventKind::Reconnect,
    EventKind::Misconfigured,
    EventKind::Critical,
    EventKind::Ending,
    EventKind::Expired,
];
