//! Attempts that end before anything could be sent: nothing is needed, nothing may be sent now, or there is no
//! plugin or nobody to log in. Those that a person has to know of are recorded like any other, so that the log
//! and the state say why nothing happens.

use jiff::Timestamp;

use crate::model::attempt::{Attempt, Course, Spent, Trigger};
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::connection::{Due, Problem};
use crate::model::event::{Event, EventKind};
use crate::model::failure::{Case, Failure};
use crate::model::id::AttemptId;
use crate::model::said::moment;
use crate::refresher::ask::Ask;
use crate::refresher::breaker::Wait;
use crate::refresher::claims::Claims;
use crate::refresher::endings::Endings;
use crate::refresher::fault::{host_fault, written};
use crate::refresher::flights::AttemptResult;
use crate::refresher::journal;
use crate::refresher::plan::keep_alive;
use crate::refresher::running::Running;
use crate::refresher::waiting;
use crate::storage::{Captured, Failed, Loaded, Skipped, Storage};

/// Ends attempts that send nothing. A clone is cheap.
#[derive(Clone)]
pub(in crate::refresher) struct Unsent {
    storage: Storage,
    clock: Clock,
    claims: Claims,
    endings: Endings,
}

impl Unsent {
    pub(in crate::refresher) fn new(
        storage: &Storage,
        clock: &Clock,
        claims: &Claims,
        endings: &Endings,
    ) -> Self {
        let (storage, clock) = (storage.clone(), clock.clone());
        Self { storage, clock, claims: claims.clone(), endings: endings.clone() }
    }

    /// Records that nothing was sent, when a person asked; a tick that finds nothing to do is silent.
    pub(super) async fn skip(&self, running: &Running, reason: String) -> AttemptResult {
        let now = self.clock.now();
        let attempt = running.report(Course::Skipped(reason.clone()), now);
        if matches!(running.ask.trigger, Trigger::Manual | Trigger::Forced) {
            let skipped = Skipped {
                attempt: running.id,
                connection: running.connection.clone(),
                trigger: running.ask.trigger,
                reason,
                generation: attempt.generation,
                at: now,
            };
            self.storage.skip(skipped).await.map_err(|it| host_fault(&it))?;
        }
        Ok(attempt)
    }

    /// Looks at a connection again only when a caller asks for its token, or its refresh token is about
    /// to end.
    pub(super) async fn rest(&self, running: &Running) -> AttemptResult {
        let due = keep_alive(&running.loaded.connection, self.clock.now());
        self.storage.set_due(&running.connection, due).await.map_err(|it| host_fault(&it))?;
        self.skip(running, "no caller has requested its token for a long time".to_owned()).await
    }

    /// Closes an interrupted attempt as unknown, and waits for the end of the token it still serves.
    pub(super) async fn wait(&self, running: &Running, at: Timestamp) -> AttemptResult {
        if running.loaded.open.is_some() {
            return self.close(running, at).await;
        }
        let (id, due) = (&running.connection, Due { at, trigger: Trigger::Recovery });
        self.storage.set_due(id, Some(due)).await.map_err(|it| host_fault(&it))?;
        let reason = format!(
            "the outcome of an earlier refresh is unknown; it is retried once at {}, or now with: keepfresh refresh {id} --force, which may revoke the grant if the provider processed the earlier one",
            moment(at)
        );
        self.skip(running, reason).await
    }

    async fn close(&self, running: &Running, at: Timestamp) -> AttemptResult {
        if !self.claims.begin(running, Captured::Stay).await? {
            let message = "another process refreshed it first";
            return Err(Failure::new(Case::HostFault, code::Refresh::Held, message));
        }
        let message = format!(
            "an earlier refresh was interrupted and its outcome is unknown; the current token is served until {}, then the refresh is retried once",
            moment(at)
        );
        let unknown = Failure::new(Case::InDoubt, code::Refresh::OutcomeUnknown, message);
        self.endings.conclude(running, unknown).await
    }

    /// Sends nothing: its provider is waited for. A caller wants to hear of it; for the others it is one
    /// more reason why nothing is done now.
    pub(super) async fn turn_away(&self, running: &Running, wait: Wait) -> AttemptResult {
        let id = &running.connection;
        if running.ask.trigger == Trigger::OnDemand || running.ask.replaces.is_some() {
            return Err(waiting::failure(id.provider(), wait));
        }
        let now = format!("or now with: keepfresh refresh {id} --force");
        self.skip(running, format!("{}, {now}", waiting::sentence(id.provider(), wait))).await
    }

    /// Only a person can go on, who has to log in.
    pub(super) async fn needs_person(&self, running: &Running) -> AttemptResult {
        let message = format!(
            "{} has no token and its plugin cannot log in by itself; {}",
            running.connection,
            how_to_give(running)
        );
        let failure = Failure::new(Case::GrantExpired, code::Refresh::NeedsPerson, message);
        self.refuse(&running.loaded, running.ask, failure).await
    }

    /// Only a person can go on, who has the key of an answer that waits.
    pub(super) async fn unopenable(&self, running: &Running) -> AttemptResult {
        let failure = journal::unopenable(&running.connection);
        self.refuse(&running.loaded, running.ask, failure).await
    }

    /// Records `failure` for a connection that nothing can be sent for. What is in doubt stays in
    /// doubt, and captured answers stay.
    pub(super) async fn refuse(
        &self,
        loaded: &Loaded,
        ask: Ask,
        failure: Failure,
    ) -> AttemptResult {
        let now = self.clock.now();
        let attempt = Attempt {
            id: AttemptId::generate(),
            connection: loaded.connection.id.clone(),
            trigger: ask.trigger,
            course: Course::Failed(failure.clone()),
            started_at: now,
            duration_ms: Some(0),
            spent: Spent::default(),
            generation: loaded.connection.generation,
        };
        self.claims.begin_unsent(attempt.id, loaded, ask.trigger, now).await?;
        written(self.storage.fail(refused(&attempt, loaded, failure, now)).await)?;
        Ok(attempt)
    }
}

/// What is stored of a refusal.
fn refused(attempt: &Attempt, loaded: &Loaded, failure: Failure, now: Timestamp) -> Failed {
    let (problem, kind) = match failure.case {
        Case::GrantExpired => (Problem::Reconnect, EventKind::Reconnect),
        _ => (Problem::Misconfigured, EventKind::Misconfigured),
    };
    let Attempt { id, connection, generation, .. } = attempt;
    let (connection, generation) = (connection.clone(), *generation);
    let code = Some(failure.code.clone());
    Failed {
        attempt: *id,
        connection: connection.clone(),
        generation,
        failure,
        problem: Some(problem),
        config: None,
        doubt_since: loaded.doubt_since(),
        keep_captures: true,
        due: None,
        events: vec![Event { kind, connection, at: now, generation, code }],
        at: now,
        duration_ms: 0,
        spent: attempt.spent,
        exchanges: Vec::new(),
    }
}

/// The command that a person gives a first token with.
fn how_to_give(running: &Running) -> String {
    let id = &running.connection;
    if running.plugin.program().has_authorization() {
        return format!("connect it: keepfresh connect {id}");
    }
    format!("set one: keepfresh token set {id}")
}
