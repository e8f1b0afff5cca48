//! The claim on a connection: who begins has it, nobody else, and it lasts until it ends or is taken
//! over.

use super::steps::{abandoned, answer, answers, by_hand, failure, look, opened, request, success};
use super::{Fresh, at, begin, id, on_every_engine};
use crate::model::attempt::{Outcome, Trigger};
use crate::model::code;
use crate::model::failure::Case;
use crate::model::id::AttemptId;
use crate::model::rotation::Rotation;
use crate::storage::{Begin, Begun, Captured, Loaded, Renewal};

on_every_engine! {
    what_was_begun_is_open_as_it_was_begun
    a_second_attempt_is_lost_and_writes_nothing
    an_attempt_from_another_generation_is_lost
    an_attempt_of_a_connection_that_is_not_there_is_lost
    a_takeover_closes_the_interrupted_attempt_in_the_same_step
    a_takeover_that_is_lost_closes_nothing
    a_takeover_of_somebody_who_has_no_claim_closes_nobody
    doubt_begins_with_the_first_request_and_stays_over_the_next_attempt
    a_renewal_only_lengthens_a_lease
    a_renewal_of_a_claim_that_is_gone_is_lost
    of_many_who_begin_at_once_one_has_the_claim
}

async fn what_was_begun_is_open_as_it_was_begun(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let begin = Begin { rotation: Rotation::Grace(30), ..begin(0, None) };
    fresh.storage.begin(begin.clone()).await.unwrap();
    for storage in [fresh.storage.clone(), fresh.again().await] {
        let loaded = look(&storage, 0).await;
        let open = loaded.open.unwrap();
        assert_eq!((open.id, open.owner.as_str()), (begin.attempt, "a test"));
        assert_eq!((open.started_at, open.lease_until), (at(1), at(60)));
        assert_eq!(open.rotation, Rotation::Grace(30));
        assert_eq!(loaded.connection.due, None, "its own time is as it was");
        assert_eq!(storage.next_due(at(1)).await.unwrap(), Some(at(60)), "when its lease ends");
    }
}

async fn a_second_attempt_is_lost_and_writes_nothing(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let first = opened(&storage, 0).await;
    storage.capture(answer(&first, 0, 1)).await.unwrap();
    let captured = Captured::AreGivenUp;
    let second = Begin { captured, doubt_since: Some(at(5)), ..begin(0, None) };
    assert_eq!(storage.begin(second.clone()).await.unwrap(), Begun::Lost);
    let loaded = look(&storage, 0).await;
    assert_eq!(loaded.open.as_ref().unwrap().id, first.attempt);
    assert_eq!(answers(&loaded), [(0, 1, 1)]);
    assert_eq!(loaded.connection.doubt_since, None);
    assert_eq!(storage.attempt(second.attempt).await.unwrap(), None);
}

async fn an_attempt_from_another_generation_is_lost(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    assert!(storage.set_manually(by_hand(0, 0)).await.unwrap());
    for generation in [0, 2] {
        let begin = Begin { generation, ..begin(0, None) };
        assert_eq!(storage.begin(begin).await.unwrap(), Begun::Lost, "{generation}");
    }
    assert!(look(&storage, 0).await.open.is_none());
    opened(&storage, 0).await;
}

async fn an_attempt_of_a_connection_that_is_not_there_is_lost(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    assert_eq!(storage.begin(begin(7, None)).await.unwrap(), Begun::Lost);
    assert!(storage.load(&id(7)).await.unwrap().is_none());
}

async fn a_takeover_closes_the_interrupted_attempt_in_the_same_step(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let dead = opened(&storage, 0).await;
    let next = Begin { owner: "the next".to_owned(), ..begin(0, Some(dead.attempt)) };
    assert_eq!(storage.begin(next.clone()).await.unwrap(), Begun::Yes);
    let open = look(&storage, 0).await.open.unwrap();
    assert_eq!((open.id, open.owner.as_str()), (next.attempt, "the next"));
    let closed = storage.attempt(dead.attempt).await.unwrap().unwrap();
    let error = closed.error().unwrap();
    assert_eq!((error.case, &error.code), (Case::InDoubt, &code::Refresh::Interrupted.into()));
    assert_eq!((closed.duration_ms, closed.generation), (None, 0));
    assert_eq!(storage.succeed(success(&dead)).await.unwrap(), Begun::Lost);
    assert_eq!(storage.fail(failure(&dead)).await.unwrap(), Begun::Lost);
    assert_eq!(storage.abandon(abandoned(&dead)).await.unwrap(), Begun::Lost);
    assert_eq!(look(&storage, 0).await.open.unwrap().id, next.attempt);
}

