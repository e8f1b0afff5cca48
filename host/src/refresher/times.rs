//! The one rule of `due`, asked of rows as they are in the database: of one when something is done to
//! it, of many when a clock was set or the manifest was read anew.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::info;

use crate::catalogue::{Catalogue, Plugin};
use crate::model::clock::Clock;
use crate::model::connection::{Connection, Due};
use crate::model::id::ConnectionId;
use crate::refresher::claims::Claims;
use crate::refresher::due::{Facts, due};
use crate::refresher::plan::{AHEAD, Timing};
use crate::refresher::secrets;
use crate::storage::{Doubtful, Loaded, Moved, Storage, StorageError};
use crate::vault::Vault;

/// Knows when connections are looked at. A clone is cheap.
#[derive(Clone)]
pub struct Times {
    storage: Storage,
    vault: Vault,
    catalogue: Catalogue,
    clock: Clock,
    claims: Claims,
}

impl Times {
    pub(super) fn new(
        storage: &Storage,
        vault: &Vault,
        catalogue: &Catalogue,
        clock: &Clock,
        claims: &Claims,
    ) -> Self {
        let (storage, vault, catalogue) = (storage.clone(), vault.clone(), catalogue.clone());
        let (clock, claims) = (clock.clone(), claims.clone());
        Self { storage, vault, catalogue, clock, claims }
    }

    /// When `loaded` is looked at next.
    pub fn due(&self, loaded: &Loaded) -> Option<Due> {
        self.due_as(loaded, &loaded.connection)
    }

    /// The same if its row were `connection`.
    pub(super) fn due_as(&self, loaded: &Loaded, connection: &Connection) -> Option<Due> {
        let (id, now) = (&connection.id, self.clock.now());
        let plugin = self.plugin(id);
        let plugin = plugin.as_deref();
        let logs_in = plugin.and_then(|it| secrets::logs_in(&self.vault, it, loaded).ok());
        let facts = Facts {
            logs_in: logs_in.unwrap_or(false),
            timing: plugin.map(|it| Timing::of(it, id)),
            ahead: false,
            now,
        };
        due(connection, &facts)
    }

    /// Has every connection looked at now whose attempt a dead process has left open.
    pub async fn wake_interrupted(&self) -> Result<(), StorageError> {
        self.storage.wake_interrupted(self.claims.owner(), self.clock.now()).await
    }

    /// Checks what is planned against what the facts say now, for all connections: a clock may have been
    /// ahead when they were planned, or a schedule is new.
    pub async fn check(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        self.storage.forget_the_future(now, AHEAD).await?;
        self.check_probes(now).await?;
        let (scheduled, mut after, mut moved) = (self.scheduled(), None, 0);
        loop {
            let found = self.storage.doubtful(now, AHEAD, &scheduled, after.as_deref()).await?;
            let (page, Some(last)) = found else { break };
            let changes = page.iter().filter_map(|it| self.moved(it, now)).collect();
            moved += self.storage.move_due(changes).await?;
            after = Some(last);
        }
        if moved > 0 {
            info!("{moved} connections were rescheduled: their planned times were out of date");
        }
        Ok(())
    }

    async fn check_probes(&self, now: Timestamp) -> Result<(), StorageError> {
        for plugin in self.catalogue.shelf().providers.values().flatten() {
            if let Some(period) = plugin.provider().probe {
                self.storage.probe_within(&plugin.provider().name, period, now).await?;
            }
        }
        Ok(())
    }

    fn moved(&self, doubtful: &Doubtful, now: Timestamp) -> Option<Moved> {
        let Doubtful { connection, ahead, .. } = doubtful;
        let (id, ahead) = (&connection.id, *ahead);
        let plugin = self.plugin(id);
        let timing = plugin.as_deref().map(|it| Timing::of(it, id));
        let due = due(connection, &Facts { logs_in: false, timing, ahead, now });
        (due != connection.due).then(|| Moved {
            id: id.clone(),
            generation: connection.generation,
            found: connection.due,
            due,
        })
    }

    /// Providers with a schedule, their own or their plugin's.
    fn scheduled(&self) -> Vec<String> {
        let shelf = self.catalogue.shelf();
        let has_schedule = |it: &&Arc<Plugin>| {
            it.provider().schedule.is_some() || it.declared_schedule().is_some()
        };
        let scheduled = shelf.providers.values().flatten().filter(has_schedule);
        scheduled.map(|it| it.provider().name.clone()).collect()
    }

    fn plugin(&self, id: &ConnectionId) -> Option<Arc<Plugin>> {
        self.catalogue.plugin(id.provider()).ok()
    }
}
