//! Sinks: what has changed since they looked, what they have delivered, and what waits.

use super::{Fresh, at, id, on_every_engine};
use crate::model::code;
use crate::storage::{
    About, Came, Delivered, Done, Record, Selected, SinkState, Storage, Sweep, Swept, Wanted,
};

on_every_engine! {
    changes_are_noted_while_a_sink_wants_them
    a_connection_that_changes_often_has_one_place_and_no_number_is_given_twice
    a_new_or_changed_sink_looks_at_everything
    what_waits_is_tried_in_its_time_and_shown_until_it_is_delivered
    a_sink_that_is_forgotten_leaves_nothing_behind
}

const SINK: &str = "sink:a";

fn wanted(name: &str, config: u8) -> Wanted {
    Wanted { name: name.to_owned(), config: vec![config], of_attempts: false, sweeps: false }
}

async fn state(storage: &Storage) -> SinkState {
    storage.sink_state(SINK, at(100)).await.unwrap().unwrap()
}

fn done(came: Vec<(String, Came)>) -> Done {
    Done { sink: SINK.to_owned(), came, at: at(10), ..Done::default() }
}

fn delivered(place: Option<&str>) -> Came {
    Came::Delivered(Delivered { digest: Some(vec![7]), place: place.map(str::to_owned) })
}

fn failed(second: i64) -> Came {
    let (code, message) = (code::Sink::File.into(), "why".to_owned());
    Came::Failed { next: at(second), code, message, of_all: true, tried: true }
}

async fn label(storage: &Storage, number: usize) {
    let profile = Some(format!("{{\"n\":{}}}", rand()));
    storage.set_profile(&id(number), profile, None).await.unwrap();
}

fn rand() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

async fn changes_are_noted_while_a_sink_wants_them(fresh: Fresh) {
    let fresh = fresh.with(2).await;
    let storage = &fresh.storage;
    label(storage, 0).await;
    assert!(storage.changed_behind(0, 9).await.unwrap().connections.is_empty());
    storage.want_sinks(vec![wanted(SINK, 1)]).await.unwrap();
    label(storage, 0).await;
    // What no sink can see is no change.
    storage.touch(&id(1), at(5)).await.unwrap();
    let found = storage.changed_behind(state(storage).await.seen, 9).await.unwrap();
    assert_eq!(found.connections, ["x/c0"]);
    assert!(storage.remove(&id(1), false).await.unwrap());
    let found = storage.changed_behind(found.seen.unwrap(), 9).await.unwrap();
    assert_eq!(found.connections, ["x/c1"]);
}

async fn a_connection_that_changes_often_has_one_place_and_no_number_is_given_twice(fresh: Fresh) {
    let fresh = fresh.with(2).await;
    let storage = &fresh.storage;
    storage.want_sinks(vec![wanted(SINK, 1)]).await.unwrap();
    for number in [0, 1, 0, 0] {
        label(storage, number).await;
    }
    let found = storage.changed_behind(0, 9).await.unwrap();
    assert_eq!(found.connections, ["x/c1", "x/c0"]);
    assert!(storage.remove(&id(0), false).await.unwrap());
    let last = storage.changed_behind(0, 9).await.unwrap().seen;
    storage.note_done(Done { seen: last, ..done(Vec::new()) }).await.unwrap();
    // The one that is gone was seen by all and is not kept; its number is not another's.
    assert_eq!(storage.changed_behind(0, 9).await.unwrap().connections, ["x/c1"]);
    label(storage, 1).await;
    let found = storage.changed_behind(state(storage).await.seen, 9).await.unwrap();
    assert_eq!(found.connections, ["x/c1"]);
}

