//! Connections that are added, and their end. What is not as it was found is left alone.

use std::collections::BTreeMap;

use super::steps::{
    answer, broken, by_hand, due, enrolment, expiry, failure, look, opened, refreshed, success,
    token,
};
use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::attempt::{Outcome, Trigger};
use crate::model::connection::{Origin, Problem};
use crate::storage::{Begin, Begun, Enrolment, Failed, LogFilter, Standing, Storage};
use crate::vault::Sealed;

on_every_engine! {
    what_is_added_stands_as_it_was_said
    what_is_not_as_it_was_found_is_left_alone
    what_is_being_refreshed_is_left_alone
    what_is_not_said_again_stays_and_the_rest_is_replaced
    with_a_token_the_time_is_the_one_that_is_said
    what_a_person_had_to_correct_is_looked_at_again
    activity_is_never_set_back
    a_connection_that_was_added_goes_with_its_secrets_and_its_log_stays
    what_is_running_or_in_the_manifest_is_not_removed
    an_answer_beside_the_database_goes_with_its_connection
}

fn settings(value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("region".to_owned(), value.to_owned())])
}

/// A connection with all that can be said of one.
fn full(number: usize) -> Enrolment {
    Enrolment {
        settings: settings("eu"),
        labels: vec!["shop".to_owned()],
        credentials: Some(Sealed::from_bytes(vec![6])),
        token: Some((token("first", Some(900)), Sealed::from_bytes(vec![7]))),
        due: Some(due(50, Trigger::Scheduled)),
        active_at: Some(at(15)),
        ..enrolment(number, None)
    }
}

async fn standing(storage: &Storage, number: usize) -> Option<Standing> {
    let found = storage.standing(&[id(number), id(99)]).await.unwrap().remove(&id(number));
    found.map(Result::unwrap)
}

async fn what_is_added_stands_as_it_was_said(fresh: Fresh) {
    assert!(standing(&fresh.storage, 0).await.is_none());
    assert!(fresh.storage.enrol(full(0)).await.unwrap());
    let storage = fresh.again().await;
    let loaded = look(&storage, 0).await;
    assert_eq!((loaded.connection.origin, loaded.connection.generation), (Origin::Added, 1));
    assert_eq!((loaded.connection.settings, loaded.connection.labels), said("eu", "shop"));
    assert_eq!(loaded.connection.due, Some(due(50, Trigger::Scheduled)));
    assert_eq!(loaded.connection.active_at, Some(at(15)));
    assert_eq!(loaded.credentials.unwrap().as_bytes(), [6]);
    assert_eq!(loaded.sealed.unwrap().as_bytes(), [7]);
    assert!(!loaded.given);
    let there = standing(&storage, 0).await.unwrap();
    assert_eq!((there.generation, there.origin, there.has_token), (1, Origin::Added, true));
    assert_eq!(there.enrolled, Some(vec![1]));
}

fn said(region: &str, label: &str) -> (BTreeMap<String, String>, Vec<String>) {
    (settings(region), vec![label.to_owned()])
}

async fn what_is_not_as_it_was_found_is_left_alone(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    assert!(storage.enrol(full(1)).await.unwrap());
    let before = (look(&storage, 0).await, look(&storage, 1).await);
    for (number, found) in [(0, None), (0, Some(1)), (1, None), (1, Some(0)), (1, Some(2))] {
        let credentials = Some(Sealed::from_bytes(vec![9]));
        let other = Enrolment { found, settings: settings("us"), credentials, ..full(number) };
        assert!(!storage.enrol(other).await.unwrap(), "{number} {found:?}");
    }
    assert!(!storage.enrol(enrolment(2, Some(0))).await.unwrap(), "it is not there");
    let stale = Enrolment { enrolled: Some(vec![9]), ..enrolment(1, Some(1)) };
    assert!(!storage.enrol(stale).await.unwrap(), "somebody else has added to it");
    assert!(storage.load(&id(2)).await.unwrap().is_none());
    let after = (look(&storage, 0).await, look(&storage, 1).await);
    assert_eq!(after.0.connection, before.0.connection);
    assert_eq!(after.1.connection, before.1.connection);
    assert!(after.0.credentials.is_none());
    assert_eq!(after.1.credentials.unwrap().as_bytes(), [6]);
}

