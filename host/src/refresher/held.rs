//! Answers that arrived while nothing could be written. They are held in memory and stored as soon as
//! something can: what a provider said once, it does not say again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{error, info};

use crate::lifecycle::Lifecycle;
use crate::model::clock::Clock;
use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::storage::{Capture, Storage, StorageError};

/// The first pause between two tries, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// Answers and outcomes that wait for a database that can be written.
pub(super) struct HeldAnswers {
    storage: Storage,
    clock: Clock,
    lifecycle: Lifecycle,
    /// Connections that a task looks after, with the answers that are nowhere else.
    waiting: Mutex<HashMap<ConnectionId, Vec<Capture>>>,
}

impl HeldAnswers {
    pub(super) fn new(storage: &Storage, clock: &Clock, lifecycle: &Lifecycle) -> Self {
        let (storage, clock, lifecycle) = (storage.clone(), clock.clone(), lifecycle.clone());
        Self { storage, clock, lifecycle, waiting: Mutex::default() }
    }

    /// Makes an answer durable, in the database or beside it. If neither works now, it is held and tried
    /// again for as long as this process lives.
    pub(super) async fn keep(self: &Arc<Self>, capture: Capture) -> Result<(), Failure> {
        let Err(error) = self.storage.keep_answer(capture.clone()).await else { return Ok(()) };
        let id = capture.of.connection.clone();
        let failure = held(&id, &error);
        self.wait_for(&id, Some(capture));
        Err(failure)
    }

    /// Stores what is held for `id`, or says why nothing may be sent for it now.
    pub(super) async fn settle(&self, id: &ConnectionId) -> Result<(), Failure> {
        self.store(id).await.map_err(|it| held(id, &it))
    }

    /// Has `id` looked at as soon as the database can be written: its attempt could not be ended.
    pub(super) fn look_again(self: &Arc<Self>, id: &ConnectionId) {
        self.wait_for(id, None);
    }

    fn wait_for(self: &Arc<Self>, id: &ConnectionId, capture: Option<Capture>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let looked_after = waiting.contains_key(id);
        waiting.entry(id.clone()).or_default().extend(capture);
        if !looked_after {
            let (this, id) = (Arc::clone(self), id.clone());
            self.lifecycle.spawn("held answer", async move { this.look_after(&id).await });
        }
    }

    async fn look_after(&self, id: &ConnectionId) {
        let (mut pause, longest) = PAUSE;
        let hard_stop = self.lifecycle.hard_stop();
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = hard_stop.cancelled() => break,
            }
            if self.store_and_wake(id).await.is_ok() && self.is_done(id) {
                info!(connection.id = %id.full(), "the database can be written again; refreshes of {id} continue");
                return;
            }
            pause = (pause * 2).min(longest);
        }
        if !self.of(id).is_empty() {
            error!(connection.id = %id.full(), error.code = Code::from(code::Storage::AnswerLost).text(), "keepfresh was stopped before an answer for {id} could be stored; it is lost");
        }
    }

    async fn store_and_wake(&self, id: &ConnectionId) -> Result<(), StorageError> {
        self.store(id).await?;
        self.storage.wake(id, self.clock.now()).await
    }

    async fn store(&self, id: &ConnectionId) -> Result<(), StorageError> {
        self.storage.adopt_answers(id).await?;
        let held = self.of(id);
        let stored = held.len();
        for capture in held {
            self.storage.capture(capture).await?;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = waiting.get_mut(id) {
            held.drain(..stored.min(held.len()));
        }
        Ok(())
    }

    /// Nothing came meanwhile.
    fn is_done(&self, id: &ConnectionId) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let done = waiting.get(id).is_none_or(Vec::is_empty);
        if done {
            waiting.remove(id);
        }
        done
    }

    fn of(&self, id: &ConnectionId) -> Vec<Capture> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(id).cloned().unwrap_or_default()
    }
}

fn held(id: &ConnectionId, error: &StorageError) -> Failure {
    let message = format!(
        "the provider's answer for {id} has arrived but cannot be stored: {error}; it is held in memory and retried, and nothing else is sent meanwhile"
    );
    Failure::new(Case::HostFault, code::Storage::AnswerHeld, message)
}