async fn a_new_or_changed_sink_looks_at_everything(fresh: Fresh) {
    let fresh = fresh.with(3).await;
    let storage = &fresh.storage;
    storage.want_sinks(vec![wanted(SINK, 1)]).await.unwrap();
    assert_eq!(state(storage).await.swept.as_deref(), Some(""));
    let of = Selected::Provider("x".to_owned());
    let sweep = |after| storage.to_sweep(Sweep { sink: SINK, of: &of, after }, 2);
    assert_eq!(sweep("").await.unwrap(), ["x/c0", "x/c1"]);
    assert_eq!(sweep("x/c1").await.unwrap(), ["x/c2"]);
    let came = vec![("x/c9".to_owned(), delivered(Some("/a")))];
    storage.note_done(Done { swept: Some(Swept::End), ..done(came) }).await.unwrap();
    // What was delivered and is gone is looked at as well.
    assert_eq!(sweep("x/c1").await.unwrap(), ["x/c2", "x/c9"]);
    storage.want_sinks(vec![wanted(SINK, 1)]).await.unwrap();
    assert_eq!(state(storage).await.swept, None);
    let about = About { sink: SINK, subject: "x/c9", place: Some("/a") };
    assert_eq!(storage.sink_record(about).await.unwrap().delivered.unwrap().digest, Some(vec![7]));
    storage.want_sinks(vec![wanted(SINK, 2)]).await.unwrap();
    assert_eq!(state(storage).await.swept.as_deref(), Some(""));
    let record = storage.sink_record(about).await.unwrap();
    let anew = Delivered { digest: None, place: Some("/a".to_owned()) };
    assert_eq!((record.delivered, record.taken_by), (Some(anew), None));
    let other = About { subject: "x/c1", ..about };
    assert_eq!(storage.sink_record(other).await.unwrap().taken_by.as_deref(), Some("x/c9"));
    let sweeps = Wanted { sweeps: true, ..wanted(SINK, 2) };
    storage.note_done(Done { swept: Some(Swept::End), ..done(Vec::new()) }).await.unwrap();
    storage.want_sinks(vec![sweeps]).await.unwrap();
    assert_eq!(
        fresh.again().await.sink_state(SINK, at(1)).await.unwrap().unwrap().swept.as_deref(),
        Some("")
    );
}

async fn what_waits_is_tried_in_its_time_and_shown_until_it_is_delivered(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    storage.want_sinks(vec![wanted(SINK, 1)]).await.unwrap();
    let came = vec![("x/c0".to_owned(), failed(60)), ("x/c1".to_owned(), failed(200))];
    storage.note_done(done(came)).await.unwrap();
    let found = state(&storage).await;
    assert_eq!((found.due, found.next, found.down), (vec!["x/c0".to_owned()], Some(at(60)), true));
    let outlet = storage.outlets().await.unwrap().remove(0);
    assert_eq!((outlet.waiting, outlet.failing_since), (2, Some(at(10))));
    let about = About { sink: SINK, subject: "x/c0", place: None };
    storage.note_done(done(vec![("x/c0".to_owned(), failed(90))])).await.unwrap();
    assert_eq!(storage.sink_record(about).await.unwrap().tries, 2);
    let came = vec![("x/c0".to_owned(), delivered(None))];
    storage.note_done(Done { releases: true, ..done(came) }).await.unwrap();
    assert_eq!(state(&storage).await.due, ["x/c1"], "it is tried at once");
    assert_eq!(storage.sink_record(about).await.unwrap().tries, 0);
    let outlet = storage.outlets().await.unwrap().remove(0);
    assert!(outlet.failing_since.is_some() && outlet.delivered_at == Some(at(10)), "{outlet:?}");
    storage.note_done(done(vec![("x/c1".to_owned(), Came::Gone)])).await.unwrap();
    let outlet = storage.outlets().await.unwrap().remove(0);
    assert_eq!((outlet.failing_since, outlet.error, outlet.waiting), (None, None, 0));
}

async fn a_sink_that_is_forgotten_leaves_nothing_behind(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    storage.want_sinks(vec![wanted(SINK, 1), wanted("sink:b", 1)]).await.unwrap();
    label(&storage, 0).await;
    let came = vec![("x/c0".to_owned(), failed(60)), ("x/c1".to_owned(), delivered(Some("/a")))];
    storage.note_done(done(came)).await.unwrap();
    storage.want_sinks(vec![wanted("sink:b", 1)]).await.unwrap();
    assert_eq!(storage.sink_state(SINK, at(100)).await.unwrap(), None);
    let about = About { sink: SINK, subject: "x/c1", place: Some("/a") };
    assert_eq!(storage.sink_record(about).await.unwrap(), Record::default());
    assert_eq!(storage.changed_behind(0, 9).await.unwrap().connections, ["x/c0"]);
    storage.want_sinks(Vec::new()).await.unwrap();
    assert!(storage.changed_behind(0, 9).await.unwrap().connections.is_empty());
}
