//! Plugin files and schedules as people read them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalogue::FileReport;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::model::said;
use crate::model::schedule::Schedule;
use crate::operator::{Operator, PAGE, Reply};
use crate::refresher::host_fault;
use crate::storage::Filter;

/// Runs shown ahead.
const NEXT_RUNS: usize = 3;

/// One file of the plugin folder.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PluginView {
    /// The file's name.
    pub file: String,
    /// The plugin's own name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// SHA-256 of the file, as `sha256:` and hex digits; none of one that cannot be read.
    pub digest: Option<String>,
    /// The same of what runs, when that is an older, approved file.
    pub running: Option<String>,
    /// Why the file is not used.
    pub refused: Option<Failure>,
    /// Providers of the manifest that run on it.
    pub providers: Vec<String>,
}

/// A schedule with its next runs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ScheduleView {
    /// The cron expression, in its own zone.
    pub expression: String,
    /// The provider.
    pub provider: String,
    /// `schedule` or `backup_schedule`.
    pub kind: String,
    /// The zone of the expression.
    pub timezone: String,
    /// The next ticks.
    pub next_runs: Vec<Timestamp>,
    /// Connections of the provider, and when each is refreshed next: a tick refreshes only what would
    /// not live until the one after it.
    #[schema(value_type = BTreeMap<String, Option<Timestamp>>)]
    pub next_refresh: BTreeMap<ConnectionId, Option<Timestamp>>,
}

impl Operator {
    pub(super) fn plugins(&self) -> Vec<PluginView> {
        let shelf = self.0.catalogue.shelf();
        let manifest = self.manifest();
        let users = |file: &FileReport| {
            let uses =
                manifest.providers.values().filter(|it| format!("{}.wasm", it.plugin) == file.file);
            uses.map(|it| it.name.clone()).collect()
        };
        let view = |file: &FileReport| {
            let descriptor = file.program.as_ref().map(|it| it.descriptor());
            let running = file.running.as_ref().filter(|it| **it != file.digest);
            PluginView {
                file: file.file.clone(),
                name: descriptor.map(|it| it.name.clone()),
                version: descriptor.map(|it| it.version.clone()),
                digest: (!file.digest.is_empty()).then(|| said::digest(&file.digest)),
                running: running.map(|it| said::digest(it)),
                refused: file.refused.clone(),
                providers: users(file),
            }
        };
        shelf.files.iter().map(view).collect()
    }

    pub(super) async fn schedules(&self) -> Result<Reply, Failure> {
        let manifest = self.manifest();
        let mut views = Vec::new();
        for provider in manifest.providers.values() {
            let plugin = self.0.catalogue.plugin(&provider.name).ok();
            let declared = plugin.as_ref().and_then(|it| it.declared_schedule());
            let schedule = provider.schedule.as_ref().or(declared);
            let all =
                [("schedule", schedule), ("backup_schedule", provider.backup_schedule.as_ref())];
            if all.iter().all(|(_, schedule)| schedule.is_none()) {
                continue;
            }
            let next = self.next_of(&provider.name).await?;
            for (kind, schedule) in all {
                views.extend(
                    schedule.map(|it| self.schedule(&provider.name, kind, it, next.clone())),
                );
            }
        }
        Ok(Reply::Schedules(views))
    }

    /// When each connection of a provider is refreshed next.
    async fn next_of(
        &self,
        provider: &str,
    ) -> Result<BTreeMap<ConnectionId, Option<Timestamp>>, Failure> {
        let filter = Filter { provider: Some(provider.to_owned()), ..Filter::default() };
        let (mut next, mut after) = (BTreeMap::new(), None);
        loop {
            let page = self.0.storage.selected(&filter, after.as_deref(), PAGE).await;
            let page = page.map_err(|it| host_fault(&it))?;
            let rows = page.rows.into_iter().filter_map(Result::ok);
            next.extend(rows.map(|it| (it.id, it.due.map(|it| it.at))));
            after = page.next;
            if after.is_none() {
                return Ok(next);
            }
        }
    }

    fn schedule(
        &self,
        provider: &str,
        kind: &str,
        schedule: &Schedule,
        next_refresh: BTreeMap<ConnectionId, Option<Timestamp>>,
    ) -> ScheduleView {
        let first = schedule.next_after(self.now());
        let runs = std::iter::successors(first, |it| schedule.next_after(*it));
        ScheduleView {
            expression: schedule.expression().to_owned(),
            provider: provider.to_owned(),
            kind: kind.to_owned(),
            timezone: schedule.timezone().iana_name().unwrap_or("UTC").to_owned(),
            next_runs: runs.take(NEXT_RUNS).collect(),
            next_refresh,
        }
    }
}
