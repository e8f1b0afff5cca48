//! Events and those who listen: each has its place, and hears what it wants and nothing else.

use std::time::Duration;

use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::event::{Event, EventKind};
use crate::storage::{Begun, Failed, Listener, Pruning, Storage};

on_every_engine! {
    each_listener_has_its_own_place_and_hears_what_it_wants
    what_a_listener_does_not_want_is_passed_over_and_nothing_behind_it
    a_listener_is_woken_by_what_is_written_before_it_waits_too
    a_listener_is_woken_by_what_it_wants_and_now_and_then_by_very_much_else
    pruning_keeps_what_somebody_was_not_told_of_and_no_number_is_given_twice
    what_a_listener_does_not_want_is_not_kept_for_it
    a_stream_has_all_that_is_kept_and_says_what_was_removed
}

/// Ends an attempt of connection `number` with these events.
pub(in crate::storage) async fn happens(storage: &Storage, number: usize, kinds: &[EventKind]) {
    let begun = begin(number, None);
    let attempt = begun.attempt;
    assert_eq!(storage.begin(begun).await.unwrap(), Begun::Yes);
    let event = |kind: &EventKind| Event {
        kind: *kind,
        connection: id(number),
        at: at(2),
        generation: 0,
        code: None,
    };
    let events = kinds.iter().map(event).collect();
    let failed = Failed { connection: id(number), events, ..failed(attempt, 0) };
    assert_eq!(storage.fail(failed).await.unwrap(), Begun::Yes);
}

async fn kinds(listener: &Listener) -> Vec<EventKind> {
    listener.waiting(10).await.unwrap().iter().map(|it| it.event.kind).collect()
}

async fn each_listener_has_its_own_place_and_hears_what_it_wants(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let storage = &fresh.storage;
    happens(storage, 0, &[EventKind::Critical]).await;
    let first = storage.listen("first", &[EventKind::Failed]).await.unwrap();
    let second =
        storage.listen("second", &[EventKind::Failed, EventKind::Reconnect]).await.unwrap();
    let all = [EventKind::Failed, EventKind::Reconnect, EventKind::Refreshed];
    happens(storage, 0, &all).await;
    assert_eq!(kinds(&first).await, [EventKind::Failed], "and not of what was before it");
    first.told(first.waiting(10).await.unwrap()[0].id).await.unwrap();
    assert_eq!(kinds(&first).await, []);
    assert_eq!(kinds(&second).await, [EventKind::Failed, EventKind::Reconnect]);

    drop((first, second));
    let again = fresh.again().await;
    let second = again.listen("second", &[EventKind::Failed, EventKind::Reconnect]).await.unwrap();
    assert_eq!(kinds(&second).await.len(), 2, "it goes on where it stood");
}

async fn what_a_listener_does_not_want_is_passed_over_and_nothing_behind_it(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let ears = storage.listen("ears", &[EventKind::Critical]).await.unwrap();
    let _others = storage.listen("others", &[EventKind::Failed]).await.unwrap();
    for _ in 0..2 {
        happens(&storage, 0, &[EventKind::Failed, EventKind::Failed]).await;
        assert_eq!(kinds(&ears).await, []);
        happens(&storage, 0, &[EventKind::Critical, EventKind::Failed]).await;
        assert_eq!(kinds(&ears).await, [EventKind::Critical]);
        assert_eq!(kinds(&ears).await, [EventKind::Critical], "until it was told");
        ears.told(ears.waiting(10).await.unwrap()[0].id).await.unwrap();
    }
}

async fn a_listener_is_woken_by_what_is_written_before_it_waits_too(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let mut ears = storage.listen("ears", &[EventKind::Critical]).await.unwrap();
    let idle = tokio::time::timeout(Duration::from_millis(50), ears.woken());
    assert!(idle.await.is_err(), "nothing has happened");
    happens(&storage, 0, &[EventKind::Critical]).await;
    tokio::time::timeout(Duration::from_secs(5), ears.woken()).await.unwrap();
    assert_eq!(kinds(&ears).await, [EventKind::Critical]);
}

