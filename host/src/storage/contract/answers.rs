//! Requests that leave and answers that are kept before anybody reads them: none is overwritten by
//! another, none outlives its generation, and each is counted when it is read.

use super::steps::{answer, answers, by_hand, failure, look, opened, request, success};
use super::{Fresh, at, begin, id, on_every_engine};
use crate::storage::{Begin, Begun, Captured, Failed};

on_every_engine! {
    a_request_without_an_answer_is_in_doubt_until_the_answer_is_there
    doubt_begins_with_the_first_of_several_requests
    a_request_that_is_noted_late_does_not_take_its_answer_away
    answers_come_back_in_order_with_all_that_was_said_of_them
    a_late_answer_is_kept_beside_those_of_the_successor
    an_answer_of_another_generation_is_not_kept
    an_answer_for_nobody_is_not_kept_and_nobody_is_hurt
    an_answer_is_counted_each_time_it_is_read
    an_answer_that_is_kept_twice_keeps_its_count
    a_request_that_waited_through_a_reading_is_read_once_when_its_answer_comes
    whoever_begins_anew_gives_up_what_was_captured
    a_new_generation_spends_every_answer
    a_failure_keeps_answers_for_a_replay_or_spends_them
}

async fn a_request_without_an_answer_is_in_doubt_until_the_answer_is_there(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let storage = &fresh.storage;
    let of = opened(storage, 0).await;
    storage.depart(request(&of, 2)).await.unwrap();
    assert_eq!(look(&fresh.again().await, 0).await.unanswered, Some(at(12)));
    storage.capture(answer(&of, 2, 9)).await.unwrap();
    let loaded = look(&fresh.again().await, 0).await;
    assert_eq!((loaded.unanswered, answers(&loaded)), (None, vec![(2, 9, 1)]));
    assert_eq!(loaded.doubt_since(), None);
}

async fn doubt_begins_with_the_first_of_several_requests(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let of = opened(&storage, 0).await;
    for seq in [3, 1, 2] {
        storage.depart(request(&of, seq)).await.unwrap();
    }
    assert_eq!(look(&storage, 0).await.unanswered, Some(at(11)));
    storage.capture(answer(&of, 1, 9)).await.unwrap();
    assert_eq!(look(&storage, 0).await.unanswered, Some(at(12)));
}

async fn a_request_that_is_noted_late_does_not_take_its_answer_away(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let of = opened(&storage, 0).await;
    storage.capture(answer(&of, 0, 9)).await.unwrap();
    storage.depart(request(&of, 0)).await.unwrap();
    let loaded = look(&storage, 0).await;
    assert_eq!((loaded.unanswered, answers(&loaded)), (None, vec![(0, 9, 1)]));
}

async fn answers_come_back_in_order_with_all_that_was_said_of_them(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let storage = &fresh.storage;
    let of = opened(storage, 0).await;
    for seq in [2, 0, 10, 1] {
        storage.capture(answer(&of, seq, 7)).await.unwrap();
    }
    let loaded = look(&fresh.again().await, 0).await;
    let places = loaded.captures.iter().map(|it| it.of.seq).collect::<Vec<_>>();
    assert_eq!(places, [0, 1, 2, 10]);
    let first = &loaded.captures[0].of;
    assert_eq!((&first.connection, first.attempt, first.generation), (&id(0), of.attempt, 0));
    assert_eq!((first.request.as_str(), first.at), ("POST /token", at(10)));
}

async fn a_late_answer_is_kept_beside_those_of_the_successor(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let late = opened(&storage, 0).await;
    let next = begin(0, Some(late.attempt));
    storage.begin(next.clone()).await.unwrap();
    storage.capture(answer(&next, 0, 2)).await.unwrap();
    storage.capture(answer(&late, 0, 1)).await.unwrap();
    let loaded = look(&storage, 0).await;
    assert_eq!(answers(&loaded), [(0, 1, 1), (0, 2, 1)]);
    let whose = loaded.captures.iter().map(|it| it.of.attempt).collect::<Vec<_>>();
    assert_eq!(whose, [late.attempt, next.attempt]);
}

async fn an_answer_of_another_generation_is_not_kept(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let late = opened(&storage, 0).await;
    assert_eq!(storage.succeed(success(&late)).await.unwrap(), Begun::Yes);
    let ahead = Begin { generation: 2, ..begin(0, None) };
    for other in [late, ahead] {
        storage.depart(request(&other, 0)).await.unwrap();
        storage.capture(answer(&other, 1, 1)).await.unwrap();
    }
    let loaded = look(&storage, 0).await;
    assert_eq!((loaded.unanswered, answers(&loaded)), (None, vec![]));
    // Nor is it there when its generation comes.
    assert!(storage.set_manually(by_hand(0, 1)).await.unwrap());
    let loaded = look(&storage, 0).await;
    assert_eq!((loaded.unanswered, answers(&loaded)), (None, vec![]));
}

