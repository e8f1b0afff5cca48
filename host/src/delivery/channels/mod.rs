//! Messages to people: each channel has a place of its own in the stream of events, remembers what it has said, and
//! sends at its own pace. One that fails holds up no other.

/// What is wrong now.
mod looking;

/// What a message says, as facts.
pub mod notice;

/// The same in words.
mod text;

/// The operator's own words.
mod wording;

/// Sending one message.
mod sending;

/// JSON, signed.
mod webhook;

/// What Slack and its kin take.
mod slack;

/// Mail.
mod email;

/// The day's summary.
mod summary;

/// One channel at work.
mod worker;

#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

pub use sending::test;
pub(super) use worker::Worker;

use crate::catalogue::Catalogue;
use crate::delivery::sinks::Kit;
use crate::egress::Gate;
use crate::lifecycle::Lifecycle;
use crate::manifest::Manifest;
use crate::model::clock::Clock;
use crate::refresher::Turns;
use crate::scheduler::Scheduler;
use crate::storage::{Held, Storage};

/// What those who deliver work with. A clone is cheap.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub storage: Storage,
    /// The time.
    pub clock: Clock,
    /// Tasks and their end.
    pub lifecycle: Lifecycle,
    /// The only way out.
    pub gate: Gate,
    /// Which plugins there are.
    pub catalogue: Catalogue,
    /// Which providers are not asked now.
    pub turns: Arc<Turns>,
    /// Whose work the heartbeat vouches for.
    pub scheduler: Scheduler,
    /// What sinks work with.
    pub sinks: Kit,
    /// What the operator wants.
    pub manifest: Arc<RwLock<Arc<Manifest>>>,
}

impl Parts {
    /// The manifest in force.
    pub(super) fn manifest(&self) -> Arc<Manifest> {
        Arc::clone(&self.manifest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Providers that are not asked now, or by one connection alone, and until when.
    pub(super) fn held(&self) -> Vec<Held> {
        self.turns.held(self.manifest().providers.keys())
    }
}
