//! Rooms for consents, and what a person agreed to.

use super::steps::{look, opened, success, token};
use super::{Fresh, at, id, on_every_engine};
use crate::model::connection::Agreed;
use crate::storage::{Begun, Filter, ManualSet, Succeeded};
use crate::vault::Sealed;

on_every_engine! {
    a_room_is_in_no_list_and_goes_when_nothing_has_come_of_it
    a_room_that_something_has_come_of_is_a_connection
    what_a_person_agreed_to_holds_until_a_token_is_set_by_hand
    facts_of_an_account_go_where_it_may_be_another
}

async fn listed(fresh: &Fresh) -> usize {
    fresh.storage.page(&Filter::default(), None, 10).await.unwrap().rows.len()
}

async fn a_room_is_in_no_list_and_goes_when_nothing_has_come_of_it(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let storage = &fresh.storage;
    assert!(!storage.make_room(&id(0), at(1)).await.unwrap(), "somebody lives there");
    for _ in 0..2 {
        assert!(storage.make_room(&id(1), at(1)).await.unwrap());
    }
    assert_eq!(listed(&fresh).await, 1);
    let _cut_off = opened(storage, 1).await;
    storage.forget_rooms().await.unwrap();
    assert!(storage.load(&id(1)).await.unwrap().is_none());
    assert_eq!(look(storage, 0).await.connection.id, id(0));
}

async fn a_room_that_something_has_come_of_is_a_connection(fresh: Fresh) {
    let storage = &fresh.storage;
    storage.make_room(&id(1), at(1)).await.unwrap();
    let of = opened(storage, 1).await;
    assert_eq!(storage.succeed(success(&of)).await.unwrap(), Begun::Yes);
    storage.forget_rooms().await.unwrap();
    assert_eq!(listed(&fresh).await, 1);
    assert!(!storage.make_room(&id(1), at(2)).await.unwrap());
}

fn agreed() -> Agreed {
    Agreed { asked: vec!["read".to_owned()], renewable: false }
}

async fn what_a_person_agreed_to_holds_until_a_token_is_set_by_hand(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let storage = &fresh.storage;
    let of = opened(storage, 0).await;
    storage.succeed(Succeeded { agreed: Some(agreed()), ..success(&of) }).await.unwrap();
    assert_eq!(look(storage, 0).await.connection.agreed, Some(agreed()));
    let of = opened(storage, 0).await;
    storage.succeed(success(&of)).await.unwrap();
    assert_eq!(look(storage, 0).await.connection.agreed, Some(agreed()), "a refresh asks nobody");
    let token = Some((token("by hand", None), Sealed::from_bytes(vec![1])));
    let (connection, due, adopts) = (id(0), None, None);
    let set = ManualSet { connection, generation: 2, token, due, adopts, at: at(9) };
    assert!(storage.set_manually(set).await.unwrap());
    assert_eq!(look(storage, 0).await.connection.agreed, None);
}

async fn facts_of_an_account_go_where_it_may_be_another(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let storage = &fresh.storage;
    for (may_be_another, stays) in [(false, true), (true, false)] {
        let facts = Some("{\"sub\":\"1\"}".to_owned());
        storage.set_profile(&id(0), facts, None).await.unwrap();
        let of = opened(storage, 0).await;
        storage.succeed(Succeeded { may_be_another, ..success(&of) }).await.unwrap();
        assert_eq!(look(storage, 0).await.connection.profile.is_some(), stays);
    }
}
