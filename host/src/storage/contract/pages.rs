//! Connections in pages: every filter, every page once, and with each its last attempt.

use super::steps::{broken, by_hand, enrolment, look, opened, refreshed, skipped, wanted};
use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::connection::Connection;
use crate::model::id::ConnectionId;
use crate::storage::{Enrolment, Failed, Filter, Page, Storage};

on_every_engine! {
    every_connection_is_on_one_page_in_the_order_of_names
    those_that_are_named_are_found_once_and_no_others
    each_filter_leaves_those_that_it_names
    filters_hold_together
    a_connection_comes_with_its_last_attempt_also_when_that_is_open
    an_open_connection_is_listed_as_it_is_loaded
}

/// All pages of so many rows.
async fn all(storage: &Storage, filter: &Filter, limit: u32) -> Vec<Connection> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = storage.page(filter, after.as_deref(), limit).await.unwrap();
        assert!(page.rows.len() <= limit as usize && page.attempts.is_empty());
        let selected = storage.selected(filter, after.as_deref(), limit).await.unwrap();
        let ids = |it: &Page| it.rows.iter().flatten().map(|it| it.id.clone()).collect::<Vec<_>>();
        assert_eq!((ids(&selected), &selected.next), (ids(&page), &page.next));
        rows.extend(page.rows.into_iter().map(Result::unwrap));
        after = page.next;
        if after.is_none() {
            return rows;
        }
    }
}

async fn ids(storage: &Storage, filter: &Filter, limit: u32) -> Vec<ConnectionId> {
    all(storage, filter, limit).await.into_iter().map(|it| it.id).collect()
}

async fn manifest(storage: &Storage, text: &str) {
    storage.reconcile(wanted(text.parse().unwrap())).await.unwrap();
}

async fn every_connection_is_on_one_page_in_the_order_of_names(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(7).await;
    manifest(&storage, "w/z").await;
    let names = std::iter::once("w/z".parse().unwrap()).chain((0..7).map(id)).collect::<Vec<_>>();
    for limit in [1, 2, 3, 4, 8, 100] {
        assert_eq!(ids(&storage, &Filter::default(), limit).await, names, "{limit}");
    }
    let behind = storage.page(&Filter::default(), Some("x/c2zzz"), 2).await.unwrap();
    let behind = behind.rows.into_iter().map(|it| it.unwrap().id).collect::<Vec<_>>();
    assert_eq!(behind, [id(3), id(4)], "a key need not be there");
}

async fn those_that_are_named_are_found_once_and_no_others(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(6).await;
    let wanted = vec![id(4), id(1), id(9), id(1), id(3)];
    let filter = Filter { ids: wanted, ..Filter::default() };
    for limit in [1, 2, 100] {
        assert_eq!(ids(&storage, &filter, limit).await, [id(1), id(3), id(4)], "{limit}");
    }
    let nobody = Filter { ids: vec![id(9)], ..Filter::default() };
    assert_eq!(ids(&storage, &nobody, 9).await, []);
}

/// Of provider x: 0 has failed, 1 has a problem, 2 was asked for, 3 has both labels, 4 one; and y/c0.
async fn some(fresh: Fresh) -> Fresh {
    let fresh = fresh.with(3).await;
    let storage = &fresh.storage;
    let attempt = begin(0, None).attempt;
    broken(storage, 0, Failed { problem: None, ..failed(attempt, 0) }).await;
    broken(storage, 1, failed(attempt, 0)).await;
    storage.touch(&id(2), at(50)).await.unwrap();
    for (number, labels) in [(3, vec!["a", "b"]), (4, vec!["b"])] {
        let labels = labels.into_iter().map(str::to_owned).collect();
        let active_at = Some(at(10 * i64::try_from(number).unwrap()));
        let added = Enrolment { labels, active_at, ..enrolment(number, None) };
        assert!(storage.enrol(added).await.unwrap());
    }
    broken(storage, 4, failed(attempt, 0)).await;
    manifest(storage, "y/c0").await;
    fresh
}