async fn what_is_being_refreshed_is_left_alone(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let of = opened(&storage, 0).await;
    for plain in [enrolment(0, Some(0)), Enrolment { found: Some(0), ..full(0) }] {
        assert!(!storage.enrol(plain).await.unwrap());
    }
    let loaded = look(&storage, 0).await;
    assert!(loaded.credentials.is_none() && loaded.connection.settings.is_empty());
    assert_eq!(storage.succeed(success(&of)).await.unwrap(), Begun::Yes);
    assert!(storage.enrol(enrolment(0, Some(1))).await.unwrap());
}

async fn what_is_not_said_again_stays_and_the_rest_is_replaced(fresh: Fresh) {
    let storage = &fresh.storage;
    assert!(storage.enrol(full(0)).await.unwrap());
    let (settings, labels) = said("us", "office");
    let again = Enrolment { settings, labels, digest: vec![2], ..enrolment(0, Some(1)) };
    assert!(storage.enrol(again).await.unwrap());
    let loaded = look(storage, 0).await;
    assert_eq!((loaded.connection.settings, loaded.connection.labels), said("us", "office"));
    assert_eq!(standing(storage, 0).await.unwrap().enrolled, Some(vec![2]));
    assert_eq!(loaded.connection.generation, 1);
    assert_eq!(loaded.connection.due, Some(due(50, Trigger::Scheduled)));
    assert_eq!(loaded.credentials.unwrap().as_bytes(), [6]);
    assert_eq!(loaded.sealed.unwrap().as_bytes(), [7]);
    let sooner = Enrolment { due: expiry(30), ..enrolment(0, Some(1)) };
    assert!(storage.enrol(sooner).await.unwrap());
    assert_eq!(look(storage, 0).await.connection.due, expiry(30));
}

async fn with_a_token_the_time_is_the_one_that_is_said(fresh: Fresh) {
    let storage = &fresh.storage;
    assert!(storage.enrol(full(0)).await.unwrap());
    let token = |word| Some((token(word, None), Sealed::from_bytes(vec![8])));
    let third = Enrolment { token: token("second"), due: expiry(70), ..enrolment(0, Some(1)) };
    assert!(storage.enrol(third).await.unwrap());
    assert_eq!(look(storage, 0).await.connection.due, expiry(70));
    let rests = Enrolment { token: token("third"), ..enrolment(0, Some(2)) };
    assert!(storage.enrol(rests).await.unwrap());
    let loaded = look(storage, 0).await;
    assert_eq!((loaded.connection.generation, loaded.connection.due), (3, None));
    assert_eq!(loaded.credentials.unwrap().as_bytes(), [6]);
}

async fn what_a_person_had_to_correct_is_looked_at_again(fresh: Fresh) {
    let storage = &fresh.storage;
    for (number, problem) in [(0, Problem::Misconfigured), (1, Problem::Reconnect)] {
        assert!(storage.enrol(enrolment(number, None)).await.unwrap());
        let attempt = begin(number, None).attempt;
        let (problem, config) = (Some(problem), Some(vec![3]));
        broken(storage, number, Failed { problem, config, ..failed(attempt, 0) }).await;
        assert!(storage.enrol(enrolment(number, Some(0))).await.unwrap());
    }
    let corrected = look(storage, 0).await.connection;
    assert_eq!((corrected.problem, corrected.due), (None, expiry(20)));
    assert_eq!(storage.problem_config(&id(0)).await.unwrap(), None);
    let dead = look(storage, 1).await.connection;
    assert_eq!((dead.problem, dead.due), (Some(Problem::Reconnect), None));
    assert_eq!(storage.problem_config(&id(1)).await.unwrap(), Some(vec![3]));
}

