//! Decides nothing and forgets nothing: looks up which connections are due, hands them to the
//! refresher within each provider's limits, and sleeps until the next one, a wake-up, or the end.

/// Who cannot be tried at all.
mod aside;

/// Forgetting old attempts.
mod housekeeping;

/// Asking profiles.
mod probes;

/// A wall clock that was set.
mod clock;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tracing::error;

use aside::Aside;

use crate::catalogue::Catalogue;
use crate::lifecycle::Lifecycle;
use crate::manifest::Manifest;
use crate::model::attempt::{Outcome, Trigger};
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::connection::Due;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::refresher::{Ask, AttemptResult, Refresher, Verdict};
use crate::storage::{Storage, StorageError};

/// After something that should not happen, nothing is tried again for so long.
const AFTER_A_FAULT: Duration = Duration::from_secs(10);

/// It looks once in so long whatever it expects: somebody may have changed times past this process.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// Who has handed over all that was due waits so long before it looks again: what becomes due meanwhile is taken
/// together, and shares its commits. Nobody waits for it, and a token is refreshed long before it ends.
const BREATH: Duration = Duration::from_millis(100);

/// What waited for one provider comes back over so long, and not in one moment.
const SPREAD: Duration = Duration::from_secs(30);

/// Attempts of one provider at once when the manifest does not know it: each ends at once.
const UNKNOWN_PROVIDER: u32 = 8;

/// The loop and its handles. A clone is cheap and means the same one.
#[derive(Clone)]
pub struct Scheduler(Arc<Parts>);

struct Parts {
    storage: Storage,
    catalogue: Catalogue,
    refresher: Refresher,
    clock: Clock,
    lifecycle: Lifecycle,
    manifest: Arc<RwLock<Arc<Manifest>>>,
    wake: Notify,
    /// How often it has looked.
    looks: watch::Sender<u64>,
    /// Connections handed to the refresher, by provider.
    in_hand: Mutex<HashMap<String, InHand>>,
    aside: Aside,
}

/// Connections of one provider that were handed over.
#[derive(Default)]
struct InHand {
    all: HashSet<ConnectionId>,
    /// Below so many it is looked whether more are due; `None` when the last look found no more.
    more_below: Option<usize>,
}

impl Scheduler {
    /// A scheduler that has not started.
    pub fn new(
        storage: Storage,
        catalogue: Catalogue,
        refresher: Refresher,
        clock: Clock,
        lifecycle: Lifecycle,
        manifest: Arc<RwLock<Arc<Manifest>>>,
    ) -> Self {
        let (wake, in_hand, aside) = (Notify::new(), Mutex::default(), Aside::default());
        let parts = Parts {
            storage,
            catalogue,
            refresher,
            clock,
            lifecycle,
            manifest,
            wake,
            looks: watch::Sender::new(0),
            in_hand,
            aside,
        };
        Self(Arc::new(parts))
    }

    /// Starts the loops; they end with the lifecycle's soft stop.
    pub fn start(&self) {
        let lifecycle = &self.0.lifecycle;
        lifecycle.spawn("scheduler", self.clone().run());
        lifecycle.spawn("clock", clock::run(self.clone()));
        lifecycle.spawn("probes", probes::run(self.clone()));
        lifecycle.spawn("housekeeping", housekeeping::run(self.clone()));
    }

    /// Looks again now: something has changed.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Whether it is at work: it looks anew, and is done with that within `limit`.
    pub async fn looks_within(&self, limit: Duration) -> bool {
        let mut looks = self.0.looks.subscribe();
        self.wake();
        tokio::time::timeout(limit, looks.changed()).await.is_ok_and(|it| it.is_ok())
    }

    async fn run(self) {
        while !self.0.lifecycle.stopping() {
            // What becomes due while we look, and a wake-up that comes meanwhile, are kept and not missed.
            self.0.storage.looking();
            let next = match self.start_due().await {
                Ok(next) => {
                    self.0.looks.send_modify(|it| *it += 1);
                    self.take_breath().await;
                    next
                }
                Err(error) => {
                    error!(
                        error.code = error.code().text(),
                        "the scheduler cannot read the database: {error}"
                    );
                    Some(self.0.clock.now() + AFTER_A_FAULT)
                }
            };
            self.sleep(next).await;
        }
    }