async fn a_listener_is_woken_by_what_it_wants_and_now_and_then_by_very_much_else(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let mut ears = storage.listen("ears", &[EventKind::Critical]).await.unwrap();
    let _others = storage.listen("others", &[EventKind::Failed]).await.unwrap();
    happens(&storage, 0, &[EventKind::Failed]).await;
    let other = tokio::time::timeout(Duration::from_millis(50), ears.woken());
    assert!(other.await.is_err(), "this is for others");
    happens(&storage, 0, &[EventKind::Failed, EventKind::Critical]).await;
    tokio::time::timeout(Duration::from_secs(5), ears.woken()).await.unwrap();
    (0..=1_000).for_each(|_| storage.wake_listeners(&[EventKind::Failed]));
    tokio::time::timeout(Duration::from_secs(5), ears.woken()).await.unwrap();
    let again = tokio::time::timeout(Duration::from_millis(50), ears.woken());
    assert!(again.await.is_err(), "it has looked");
}

async fn pruning_keeps_what_somebody_was_not_told_of_and_no_number_is_given_twice(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let ears = storage.listen("ears", &[EventKind::Critical]).await.unwrap();
    let slow = storage.listen("slow", &[EventKind::Critical]).await.unwrap();
    for _ in 0..3 {
        happens(&storage, 0, &[EventKind::Critical]).await;
    }
    let last = ears.waiting(10).await.unwrap()[2].id;
    ears.told(last).await.unwrap();
    storage.prune(at(100), Pruning::Log).await.unwrap();
    assert_eq!(kinds(&slow).await.len(), 3);
    slow.told(last).await.unwrap();
    storage.prune(at(100), Pruning::Log).await.unwrap();
    happens(&storage, 0, &[EventKind::Critical]).await;
    assert!(ears.waiting(10).await.unwrap()[0].id > last);
    assert_eq!(kinds(&slow).await, [EventKind::Critical]);
}

async fn what_a_listener_does_not_want_is_not_kept_for_it(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let ears = storage.listen("ears", &[EventKind::Critical]).await.unwrap();
    let _stream = storage.stream("all", EventKind::ALL).await.unwrap();
    happens(&storage, 0, &[EventKind::Failed, EventKind::Critical]).await;
    happens(&storage, 0, &[EventKind::Failed, EventKind::Failed]).await;
    assert_eq!(
        storage.prune(at(100), Pruning::Log).await.unwrap().events,
        2,
        "all but the wanted and the last"
    );
    assert_eq!(kinds(&ears).await, [EventKind::Critical]);
}

async fn a_stream_has_all_that_is_kept_and_says_what_was_removed(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let mut stream = storage.stream("all", EventKind::ALL).await.unwrap();
    storage.keep_listeners(&["all"]).await.unwrap();
    let empty = stream.after(0, 10).await.unwrap();
    assert_eq!((empty.last, empty.removed, empty.newest), (0, 0, 0));
    let written = stream.written();
    happens(&storage, 0, &EventKind::ALL[..6]).await;
    tokio::time::timeout(Duration::from_secs(5), stream.woken(written)).await.unwrap();
    let ids = async |after| {
        let stretch = stream.after(after, 4).await.unwrap();
        (stretch.events.iter().map(|it| it.id).collect::<Vec<_>>(), stretch.last, stretch.removed)
    };
    assert_eq!(ids(0).await, (vec![1, 2, 3, 4], 4, 0));
    assert_eq!(ids(4).await, (vec![5, 6], 6, 0));
    assert_eq!(ids(6).await, (vec![], 6, 0));
    assert_eq!(storage.prune(at(1), Pruning::Log).await.unwrap().events, 0, "nothing is so old");
    assert_eq!(
        storage.prune(at(100), Pruning::Log).await.unwrap().events,
        5,
        "nothing waits for a stream"
    );
    assert_eq!(ids(0).await, (vec![6], 6, 5));
    let newest = stream.after(i64::MAX, 1).await.unwrap();
    assert_eq!((newest.events.len(), newest.newest), (0, 6));
}
