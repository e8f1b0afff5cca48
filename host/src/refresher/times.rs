//! The one rule of `due`, asked of rows as they are in the database: of one when something is done to
//! it, of many when a clock was set or the manifest was read anew.

use std::sync::PoisonError;

use jiff::Timestamp;
use tracing::info;

use crate::model::connection::{Connection, Due};
use crate::refresher::Refresher;
use crate::refresher::due::{Facts, due};
use crate::refresher::plan::{AHEAD, Timing};
use crate::refresher::running::declared_schedule;
use crate::storage::{Doubtful, Loaded, Moved, StorageError};

impl Refresher {
    /// When `loaded` is looked at next.
    pub fn due_again(&self, loaded: &Loaded) -> Option<Due> {
        self.due_as(loaded, &loaded.connection)
    }

    /// The same if its row were `connection`.
    pub(super) fn due_as(&self, loaded: &Loaded, connection: &Connection) -> Option<Due> {
        let now = self.clock.now();
        let plugin = self.catalogue.plugin(connection.id.provider()).ok();
        let logs_in = plugin.as_ref().is_some_and(|it| self.logs_in(it, loaded).unwrap_or(false));
        let lives = self.is_under_way(connection);
        let open_until = loaded.open.as_ref().map(|it| if lives { it.lease_until } else { now });
        let schedule = plugin.as_ref().and_then(|it| declared_schedule(it));
        let timing = plugin.as_ref();
        let timing = timing.map(|it| Timing::new(it.provider(), schedule.as_ref(), &connection.id));
        due(connection, &Facts { open_until, logs_in, timing, ahead: false, now })
    }

    fn is_under_way(&self, connection: &Connection) -> bool {
        let flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.contains_key(&connection.id)
    }

    /// Checks what is planned against what the facts say now, for all connections: a clock may have been
    /// ahead when they were planned, or a schedule is new.
    pub async fn check_times(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        self.storage.forget_the_future(now, AHEAD).await?;
        for plugin in self.catalogue.shelf().providers.values().flatten() {
            if let Some(period) = plugin.provider().probe {
                self.storage.probe_within(&plugin.provider().name, period, now).await?;
            }
        }
        let (scheduled, mut after, mut moved) = (self.scheduled(), None, 0);
        loop {
            let found = self.storage.doubtful(now, AHEAD, &scheduled, after.as_deref()).await?;
            let (page, Some(last)) = found else { break };
            let changes = page.iter().filter_map(|it| self.moved(it, now)).collect();
            moved += self.storage.move_due(changes).await?;
            after = Some(last);
        }
        if moved > 0 {
            info!(
                "{moved} connections are looked at another time: what was planned was out of date"
            );
        }
        Ok(())
    }

    fn moved(&self, doubtful: &Doubtful, now: Timestamp) -> Option<Moved> {
        let connection = &doubtful.connection;
        let plugin = self.catalogue.plugin(connection.id.provider()).ok();
        let schedule = plugin.as_ref().and_then(|it| declared_schedule(it));
        let timing = plugin.as_ref();
        let timing = timing.map(|it| Timing::new(it.provider(), schedule.as_ref(), &connection.id));
        let ahead = doubtful.ahead;
        let due = due(connection, &Facts { open_until: None, logs_in: false, timing, ahead, now });
        (due != connection.due).then(|| Moved {
            id: connection.id.clone(),
            generation: connection.generation,
            found: connection.due,
            due,
        })
    }

    /// Providers with a schedule, their own or their plugin's.
    fn scheduled(&self) -> Vec<String> {
        let shelf = self.catalogue.shelf();
        let has_schedule = |plugin: &crate::catalogue::Plugin| {
            plugin.provider().schedule.is_some() || plugin.descriptor().schedule.is_some()
        };
        let all = shelf.providers.iter();
        let all = all.filter(|(_, it)| it.as_ref().is_ok_and(|it| has_schedule(it)));
        all.map(|(name, _)| name.clone()).collect()
    }
}