    /// How often it has looked.
    pub fn looks(&self) -> u64 {
        *self.0.looks.borrow()
    }

    /// Not where more is due than was handed over: that is taken as soon as there is room.
    async fn take_breath(&self) {
        let (handed, behind) = {
            let in_hand = self.lock();
            let behind = in_hand.values().any(|it| it.more_below.is_some());
            (in_hand.values().any(|it| !it.all.is_empty()), behind)
        };
        if handed && !behind {
            tokio::select! {
                () = tokio::time::sleep(BREATH) => {}
                () = self.0.lifecycle.wait_for_soft_stop() => {}
            }
        }
    }

    async fn sleep(&self, until: Option<Timestamp>) {
        let latest = self.0.clock.now() + LONGEST_SLEEP;
        let wake_up = until.map_or(latest, |it| it.min(latest));
        tokio::select! {
            () = self.0.clock.sleep_until(wake_up) => {}
            () = self.0.storage.due_before(until) => {}
            () = self.0.wake.notified() => {}
            () = self.0.lifecycle.wait_for_soft_stop() => {}
        }
    }

    /// Hands over what is due and fits, and says when to look again.
    async fn start_due(&self) -> Result<Option<Timestamp>, StorageError> {
        let now = self.0.clock.now();
        let mut waits = Vec::new();
        for provider in self.0.storage.providers().await? {
            waits.extend(self.start_provider(&provider, now).await?);
        }
        waits.extend(self.0.storage.next_due(now).await?);
        waits.extend(self.0.aside.next(now));
        Ok(waits.into_iter().min())
    }

