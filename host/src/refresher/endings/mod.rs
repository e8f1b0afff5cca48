//! How an attempt ends in the database: the next generation, or the failure and what follows from it. A
//! token that came dead is both: it is stored, because what came with it may be all that is left of the
//! grant, and it is a failure (decision 0023).

/// What a success is, and when it is none.
mod success;

/// What a failure leads to.
mod failure;

use tracing::{Instrument as _, info, warn};

use crate::model::attempt::{Attempt, Course};
use crate::model::clock::Clock;
use crate::model::connection::Agreed;
use crate::model::failure::Failure;
use crate::model::token::TokenSet;
use crate::refresher::consents::{Brought, Whose};
use crate::refresher::fault::{busy, host_fault, written};
use crate::refresher::flights::AttemptResult;
use crate::refresher::running::Running;
use crate::refresher::secrets;
use crate::storage::{Abandoned, Begun, Storage, Succeeded};
use crate::telemetry::spans;
use crate::vault::Vault;

/// Ends attempts that have begun. A clone is cheap.
#[derive(Clone)]
pub(super) struct Endings {
    storage: Storage,
    vault: Vault,
    clock: Clock,
}

impl Endings {
    pub(super) fn new(storage: &Storage, vault: &Vault, clock: &Clock) -> Self {
        Self { storage: storage.clone(), vault: vault.clone(), clock: clock.clone() }
    }

    /// Stores the next generation; the token is served only after this.
    pub(super) async fn commit(
        &self,
        running: &Running,
        token: TokenSet,
        reason: Option<String>,
    ) -> AttemptResult {
        self.store(running, token, reason, None).await
    }

    /// The same for a token that a person has agreed to.
    pub(super) async fn commit_consent(
        &self,
        running: &Running,
        brought: Brought,
    ) -> AttemptResult {
        let Brought { token, reason, agreed, whose } = brought;
        self.store(running, token, Some(reason), Some((agreed, whose))).await
    }

    async fn store(
        &self,
        running: &Running,
        token: TokenSet,
        reason: Option<String>,
        consent: Option<(Agreed, Whose)>,
    ) -> AttemptResult {
        let (id, now) = (&running.connection, self.clock.now());
        let generation = running.loaded.connection.generation;
        let dead = success::dead_on_arrival(id, token.ends(), now);
        let reason = reason.filter(|_| dead.is_none());
        let (agreed, whose) = consent.unzip();
        let course = dead.clone().map_or(Course::Success(reason.clone()), Course::Failed);
        let attempt = Attempt { generation: generation + 1, ..running.report(course, now) };
        let succeeded = Succeeded {
            attempt: running.id,
            connection: id.clone(),
            generation,
            reason,
            sealed: secrets::seal_token(&self.vault, id, generation + 1, &token)?,
            config: running.config(&self.vault).await,
            due: success::due(running, &token, agreed.as_ref(), dead.is_some(), now),
            may_be_another: whose.is_some_and(|it| it != Whose::TheSame),
            agreed,
            events: success::events(running, dead.as_ref(), now),
            dead,
            at: now,
            duration_ms: attempt.duration_ms.unwrap_or_default(),
            spent: attempt.spent,
            exchanges: running.heard.exchanges(),
            token,
        };
        written(self.storage.succeed(succeeded).instrument(spans::commit()).await)?;
        tell_generation(&attempt);
        Ok(attempt)
    }

    /// Stores a failure and what follows from it.
    pub(super) async fn conclude(&self, running: &Running, failure: Failure) -> AttemptResult {
        let now = self.clock.now();
        // What cannot be opened now is not doubted away: a failure is stored all the same.
        let unattended = secrets::logs_in(&self.vault, &running.plugin, &running.loaded);
        let verdict = failure::verdict(running, failure, unattended.unwrap_or(false), now);
        let config = match verdict.problem {
            Some(_) => {
                Some(running.plugin.config_digest(running.connection.name(), &self.vault).await)
            }
            None => None,
        };
        let attempt = running.failed(&verdict.failure, now);
        let (id, Failure { code, message, .. }) = (&running.connection, &verdict.failure);
        warn!(connection.id = %id.full(), attempt.id = %running.id, trigger = %attempt.trigger, error.code = %code, "refreshing {id} failed: {message}");
        let failed = failure::failed(running, verdict, config, &attempt, now);
        written(self.storage.fail(failed).instrument(spans::commit()).await)?;
        Ok(attempt)
    }

    /// Ends an attempt that came to nothing; the connection stays as it was.
    pub(super) async fn abandon(&self, running: &Running, failure: Failure) -> AttemptResult {
        let at = self.clock.now();
        let attempt = running.failed(&failure, at);
        let abandoned = Abandoned {
            attempt: running.id,
            connection: running.connection.clone(),
            failure,
            at,
            duration_ms: attempt.duration_ms.unwrap_or_default(),
            spent: attempt.spent,
            exchanges: running.heard.exchanges(),
        };
        let abandoned = self.storage.abandon(abandoned).instrument(spans::commit());
        match abandoned.await.map_err(|it| host_fault(&it))? {
            Begun::Yes => Ok(attempt),
            Begun::Lost => Err(busy(&running.connection)),
        }
    }
}

fn tell_generation(attempt: &Attempt) {
    let (id, ms) = (&attempt.connection, attempt.duration_ms.unwrap_or_default());
    match attempt.error() {
        None => {
            info!(connection.id = %id.full(), attempt.id = %attempt.id, trigger = %attempt.trigger, generation = attempt.generation, duration_ms = ms, "refreshed {id}");
        }
        Some(dead) => {
            warn!(connection.id = %id.full(), attempt.id = %attempt.id, trigger = %attempt.trigger, generation = attempt.generation, error.code = %dead.code, "refreshing {id} returned an expired token: {}", dead.message);
        }
    }
}