async fn activity_is_never_set_back(fresh: Fresh) {
    let storage = &fresh.storage;
    assert!(storage.enrol(enrolment(0, None)).await.unwrap());
    for (said, known) in [(None, None), (Some(7), Some(7)), (Some(5), Some(7)), (None, Some(7))] {
        let active_at = said.map(at);
        assert!(storage.enrol(Enrolment { active_at, ..enrolment(0, Some(0)) }).await.unwrap());
        assert_eq!(look(storage, 0).await.connection.active_at, known.map(at));
    }
    storage.touch(&id(0), at(9)).await.unwrap();
    assert_eq!(look(storage, 0).await.connection.active_at, Some(at(9)));
}

async fn a_connection_that_was_added_goes_with_its_secrets_and_its_log_stays(fresh: Fresh) {
    let storage = &fresh.storage;
    assert!(storage.enrol(full(0)).await.unwrap());
    let of = refreshed(storage, 0, None).await;
    let failed = Failed { keep_captures: true, ..failure(&opened(storage, 0).await) };
    storage.capture(answer(&begin_at(2), 0, 1)).await.unwrap();
    assert_eq!(storage.fail(failed).await.unwrap(), Begun::Yes);
    assert!(storage.remove(&id(0), true).await.unwrap());
    assert!(!storage.remove(&id(0), true).await.unwrap(), "it is gone");
    let again = fresh.again().await;
    assert!(again.load(&id(0)).await.unwrap().is_none());
    assert!(!again.holds_sealed().await.unwrap());
    assert_eq!(again.providers().await.unwrap(), Vec::<String>::new());
    let log = LogFilter { connection: Some(id(0)), limit: 10, ..LogFilter::default() };
    assert_eq!(again.log(&log).await.unwrap().len(), 2);
    let attempt = again.attempt(of.attempt).await.unwrap().unwrap();
    assert_eq!(attempt.outcome(), Some(Outcome::Success));
    assert!(again.enrol(enrolment(0, None)).await.unwrap());
    let anew = look(&again, 0).await;
    assert_eq!(anew.connection.generation, 0);
    assert!(anew.credentials.is_none() && anew.sealed.is_none() && anew.captures.is_empty());
}

/// A try at that generation.
fn begin_at(generation: u64) -> Begin {
    Begin { generation, ..begin(0, None) }
}

async fn what_is_running_or_in_the_manifest_is_not_removed(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    assert!(!storage.remove(&id(0), true).await.unwrap(), "the manifest wants it");
    assert!(!storage.remove(&id(7), true).await.unwrap(), "there is none");
    assert!(storage.enrol(full(1)).await.unwrap());
    let of = opened(&storage, 1).await;
    assert!(!storage.remove(&id(1), true).await.unwrap(), "a try is running");
    assert_eq!(storage.succeed(success(&of)).await.unwrap(), Begun::Yes);
    assert!(storage.set_manually(by_hand(1, 2)).await.unwrap());
    assert!(storage.remove(&id(1), true).await.unwrap());
    assert!(storage.load(&id(0)).await.unwrap().is_some());
}

async fn an_answer_beside_the_database_goes_with_its_connection(fresh: Fresh) {
    assert!(fresh.storage.enrol(enrolment(0, None)).await.unwrap());
    fresh.storage.break_writer().await;
    fresh.storage.keep_answer(answer(&begin(0, None), 0, 1)).await.unwrap();
    let storage = fresh.again().await;
    assert_eq!(storage.answers_beside(&id(0)), 1);
    assert!(storage.remove(&id(0), true).await.unwrap());
    assert_eq!(storage.answers_beside(&id(0)), 0);
    assert!(storage.enrol(enrolment(0, None)).await.unwrap());
    let again = fresh.again().await;
    again.adopt_answers(&id(0)).await.unwrap();
    assert!(look(&again, 0).await.captures.is_empty());
}
