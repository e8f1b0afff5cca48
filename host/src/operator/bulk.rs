//! Refreshing many at once: within each provider's limits, with progress, and with what was not
//! needed said as plainly as what was done.

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc;

use crate::model::attempt::{Attempt, Course, Trigger};
use crate::model::code;
use crate::model::connection::Connection;
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};
use crate::operator::reply::Planned;
use crate::operator::{Operator, Progress, Reply, Selection};
use crate::refresher::decide::{Decision, decide};
use crate::refresher::{Ask, host_fault, unknown, unopenable};

/// Attempts that wait for their provider's turn at once. Each costs a task and little else.
const AT_ONCE: usize = 256;

impl Operator {
    pub(super) async fn refresh(
        &self,
        selection: &Selection,
        force: bool,
        dry_run: bool,
        wait: bool,
        progress: &mpsc::UnboundedSender<Progress>,
    ) -> Result<Reply, Failure> {
        let ask = Ask::new(if force { Trigger::Forced } else { Trigger::Manual });
        let selected = self.select(selection).await?;
        if dry_run {
            return self.plan(&selected, ask).await;
        }
        let ids = selected.into_iter().map(|it| it.id).collect::<Vec<_>>();
        if !wait && self.0.daemon {
            return Ok(self.queue(ids, ask));
        }
        let wanted = ids.len() as u64;
        let attempts = self.run_all(ids, ask, progress).await;
        let left = wanted - attempts.len() as u64;
        Ok(Reply::refreshed(attempts, Vec::new()).leaving(left))
    }

    async fn select(&self, selection: &Selection) -> Result<Vec<Connection>, Failure> {
        let filter = selection.filter(self.now());
        let ids = &selection.ids;
        let rows = self.0.storage.list(&filter).await.map_err(|it| host_fault(&it))?;
        let found = rows.into_iter().filter_map(Result::ok).collect::<Vec<_>>();
        match ids.iter().find(|id| !selection.failed && !found.iter().any(|it| it.id == **id)) {
            Some(missing) => Err(unknown(missing)),
            None => Ok(found),
        }
    }

    /// Starts the attempts as tasks of the daemon and does not wait for them.
    fn queue(&self, ids: Vec<ConnectionId>, ask: Ask) -> Reply {
        let (this, all) = (self.clone(), ids.clone());
        self.0.lifecycle.spawn("queued refreshes", async move {
            let (nobody, _) = mpsc::unbounded_channel();
            this.run_all(all, ask, &nobody).await;
        });
        Reply::refreshed(Vec::new(), ids)
    }

    async fn run_all(
        &self,
        ids: Vec<ConnectionId>,
        ask: Ask,
        progress: &mpsc::UnboundedSender<Progress>,
    ) -> Vec<Attempt> {
        let total = ids.len() as u64;
        let one = |id: ConnectionId| async move { self.run_one(id, ask).await };
        // What has not begun when keepfresh is told to stop is left for the next time.
        let wanted = ids.into_iter().take_while(|_| !self.0.lifecycle.stopping());
        let mut running = stream::iter(wanted).map(one).buffer_unordered(AT_ONCE);
        let mut attempts = Vec::new();
        while let Some(ended) = running.next().await {
            let Some(attempt) = ended else { continue };
            attempts.push(attempt.clone());
            let done = attempts.len() as u64;
            // Nobody listens when the caller has gone; the work goes on.
            let _ = progress.send(Progress { done, total, attempt });
        }
        attempts
    }

    /// An attempt; one that could not even be recorded is reported like the others. `None` when its
    /// turn did not come before the end.
    async fn run_one(&self, id: ConnectionId, ask: Ask) -> Option<Attempt> {
        let result = self.0.refresher.refresh(&id, ask).await;
        self.0.refresher.learn_after(&result).await;
        match result {
            Ok(attempt) => Some(attempt),
            Err(failure) if failure.code == code::Internal::Stopping => None,
            Err(failure) => Some(Attempt {
                id: AttemptId::generate(),
                connection: id,
                trigger: ask.trigger,
                course: Course::Failed(failure),
                started_at: self.now(),
                duration_ms: Some(0),
                generation: 0,
            }),
        }
    }

    async fn plan(&self, selected: &[Connection], ask: Ask) -> Result<Reply, Failure> {
        let mut planned = Vec::with_capacity(selected.len());
        for connection in selected {
            planned.push(self.plan_one(connection, ask).await?);
        }
        Ok(Reply::Plan(planned))
    }

    async fn plan_one(&self, connection: &Connection, ask: Ask) -> Result<Planned, Failure> {
        let id = &connection.id;
        let loaded = self.0.storage.load(id).await.map_err(|it| host_fault(&it))?;
        let loaded = loaded.ok_or_else(|| unknown(id))?;
        let planned = |action: &str, reason: String| {
            Ok(Planned { connection: id.clone(), action: action.to_owned(), reason })
        };
        let plugin = match self.0.catalogue.plugin(id.provider()) {
            Ok(plugin) => plugin,
            Err(failure) => return planned("skip", failure.message),
        };
        let facts = self.0.refresher.facts(&plugin, &loaded, self.now())?;
        match decide(&loaded.connection, ask, &facts) {
            Decision::Skip(reason) => planned("skip", reason),
            Decision::Login => planned("login", "there is no token to refresh".to_owned()),
            Decision::Refresh if ask.trigger == Trigger::Forced => {
                planned("refresh", "forced".to_owned())
            }
            Decision::Refresh => planned("refresh", "it is due".to_owned()),
            Decision::Replay => planned("replay", "an answer waits to be read".to_owned()),
            Decision::WaitUntil(at) => planned("wait", format!("an outcome is unknown until {at}")),
            Decision::Rest => planned("skip", "nobody asks for its token".to_owned()),
            Decision::Unopenable => planned("skip", unopenable(id).message),
            Decision::NeedsPerson => planned("skip", "a person has to log in".to_owned()),
        }
    }
}
