//! People who use the dashboard, and their sessions.

use super::{Fresh, at, on_every_engine};
use crate::model::account::{Account, Login, PasswordHash, Role};
use crate::storage::{Change, NewSession, SessionStep, Storage, StoredAccount, StoredLink};

on_every_engine! {
    an_account_comes_back_as_it_was
    two_accounts_have_two_names_and_two_subjects
    an_account_that_was_changed_meanwhile_is_left_alone
    an_account_goes_with_its_sessions
    a_login_is_noted_and_leaves_five_sessions
    who_was_changed_while_logging_in_has_no_session
    a_session_is_found_by_its_digest_alone
    a_confirmed_session_has_another_digest
    a_session_of_another_account_is_not_ended
}

fn account(name: &str, login: Login) -> StoredAccount {
    let (name, role) = (name.to_owned(), Role::Operator);
    let account = Account { name, role, login, created_at: at(1), last_login_at: None };
    let link = Some(StoredLink { digest: account.name.as_bytes().to_vec(), until: at(900) });
    StoredAccount { account, version: 0, mac: vec![1, 2], link }
}

fn person(subject: &str) -> Login {
    Login::OpenId { issuer: "https://id.example".to_owned(), subject: subject.to_owned() }
}

fn login(digest: u8, account: &str, second: i64) -> NewSession {
    NewSession {
        digest: vec![digest; 32],
        mac: vec![digest],
        account: account.to_owned(),
        version: 0,
        at: at(second),
        address: Some("::1".to_owned()),
        agent: Some("a browser".to_owned()),
    }
}

async fn numbers(storage: &Storage, account: &str) -> Vec<i64> {
    storage.sessions(account).await.unwrap().iter().map(|it| it.number).collect()
}

async fn an_account_comes_back_as_it_was(fresh: Fresh) {
    let all = [
        account("ann", Login::Password(PasswordHash("$argon2id$".to_owned()))),
        account("bob", Login::Link),
        StoredAccount { link: None, ..account("cid", person("7")) },
    ];
    for it in &all {
        assert!(fresh.storage.add_account(it.clone()).await.unwrap());
    }
    let again = fresh.again().await;
    assert_eq!(again.accounts().await.unwrap(), all);
    assert_eq!(again.account("bob").await.unwrap().as_ref(), Some(&all[1]));
    assert_eq!(again.account("dan").await.unwrap(), None);
    let found = again.account_of("https://id.example", "7").await.unwrap();
    assert_eq!(found.as_ref(), Some(&all[2]));
    assert_eq!(again.account_of("https://other.example", "7").await.unwrap(), None);
    assert_eq!(again.account_of_link(b"ann").await.unwrap().as_ref(), Some(&all[0]));
    assert_eq!(again.account_of_link(b"cid").await.unwrap(), None);
}

async fn two_accounts_have_two_names_and_two_subjects(fresh: Fresh) {
    let storage = &fresh.storage;
    assert!(storage.add_account(account("ann", person("7"))).await.unwrap());
    assert!(!storage.add_account(account("ann", Login::Link)).await.unwrap());
    assert!(!storage.add_account(account("bob", person("7"))).await.unwrap());
    assert_eq!(storage.accounts().await.unwrap().len(), 1);
}

async fn an_account_that_was_changed_meanwhile_is_left_alone(fresh: Fresh) {
    let storage = &fresh.storage;
    let read = account("ann", Login::Link);
    storage.add_account(read.clone()).await.unwrap();
    storage.begin_session(login(1, "ann", 5)).await.unwrap();
    let mut viewer = read.clone();
    viewer.account.role = Role::Viewer;
    let change = |account, ends_sessions| Change { account, ends_sessions };
    assert!(storage.change_account(change(viewer.clone(), false)).await.unwrap());
    assert_eq!(numbers(storage, "ann").await.len(), 1);
    // Whoever has read it before would make an operator of it again.
    assert!(!storage.change_account(change(read, true)).await.unwrap());
    let now = storage.account("ann").await.unwrap().unwrap();
    assert_eq!((now.account.role, now.version), (Role::Viewer, 1));
    assert_eq!(numbers(storage, "ann").await.len(), 1);
    assert!(storage.change_account(change(now, true)).await.unwrap());
    assert!(numbers(storage, "ann").await.is_empty());
}

