//! How attempts end, and what is written of it: in the log, and of the connection. Who has no claim writes
//! nothing.

use super::steps::{
    abandoned, answer, answers, broken, due, expiry, failure, look, opened, refreshed, skipped,
    success, token,
};
use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::attempt::{Course, Outcome, Trigger};
use crate::model::code::Code;
use crate::model::connection::Problem;
use crate::model::failure::{Case, Failure};
use crate::model::id::AttemptId;
use crate::storage::{Begin, Begun, Failed, Succeeded};
use crate::vault::Sealed;

on_every_engine! {
    a_success_is_the_next_generation_and_ends_the_attempt
    a_token_that_came_dead_is_stored_and_its_attempt_has_failed
    a_success_clears_what_failures_have_said
    a_failure_counts_and_says_what_follows_from_it
    a_failure_whose_outcome_is_known_ends_the_doubt
    a_failure_about_another_generation_leaves_its_answers_alone
    an_attempt_that_came_to_nothing_leaves_the_connection_as_it_was
    who_has_no_claim_ends_nothing
    an_outcome_under_the_id_of_another_connection_is_lost
    what_sent_nothing_is_in_the_log_and_changes_nothing
}

async fn a_success_is_the_next_generation_and_ends_the_attempt(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let of = opened(&fresh.storage, 0).await;
    let reason = Some("recovered".to_owned());
    let (sealed, due) = (Sealed::from_bytes(vec![5, 6]), expiry(80));
    let done = Succeeded { reason: reason.clone(), sealed, due, ..success(&of) };
    assert_eq!(fresh.storage.succeed(done).await.unwrap(), Begun::Yes);
    let storage = fresh.again().await;
    let loaded = look(&storage, 0).await;
    assert!(loaded.open.is_none() && loaded.given);
    assert_eq!((loaded.connection.generation, loaded.connection.due), (1, expiry(80)));
    assert_eq!(loaded.sealed.unwrap().as_bytes(), [5, 6]);
    let attempt = storage.attempt(of.attempt).await.unwrap().unwrap();
    assert_eq!(attempt.course, Course::Success(reason));
    assert_eq!((attempt.generation, attempt.duration_ms), (1, Some(1)), "current when it ended");
    assert_eq!((attempt.started_at, attempt.trigger), (at(1), Trigger::Expiry));
}

async fn a_token_that_came_dead_is_stored_and_its_attempt_has_failed(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let why = Failure::new(Case::Unexpected, Code::read("x.dead"), "it came dead");
    for failures in [1, 2] {
        let of = opened(&storage, 0).await;
        let done = Succeeded { dead: Some(why.clone()), ..success(&of) };
        assert_eq!(storage.succeed(done).await.unwrap(), Begun::Yes);
        let loaded = look(&storage, 0).await;
        assert_eq!(loaded.connection.generation, u64::from(failures));
        assert_eq!((loaded.connection.failures, loaded.connection.problem), (failures, None));
        assert_eq!(loaded.connection.error.as_ref(), Some(&why));
        assert!(loaded.sealed.is_some());
        let attempt = storage.attempt(of.attempt).await.unwrap().unwrap();
        assert_eq!(attempt.course, Course::Failed(why.clone()));
    }
}

async fn a_success_clears_what_failures_have_said(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let config = Some(vec![3]);
    broken(&storage, 0, Failed { doubt_since: Some(at(1)), config, ..failed(at_hand(), 0) }).await;
    assert_eq!(storage.problem_config(&id(0)).await.unwrap(), Some(vec![3]));
    refreshed(&storage, 0, None).await;
    let connection = look(&storage, 0).await.connection;
    assert_eq!((connection.failures, connection.problem), (0, None));
    assert_eq!((connection.error, connection.doubt_since), (None, None));
    assert_eq!(storage.problem_config(&id(0)).await.unwrap(), None);
}

/// An id that is replaced by that of a try.
fn at_hand() -> AttemptId {
    begin(0, None).attempt
}

async fn a_failure_counts_and_says_what_follows_from_it(fresh: Fresh) {
    let fresh = fresh.with(2).await;
    let storage = &fresh.storage;
    for failures in [1, 2, 3] {
        let due = expiry(100 + i64::from(failures));
        let of = broken(storage, 0, Failed { due, ..failed(at_hand(), 0) }).await;
        let loaded = look(&fresh.again().await, 0).await;
        assert!(loaded.open.is_none());
        let connection = loaded.connection;
        assert_eq!((connection.failures, connection.due), (failures, due));
        assert_eq!(connection.problem, Some(Problem::Reconnect));
        assert_eq!(connection.error.unwrap(), failure(&of).failure);
        let attempt = storage.attempt(of.attempt).await.unwrap().unwrap();
        assert_eq!(attempt.course, Course::Failed(failure(&of).failure));
        assert_eq!((attempt.generation, attempt.duration_ms), (0, Some(1)));
    }
    broken(storage, 0, Failed { problem: None, ..failed(at_hand(), 0) }).await;
    let connection = look(storage, 0).await.connection;
    assert_eq!((connection.problem, connection.due), (None, None), "the last one counts");
    assert_eq!(look(storage, 1).await.connection.failures, 0, "others are left alone");
}

