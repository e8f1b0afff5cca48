//! Refreshing many at once: within each provider's limits, with progress, and with what was not
//! needed said as plainly as what was done.

use std::collections::BTreeMap;

use futures_util::stream;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::mpsc;

use crate::model::attempt::{Attempt, Course, Spent, Trigger};
use crate::model::code;
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::said::moment;
use crate::operator::reply::Planned;
use crate::operator::{Operator, PAGE, Progress, Reply, Selection};
use crate::refresher::{Ask, Decision, Foreseen, Way, host_fault, sentence, unopenable};

/// Attempts that wait for one provider's turn at once, and for all together where there are many. Each costs a task,
/// its row, and little else.
const AT_ONCE: usize = 256;
const ALL_AT_ONCE: usize = 1_024;

/// However many providers there are, each has so many.
const FEWEST: usize = 8;

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
        // Whoever is named is meant; whoever is found is one of many.
        let ask = if selection.ids.is_empty() { ask.in_bulk() } else { ask };
        self.check_selection(selection).await?;
        let ids = self.select(selection).await?;
        if dry_run {
            return self.plan(&ids, ask).await;
        }
        let risks = if ask.insists() { self.doubtful(&ids).await? } else { Vec::new() };
        if !wait && self.0.daemon {
            return Ok(self.queue(ids, ask).warning(risks.iter().map(risk)));
        }
        let wanted = ids.len() as u64;
        let ran = self.run_all(ids, ask, progress).await;
        let left = wanted - ran.attempts.len() as u64;
        let reply = Reply::refreshed(ran.attempts, Vec::new()).leaving(left);
        Ok(reply.leaving_out(ran.left_out).warning(risks.iter().map(risk)))
    }

    /// Those whose last refresh has an outcome that nobody knows, and that wait for the end of their token
    /// unless a person insists.
    async fn doubtful(&self, ids: &[ConnectionId]) -> Result<Vec<ConnectionId>, Failure> {
        let mut found = Vec::new();
        for id in ids {
            if self.is_doubtful(id, Ask::new(Trigger::Forced).in_bulk()).await? {
                found.push(id.clone());
            }
        }
        Ok(found)
    }

    async fn is_doubtful(&self, id: &ConnectionId, ask: Ask) -> Result<bool, Failure> {
        // A provider without a plugin says so when it is tried.
        let Ok(foreseen) = self.0.refresher.attempts.foresee(id, ask).await else {
            return Ok(false);
        };
        Ok(matches!(foreseen, Foreseen::Decided(Decision::WaitUntil(_))))
    }

    /// Which are meant. One that cannot be read is an error when it is named, and else left out.
    async fn select(&self, selection: &Selection) -> Result<Vec<ConnectionId>, Failure> {
        let filter = selection.filter(self.now());
        let ids = &selection.ids;
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.0.storage.selected(&filter, after.as_deref(), PAGE).await;
            let page = page.map_err(|it| host_fault(&it))?;
            for row in page.rows {
                match row {
                    Ok(connection) => found.push(connection.id),
                    Err(row) if ids.is_empty() => self.0.storage.report(&row.error),
                    Err(row) => return Err(host_fault(&row.error)),
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        match ids.iter().find(|id| !selection.failed && !found.contains(id)) {
            Some(missing) => Err(self.unknown(missing).await),
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
    ) -> Ran {
        let total = ids.len() as u64;
        // Each provider has a line of its own: one that is slow holds up nobody else (decision 0056).
        let lines = by_provider(ids);
        let each = (ALL_AT_ONCE / lines.len().max(1)).clamp(FEWEST, AT_ONCE);
        let lines = lines.into_iter().map(|it| self.line(it, ask, each));
        let mut running = stream::select_all(lines);
        let mut ran = Ran::default();
        while let Some(ended) = running.next().await {
            let Some((attempt, left_out)) = ended else { continue };
            ran.left_out += u64::from(left_out);
            ran.attempts.push(attempt.clone());
            let done = ran.attempts.len() as u64;
            // Nobody listens when the caller has gone; the work goes on.
            let _ = progress.send(Progress { done, total, attempt });
        }
        ran
    }

    /// Attempts of one provider, as they end.
    fn line(
        &self,
        ids: Vec<ConnectionId>,
        ask: Ask,
        at_once: usize,
    ) -> impl Stream<Item = Option<(Attempt, bool)>> {
        // What has not begun when keepfresh is told to stop is left for the next time.
        let wanted = ids.into_iter().take_while(move |_| !self.0.lifecycle.stopping());
        let one = move |id: ConnectionId| async move { self.run_one(id, ask).await };
        stream::iter(wanted).map(one).buffer_unordered(at_once)
    }

    /// An attempt, and whether it was left out for its doubt; one that could not even be recorded is
    /// reported like the others. `None` when its turn did not come before the end.
    async fn run_one(&self, id: ConnectionId, ask: Ask) -> Option<(Attempt, bool)> {
        let result = self.0.refresher.attempts.refresh(&id, ask).await;
        self.0.refresher.profiles.learn_after(&result).await;
        match result {
            Ok(attempt) => {
                let left_out = self.was_left_out(&attempt, ask).await;
                Some((attempt, left_out))
            }
            Err(failure) if failure.code == code::Internal::Stopping => None,
            Err(failure) => Some((self.not_tried(id, ask, &failure), false)),
        }
    }

    /// Whether nothing was sent for its doubt. It is as doubtful afterwards: that was tried wrote down what is known of
    /// it, and no more.
    async fn was_left_out(&self, attempt: &Attempt, ask: Ask) -> bool {
        let forced = ask.trigger == Trigger::Forced && !ask.insists();
        let sent =
            attempt.spent.provider_ms.is_some() || matches!(attempt.course, Course::Success(_));
        forced && !sent && self.is_doubtful(&attempt.connection, ask).await.unwrap_or(false)
    }

    fn not_tried(&self, connection: ConnectionId, ask: Ask, failure: &Failure) -> Attempt {
        Attempt {
            id: AttemptId::generate(),
            connection,
            trigger: ask.trigger,
            course: Course::Failed(failure.clone()),
            started_at: self.now(),
            duration_ms: Some(0),
            spent: Spent::default(),
            generation: 0,
        }
    }

    async fn plan(&self, ids: &[ConnectionId], ask: Ask) -> Result<Reply, Failure> {
        let mut planned = Vec::with_capacity(ids.len());
        for id in ids {
            let (action, reason) = match self.0.refresher.attempts.foresee(id, ask).await {
                Ok(Foreseen::Waits(wait)) => ("wait", sentence(id.provider(), wait)),
                Ok(Foreseen::Decided(Decision::Call(Way::Refresh))) if ask.insists() => {
                    ("refresh", self.why_forced(id).await?)
                }
                Ok(Foreseen::Decided(decision)) => explained(id, decision, ask),
                Err(failure) => ("skip", failure.message),
            };
            planned.push(Planned { connection: id.clone(), action: action.to_owned(), reason });
        }
        Ok(Reply::Plan(planned))
    }

    /// Why one is refreshed that a person insists on, and what that may cost.
    async fn why_forced(&self, id: &ConnectionId) -> Result<String, Failure> {
        let doubtful = self.is_doubtful(id, Ask::new(Trigger::Forced).in_bulk()).await?;
        Ok(if doubtful { format!("forced; {}", risk(id)) } else { "forced".to_owned() })
    }
}

/// Those of each provider by themselves, in order.
fn by_provider(ids: Vec<ConnectionId>) -> Vec<Vec<ConnectionId>> {
    let mut lines = BTreeMap::<String, Vec<ConnectionId>>::new();
    for id in ids {
        lines.entry(id.provider().to_owned()).or_default().push(id);
    }
    lines.into_values().collect()
}

/// What a dry run calls a decision, and why.
fn explained(id: &ConnectionId, decision: Decision, ask: Ask) -> (&'static str, String) {
    match decision {
        Decision::Skip(reason) => ("skip", reason),
        Decision::Call(Way::Login) => ("login", "there is no token to refresh".to_owned()),
        Decision::Call(Way::Refresh) if ask.trigger == Trigger::Forced => {
            ("refresh", "forced".to_owned())
        }
        Decision::Call(Way::Refresh) => ("refresh", "it is due".to_owned()),
        Decision::Call(Way::Replay) => {
            ("replay", "a captured answer has not been read yet".to_owned())
        }
        Decision::WaitUntil(at) => (
            "wait",
            format!("the outcome of the last refresh is unknown; it is retried at {}", moment(at)),
        ),
        Decision::Rest => ("skip", "no caller requests its token".to_owned()),
        Decision::Unopenable => ("skip", unopenable(id).message),
        Decision::NeedsPerson => ("skip", "a person has to log in".to_owned()),
    }
}

/// What it may cost to send a refresh token whose last outcome is unknown.
fn risk(id: &ConnectionId) -> String {
    format!(
        "the outcome of the last refresh of {id} is unknown; if the provider processed it, sending the same refresh token again revokes the grant"
    )
}

/// What came of many.
#[derive(Default)]
struct Ran {
    attempts: Vec<Attempt>,
    left_out: u64,
}
