//! What writes do to each other: who is late changes nothing, and what was written stands.

use futures_util::poll;

use super::{Fresh, at, begin, capture, failed, id, on_every_engine, succeeded};
use crate::model::connection::Problem;
use crate::model::id::AttemptId;
use crate::storage::{Begin, Begun, Failed};

on_every_engine! {
    a_write_stands_when_its_caller_goes_away
    an_attempt_that_was_taken_over_changes_nothing_any_more
    a_failure_says_nothing_about_another_generation
    a_failure_removes_no_credential_and_counts_its_doubt_from_the_first_request
}

async fn a_write_stands_when_its_caller_goes_away(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let mut write = Box::pin(storage.capture(capture(0)));
    assert!(poll!(&mut write).is_pending());
    drop(write);
    // One more write, so that the one before it is done.
    assert_eq!(storage.begin(begin(0, None)).await.unwrap(), Begun::Yes);
    assert_eq!(storage.load(&id(0)).await.unwrap().unwrap().captures.len(), 1);
}

async fn an_attempt_that_was_taken_over_changes_nothing_any_more(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let (slow, quick) = (begin(0, None), AttemptId::generate());
    let taken = Begin { attempt: quick, ..begin(0, Some(slow.attempt)) };
    assert_eq!(storage.begin(slow.clone()).await.unwrap(), Begun::Yes);
    assert_eq!(storage.begin(taken).await.unwrap(), Begun::Yes);
    assert_eq!(storage.succeed(succeeded(slow.attempt, 0)).await.unwrap(), Begun::Lost);
    assert_eq!(storage.fail(failed(slow.attempt, 0)).await.unwrap(), Begun::Lost);
    assert_eq!(storage.load(&id(0)).await.unwrap().unwrap().connection.problem, None);
    assert_eq!(storage.succeed(succeeded(quick, 0)).await.unwrap(), Begun::Yes);
    assert_eq!(storage.load(&id(0)).await.unwrap().unwrap().connection.generation, 1);
}

async fn a_failure_says_nothing_about_another_generation(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let first = begin(0, None);
    storage.begin(first.clone()).await.unwrap();
    storage.succeed(succeeded(first.attempt, 0)).await.unwrap();
    let second = Begin { generation: 1, ..begin(0, None) };
    storage.begin(second.clone()).await.unwrap();
    storage.fail(failed(second.attempt, 0)).await.unwrap();
    let loaded = storage.load(&id(0)).await.unwrap().unwrap();
    assert_eq!((loaded.connection.problem, loaded.connection.failures), (None, 0));
    assert!(loaded.sealed.is_some());
}

async fn a_failure_removes_no_credential_and_counts_its_doubt_from_the_first_request(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let first = begin(0, None);
    storage.begin(first.clone()).await.unwrap();
    storage.succeed(succeeded(first.attempt, 0)).await.unwrap();
    for second in [5, 9] {
        let next = Begin { generation: 1, ..begin(0, None) };
        storage.begin(next.clone()).await.unwrap();
        let doubt = Failed { doubt_since: Some(at(second)), ..failed(next.attempt, 1) };
        storage.fail(doubt).await.unwrap();
    }
    let loaded = storage.load(&id(0)).await.unwrap().unwrap();
    assert!(loaded.sealed.is_some());
    assert_eq!(loaded.connection.doubt_since, Some(at(5)));
    assert_eq!(loaded.connection.problem, Some(Problem::Reconnect));
}