async fn an_account_goes_with_its_sessions(fresh: Fresh) {
    let storage = &fresh.storage;
    storage.add_account(account("ann", Login::Link)).await.unwrap();
    storage.begin_session(login(1, "ann", 5)).await.unwrap();
    assert!(storage.remove_account("ann").await.unwrap());
    assert!(!storage.remove_account("ann").await.unwrap());
    assert!(storage.session(&[1; 32]).await.unwrap().is_none());
    assert!(numbers(storage, "ann").await.is_empty());
}

async fn a_login_is_noted_and_leaves_five_sessions(fresh: Fresh) {
    let storage = &fresh.storage;
    for name in ["ann", "bob"] {
        storage.add_account(account(name, Login::Link)).await.unwrap();
    }
    storage.begin_session(login(99, "bob", 1)).await.unwrap();
    for number in 0..7 {
        let at = i64::from(number) + 10;
        assert!(storage.begin_session(login(number, "ann", at)).await.unwrap());
    }
    let left = storage.sessions("ann").await.unwrap();
    assert_eq!(left.iter().map(|it| it.begun_at).collect::<Vec<_>>(), [12, 13, 14, 15, 16].map(at));
    assert_eq!(numbers(storage, "bob").await.len(), 1);
    let ann = storage.account("ann").await.unwrap().unwrap();
    assert_eq!((ann.account.last_login_at, ann.version), (Some(at(16)), 0));
}

async fn who_was_changed_while_logging_in_has_no_session(fresh: Fresh) {
    let storage = &fresh.storage;
    let ann = account("ann", Login::Link);
    storage.add_account(ann.clone()).await.unwrap();
    storage.change_account(Change { account: ann, ends_sessions: true }).await.unwrap();
    assert!(!storage.begin_session(login(1, "ann", 5)).await.unwrap());
    assert!(!storage.begin_session(login(2, "gone", 5)).await.unwrap());
    assert!(numbers(storage, "ann").await.is_empty());
}

async fn a_session_is_found_by_its_digest_alone(fresh: Fresh) {
    let storage = &fresh.storage;
    storage.add_account(account("ann", Login::Link)).await.unwrap();
    storage.begin_session(login(1, "ann", 5)).await.unwrap();
    let found = storage.session(&[1; 32]).await.unwrap().unwrap();
    let session = &found.session;
    assert_eq!((&*session.account, &*found.account.account.name), ("ann", "ann"));
    assert_eq!([session.begun_at, session.seen_at, session.confirmed_at], [at(5); 3]);
    assert_eq!(session.address.as_deref(), Some("::1"));
    assert_eq!(session.agent.as_deref(), Some("a browser"));
    assert!(storage.session(&[2; 32]).await.unwrap().is_none());
    for second in [70, 60] {
        assert!(storage.step_session(&[1; 32], SessionStep::Seen(at(second))).await.unwrap());
    }
    let seen = storage.session(&[1; 32]).await.unwrap().unwrap().session;
    assert_eq!((seen.seen_at, seen.begun_at), (at(70), at(5)));
    assert!(storage.step_session(&[1; 32], SessionStep::Ended).await.unwrap());
    assert!(!storage.step_session(&[1; 32], SessionStep::Seen(at(80))).await.unwrap());
}

async fn a_confirmed_session_has_another_digest(fresh: Fresh) {
    let storage = &fresh.storage;
    storage.add_account(account("ann", Login::Link)).await.unwrap();
    storage.begin_session(login(1, "ann", 5)).await.unwrap();
    let confirmed = SessionStep::Confirmed { digest: vec![2; 32], mac: vec![3], at: at(9) };
    assert!(storage.step_session(&[1; 32], confirmed).await.unwrap());
    assert!(storage.session(&[1; 32]).await.unwrap().is_none());
    let found = storage.session(&[2; 32]).await.unwrap().unwrap();
    assert_eq!((found.digest, found.mac), (vec![2; 32], vec![3]));
    let session = found.session;
    assert_eq!((session.begun_at, session.confirmed_at), (at(5), at(9)));
}

async fn a_session_of_another_account_is_not_ended(fresh: Fresh) {
    let storage = &fresh.storage;
    for name in ["ann", "bob"] {
        storage.add_account(account(name, Login::Link)).await.unwrap();
    }
    storage.begin_session(login(1, "ann", 5)).await.unwrap();
    let number = numbers(storage, "ann").await[0];
    assert!(!storage.end_session("bob", number).await.unwrap());
    assert!(storage.end_session("ann", number).await.unwrap());
    assert!(!storage.end_session("ann", number).await.unwrap());
}
