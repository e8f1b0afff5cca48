//! What all sinks work with, and who is at work on which: a sink is worked on by one at a time, its own worker or
//! whoever asks for it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, Notify};

use crate::delivery::sinks::health::Health;
use crate::egress::Gate;
use crate::manifest::sink::Sink;
use crate::model::clock::Clock;
use crate::refresher::Currents;
use crate::storage::Storage;

/// What sinks work with. A clone is cheap and shares who is at work.
#[derive(Clone)]
pub struct Kit {
    pub(super) storage: Storage,
    pub(super) clock: Clock,
    pub(super) gate: Gate,
    pub(super) currents: Arc<Currents>,
    lanes: Arc<std::sync::Mutex<BTreeMap<String, Arc<Lane>>>>,
    /// Files that are being written: the sink and the connection of each. The database knows of them a moment later.
    places: Arc<std::sync::Mutex<BTreeMap<String, (String, String)>>>,
}

/// One sink: whoever has its health is at work on it.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) health: Mutex<Health>,
    /// Somebody else has worked on it: what waits may be tried sooner.
    pub(super) worked: Notify,
}

impl Kit {
    /// Over those parts, with nobody at work.
    pub fn new(storage: &Storage, clock: &Clock, gate: &Gate, currents: &Arc<Currents>) -> Self {
        Self {
            storage: storage.clone(),
            clock: clock.clone(),
            gate: gate.clone(),
            currents: Arc::clone(currents),
            lanes: Arc::default(),
            places: Arc::default(),
        }
    }

    /// Tells whether the section of a sink is what it was.
    pub(in crate::delivery) fn digest_of(&self, sink: &Sink) -> Vec<u8> {
        // Nothing in it is a secret, and a form that another version writes otherwise costs one look at everything.
        self.currents.digest(format!("{sink:?}").as_bytes())
    }

    /// Claims a file for a connection of a sink; the connection that has it, if another one does.
    pub(super) fn claim(&self, place: &str, sink: &str, key: &str) -> Option<String> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let own = (sink.to_owned(), key.to_owned());
        let claimed = places.entry(place.to_owned()).or_insert_with(|| own.clone());
        (*claimed != own).then(|| claimed.1.clone())
    }

    /// Lets go of what a sink has claimed: the database knows of it by now.
    pub(super) fn release(&self, sink: &str) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, (by, _)| by != sink);
    }

    /// The lane of a sink.
    pub(super) fn lane(&self, sink: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(sink.to_owned()).or_default())
    }
}