async fn an_answer_for_nobody_is_not_kept_and_nobody_is_hurt(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    storage.capture(answer(&begin(7, None), 0, 1)).await.unwrap();
    storage.depart(request(&begin(7, None), 0)).await.unwrap();
    assert!(storage.load(&id(7)).await.unwrap().is_none());
    assert!(!storage.holds_sealed().await.unwrap());
}

async fn an_answer_is_counted_each_time_it_is_read(fresh: Fresh) {
    let fresh = fresh.with(2).await;
    let storage = &fresh.storage;
    let (of, other) = (opened(storage, 0).await, opened(storage, 1).await);
    storage.capture(answer(&of, 0, 1)).await.unwrap();
    storage.capture(answer(&other, 0, 1)).await.unwrap();
    let mut adopts = of.attempt;
    for readings in [2, 3] {
        let reads = Begin { captured: Captured::AreRead, ..begin(0, Some(adopts)) };
        assert_eq!(storage.begin(reads.clone()).await.unwrap(), Begun::Yes);
        assert_eq!(answers(&look(&fresh.again().await, 0).await), [(0, 1, readings)]);
        adopts = reads.attempt;
    }
    storage.begin(begin(0, Some(adopts))).await.unwrap();
    assert_eq!(answers(&look(storage, 0).await), [(0, 1, 3)], "one that leaves them does not");
    assert_eq!(answers(&look(storage, 1).await), [(0, 1, 1)], "and others have their own");
}

async fn an_answer_that_is_kept_twice_keeps_its_count(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let of = opened(&storage, 0).await;
    storage.capture(answer(&of, 0, 1)).await.unwrap();
    let reads = Begin { captured: Captured::AreRead, ..begin(0, Some(of.attempt)) };
    storage.begin(reads).await.unwrap();
    storage.capture(answer(&of, 0, 1)).await.unwrap();
    assert_eq!(answers(&look(&storage, 0).await), [(0, 1, 2)]);
}

async fn a_request_that_waited_through_a_reading_is_read_once_when_its_answer_comes(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let of = opened(&storage, 0).await;
    storage.depart(request(&of, 0)).await.unwrap();
    let reads = Begin { captured: Captured::AreRead, ..begin(0, Some(of.attempt)) };
    storage.begin(reads).await.unwrap();
    assert_eq!(look(&storage, 0).await.unanswered, Some(at(10)), "reading does not settle it");
    storage.capture(answer(&of, 0, 1)).await.unwrap();
    assert_eq!(answers(&look(&storage, 0).await), [(0, 1, 1)]);
}

async fn whoever_begins_anew_gives_up_what_was_captured(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    let (of, other) = (opened(&storage, 0).await, opened(&storage, 1).await);
    for it in [&of, &other] {
        storage.capture(answer(it, 0, 1)).await.unwrap();
        storage.depart(request(it, 1)).await.unwrap();
    }
    let anew = Begin { captured: Captured::AreGivenUp, ..begin(0, Some(of.attempt)) };
    storage.begin(anew.clone()).await.unwrap();
    let loaded = look(&storage, 0).await;
    assert_eq!((loaded.unanswered, answers(&loaded)), (None, vec![]));
    let loaded = look(&storage, 1).await;
    assert_eq!((loaded.unanswered, answers(&loaded)), (Some(at(11)), vec![(0, 1, 1)]));
    storage.capture(answer(&anew, 0, 2)).await.unwrap();
    assert_eq!(answers(&look(&storage, 0).await), [(0, 2, 1)]);
}

async fn a_new_generation_spends_every_answer(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    let (of, other) = (opened(&storage, 0).await, opened(&storage, 1).await);
    for it in [&begin(0, None), &of, &other] {
        storage.capture(answer(it, 0, 1)).await.unwrap();
        storage.depart(request(it, 1)).await.unwrap();
    }
    assert_eq!(storage.succeed(success(&of)).await.unwrap(), Begun::Yes);
    let loaded = look(&storage, 0).await;
    assert_eq!((loaded.unanswered, answers(&loaded)), (None, vec![]));
    assert_eq!(answers(&look(&storage, 1).await), [(0, 1, 1)]);
}

async fn a_failure_keeps_answers_for_a_replay_or_spends_them(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    for keep_captures in [true, false] {
        let of = opened(&storage, 0).await;
        if keep_captures {
            storage.capture(answer(&of, 0, 1)).await.unwrap();
        }
        let failed = Failed { keep_captures, ..failure(&of) };
        assert_eq!(storage.fail(failed).await.unwrap(), Begun::Yes);
        let kept = answers(&look(&storage, 0).await);
        assert_eq!(kept.len(), usize::from(keep_captures));
    }
}
