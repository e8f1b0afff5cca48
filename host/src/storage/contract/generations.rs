//! The one way to a new generation: a refresh, a person and a file all leave the same behind them. A person
//! takes a token away the same way.

use super::steps::{
    answer, answers, broken, by_hand, enrolment, expiry, look, opened, request, success, token,
};
use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::connection::TokenFacts;
use crate::model::token::fingerprint;
use crate::storage::{Begun, Enrolment, Failed, Loaded, ManualSet, Storage, Succeeded};
use crate::vault::Sealed;

on_every_engine! {
    the_same_stands_after_a_refresh_a_person_and_a_file
    a_person_who_was_slower_changes_nothing
    a_person_changes_nothing_while_a_refresh_runs
    a_person_takes_over_from_a_dead_process
    a_takeover_by_a_person_who_was_slower_closes_nothing
    a_token_that_is_taken_away_leaves_nothing_and_counts_as_a_generation
    a_token_of_nobody_is_not_stored
}

/// A connection with all that a new generation clears.
async fn troubled(storage: &Storage, number: usize) {
    let (attempt, config) = (begin(number, None).attempt, Some(vec![3]));
    let doubt_since = Some(at(5));
    let due = expiry(70);
    let failed = Failed { config, doubt_since, keep_captures: true, due, ..failed(attempt, 0) };
    let of = broken(storage, number, failed).await;
    storage.capture(answer(&of, 0, 1)).await.unwrap();
    storage.depart(request(&of, 1)).await.unwrap();
}

fn facts(issued: i64, config: Option<Vec<u8>>) -> TokenFacts {
    TokenFacts {
        token_type: "Bearer".to_owned(),
        issued_at: at(issued),
        expires_at: Some(at(900)),
        refresh_expires_at: Some(at(1800)),
        fingerprint: fingerprint(&"new".into()),
        scopes: vec!["read".to_owned()],
        metadata: vec![("account".to_owned(), "7".to_owned())],
        config,
    }
}

async fn the_same_stands_after_a_refresh_a_person_and_a_file(fresh: Fresh) {
    let fresh = fresh.with(3).await;
    let storage = &fresh.storage;
    for number in 0..3 {
        troubled(storage, number).await;
    }
    let (token, due, now) = (token("new", Some(900)), expiry(800), at(20));
    let sealed = || Sealed::from_bytes(vec![4, 2]);
    let of = opened(storage, 0).await;
    let config = Some(vec![8]);
    let (refresh, all) = (success(&of), token.clone());
    let refresh = Succeeded { token: all, sealed: sealed(), config, due, at: now, ..refresh };
    assert_eq!(storage.succeed(refresh).await.unwrap(), Begun::Yes);
    let person = ManualSet { token: Some((token.clone(), sealed())), due, ..by_hand(1, 0) };
    assert!(storage.set_manually(person).await.unwrap());
    let file = Enrolment { token: Some((token, sealed())), due, ..enrolment(2, Some(0)) };
    assert!(storage.enrol(file).await.unwrap());
    let again = fresh.again().await;
    for number in 0..3 {
        let loaded = look(&again, number).await;
        let by_refresh = number == 0;
        assert_eq!(loaded.given, by_refresh, "the provider gave it");
        let config = by_refresh.then(|| vec![8]);
        assert_eq!(loaded.connection.token, Some(facts(20, config)), "{number}");
        assert_eq!((loaded.connection.generation, loaded.connection.due), (1, due), "{number}");
        assert_eq!(loaded.sealed.as_ref().unwrap().as_bytes(), [4, 2], "{number}");
        is_settled(&loaded);
        assert_eq!(again.problem_config(&id(number)).await.unwrap(), None, "{number}");
    }
}

/// Nothing of what was before is left.
fn is_settled(loaded: &Loaded) {
    let connection = &loaded.connection;
    assert_eq!((connection.failures, connection.problem), (0, None));
    assert_eq!((&connection.error, loaded.doubt_since()), (&None, None));
    assert_eq!((answers(loaded), loaded.unanswered), (vec![], None));
    assert!(loaded.open.is_none());
}

async fn a_person_who_was_slower_changes_nothing(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    assert!(storage.set_manually(by_hand(0, 0)).await.unwrap());
    let before = look(&storage, 0).await;
    for generation in [0, 2] {
        let token = Some((token("late", None), Sealed::from_bytes(vec![9])));
        let late = ManualSet { token, due: expiry(7), ..by_hand(0, generation) };
        assert!(!storage.set_manually(late).await.unwrap());
        let forgets = ManualSet { token: None, ..by_hand(0, generation) };
        assert!(!storage.set_manually(forgets).await.unwrap());
    }
    let after = look(&storage, 0).await;
    assert_eq!(after.connection, before.connection);
    assert_eq!(after.sealed.unwrap().as_bytes(), [2]);
}

async fn a_person_changes_nothing_while_a_refresh_runs(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let of = opened(&storage, 0).await;
    for adopts in [None, Some(begin(0, None).attempt)] {
        let set = ManualSet { adopts, ..by_hand(0, 0) };
        assert!(!storage.set_manually(set).await.unwrap());
    }
    let loaded = look(&storage, 0).await;
    assert_eq!((loaded.connection.generation, loaded.open.unwrap().id), (0, of.attempt));
    assert_eq!(storage.succeed(success(&of)).await.unwrap(), Begun::Yes);
}

async fn a_person_takes_over_from_a_dead_process(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let dead = opened(&storage, 0).await;
    storage.capture(answer(&dead, 0, 1)).await.unwrap();
    let set = ManualSet { adopts: Some(dead.attempt), ..by_hand(0, 0) };
    assert!(storage.set_manually(set).await.unwrap());
    let loaded = look(&storage, 0).await;
    assert_eq!(loaded.connection.generation, 1);
    is_settled(&loaded);
    let closed = storage.attempt(dead.attempt).await.unwrap().unwrap();
    assert!(closed.error().is_some());
    assert_eq!(storage.succeed(success(&dead)).await.unwrap(), Begun::Lost);
}

async fn a_takeover_by_a_person_who_was_slower_closes_nothing(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let of = opened(&storage, 0).await;
    let late = ManualSet { adopts: Some(of.attempt), ..by_hand(0, 3) };
    assert!(!storage.set_manually(late).await.unwrap());
    assert_eq!(look(&storage, 0).await.open.unwrap().id, of.attempt);
    assert_eq!(storage.succeed(success(&of)).await.unwrap(), Begun::Yes);
}

async fn a_token_that_is_taken_away_leaves_nothing_and_counts_as_a_generation(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let storage = &fresh.storage;
    assert!(storage.set_manually(by_hand(0, 0)).await.unwrap());
    assert!(storage.holds_sealed().await.unwrap());
    let forgets = ManualSet { token: None, ..by_hand(0, 1) };
    assert!(storage.set_manually(forgets).await.unwrap());
    let again = fresh.again().await;
    let loaded = look(&again, 0).await;
    assert_eq!((loaded.connection.generation, &loaded.connection.token), (2, &None));
    assert!(loaded.sealed.is_none() && !loaded.given);
    assert!(!again.holds_sealed().await.unwrap());
    let standing = again.standing(&[id(0)]).await.unwrap();
    assert!(!standing[&id(0)].as_ref().unwrap().has_token);
}

async fn a_token_of_nobody_is_not_stored(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(0).await;
    assert!(!storage.set_manually(by_hand(0, 0)).await.unwrap());
    assert!(storage.load(&id(0)).await.unwrap().is_none());
}