async fn a_failure_whose_outcome_is_known_ends_the_doubt(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let doubt = Failed { doubt_since: Some(at(5)), ..failed(at_hand(), 0) };
    broken(&storage, 0, doubt).await;
    assert_eq!(look(&storage, 0).await.doubt_since(), Some(at(5)));
    broken(&storage, 0, failed(at_hand(), 0)).await;
    assert_eq!(look(&storage, 0).await.doubt_since(), None);
}

async fn a_failure_about_another_generation_leaves_its_answers_alone(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    refreshed(&storage, 0, None).await;
    let of = opened(&storage, 0).await;
    storage.capture(answer(&of, 0, 1)).await.unwrap();
    let about_another = Failed { generation: 0, ..failure(&of) };
    assert_eq!(storage.fail(about_another).await.unwrap(), Begun::Yes);
    let loaded = look(&storage, 0).await;
    assert_eq!((loaded.connection.failures, answers(&loaded)), (0, vec![(0, 1, 1)]));
    let attempt = storage.attempt(of.attempt).await.unwrap().unwrap();
    assert_eq!(attempt.outcome(), Some(Outcome::Failed));
}

async fn an_attempt_that_came_to_nothing_leaves_the_connection_as_it_was(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    refreshed(&storage, 0, Some(900)).await;
    broken(&storage, 0, Failed { due: expiry(70), ..failed(at_hand(), 0) }).await;
    let before = look(&storage, 0).await;
    let of = opened(&storage, 0).await;
    storage.capture(answer(&of, 0, 1)).await.unwrap();
    let given_up = || abandoned(&of);
    assert_eq!(storage.abandon(given_up()).await.unwrap(), Begun::Yes);
    let after = look(&storage, 0).await;
    assert_eq!(after.connection, before.connection);
    assert!(after.open.is_none() && after.given);
    assert_eq!(answers(&after), [(0, 1, 1)]);
    let attempt = storage.attempt(of.attempt).await.unwrap().unwrap();
    assert_eq!(attempt.course, Course::Failed(given_up().failure));
    assert_eq!(attempt.duration_ms, Some(7));
    assert_eq!(storage.abandon(given_up()).await.unwrap(), Begun::Lost, "it has ended");
}

async fn who_has_no_claim_ends_nothing(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let stranger = Begin { attempt: at_hand(), ..begin(0, None) };
    let done = opened(&storage, 0).await;
    let check = async |of: &Begin| {
        let before = look(&storage, 0).await;
        assert_eq!(storage.succeed(success(of)).await.unwrap(), Begun::Lost);
        assert_eq!(storage.fail(failure(of)).await.unwrap(), Begun::Lost);
        assert_eq!(storage.abandon(abandoned(of)).await.unwrap(), Begun::Lost);
        let after = look(&storage, 0).await;
        assert_eq!(after.connection, before.connection);
        assert_eq!(after.open.map(|it| it.id), before.open.map(|it| it.id));
        assert!(after.sealed.is_none());
    };
    check(&stranger).await;
    assert_eq!(storage.fail(failure(&done)).await.unwrap(), Begun::Yes);
    for nobody_s in [&stranger, &done] {
        check(nobody_s).await;
    }
    assert_eq!(storage.attempt(stranger.attempt).await.unwrap(), None);
}

async fn an_outcome_under_the_id_of_another_connection_is_lost(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    let (of, other) = (opened(&storage, 0).await, opened(&storage, 1).await);
    let astray = Begin { attempt: of.attempt, ..other.clone() };
    assert_eq!(storage.succeed(success(&astray)).await.unwrap(), Begun::Lost);
    assert_eq!(storage.fail(failure(&astray)).await.unwrap(), Begun::Lost);
    assert_eq!(storage.abandon(abandoned(&astray)).await.unwrap(), Begun::Lost);
    for (number, attempt) in [(0, of.attempt), (1, other.attempt)] {
        assert_eq!(look(&storage, number).await.open.unwrap().id, attempt);
    }
}

async fn what_sent_nothing_is_in_the_log_and_changes_nothing(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    refreshed(&storage, 0, Some(900)).await;
    let open = opened(&storage, 0).await;
    let before = look(&storage, 0).await.connection;
    let skipped = skipped(0);
    storage.skip(skipped.clone()).await.unwrap();
    let after = look(&storage, 0).await;
    assert_eq!((after.connection, after.open.unwrap().id), (before, open.attempt));
    let attempt = storage.attempt(skipped.attempt).await.unwrap().unwrap();
    assert_eq!(attempt.course, Course::Skipped("it is fresh".to_owned()));
    assert_eq!((attempt.trigger, attempt.started_at), (Trigger::Manual, at(3)));
    let due = due(200, Trigger::Scheduled);
    let token = token("another", None);
    let done = Succeeded { due: Some(due), token, ..success(&open) };
    assert_eq!(storage.succeed(done).await.unwrap(), Begun::Yes);
    assert_eq!(look(&storage, 0).await.connection.due, Some(due));
}
