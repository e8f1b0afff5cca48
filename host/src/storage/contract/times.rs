//! When connections are looked at: a claim hides the time of its connection until its lease ends, and what
//! has waited longest comes first.

use std::time::Duration;

use super::steps::{
    abandoned, answer, broken, due, expiry, failure, look, opened, pause, request, wanted,
};
use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::attempt::Trigger;
use crate::model::connection::Problem;
use crate::model::id::ConnectionId;
use crate::storage::{Begin, Begun, Failed, Reconcile, Storage, Tally};

on_every_engine! {
    what_has_waited_longest_comes_first
    what_is_due_is_found_to_its_end_in_any_number
    nobody_that_is_unwanted_stands_in_the_way
    a_claim_hides_its_connection_until_its_lease_ends
    what_was_interrupted_comes_before_all_else
    the_next_time_is_that_of_a_connection_that_will_be_due
    an_open_try_can_be_put_off_and_not_brought_forward
    whoever_is_woken_has_something_open_or_an_answer_to_read
    a_pause_is_not_woken
    the_claims_of_dead_processes_are_looked_at_now
    a_provider_that_is_waited_for_puts_off_what_would_be_due
    providers_are_those_of_the_connections
    connections_are_counted_and_those_that_wait_for_a_person
    what_is_planned_is_counted_by_provider_and_hour
    what_is_under_way_is_not_planned_and_a_pause_is_when_it_ends
}

async fn wants(storage: &Storage, id: ConnectionId, second: i64) {
    let due = expiry(second);
    storage.reconcile(Reconcile { due, ..wanted(id) }).await.unwrap();
}

/// The numbers of connections that are due then.
async fn found(storage: &Storage, second: i64) -> Vec<ConnectionId> {
    let due = storage.due("x", at(second), 1000, |_| true).await.unwrap();
    due.into_iter().map(|(id, _)| id).collect()
}

async fn what_has_waited_longest_comes_first(fresh: Fresh) {
    let storage = &fresh.storage;
    for (number, second) in [(0, 30), (1, 10), (2, 20), (3, 10)] {
        wants(storage, id(number), second).await;
    }
    wants(storage, "y/c0".parse().unwrap(), 5).await;
    assert_eq!(found(storage, 20).await, [id(1), id(3), id(2)]);
    assert_eq!(found(storage, 9).await, []);
    let two = storage.due("x", at(99), 2, |_| true).await.unwrap();
    assert_eq!(two, [(id(1), Trigger::Expiry), (id(3), Trigger::Expiry)]);
    storage.set_due(&id(1), Some(due(40, Trigger::Backup))).await.unwrap();
    assert_eq!(found(storage, 99).await, [id(3), id(2), id(0), id(1)]);
    storage.set_due(&id(3), None).await.unwrap();
    assert_eq!(found(&fresh.again().await, 99).await, [id(2), id(0), id(1)]);
}

async fn what_is_due_is_found_to_its_end_in_any_number(fresh: Fresh) {
    let storage = &fresh.storage;
    // Many of the same time, so that a page ends between two of them.
    let all = (100..190).map(id).collect::<Vec<_>>();
    for id in &all {
        wants(storage, id.clone(), 5).await;
    }
    assert_eq!(found(storage, 5).await, all);
}

async fn nobody_that_is_unwanted_stands_in_the_way(fresh: Fresh) {
    let storage = &fresh.storage;
    for number in 100..180 {
        wants(storage, id(number), 5).await;
    }
    let last = storage.due("x", at(5), 1, |it| *it == id(179)).await.unwrap();
    assert_eq!(last, [(id(179), Trigger::Expiry)]);
}

async fn a_claim_hides_its_connection_until_its_lease_ends(fresh: Fresh) {
    let storage = &fresh.storage;
    wants(storage, id(0), 5).await;
    let of = opened(storage, 0).await;
    assert_eq!(found(storage, 59).await, []);
    assert_eq!(look(storage, 0).await.connection.due, Some(due(5, Trigger::Expiry)), "its own");
    let due = storage.due("x", at(60), 9, |_| true).await.unwrap();
    assert_eq!(due, [(id(0), Trigger::Recovery)]);
    assert_eq!(storage.due("y", at(60), 9, |_| true).await.unwrap(), []);
    storage.abandon(abandoned(&of)).await.unwrap();
    assert_eq!(found(storage, 5).await, [id(0)]);
}

