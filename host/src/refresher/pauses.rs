//! Connections that a person has paused: nothing is sent for one, until its time is over or somebody resumes
//! it.

use jiff::Timestamp;

use crate::model::clock::Clock;
use crate::model::connection::{Connection, Due, Pause};
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::refresher::fault::{host_fault, load};
use crate::refresher::times::Times;
use crate::storage::{Loaded, Pausing, Storage};

/// How often a row that changes under a resumption is looked at again.
const LOOKS: u32 = 3;

/// Pauses and resumes. A clone is cheap.
#[derive(Clone)]
pub struct Pauses {
    storage: Storage,
    clock: Clock,
    times: Times,
}

impl Pauses {
    pub(super) fn new(storage: &Storage, clock: &Clock, times: &Times) -> Self {
        Self { storage: storage.clone(), clock: clock.clone(), times: times.clone() }
    }

    /// Pauses `id`, until then or until somebody resumes it; `None` resumes it. An attempt may end just
    /// before a resumption is written, and what it left counts: so the row is looked at again.
    pub async fn set(&self, id: &ConnectionId, pause: Option<Pause>) -> Result<(), Failure> {
        let mut loaded = load(&self.storage, id).await?;
        // The end of a pause is no time to wait for once it is over.
        let was_paused = loaded.connection.pause.is_some();
        for _ in 0..LOOKS {
            let due = loaded.connection.due.filter(|_| !was_paused);
            let after = Connection { pause: pause.clone(), due, ..loaded.connection.clone() };
            let due = self.times.due_as(&loaded, &after);
            self.write(id, pause.clone(), due, self.clock.now()).await?;
            let found = std::mem::replace(&mut loaded, load(&self.storage, id).await?);
            if is_as_found(&found, &loaded) {
                break;
            }
        }
        Ok(())
    }

    /// Ends a pause whose time is over.
    pub(super) async fn wake_up(
        &self,
        mut loaded: Loaded,
        now: Timestamp,
    ) -> Result<Loaded, Failure> {
        if self.end(&mut loaded, now) {
            let Connection { id, due, .. } = &loaded.connection;
            self.write(id, None, *due, now).await?;
        }
        Ok(loaded)
    }

    /// The same in `loaded` alone; whether there was one.
    pub(super) fn end(&self, loaded: &mut Loaded, now: Timestamp) -> bool {
        let until = loaded.connection.pause.as_ref().and_then(|it| it.until);
        if until.is_none_or(|it| it > now) {
            return false;
        }
        let connection = Connection { pause: None, due: None, ..loaded.connection.clone() };
        let due = self.times.due_as(loaded, &connection);
        loaded.connection = Connection { due, ..connection };
        true
    }

    async fn write(
        &self,
        id: &ConnectionId,
        pause: Option<Pause>,
        due: Option<Due>,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let pausing = Pausing { id: id.clone(), pause, due, at };
        self.storage.set_pause(pausing).await.map(drop).map_err(|it| host_fault(&it))
    }
}

/// Whether nothing happened to a row that what follows depends on.
fn is_as_found(found: &Loaded, now: &Loaded) -> bool {
    let facts = |it: &Loaded| {
        let connection = &it.connection;
        let open = it.open.as_ref().map(|it| it.id);
        (connection.generation, connection.failures, connection.problem, open)
    };
    facts(found) == facts(now)
}
