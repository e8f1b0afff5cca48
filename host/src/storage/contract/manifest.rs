//! What the manifest wants to be there, and what is noted beside a token: profiles, and who asked for it.

use std::time::Duration;

use super::steps::{broken, enrolment, expiry, look, refreshed, wanted};
use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::connection::Origin;
use crate::storage::{Failed, Reconcile, Storage};

on_every_engine! {
    a_connection_of_the_manifest_is_there_and_due_as_it_says
    what_is_there_already_stays_as_it_is
    a_person_who_has_changed_something_is_forgiven
    a_profile_is_asked_no_later_than_it_was_to_be
    what_a_profile_says_stays_until_it_says_more
    profiles_are_asked_in_the_order_of_their_times
    a_clock_that_was_ahead_does_not_put_off_profiles_for_longer_than_their_period
    a_caller_who_asks_is_noted
}

async fn a_connection_of_the_manifest_is_there_and_due_as_it_says(fresh: Fresh) {
    fresh.storage.reconcile(Reconcile { due: expiry(5), ..wanted(id(0)) }).await.unwrap();
    fresh.storage.reconcile(wanted(id(1))).await.unwrap();
    let storage = fresh.again().await;
    let connection = look(&storage, 0).await.connection;
    assert_eq!((connection.origin, connection.generation), (Origin::Manifest, 0));
    assert_eq!((connection.due, connection.token), (expiry(5), None));
    assert_eq!(look(&storage, 1).await.connection.due, None);
}

async fn what_is_there_already_stays_as_it_is(fresh: Fresh) {
    let storage = &fresh.storage;
    assert!(storage.enrol(enrolment(0, None)).await.unwrap());
    refreshed(storage, 0, Some(900)).await;
    storage.set_due(&id(0), expiry(70)).await.unwrap();
    let before = look(storage, 0).await.connection;
    storage.reconcile(wanted(id(0))).await.unwrap();
    let after = look(storage, 0).await;
    assert_eq!(after.connection, before);
    assert!(after.sealed.is_some() && after.given);
    storage.reconcile(Reconcile { due: expiry(30), ..wanted(id(0)) }).await.unwrap();
    assert_eq!(look(storage, 0).await.connection.due, expiry(30));
}

async fn a_person_who_has_changed_something_is_forgiven(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let attempt = begin(0, None).attempt;
    broken(&storage, 0, Failed { config: Some(vec![3]), ..failed(attempt, 0) }).await;
    storage.reconcile(wanted(id(0))).await.unwrap();
    assert!(look(&storage, 0).await.connection.problem.is_some());
    assert_eq!(storage.problem_config(&id(0)).await.unwrap(), Some(vec![3]));
    let forgiven = Reconcile { forgive: true, due: expiry(6), ..wanted(id(0)) };
    storage.reconcile(forgiven).await.unwrap();
    let connection = look(&storage, 0).await.connection;
    assert_eq!((connection.problem, connection.due), (None, expiry(6)));
    assert_eq!((connection.failures, connection.error.is_some()), (1, true), "it did fail");
    assert_eq!(storage.problem_config(&id(0)).await.unwrap(), None);
}

async fn probe(storage: &Storage, number: usize, second: Option<i64>) {
    let probe_at = second.map(at);
    storage.reconcile(Reconcile { probe_at, ..wanted(id(number)) }).await.unwrap();
}

async fn a_profile_is_asked_no_later_than_it_was_to_be(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    for (said, next) in [
        (None, None),
        (Some(50), Some(50)),
        (Some(70), Some(50)),
        (Some(40), Some(40)),
        (None, None),
    ] {
        probe(&storage, 0, said).await;
        assert_eq!(storage.next_probe("x").await.unwrap(), next.map(at), "{said:?}");
    }
}

async fn what_a_profile_says_stays_until_it_says_more(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let said = Some(r#"{"name":"Ann"}"#.to_owned());
    storage.set_profile(&id(0), said, Some(at(90))).await.unwrap();
    storage.set_profile(&id(0), None, Some(at(95))).await.unwrap();
    let profile = look(&storage, 0).await.connection.profile.unwrap();
    assert_eq!(profile["name"], "Ann");
    assert_eq!(storage.next_probe("x").await.unwrap(), Some(at(95)));
    storage.set_profile(&id(0), None, None).await.unwrap();
    assert_eq!(storage.next_probe("x").await.unwrap(), None);
}

async fn profiles_are_asked_in_the_order_of_their_times(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(41).await;
    for number in 0..40 {
        let turned = i64::try_from(number).unwrap();
        probe(&storage, number, Some(100 - turned)).await;
    }
    let asked = storage.probes_due("x", at(100), 100).await.unwrap();
    assert_eq!(asked, (0..40).rev().map(id).collect::<Vec<_>>());
    assert_eq!(storage.probes_due("x", at(62), 100).await.unwrap(), [id(39), id(38)]);
    let first = storage.probes_due("x", at(100), 35).await.unwrap();
    assert_eq!(first, asked[..35]);
    assert_eq!(storage.probes_due("y", at(100), 100).await.unwrap(), []);
}

async fn a_clock_that_was_ahead_does_not_put_off_profiles_for_longer_than_their_period(
    fresh: Fresh,
) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    probe(&storage, 0, Some(15)).await;
    probe(&storage, 1, Some(500)).await;
    storage.probe_within("y", Duration::from_secs(10), at(10)).await.unwrap();
    assert_eq!(storage.probes_due("x", at(499), 9).await.unwrap(), [id(0)]);
    storage.probe_within("x", Duration::from_secs(10), at(10)).await.unwrap();
    assert_eq!(storage.probes_due("x", at(20), 9).await.unwrap().len(), 2);
    assert!(storage.probes_due("x", at(9), 9).await.unwrap().is_empty());
    storage.set_profile(&id(1), None, None).await.unwrap();
    assert_eq!(storage.next_probe("x").await.unwrap(), Some(at(15)), "that one was in time");
}

async fn a_caller_who_asks_is_noted(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    storage.touch(&id(0), at(8)).await.unwrap();
    assert_eq!(look(&storage, 0).await.connection.active_at, Some(at(8)));
    assert_eq!(look(&storage, 1).await.connection.active_at, None);
    storage.touch(&id(9), at(8)).await.unwrap();
    assert!(storage.load(&id(9)).await.unwrap().is_none());
}