async fn what_was_interrupted_comes_before_all_else(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(4).await;
    for (number, lease) in [(0, 40), (1, 30), (2, 40)] {
        let lease_until = at(lease);
        storage.begin(Begin { lease_until, ..begin(number, None) }).await.unwrap();
    }
    wants(&storage, id(3), 5).await;
    assert_eq!(found(&storage, 40).await, [id(1), id(0), id(2), id(3)]);
    let one = storage.due("x", at(40), 1, |_| true).await.unwrap();
    assert_eq!(one, [(id(1), Trigger::Recovery)]);
}

async fn the_next_time_is_that_of_a_connection_that_will_be_due(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(4).await;
    assert_eq!(storage.next_due(at(0)).await.unwrap(), None);
    wants(&storage, id(0), 10).await;
    wants(&storage, "y/c0".parse().unwrap(), 30).await;
    for (now, next) in [(0, Some(10)), (10, Some(30)), (29, Some(30)), (30, None)] {
        assert_eq!(storage.next_due(at(now)).await.unwrap(), next.map(at), "{now}");
    }
    opened(&storage, 0).await;
    assert_eq!(storage.next_due(at(0)).await.unwrap(), Some(at(30)), "a claim hides the time");
    assert_eq!(storage.next_due(at(30)).await.unwrap(), Some(at(60)));
    storage.set_pause(pause(0, None)).await.unwrap();
    assert_eq!(storage.next_due(at(30)).await.unwrap(), None, "a pause holds over a lease");
}

async fn an_open_try_can_be_put_off_and_not_brought_forward(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let of = opened(&storage, 0).await;
    for (said, lease) in [(Some(30), 60), (None, 60), (Some(90), 90)] {
        storage.set_due(&id(0), said.and_then(expiry)).await.unwrap();
        assert_eq!(look(&storage, 0).await.open.unwrap().lease_until, at(lease));
        assert_eq!(found(&storage, lease - 1).await, []);
        assert_eq!(found(&storage, lease).await, [id(0)]);
    }
    storage.fail(Failed { due: expiry(20), ..failure(&of) }).await.unwrap();
    storage.set_due(&id(0), expiry(10)).await.unwrap();
    assert_eq!(found(&storage, 10).await, [id(0)]);
}

async fn whoever_is_woken_has_something_open_or_an_answer_to_read(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(4).await;
    let keep = |number| Failed { keep_captures: true, ..failed(begin(number, None).attempt, 0) };
    opened(&storage, 0).await;
    let answered = broken(&storage, 1, keep(1)).await;
    storage.capture(answer(&answered, 0, 1)).await.unwrap();
    let in_doubt = broken(&storage, 2, keep(2)).await;
    storage.depart(request(&in_doubt, 0)).await.unwrap();
    for number in [0, 1, 2, 3, 9] {
        storage.wake(&id(number), at(7)).await.unwrap();
    }
    assert_eq!(found(&storage, 7).await, [id(0), id(1)]);
    assert_eq!(look(&storage, 1).await.connection.due, Some(due(7, Trigger::Recovery)));
    assert_eq!(look(&storage, 2).await.connection.due, None, "it has no answer");
}

async fn a_pause_is_not_woken(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    let of = opened(&storage, 0).await;
    storage.capture(answer(&of, 0, 1)).await.unwrap();
    storage.capture(answer(&begin(1, None), 0, 1)).await.unwrap();
    for number in 0..2 {
        storage.set_pause(pause(number, Some(500))).await.unwrap();
        storage.wake(&id(number), at(7)).await.unwrap();
    }
    assert_eq!(found(&storage, 499).await, []);
}

async fn the_claims_of_dead_processes_are_looked_at_now(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(3).await;
    opened(&storage, 0).await;
    let owner = "the dead".to_owned();
    let dead = Begin { owner, ..begin(1, None) };
    assert_eq!(storage.begin(dead).await.unwrap(), Begun::Yes);
    storage.wake_interrupted("a test", at(7)).await.unwrap();
    let woken = if storage.is_shared() { vec![] } else { vec![id(1)] };
    assert_eq!(found(&storage, 7).await, woken);
    assert_eq!(look(&storage, 0).await.open.unwrap().lease_until, at(60), "it is its own");
}