async fn a_takeover_that_is_lost_closes_nothing(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let open = opened(&storage, 0).await;
    let stale = Begin { generation: 3, ..begin(0, Some(open.attempt)) };
    assert_eq!(storage.begin(stale).await.unwrap(), Begun::Lost);
    assert_eq!(look(&storage, 0).await.open.unwrap().id, open.attempt);
    assert_eq!(storage.attempt(open.attempt).await.unwrap().unwrap().outcome(), None);
    assert_eq!(storage.succeed(success(&open)).await.unwrap(), Begun::Yes);
}

async fn a_takeover_of_somebody_who_has_no_claim_closes_nobody(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    let (mine, other) = (opened(&storage, 0).await, opened(&storage, 1).await);
    for wrong in [AttemptId::generate(), other.attempt] {
        assert_eq!(storage.begin(begin(0, Some(wrong))).await.unwrap(), Begun::Lost);
    }
    assert_eq!(look(&storage, 0).await.open.unwrap().id, mine.attempt);
    assert_eq!(look(&storage, 1).await.open.unwrap().id, other.attempt);
    storage.fail(failure(&mine)).await.unwrap();
    let adopts = begin(0, Some(mine.attempt));
    assert_eq!(storage.begin(adopts).await.unwrap(), Begun::Yes, "it has ended by itself");
    let closed = storage.attempt(mine.attempt).await.unwrap().unwrap();
    assert_eq!(closed.outcome(), Some(Outcome::Failed));
    assert_eq!(closed.error().unwrap().message, "why", "and stays as it was");
}

async fn doubt_begins_with_the_first_request_and_stays_over_the_next_attempt(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let first = Begin { doubt_since: Some(at(5)), ..begin(0, None) };
    let second = Begin { doubt_since: Some(at(9)), ..begin(0, Some(first.attempt)) };
    let third = begin(0, Some(second.attempt));
    for begin in [first, second, third] {
        assert_eq!(storage.begin(begin).await.unwrap(), Begun::Yes);
        assert_eq!(look(&storage, 0).await.connection.doubt_since, Some(at(5)));
    }
    let open = look(&storage, 0).await;
    storage.depart(request(&opened_of(&open), 1)).await.unwrap();
    assert_eq!(look(&storage, 0).await.doubt_since(), Some(at(1)), "with the open one's own");
}

/// The open attempt of a connection, as it began.
fn opened_of(loaded: &Loaded) -> Begin {
    Begin { attempt: loaded.open.as_ref().unwrap().id, ..begin(0, None) }
}

async fn a_renewal_only_lengthens_a_lease(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let attempt = opened(&storage, 0).await.attempt;
    for (lease, until) in [(90, 90), (70, 90), (120, 120)] {
        let renewal = Renewal { attempt, connection: id(0), lease_until: at(lease) };
        assert_eq!(storage.renew(renewal).await.unwrap(), Begun::Yes);
        assert_eq!(look(&storage, 0).await.open.unwrap().lease_until, at(until));
        assert_eq!(storage.next_due(at(1)).await.unwrap(), Some(at(until)));
    }
}

async fn a_renewal_of_a_claim_that_is_gone_is_lost(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    let first = opened(&storage, 0).await;
    let renewal = Renewal { attempt: first.attempt, connection: id(0), lease_until: at(500) };
    let astray = Renewal { connection: id(1), ..renewal.clone() };
    assert_eq!(storage.renew(astray).await.unwrap(), Begun::Lost);
    storage.begin(begin(0, Some(first.attempt))).await.unwrap();
    assert_eq!(storage.renew(renewal.clone()).await.unwrap(), Begun::Lost);
    let open = look(&storage, 0).await.open.unwrap();
    assert_eq!(open.lease_until, at(60), "that of its successor stays");
    storage.fail(failure(&Begin { attempt: open.id, ..begin(0, None) })).await.unwrap();
    let own = Renewal { attempt: open.id, ..renewal };
    assert_eq!(storage.renew(own).await.unwrap(), Begun::Lost);
}

async fn of_many_who_begin_at_once_one_has_the_claim(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let all = (0..20).map(|_| storage.begin(begin(0, None)));
    let all = futures_util::future::join_all(all).await;
    let won = all.into_iter().filter(|it| *it.as_ref().unwrap() == Begun::Yes);
    assert_eq!(won.count(), 1);
}