async fn each_filter_leaves_those_that_it_names(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = some(fresh).await;
    let provider = |name: &str| Filter { provider: Some(name.to_owned()), ..Filter::default() };
    let label = |word: &str| Filter { label: Some(word.to_owned()), ..Filter::default() };
    let active = |second| Filter { active_since: Some(at(second)), ..Filter::default() };
    let failed_last = Filter { failed: true, ..Filter::default() };
    let y: ConnectionId = "y/c0".parse().unwrap();
    for (filter, found) in [
        (provider("x"), (0..5).map(id).collect()),
        (provider("y"), vec![y]),
        (provider("z"), vec![]),
        (label("a"), vec![id(3)]),
        (label("b"), vec![id(3), id(4)]),
        (label("c"), vec![]),
        (active(30), vec![id(2), id(3), id(4)]),
        (active(50), vec![id(2)]),
        (failed_last.clone(), vec![id(0), id(1), id(4)]),
    ] {
        for limit in [1, 2, 100] {
            assert_eq!(ids(&storage, &filter, limit).await, found, "{filter:?} {limit}");
        }
    }
    let Connection { labels, .. } = look(&storage, 3).await.connection;
    assert_eq!(labels, ["a", "b"]);
    assert!(storage.enrol(enrolment(3, Some(0))).await.unwrap());
    assert_eq!(ids(&storage, &label("b"), 9).await, [id(4)], "it has lost its labels");
    assert!(storage.remove(&id(4), true).await.unwrap());
    assert_eq!(ids(&storage, &label("b"), 9).await, []);
    assert!(storage.set_manually(by_hand(1, 0)).await.unwrap());
    assert_eq!(ids(&storage, &failed_last, 9).await, [id(0)]);
}

async fn filters_hold_together(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = some(fresh).await;
    let full = Filter {
        ids: vec![id(0), id(3), id(4)],
        provider: Some("x".to_owned()),
        failed: true,
        label: Some("b".to_owned()),
        active_since: Some(at(40)),
    };
    assert_eq!(ids(&storage, &full, 1).await, [id(4)]);
    for none in [
        Filter { ids: vec![id(0), id(3)], ..full.clone() },
        Filter { provider: Some("y".to_owned()), ..full.clone() },
        Filter { label: Some("a".to_owned()), ..full.clone() },
        Filter { active_since: Some(at(41)), ..full.clone() },
    ] {
        assert_eq!(ids(&storage, &none, 9).await, [], "{none:?}");
    }
    let unnamed = Filter { ids: vec![], ..full.clone() };
    assert_eq!(ids(&storage, &unnamed, 1).await, [id(4)]);
    let with_success = Filter { failed: false, active_since: None, ..full };
    assert_eq!(ids(&storage, &with_success, 1).await, [id(3), id(4)]);
}

async fn a_connection_comes_with_its_last_attempt_also_when_that_is_open(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(4).await;
    refreshed(&storage, 0, None).await;
    let refused = broken(&storage, 0, failed(begin(0, None).attempt, 0)).await;
    refreshed(&storage, 1, None).await;
    let open = opened(&storage, 1).await;
    let skip = skipped(2);
    storage.skip(skip.clone()).await.unwrap();
    let expected = [Some(refused.attempt), Some(open.attempt), Some(skip.attempt), None];
    for limit in [1, 3, 9] {
        let rows = all(&storage, &Filter::default(), limit).await;
        for (row, id) in rows.iter().zip(expected) {
            let last = row.last_attempt.as_ref();
            assert_eq!(last.map(|it| it.id), id, "{}", row.id);
            let stored = match id {
                Some(id) => storage.attempt(id).await.unwrap(),
                None => None,
            };
            assert_eq!(last, stored.as_ref());
        }
    }
}

async fn an_open_connection_is_listed_as_it_is_loaded(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    opened(&storage, 0).await;
    let listed = all(&storage, &Filter::default(), 9).await.remove(0);
    assert!(listed.last_attempt.as_ref().is_some_and(|it| it.outcome().is_none()));
    let plain = Connection { last_attempt: None, ..listed };
    assert_eq!(plain, look(&storage, 0).await.connection);
}
