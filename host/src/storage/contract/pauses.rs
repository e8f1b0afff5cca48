//! What a person has paused is looked at when the pause ends and not before, whatever is written of it
//! meanwhile.

use std::time::Duration;

use jiff::Timestamp;

use super::steps::{
    abandoned, by_hand, enrolment, expiry, failure, look, opened, pause, success, wanted,
};
use super::{Fresh, at, id, on_every_engine};
use crate::model::attempt::Trigger;
use crate::storage::{
    Begun, Enrolment, Failed, ManualSet, Moved, Pausing, Reconcile, Storage, Succeeded,
};

on_every_engine! {
    a_pause_is_there_as_it_was_said_and_ends_when_it_ends
    nobody_pauses_what_is_not_there
    a_pause_holds_whatever_is_written_meanwhile
    a_pause_without_an_end_holds_too
    a_pause_holds_over_a_claim_and_its_lease
}

async fn a_pause_is_there_as_it_was_said_and_ends_when_it_ends(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let pausing = pause(0, Some(50));
    assert!(fresh.storage.set_pause(pausing.clone()).await.unwrap());
    let storage = fresh.again().await;
    let connection = look(&storage, 0).await.connection;
    assert_eq!((connection.pause, connection.due), (pausing.pause, expiry(50)));
    assert_eq!(storage.due("x", at(49), 9, |_| true).await.unwrap(), []);
    assert_eq!(storage.next_due(at(49)).await.unwrap(), Some(at(50)));
    assert_eq!(storage.due("x", at(50), 9, |_| true).await.unwrap(), [(id(0), Trigger::Expiry)]);
    let resumed = Pausing { id: id(0), pause: None, due: expiry(30), at: at(6) };
    assert!(storage.set_pause(resumed).await.unwrap());
    let connection = look(&storage, 0).await.connection;
    assert_eq!((connection.pause, connection.due), (None, expiry(30)));
}

async fn nobody_pauses_what_is_not_there(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(0).await;
    assert!(!storage.set_pause(pause(0, Some(50))).await.unwrap());
    assert!(storage.load(&id(0)).await.unwrap().is_none());
}

async fn a_pause_holds_whatever_is_written_meanwhile(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let until = Some(at(500));
    everything_is_written(&storage, pause(0, Some(500)), until).await;
}

async fn a_pause_without_an_end_holds_too(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    everything_is_written(&storage, pause(0, None), None).await;
    assert_eq!(storage.due("x", at(9_999), 9, |_| true).await.unwrap(), []);
    assert_eq!(storage.next_due(at(0)).await.unwrap(), None);
}

/// Each step that writes a time, in a pause that ends at `until`.
async fn everything_is_written(storage: &Storage, pausing: Pausing, until: Option<Timestamp>) {
    let due = expiry(7);
    let holds = async |what: &str| {
        let connection = look(storage, 0).await.connection;
        assert_eq!(connection.due.map(|it| it.at), until, "{what}");
        assert!(connection.pause.is_some(), "{what}");
    };
    assert!(storage.set_pause(pausing).await.unwrap());
    let of = opened(storage, 0).await;
    assert_eq!(storage.fail(Failed { due, ..failure(&of) }).await.unwrap(), Begun::Yes);
    holds("a failure").await;
    let of = opened(storage, 0).await;
    assert_eq!(storage.succeed(Succeeded { due, ..success(&of) }).await.unwrap(), Begun::Yes);
    holds("a success").await;
    let of = opened(storage, 0).await;
    assert_eq!(storage.abandon(abandoned(&of)).await.unwrap(), Begun::Yes);
    holds("a try that came to nothing").await;
    assert!(storage.set_manually(ManualSet { due, ..by_hand(0, 1) }).await.unwrap());
    holds("a person").await;
    assert!(storage.enrol(Enrolment { due, ..enrolment(0, Some(2)) }).await.unwrap());
    holds("a file").await;
    storage.reconcile(Reconcile { due, forgive: true, ..wanted(id(0)) }).await.unwrap();
    holds("the manifest").await;
    storage.set_due(&id(0), due).await.unwrap();
    storage.set_due(&id(0), None).await.unwrap();
    holds("another time").await;
    let found = look(storage, 0).await.connection.due;
    storage.move_due(vec![Moved { id: id(0), generation: 2, found, due }]).await.unwrap();
    holds("a clock that was set").await;
    storage.look_at_all("x", Duration::ZERO, at(8)).await.unwrap();
    storage.put_off("x", at(900), Duration::from_secs(1)).await.unwrap();
    storage.wake(&id(0), at(8)).await.unwrap();
    holds("its provider").await;
}

async fn a_pause_holds_over_a_claim_and_its_lease(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    opened(&storage, 0).await;
    assert!(storage.set_pause(pause(0, Some(500))).await.unwrap());
    assert_eq!(look(&storage, 0).await.connection.due, expiry(500));
    storage.wake_interrupted("another", at(70)).await.unwrap();
    assert_eq!(storage.due("x", at(499), 9, |_| true).await.unwrap(), []);
    assert_eq!(storage.next_due(at(100)).await.unwrap(), Some(at(500)));
    let over = storage.due("x", at(500), 9, |_| true).await.unwrap();
    assert_eq!(over, [(id(0), Trigger::Expiry)], "nobody forgets what was interrupted");
    let resumed = Pausing { id: id(0), pause: None, due: expiry(400), at: at(80) };
    assert!(storage.set_pause(resumed).await.unwrap());
    let due = storage.due("x", at(100), 9, |_| true).await.unwrap();
    assert_eq!(due, [(id(0), Trigger::Recovery)]);
}
