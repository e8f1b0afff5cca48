//! Keys of programs, and who did what.

use super::steps::broken;
use super::{Fresh, at, failed, on_every_engine};
use crate::model::api_key::{ApiKey, Grant, Scope};
use crate::model::audit::{Action, Actor, AuditRecord};
use crate::model::id::AttemptId;
use crate::storage::{AuditFilter, Counted, Failed, KeyUse, StoredKey};

on_every_engine! {
    a_key_comes_back_as_it_was
    two_keys_in_force_have_two_names
    a_key_is_revoked_once_and_stays_in_the_list
    the_last_use_of_a_key_is_the_latest
    what_is_counted_has_one_entry_for_each_hour_actor_and_subject
    what_is_done_once_has_an_entry_of_its_own
    the_audit_log_comes_in_pages_newest_first
    the_audit_log_is_filtered
    connections_are_counted_for_each_provider
}

fn key(id: &str, name: &str, created: i64) -> StoredKey {
    let grant = Grant {
        scopes: [Scope::TokenRead, Scope::ConnectionRead].into(),
        providers: ["eskiz".to_owned()].into(),
        labels: ["gold".to_owned()].into(),
        expires_at: Some(at(900)),
    };
    let (id, name) = (id.to_owned(), name.to_owned());
    let (revoked_at, last_used_at) = (None, None);
    let key = ApiKey { id, name, grant, created_at: at(created), revoked_at, last_used_at };
    StoredKey { key, digest: vec![1, 2, 3] }
}

async fn a_key_comes_back_as_it_was(fresh: Fresh) {
    assert!(fresh.storage.api_keys().await.unwrap().is_empty());
    let keys = [key("a", "web", 5), key("b", "jobs", 3)];
    for key in &keys {
        assert!(fresh.storage.add_api_key(key.clone()).await.unwrap());
    }
    let found = fresh.again().await.api_keys().await.unwrap();
    assert_eq!(found, [keys[1].clone(), keys[0].clone()]);
}

async fn two_keys_in_force_have_two_names(fresh: Fresh) {
    let storage = &fresh.storage;
    assert!(storage.add_api_key(key("a", "web", 1)).await.unwrap());
    assert!(!storage.add_api_key(key("b", "web", 2)).await.unwrap());
    assert!(storage.add_api_key(key("a", "jobs", 2)).await.is_err(), "an id is never used again");
    assert!(storage.revoke_api_key("a", at(3)).await.unwrap());
    assert!(storage.add_api_key(key("b", "web", 4)).await.unwrap());
    assert_eq!(storage.api_keys().await.unwrap().len(), 2);
}

async fn a_key_is_revoked_once_and_stays_in_the_list(fresh: Fresh) {
    let storage = &fresh.storage;
    storage.add_api_key(key("a", "web", 1)).await.unwrap();
    assert!(!storage.revoke_api_key("b", at(2)).await.unwrap());
    assert!(storage.revoke_api_key("a", at(3)).await.unwrap());
    assert!(!storage.revoke_api_key("a", at(4)).await.unwrap());
    assert_eq!(storage.api_keys().await.unwrap()[0].key.revoked_at, Some(at(3)));
}

async fn the_last_use_of_a_key_is_the_latest(fresh: Fresh) {
    let storage = &fresh.storage;
    storage.add_api_key(key("a", "web", 1)).await.unwrap();
    storage.add_api_key(key("b", "jobs", 2)).await.unwrap();
    for seconds in [60, 30] {
        let used = KeyUse { id: "a".to_owned(), at: at(seconds) };
        let gone = KeyUse { id: "gone".to_owned(), at: at(seconds) };
        storage.note_key_uses(vec![used, gone]).await.unwrap();
    }
    let found = storage.api_keys().await.unwrap();
    let used = found.iter().map(|it| it.key.last_used_at).collect::<Vec<_>>();
    assert_eq!(used, [Some(at(60)), None]);
}