async fn a_provider_that_is_waited_for_puts_off_what_would_be_due(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(5).await;
    for (number, second) in [(0, 5), (1, 50), (2, 51), (3, 5)] {
        wants(&storage, id(number), second).await;
    }
    let other: ConnectionId = "y/c0".parse().unwrap();
    wants(&storage, other.clone(), 5).await;
    opened(&storage, 3).await;
    storage.set_pause(pause(4, Some(20))).await.unwrap();
    storage.put_off("x", at(50), Duration::from_secs(10)).await.unwrap();
    assert_eq!(found(&storage, 49).await, [id(4)], "a pause ends when it was said");
    for number in 0..2 {
        let due = look(&storage, number).await.connection.due.unwrap();
        assert!(at(50) <= due.at && due.at < at(60), "{due:?}");
        assert_eq!(due.trigger, Trigger::Expiry, "it is looked at for the same reason");
    }
    assert_eq!(look(&storage, 2).await.connection.due, expiry(51), "it was not due by then");
    assert_eq!(look(&storage, 3).await.open.unwrap().lease_until, at(60));
    assert_eq!(storage.load(&other).await.unwrap().unwrap().connection.due, expiry(5));
}

async fn connections_are_counted_and_those_that_wait_for_a_person(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(3).await;
    let counted = storage.tally().await.unwrap();
    assert_eq!(counted, Tally { connections: 3, problems: 0 });
    let begun = begin(1, None);
    let attempt = begun.attempt;
    assert_eq!(storage.begin(begun).await.unwrap(), Begun::Yes);
    let failed =
        Failed { connection: id(1), problem: Some(Problem::Reconnect), ..failed(attempt, 0) };
    assert_eq!(storage.fail(failed).await.unwrap(), Begun::Yes);
    let counted = storage.tally().await.unwrap();
    assert_eq!(counted, Tally { connections: 3, problems: 1 });
}

async fn providers_are_those_of_the_connections(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    for text in ["y", "a/b", "a/c", "x2/c", "w-x/c"] {
        wants(&storage, text.parse().unwrap(), 5).await;
    }
    let mut providers = storage.providers().await.unwrap();
    providers.sort();
    assert_eq!(providers, ["a", "w-x", "x", "x2", "y"]);
}

async fn what_is_planned_is_counted_by_provider_and_hour(fresh: Fresh) {
    let storage = &fresh.storage;
    assert_eq!(storage.forecast(at(0)).await.unwrap(), []);
    for (number, second) in [(0, 99), (1, 100), (2, 3_699), (3, 3_700), (4, 86_499), (5, 86_500)] {
        wants(storage, id(number), second).await;
    }
    wants(storage, "a/c0".parse().unwrap(), 7_300).await;
    let planned = storage.forecast(at(100)).await.unwrap();
    let [other, own] = planned.as_slice() else { panic!("{planned:?}") };
    assert_eq!((other.provider.as_str(), own.provider.as_str()), ("a", "x"));
    assert_eq!((other.overdue, other.hours[2]), (0, 1));
    assert_eq!((own.overdue, own.hours.len()), (1, 24));
    assert_eq!((own.hours[0], own.hours[1], own.hours[23]), (2, 1, 1));
    assert_eq!(own.hours.iter().sum::<u64>(), 4, "what is due in 24 hours is not within them");
}

async fn what_is_under_way_is_not_planned_and_a_pause_is_when_it_ends(fresh: Fresh) {
    let storage = &fresh.storage;
    for number in 0..3 {
        wants(storage, id(number), 5).await;
    }
    let planned = async || storage.forecast(at(9)).await.unwrap().remove(0);
    assert_eq!(planned().await.overdue, 3);
    let of = opened(storage, 0).await;
    assert_eq!(planned().await.overdue, 2, "a claim hides the time of its connection");
    storage.set_pause(pause(0, Some(4_000))).await.unwrap();
    storage.set_pause(pause(1, None)).await.unwrap();
    let paused = planned().await;
    assert_eq!((paused.overdue, paused.hours[0], paused.hours[1]), (1, 0, 1));
    storage.abandon(abandoned(&of)).await.unwrap();
    assert_eq!(planned().await, paused);
}
