//! Who a database is, and the keys that its secrets were sealed with.

use super::steps::{answer, by_hand, enrolment, look, opened};
use super::{Fresh, at, id, on_every_engine};
use crate::storage::{Enrolment, ManualSet};
use crate::vault::Sealed;
use crate::vault::keyring::{KeyState, WrappedKey};

on_every_engine! {
    a_database_is_the_same_one_for_everybody_and_unlike_any_other
    keys_come_back_oldest_first_and_as_they_were
    a_key_does_not_take_the_place_of_another
    whatever_is_sealed_is_known_to_be
    a_sound_database_has_no_fault
    what_stands_under_ids_is_found_and_nothing_else
}

async fn a_database_is_the_same_one_for_everybody_and_unlike_any_other(fresh: Fresh) {
    let again = fresh.again().await;
    let asks = [fresh.storage.instance_id(), again.instance_id(), fresh.storage.instance_id()];
    let ids = futures_util::future::join_all(asks).await;
    let first = ids[0].as_ref().unwrap();
    assert!(!first.is_empty() && ids.iter().all(|it| it.as_ref().unwrap() == first));
    assert_eq!(fresh.again().await.instance_id().await.unwrap(), *first);
    let other = super::sqlite().await;
    assert_ne!(other.storage.instance_id().await.unwrap(), *first);
}

fn key(id: u32, state: KeyState) -> WrappedKey {
    WrappedKey { id, master_id: "m1".to_owned(), state, blob: vec![u8::try_from(id).unwrap(), 0] }
}

async fn keys_come_back_oldest_first_and_as_they_were(fresh: Fresh) {
    assert!(fresh.storage.keyring().await.unwrap().is_empty());
    for (id, state) in [(2, KeyState::Primary), (1, KeyState::DecryptOnly)] {
        fresh.storage.add_key(key(id, state), at(1)).await.unwrap();
    }
    let keys = fresh.again().await.keyring().await.unwrap();
    let plain = keys.iter().map(|it| (it.id, it.master_id.as_str(), it.state, it.blob[0]));
    let expected = [(1, "m1", KeyState::DecryptOnly, 1), (2, "m1", KeyState::Primary, 2)];
    assert_eq!(plain.collect::<Vec<_>>(), expected);
}

async fn a_key_does_not_take_the_place_of_another(fresh: Fresh) {
    let storage = &fresh.storage;
    storage.add_key(key(1, KeyState::Primary), at(1)).await.unwrap();
    let other = WrappedKey { blob: vec![9], ..key(1, KeyState::Primary) };
    assert!(storage.add_key(other, at(1)).await.is_err());
    assert_eq!(storage.keyring().await.unwrap()[0].blob, [1, 0]);
}

async fn whatever_is_sealed_is_known_to_be(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let holds = async || storage.holds_sealed().await.unwrap();
    assert!(!holds().await);
    let of = opened(&storage, 0).await;
    storage.capture(answer(&of, 0, 1)).await.unwrap();
    assert!(holds().await, "an answer");
    let adopts = Some(of.attempt);
    assert!(storage.set_manually(ManualSet { adopts, ..by_hand(0, 0) }).await.unwrap());
    assert!(holds().await, "a token");
    assert!(storage.set_manually(ManualSet { token: None, ..by_hand(0, 1) }).await.unwrap());
    assert!(!holds().await);
    let credentials = Some(Sealed::from_bytes(vec![6]));
    assert!(storage.enrol(Enrolment { credentials, ..enrolment(1, None) }).await.unwrap());
    assert!(holds().await, "secrets of a connection");
    assert!(storage.remove(&id(1), true).await.unwrap());
    assert!(!holds().await);
}

async fn a_sound_database_has_no_fault(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    opened(&storage, 0).await;
    assert_eq!(storage.check().await.unwrap(), None);
}

async fn what_stands_under_ids_is_found_and_nothing_else(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(3).await;
    assert!(storage.set_manually(by_hand(1, 0)).await.unwrap());
    let found = storage.standing(&[id(0), id(1), id(9)]).await.unwrap();
    assert_eq!(found.len(), 2);
    for (number, has_token) in [(0, false), (1, true)] {
        let standing = found[&id(number)].as_ref().unwrap();
        assert_eq!(standing.has_token, has_token);
        assert_eq!(standing.generation, look(&storage, number).await.connection.generation);
        assert_eq!(standing.enrolled, None, "it was not added");
    }
    assert!(storage.standing(&[]).await.unwrap().is_empty());
}
