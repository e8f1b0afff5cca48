//! What a failure of an attempt leads to, by the rules of `judge`, and how that is stored. Pure.

use jiff::Timestamp;

use crate::model::attempt::Attempt;
use crate::model::failure::Failure;
use crate::refresher::judge::{Facts, Verdict, judge};
use crate::refresher::plan::Timing;
use crate::refresher::running::Running;
use crate::storage::Failed;

/// What follows from `failure`; `unattended` says whether nobody need be present to log in.
pub(super) fn verdict(
    running: &Running,
    failure: Failure,
    unattended: bool,
    now: Timestamp,
) -> Verdict {
    let connection = &running.loaded.connection;
    let doubt = running.loaded.doubt_since();
    let facts = Facts {
        rotation: running.plugin.rotation(),
        unattended,
        failures: connection.failures,
        in_doubt: doubt.is_some(),
        since: doubt.unwrap_or(running.started),
        // What must be done before the refresh token ends is done before that.
        expires_at: connection.token.as_ref().and_then(|it| it.ends().last_chance(now)),
        told: running.heard.wait(),
        timing: Timing::of(&running.plugin, &running.connection),
        now,
    };
    judge(failure, &facts)
}

/// That verdict on `attempt`, to be stored; `config` is what a person has to change when there is a problem.
pub(super) fn failed(
    running: &Running,
    verdict: Verdict,
    config: Option<Vec<u8>>,
    attempt: &Attempt,
    now: Timestamp,
) -> Failed {
    let generation = running.loaded.connection.generation;
    let code = verdict.failure.code.clone();
    Failed {
        attempt: running.id,
        connection: running.connection.clone(),
        generation,
        problem: verdict.problem,
        config,
        doubt_since: verdict.in_doubt.then_some(running.started),
        keep_captures: verdict.keep_captures,
        due: verdict.due,
        events: vec![running.event(verdict.event, generation, Some(code), now)],
        at: now,
        duration_ms: attempt.duration_ms.unwrap_or_default(),
        spent: attempt.spent,
        exchanges: running.heard.exchanges(),
        failure: verdict.failure,
    }
}
