//! How an attempt ends in the database: the next generation, or the failure and what follows from it. A
//! token that came dead is both: it is stored, because what came with it may be all that is left of the
//! grant, and it is a failure (decision 0023).

use jiff::Timestamp;
use tracing::{info, warn};

use crate::model::attempt::{Attempt, Course};
use crate::model::code;
use crate::model::connection::Due;
use crate::model::ends::Ends;
use crate::model::event::{Event, EventKind};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::state::span;
use crate::model::token::TokenSet;
use crate::refresher::judge::{self, judge};
use crate::refresher::plan::Timing;
use crate::refresher::running::{Running, declared_schedule, token_place, token_row};
use crate::refresher::{Refresher, host_fault, vault_fault};
use crate::sandbox::CallInput;
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
        let dead = dead_on_arrival(&running.connection, token.ends(), now);
        let reason = reason.filter(|_| dead.is_none());
        let course = dead.clone().map_or(Course::Success(reason.clone()), Course::Failed);
        let mut attempt = running.report(course, now);
        attempt.generation = generation + 1;
        let succeeded = Succeeded {
            attempt: running.id,
            connection: running.connection.clone(),
            generation,
            reason,
            sealed: sealed.map_err(|it| vault_fault(&it))?,
            config: self.config_of(running).await,
            due: due_after(running, &token, dead.is_some(), now),
            events: events(running, dead.as_ref(), now),
            dead,
            at: now,
            duration_ms: attempt.duration_ms.unwrap_or_default(),
            token,
        };
        let stored = self.storage.succeed(succeeded).await.map_err(|it| host_fault(&it))?;
        if stored == Begun::Lost {
            return Err(fenced());
        }
        let (id, ms) = (&running.connection, attempt.duration_ms.unwrap_or_default());
        match attempt.error() {
            None => {
                info!(connection.id = %id, attempt.id = %running.id, trigger = %attempt.trigger, generation = attempt.generation, duration_ms = ms, "refreshed {id}");
            }
            Some(dead) => {
                warn!(connection.id = %id, attempt.id = %running.id, trigger = %attempt.trigger, generation = attempt.generation, error.code = %dead.code, "refreshing {id} brought a dead token: {}", dead.message);
            }
        }
        Ok(attempt)
    }

    /// Keeps in mind what the call works with, for the generation that may come of it.
    pub(super) fn note_config(&self, running: &Running, input: &CallInput, brings_secrets: bool) {
        let secrets = (!brings_secrets).then_some(input.secrets.as_slice());
        let name = running.connection.name();
        let config = running.plugin.config_of(name, &input.settings, secrets, &self.vault);
        // A second call of one attempt works with the same.
        let _ = running.config.set(config);
    }

    /// What the token of this attempt came of. A code from another machine was traded before it began.
    async fn config_of(&self, running: &Running) -> Option<Vec<u8>> {
        if let Some(config) = running.config.get() {
            return Some(config.clone().into_bytes());
        }
        let own = &running.loaded.connection.settings;
        let name = running.connection.name();
        let config = running.plugin.config_now(name, own, false, &self.vault).await;
        Some(config.into_bytes()).filter(|_| running.loaded.credentials.is_none())
    }

    /// Stores a failure and what follows from it.
    pub(super) async fn conclude(
        &self,
        running: &Running,
        failure: Failure,
    ) -> Result<Attempt, Failure> {
        let connection = &running.loaded.connection;
        let now = self.clock.now();
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
                // What must be done before the refresh token ends is done before that.
                expires_at: connection.token.as_ref().and_then(|it| it.ends().last_chance(now)),
                told: running.heard.wait(),
                timing,
                now,
            },
        );
        let config = match verdict.problem {
            Some(_) => {
                Some(running.plugin.config_digest(running.connection.name(), &self.vault).await)
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

fn due_after(running: &Running, token: &TokenSet, dead: bool, now: Timestamp) -> Option<Due> {
    let declared = declared_schedule(&running.plugin);
    let timing = Timing::new(running.plugin.provider(), declared.as_ref(), &running.connection);
    if dead {
        return Some(timing.after_dead_token(running.loaded.connection.failures + 1, now));
    }
    timing.after_success(token.ends(), now)
}

fn events(running: &Running, dead: Option<&Failure>, now: Timestamp) -> Vec<Event> {
    let connection = &running.loaded.connection;
    let event = |kind, code| running.event(kind, connection.generation + 1, code, now);
    if let Some(dead) = dead {
        return vec![event(EventKind::Failed, Some(dead.code.clone()))];
    }
    let recovered = (connection.failures > 0).then(|| event(EventKind::Recovered, None));
    [event(EventKind::Refreshed, None)].into_iter().chain(recovered).collect()
}

/// Why a token that has just come is of no use, if it is of none.
fn dead_on_arrival(id: &ConnectionId, ends: Ends, now: Timestamp) -> Option<Failure> {
    let end = ends.access.filter(|_| ends.dead_on_arrival(now))?;
    let how = if end > now {
        format!("ends {} after it came", span(now, end))
    } else {
        format!("had ended {} before it came", span(end, now))
    };
    let message = format!(
        "the new token of {id} {how}: a clock is wrong, here or at the provider, or its plugin takes a duration for a time; it is stored, and nobody can use it"
    );
    Some(Failure::new(Case::Unexpected, code::Token::DeadOnArrival, message))
}
