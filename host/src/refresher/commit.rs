//! How an attempt ends in the database: the next generation, or the failure and what follows from it.

use jiff::Timestamp;
use tracing::{info, warn};

use crate::model::attempt::{Attempt, Course};
use crate::model::code;
use crate::model::connection::Due;
use crate::model::event::EventKind;
use crate::model::failure::{Case, Failure};
use crate::model::token::TokenSet;
use crate::refresher::judge::{self, judge};
use crate::refresher::plan::Timing;
use crate::refresher::running::{Running, declared_schedule, token_place, token_row};
use crate::refresher::{Refresher, host_fault, vault_fault};
use crate::storage::{Begun, Failed, Succeeded};
use crate::vault::tokens;

impl Refresher {
    /// Stores the next generation; the token is served only after this.
    pub(super) async fn commit(
        &self,
        running: &Running,
        token: TokenSet,
        reason: Option<String>,
    ) -> Result<Attempt, Failure> {
        let connection = &running.loaded.connection;
        let generation = connection.generation;
        let row = token_row(&running.connection);
        let sealed = tokens::seal_tokens(&self.vault, &token_place(&row, generation + 1), &token);
        let now = self.clock.now();
        let due = due_after_success(running, &token, now);
        let mut attempt = running.report(Course::Success(reason.clone()), now);
        attempt.generation = generation + 1;
        let recovered = (connection.failures > 0).then_some(EventKind::Recovered);
        let kinds = [Some(EventKind::Refreshed), recovered];
        let event = |kind| running.event(kind, generation + 1, None, now);
        let succeeded = Succeeded {
            attempt: running.id,
            connection: running.connection.clone(),
            generation,
            reason,
            sealed: sealed.map_err(|it| vault_fault(&it))?,
            due,
            events: kinds.into_iter().flatten().map(event).collect(),
            at: now,
            duration_ms: attempt.duration_ms.unwrap_or_default(),
            token,
        };
        let stored = self.storage.succeed(succeeded).await.map_err(|it| host_fault(&it))?;
        if stored == Begun::Lost {
            return Err(fenced());
        }
        self.breakers.learn(running.connection.provider(), None, now);
        let (id, ms) = (&running.connection, attempt.duration_ms.unwrap_or_default());
        info!(connection.id = %id, attempt.id = %running.id, trigger = %attempt.trigger, generation = attempt.generation, duration_ms = ms, "refreshed {id}");
        Ok(attempt)
    }

    /// Stores a failure and what follows from it.
    pub(super) async fn conclude(
        &self,
        running: &Running,
        failure: Failure,
    ) -> Result<Attempt, Failure> {
        let connection = &running.loaded.connection;
        let now = self.clock.now();
        let provider = running.connection.provider();
        self.breakers.learn(provider, Some(failure.case), now);
        let declared = declared_schedule(&running.plugin);
        let timing = Timing::new(running.plugin.provider(), declared.as_ref(), &running.connection);
        let verdict = judge(
            failure,
            &judge::Facts {
                rotation: running.plugin.rotation(),
                // What cannot be opened now is not doubted away: a failure is stored all the same.
                unattended: self.logs_in(&running.plugin, &running.loaded).unwrap_or(false),
                failures: connection.failures,
                in_doubt: running.doubt_since().is_some(),
                since: running.doubt_since().unwrap_or(running.started),
                expires_at: connection.token.as_ref().and_then(|it| it.expires_at),
                timing,
                now,
            },
        );
        let config = match verdict.problem {
            Some(_) => {
                let own = self.own(&running.loaded)?;
                Some(running.plugin.config_digest(&running.connection, own, &self.vault).await)
            }
            None => None,
        };
        let attempt = running.failed(&verdict.failure, now);
        let code = verdict.failure.code.clone();
        let (id, message) = (&running.connection, &verdict.failure.message);
        warn!(connection.id = %id, attempt.id = %running.id, trigger = %attempt.trigger, error.code = %code, "refreshing {id} failed: {message}");
        let failed = Failed {
            attempt: running.id,
            connection: running.connection.clone(),
            generation: connection.generation,
            problem: verdict.problem,
            config,
            doubt_since: verdict.in_doubt.then_some(running.started),
            keep_captures: verdict.keep_captures,
            due: verdict.due,
            events: vec![running.event(verdict.event, connection.generation, Some(code), now)],
            at: now,
            duration_ms: attempt.duration_ms.unwrap_or_default(),
            failure: verdict.failure,
        };
        match self.storage.fail(failed).await.map_err(|it| host_fault(&it))? {
            Begun::Yes => Ok(attempt),
            Begun::Lost => Err(fenced()),
        }
    }
}

/// Somebody else has ended this attempt.
pub(super) fn fenced() -> Failure {
    let message = "another process took this attempt over; its outcome counts";
    Failure::new(Case::HostFault, code::Refresh::Fenced, message)
}

fn due_after_success(running: &Running, token: &TokenSet, now: Timestamp) -> Option<Due> {
    let declared = declared_schedule(&running.plugin);
    let timing = Timing::new(running.plugin.provider(), declared.as_ref(), &running.connection);
    timing.after_success(token.expires_at, now)
}
