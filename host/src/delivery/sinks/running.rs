//! All of one sink delivered now, because somebody asks: to see whether it works, or because what was delivered is gone.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::delivery::sinks::Kit;
use crate::delivery::sinks::delivering::Deliverer;
use crate::delivery::sinks::round::{Round, is_of_attempts};
use crate::delivery::sinks::worker::{AT_ONCE, selected};
use crate::manifest::sink::Sink;
use crate::model::code::Code;
use crate::model::id::ConnectionId;
use crate::storage::{Came, StorageError, Sweep};

/// Failures that are told of; the others are counted.
const TOLD: usize = 20;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// How many were delivered.
    pub delivered: u64,
    /// How many were as they should be, or have nothing to be delivered yet.
    pub unchanged: u64,
    /// How many could not be delivered.
    pub failed: u64,
    /// Some of those, and why.
    pub failures: Vec<(String, Code, String)>,
}

/// Delivers what is current of all connections of `sink`, or of this one. What was tried in vain is tried again by the
/// daemon.
pub async fn run(
    kit: &Kit,
    sink: &Arc<Sink>,
    only: Option<&ConnectionId>,
) -> Result<Ran, StorageError> {
    let deliverer = Deliverer::new(kit, sink);
    let mut ran = Ran::default();
    if let Some(id) = only {
        run_some(&deliverer, &[id.full().to_owned()], &mut ran).await?;
    } else if is_of_attempts(&deliverer) {
        run_waiting(&deliverer, &mut ran).await?;
    } else {
        run_all(&deliverer, &mut ran).await?;
    }
    kit.lane(&deliverer.outlet).worked.notify_one();
    Ok(ran)
}

async fn run_all(deliverer: &Deliverer, ran: &mut Ran) -> Result<(), StorageError> {
    let (of, mut after) = (selected(&deliverer.sink().of), String::new());
    loop {
        let sweep = Sweep { sink: &deliverer.outlet, of: &of, after: &after };
        let keys = deliverer.kit.storage.to_sweep(sweep, AT_ONCE).await?;
        let Some(last) = keys.last() else { return Ok(()) };
        after.clone_from(last);
        run_some(deliverer, &keys, ran).await?;
    }
}

/// Attempts that were delivered are the past; those that wait are tried.
async fn run_waiting(deliverer: &Deliverer, ran: &mut Ran) -> Result<(), StorageError> {
    let far = jiff::Timestamp::MAX;
    let state = deliverer.kit.storage.sink_state(&deliverer.outlet, far).await?;
    run_some(deliverer, &state.unwrap_or_default().due, ran).await
}

async fn run_some(
    deliverer: &Deliverer,
    keys: &[String],
    ran: &mut Ran,
) -> Result<(), StorageError> {
    let lane = deliverer.kit.lane(&deliverer.outlet);
    let mut health = lane.health.lock().await;
    let mut round = Round::new(deliverer, &mut health);
    round.forced = true;
    // Whoever asks wants to know, so the first few are tried even if the sink is down.
    round.probes = ran.failed < 3;
    round.go(keys, &CancellationToken::new()).await?;
    let nothing = keys.len() - round.done.came.len();
    ran.unchanged += nothing as u64;
    round.done.came.iter().for_each(|(key, came)| ran.add(key, came, is_of_attempts(deliverer)));
    round.note().await
}

impl Ran {
    fn add(&mut self, key: &str, came: &Came, of_attempts: bool) {
        match came {
            Came::Delivered(_) => self.delivered += 1,
            Came::Gone if of_attempts => self.delivered += 1,
            Came::Same | Came::Gone => self.unchanged += 1,
            Came::Failed { code, message, .. } | Came::Disabled(code, message) => {
                self.failed += 1;
                if self.failures.len() < TOLD {
                    self.failures.push((key.to_owned(), code.clone(), message.clone()));
                }
            }
        }
    }
}
