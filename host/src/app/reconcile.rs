//! What a manifest means for the connections in the database: those it lists are there, their times
//! follow it, and what a person has changed is tried again.

use std::sync::Arc;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use tracing::info;

use crate::app::App;
use crate::catalogue::Plugin;
use crate::manifest::Manifest;
use crate::model::attempt::Trigger;
use crate::model::connection::{Due, Problem};
use crate::model::id::ConnectionId;
use crate::storage::{Filter, Loaded, Reconcile, StorageError};

/// Connections in one write.
const AT_ONCE: u32 = 256;

impl App {
    /// Brings the connections in line with `manifest`.
    pub(super) async fn reconcile(&self, manifest: &Manifest) -> Result<(), StorageError> {
        // All at once: their writes share a commit.
        let all = manifest.connections().map(|(_, it)| self.reconcile_one(&it.id));
        try_join_all(all).await?;
        self.reconcile_orphans(manifest).await
    }

    async fn reconcile_one(&self, id: &ConnectionId) -> Result<(), StorageError> {
        let now = self.clock.now();
        let loaded = match self.storage.load(id).await {
            Ok(loaded) => loaded,
            // It is told of and left alone; the others do not wait for whoever mends it.
            Err(error @ StorageError::Row { .. }) => {
                self.storage.report(&error);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if loaded.is_some() && self.lock.is_none() {
            // Somebody else works on the database: times are theirs to set.
            return Ok(());
        }
        let plugin = self.catalogue.plugin(id.provider()).ok();
        let forgive = match (&loaded, &plugin) {
            (Some(loaded), Some(plugin)) => self.has_changed(loaded, plugin).await?,
            _ => false,
        };
        let soon = Due { at: now, trigger: Trigger::Expiry };
        let due = match &loaded {
            // Nothing to log in with: a person gives it a token first.
            None if plugin.as_ref().is_some_and(|it| !it.descriptor().unattended) => None,
            None => Some(soon),
            // An attempt that this process did not begin: its process is dead.
            Some(loaded) if loaded.open.is_some() => {
                Some(Due { at: now, trigger: Trigger::Recovery })
            }
            Some(_) if forgive => Some(soon),
            Some(loaded)
                if loaded.connection.token.is_none() && loaded.connection.due.is_none() =>
            {
                None
            }
            Some(loaded) => self.refresher.due_again(&loaded.connection),
        };
        let probe_at = self.refresher.next_probe(id);
        self.storage.reconcile(Reconcile { id: id.clone(), due, forgive, probe_at, at: now }).await
    }

    /// Whether what a person had to correct is not what it was: credentials, settings, the plugin.
    async fn has_changed(
        &self,
        loaded: &Loaded,
        plugin: &Arc<Plugin>,
    ) -> Result<bool, StorageError> {
        let connection = &loaded.connection;
        let id = &connection.id;
        if connection.problem != Some(Problem::Misconfigured) {
            return Ok(false);
        }
        let then = self.storage.problem_config(id).await?;
        let own = self.refresher.own(loaded).unwrap_or_default();
        let now = plugin.config_digest(id, own, &self.vault).await;
        let changed = then.as_deref() != Some(&now);
        if changed {
            info!(connection.id = %id, "{id} is tried again: its configuration has changed");
        }
        Ok(changed)
    }

    /// Connections that the manifest does not list are looked at once an interrupted attempt of
    /// theirs, or a provider that has gone, needs it.
    async fn reconcile_orphans(&self, manifest: &Manifest) -> Result<(), StorageError> {
        if self.lock.is_none() {
            return Ok(());
        }
        let now = self.clock.now();
        self.storage.wake_interrupted(now).await?;
        for provider in self.storage.providers().await? {
            if manifest.providers.contains_key(&provider) {
                continue;
            }
            self.wake_all(provider, now).await?;
        }
        Ok(())
    }

    /// Makes the connections of a provider due, unless a person has to see to them.
    async fn wake_all(&self, provider: String, now: Timestamp) -> Result<(), StorageError> {
        let filter = Filter { provider: Some(provider), ..Filter::default() };
        let due = Some(Due { at: now, trigger: Trigger::Expiry });
        let mut after = None;
        loop {
            let page = self.storage.page(&filter, after.as_deref(), AT_ONCE).await?;
            let rows = page.rows.into_iter().filter_map(Result::ok);
            let ids = rows.filter(|it| it.problem.is_none()).map(|it| it.id).collect::<Vec<_>>();
            try_join_all(ids.iter().map(|id| self.storage.set_due(id, due))).await?;
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