fn done(action: Action, second: i64, subject: &str) -> AuditRecord {
    let (actor, subject) = (Actor::Key("a".to_owned()), subject.to_owned());
    AuditRecord { at: at(second), actor, action, subject, detail: None, count: 2 }
}

fn all() -> AuditFilter {
    AuditFilter { limit: 100, ..AuditFilter::default() }
}

async fn what_is_counted_has_one_entry_for_each_hour_actor_and_subject(fresh: Fresh) {
    let storage = &fresh.storage;
    let read = |second, subject| done(Action::TokenRead, second, subject);
    let other = AuditRecord { actor: Actor::User(7), ..read(30, "x/a") };
    storage.audit(vec![read(20, "x/a"), read(10, "x/a"), read(3600, "x/a")]).await.unwrap();
    storage.audit(vec![read(30, "x/a"), read(30, "x/b"), other]).await.unwrap();
    let found = storage.audit_page(&all()).await.unwrap().entries;
    let plain = found.iter().map(|it| (it.actor.as_str(), &*it.subject, it.count, it.at));
    assert_eq!(
        plain.collect::<Vec<_>>(),
        [
            ("user:7", "x/a", 2, at(30)),
            ("key:a", "x/b", 2, at(30)),
            ("key:a", "x/a", 2, at(3600)),
            ("key:a", "x/a", 6, at(30)),
        ]
    );
}

async fn what_is_done_once_has_an_entry_of_its_own(fresh: Fresh) {
    let storage = &fresh.storage;
    storage.add_api_key(key("a", "web", 1)).await.unwrap();
    let detail = Some("holidays".to_owned());
    let paused = AuditRecord { detail: detail.clone(), ..done(Action::Paused, 5, "x/a") };
    storage.audit(vec![paused.clone(), paused]).await.unwrap();
    let found = storage.audit_page(&all()).await.unwrap().entries;
    assert_eq!(found.len(), 2);
    assert!(found[0].id > found[1].id);
    assert_eq!((found[0].action, &found[0].detail, found[0].count), (Action::Paused, &detail, 2));
    assert_eq!(found[0].key_name.as_deref(), Some("web"));
}

async fn the_audit_log_comes_in_pages_newest_first(fresh: Fresh) {
    let storage = &fresh.storage;
    let all = (0..5).map(|it| done(Action::Resumed, it, "x/a")).collect();
    storage.audit(all).await.unwrap();
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let filter = AuditFilter { before, limit: 2, ..AuditFilter::default() };
        let page = storage.audit_page(&filter).await.unwrap();
        seen.extend(page.entries.iter().map(|it| it.at));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..5).rev().map(at).collect::<Vec<_>>());
}

async fn the_audit_log_is_filtered(fresh: Fresh) {
    let storage = &fresh.storage;
    let person = AuditRecord { actor: Actor::User(1), ..done(Action::Resumed, 9, "x/b") };
    storage.audit(vec![done(Action::Paused, 5, "x/a"), person]).await.unwrap();
    let count =
        async |filter: AuditFilter| storage.audit_page(&filter).await.unwrap().entries.len();
    assert_eq!(count(AuditFilter { actor: Some("user:1".to_owned()), ..all() }).await, 1);
    assert_eq!(count(AuditFilter { action: Some(Action::Paused), ..all() }).await, 1);
    assert_eq!(count(AuditFilter { subject: Some("x/b".to_owned()), ..all() }).await, 1);
    assert_eq!(count(AuditFilter { since: Some(at(6)), ..all() }).await, 1);
    assert_eq!(count(AuditFilter { since: Some(at(10)), ..all() }).await, 0);
    assert_eq!(count(all()).await, 2);
}

async fn connections_are_counted_for_each_provider(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(3).await;
    let problem = Some(crate::model::connection::Problem::Reconnect);
    broken(&storage, 1, Failed { problem, ..failed(AttemptId::generate(), 0) }).await;
    let counted = storage.counted().await.unwrap();
    let (provider, connections, needing_a_person) = ("x".to_owned(), 3, 1);
    assert_eq!(counted, [Counted { provider, connections, needing_a_person }]);
}
