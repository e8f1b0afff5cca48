//! What a manifest means for the connections in the database: those it lists are there, their times
//! follow it, and what a person has changed is tried again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tracing::info;

use crate::app::App;
use crate::catalogue::Plugin;
use crate::manifest::Manifest;
use crate::manifest::provider::Provider;
use crate::model::attempt::Trigger;
use crate::model::code::Code;
use crate::model::connection::{Connection, Due, Problem};
use crate::model::id::ConnectionId;
use crate::storage::{Forgiven, Loaded, Reconcile, StorageError};

/// The time between one connection and the next when many of a provider are looked at again and the
/// manifest has no rate: two thousand take less than two minutes.
const STEP: Duration = Duration::from_millis(50);

impl App {
    /// Brings the connections in line with `manifest`.
    pub(super) async fn reconcile(&self, manifest: &Manifest) -> Result<(), StorageError> {
        // All at once: their writes share a commit.
        let all = manifest.connections().map(|(_, it)| self.reconcile_one(&it.id));
        try_join_all(all).await?;
        if self.lock.is_none() {
            // Another process works on the database and sets the times.
            return Ok(());
        }
        for provider in manifest.providers.values() {
            self.forgive(provider).await?;
        }
        self.reconcile_orphans(manifest).await
    }

    async fn reconcile_one(&self, id: &ConnectionId) -> Result<(), StorageError> {
        let now = self.clock.now();
        let loaded = match self.storage.load(id).await {
            Ok(loaded) => loaded,
            // It is reported and left unchanged; the others do not wait until it is repaired.
            Err(error @ StorageError::Row { .. }) => {
                self.storage.report(&error);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if loaded.is_some() && self.lock.is_none() {
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
            Some(_) if forgive => Some(soon),
            Some(loaded) if lacks_a_secret(&loaded.connection) => Some(soon),
            Some(loaded) => self.refresher.times.due(loaded),
        };
        let probe_at = self.refresher.profiles.next(id);
        self.storage.reconcile(Reconcile { id: id.clone(), due, forgive, probe_at, at: now }).await
    }

    /// Whether what a person had to correct is not what it was: credentials, settings, the plugin.
    async fn has_changed(
        &self,
        loaded: &Loaded,
        plugin: &Arc<Plugin>,
    ) -> Result<bool, StorageError> {
        let Connection { id, problem, .. } = &loaded.connection;
        if *problem != Some(Problem::Misconfigured) {
            return Ok(false);
        }
        let then = self.storage.problem_config(id).await?;
        let now = plugin.config_digest(id.name(), &self.vault).await;
        let changed = then.as_deref() != Some(&now);
        if changed {
            info!(connection.id = %id.full(), "{id} is retried: its configuration has changed");
        }
        Ok(changed)
    }

    /// The same for all connections that were added to `provider`, which share its configuration: they
    /// are not read, however many there are.
    async fn forgive(&self, provider: &Provider) -> Result<(), StorageError> {
        let name = &provider.name;
        let Ok(plugin) = self.catalogue.plugin(name) else { return Ok(()) };
        if !self.storage.waits_for_correction(name).await? {
            return Ok(());
        }
        let forgiven = Forgiven {
            provider: name.clone(),
            config: plugin.config_digest("", &self.vault).await,
            listed: provider.connections.iter().map(|it| it.id.clone()).collect(),
            step: step(Some(provider)),
            at: self.clock.now(),
        };
        let count = self.storage.forgive(forgiven).await?;
        if count > 0 {
            info!(provider.name = %name, "{count} connections of {name} are retried: its configuration has changed");
        }
        Ok(())
    }

    /// Connections that the manifest does not list are looked at once an interrupted attempt of
    /// theirs, or a provider that has gone, needs it.
    async fn reconcile_orphans(&self, manifest: &Manifest) -> Result<(), StorageError> {
        let now = self.clock.now();
        self.refresher.times.wake_interrupted().await?;
        for provider in self.storage.providers().await? {
            if !manifest.providers.contains_key(&provider) {
                self.storage.look_at_all(&provider, step(None), now).await?;
            }
        }
        Ok(())
    }
}

/// Whether it waits for a secret that may be there by now: looking again sends nothing as long as it is not.
fn lacks_a_secret(connection: &Connection) -> bool {
    let missing = connection.error.as_ref().is_some_and(|it| matches!(it.code, Code::Secret(_)));
    missing && connection.failures > 0 && connection.problem.is_none()
}

/// The time between one connection and the next, as the provider's rate has it.
fn step(provider: Option<&Provider>) -> Duration {
    provider.and_then(|it| it.rate).map_or(STEP, |it| (it.per / it.count.get()).max(STEP))
}