    /// Hands over what is due of one provider and fits. Until when, if it is waited for.
    async fn start_provider(
        &self,
        provider: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StorageError> {
        match self.0.refresher.turns.verdict(provider) {
            // As many again wait for a slot: each look brings several, and costs as much as one refresh.
            Verdict::All => {
                let most = self.most(provider);
                self.start_some(provider, now, most, 2 * most).await.map(|()| None)
            }
            // One by one: what rests or is paused sends nothing, and leaves the turn to the next.
            Verdict::One => self.start_some(provider, now, 1, 1).await.map(|()| None),
            // Nobody is put off for what may be over in a moment.
            Verdict::Asked(wait) => Ok(Some(wait.until)),
            Verdict::Wait(wait) => {
                if !self.0.storage.due(provider, now, 1, |_| true).await?.is_empty() {
                    self.0.storage.put_off(provider, wait.until, SPREAD).await?;
                }
                Ok(Some(wait.until))
            }
        }
    }

    /// How many of one provider may run at once.
    fn most(&self, provider: &str) -> u32 {
        let plugin = self.0.catalogue.plugin(provider);
        plugin.map_or(UNKNOWN_PROVIDER, |it| it.provider().concurrency)
    }

    /// Hands over what is due until so many are in hand, if fewer than `most` are.
    async fn start_some(
        &self,
        provider: &str,
        now: Timestamp,
        most: u32,
        filled: u32,
    ) -> Result<(), StorageError> {
        let busy = self.busy(provider);
        if busy >= most {
            self.note_more(provider, Some(most));
            return Ok(());
        }
        // Those in hand may still look due: their intent is not written yet.
        let wanted = |id: &ConnectionId| !self.in_hand(id) && !self.0.aside.holds(id, now);
        let room = filled - busy;
        let due = self.0.storage.due(provider, now, room, wanted).await?;
        self.note_more(provider, (due.len() >= room as usize).then_some(most));
        for (id, trigger) in due {
            self.hand_over(id, trigger);
        }
        Ok(())
    }

    fn busy(&self, provider: &str) -> u32 {
        let in_hand = self.lock();
        in_hand.get(provider).map_or(0, |it| u32::try_from(it.all.len()).unwrap_or(u32::MAX))
    }

    /// Notes whether more may be due than were handed over.
    fn note_more(&self, provider: &str, below: Option<u32>) {
        let mut in_hand = self.lock();
        if below.is_some() || in_hand.contains_key(provider) {
            in_hand.entry(provider.to_owned()).or_default().more_below =
                below.map(|it| it as usize);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, InHand>> {
        self.0.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_hand(&self, id: &ConnectionId) -> bool {
        self.lock().get(id.provider()).is_some_and(|it| it.all.contains(id))
    }

    fn hand_over(&self, id: ConnectionId, trigger: Trigger) {
        if !self.lock().entry(id.provider().to_owned()).or_default().all.insert(id.clone()) {
            return;
        }
        let this = self.clone();
        self.0.lifecycle.spawn("due refresh", async move {
            let result = this.0.refresher.attempts.refresh(&id, Ask::new(trigger)).await;
            this.0.refresher.profiles.learn_after(&result).await;
            // What became due otherwise has set the time of the next look.
            let ended = result.as_ref().is_ok_and(|it| it.outcome() != Some(Outcome::Skipped));
            this.settle(&id, trigger, result).await;
            this.put_down(&id);
            if !ended {
                this.wake();
            }
        });
    }

    /// It is done with: there may be room for another.
    fn put_down(&self, id: &ConnectionId) {
        let mut in_hand = self.lock();
        let Some(of_provider) = in_hand.get_mut(id.provider()) else { return };
        of_provider.all.remove(id);
        let wants_more = of_provider.more_below.is_some_and(|it| of_provider.all.len() < it);
        drop(in_hand);
        if wants_more {
            self.wake();
        }
    }

    /// Sees to it that a connection which stays due does not come back at once, for ever.
    async fn settle(&self, id: &ConnectionId, trigger: Trigger, result: AttemptResult) {
        match result {
            Ok(attempt) if attempt.outcome() != Some(Outcome::Skipped) => {
                self.0.aside.take_back(id);
            }
            Ok(_) => self.settle_skip(id, trigger).await,
            Err(failure) if failure.code == code::Internal::Stopping => {}
            Err(failure) => self.settle_fault(id, trigger, &failure).await,
        }
    }

    /// There was nothing to do. If it looks due all the same, what the row says is not changed, where it is
    /// paused say; it only does not come back at once.
    async fn settle_skip(&self, id: &ConnectionId, trigger: Trigger) {
        self.0.aside.take_back(id);
        if !matches!(self.push_back(id, trigger).await, Ok(false)) {
            self.0.aside.rest(id, AFTER_A_FAULT, self.0.clock.now());
        }
    }

    /// It could not even be tried. Where the fault is its own, it is set aside and the others go on; where
    /// the database is in trouble, its slot is kept for a while, because the others would fail as well.
    async fn settle_fault(&self, id: &ConnectionId, trigger: Trigger, failure: &Failure) {
        let pushed = self.push_back(id, trigger).await;
        let own = matches!(pushed, Ok(_) | Err(StorageError::Row { .. }));
        if !own || self.0.aside.put(id, AFTER_A_FAULT, self.0.clock.now()) {
            let code = failure.code.text();
            error!(connection.id = %id.full(), error.code = code, "{id} could not be refreshed: {failure}");
        }
        if own {
            return;
        }
        let pause = self.0.clock.sleep_until(self.0.clock.now() + AFTER_A_FAULT);
        tokio::select! {
            () = pause => {}
            () = self.0.lifecycle.wait_for_soft_stop() => {}
        }
    }

    /// Whether it was still due.
    async fn push_back(&self, id: &ConnectionId, trigger: Trigger) -> Result<bool, StorageError> {
        // It was turned away: the next look puts it off with all the others.
        if self.0.refresher.turns.wait_for(id.provider()).is_some() {
            return Ok(false);
        }
        let now = self.0.clock.now();
        let Some(loaded) = self.0.storage.load(id).await? else { return Ok(false) };
        let still = loaded.connection.due.is_some_and(|it| it.at <= now);
        if still {
            let due = Due { at: now + AFTER_A_FAULT, trigger };
            self.0.storage.set_due(id, Some(due)).await?;
        }
        Ok(still)
    }
}
