//! What puts many right at once: a clock that was ahead, what a person has corrected, a provider that is
//! gone.

use std::time::Duration;

use super::steps::{
    broken, by_hand, due, enrolment, expiry, look, opened, pause, refreshed, success, token, wanted,
};
use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::attempt::Trigger;
use crate::model::connection::Problem;
use crate::storage::{Begin, Enrolment, Failed, Forgiven, ManualSet, Moved, Storage, Succeeded};
use crate::vault::Sealed;

on_every_engine! {
    a_time_that_no_fact_allows_is_doubtful
    one_without_a_next_look_is_doubtful_where_a_schedule_says_that_it_has_one
    a_connection_is_moved_if_it_is_as_it_was_found
    what_a_clock_that_was_ahead_has_noted_is_taken_back
    what_a_person_has_corrected_is_tried_again_one_after_the_other
    somebody_waits_for_a_correction_who_was_added_and_is_misconfigured
    all_of_a_provider_that_is_gone_are_looked_at
    tokens_say_what_they_came_of
}

const AHEAD: Duration = Duration::from_mins(1);

async fn doubtful(storage: &Storage, now: i64, scheduled: &[String]) -> Vec<(usize, bool)> {
    let (found, next) = storage.doubtful(at(now), AHEAD, scheduled, None).await.unwrap();
    if let Some(next) = next {
        let (more, _) = storage.doubtful(at(now), AHEAD, scheduled, Some(&next)).await.unwrap();
        assert!(more.is_empty());
    }
    let number = |name: &str| name.trim_start_matches('c').parse().unwrap();
    found.iter().map(|it| (number(it.connection.id.name()), it.ahead)).collect()
}

async fn a_time_that_no_fact_allows_is_doubtful(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(8).await;
    for number in 0..5 {
        let token = Some((token("t", Some(900)), Sealed::from_bytes(vec![1])));
        let (connection, due) = (id(number), expiry(800));
        let set = ManualSet { connection, token, due, at: at(100), ..by_hand(number, 0) };
        assert!(storage.set_manually(set).await.unwrap());
    }
    assert_eq!(doubtful(&storage, 100, &[]).await, [], "it is looked at before its token ends");
    storage.set_due(&id(1), expiry(901)).await.unwrap();
    opened(&storage, 2).await;
    storage.set_due(&id(3), expiry(9_000)).await.unwrap();
    storage.set_pause(pause(3, Some(9_000))).await.unwrap();
    let attempt = begin(5, None).attempt;
    let failed = |problem| Failed { problem, due: expiry(800), ..failed(attempt, 0) };
    broken(&storage, 5, failed(None)).await;
    broken(&storage, 6, failed(Some(Problem::Reconnect))).await;
    let late = Begin { at: at(500), ..begin(7, None) };
    storage.begin(late.clone()).await.unwrap();
    let why = Failed { connection: id(7), attempt: late.attempt, ..failed(None) };
    storage.fail(why).await.unwrap();
    // Of one that fails nobody can tell whether it waits too long; one of them was told by another clock.
    assert_eq!(doubtful(&storage, 100, &[]).await, [(1, false), (5, false), (7, true)]);
    assert_eq!(doubtful(&storage, 901, &[]).await, [], "what is due is looked at anyway");
    let issued_ahead = doubtful(&storage, 30, &[]).await;
    assert!(issued_ahead.contains(&(0, false)) && issued_ahead.contains(&(4, false)));
}

async fn one_without_a_next_look_is_doubtful_where_a_schedule_says_that_it_has_one(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(3).await;
    refreshed(&storage, 0, None).await;
    refreshed(&storage, 1, Some(900)).await;
    assert_eq!(doubtful(&storage, 100, &[]).await, []);
    assert_eq!(doubtful(&storage, 100, &["y".to_owned()]).await, []);
    assert_eq!(doubtful(&storage, 100, &["x".to_owned()]).await, [(0, false)]);
}

async fn a_connection_is_moved_if_it_is_as_it_was_found(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(5).await;
    for number in 0..4 {
        storage.set_due(&id(number), expiry(50)).await.unwrap();
    }
    opened(&storage, 3).await;
    let moved = |number, generation, found: Option<i64>, to: Option<i64>| Moved {
        id: id(number),
        generation,
        found: found.and_then(expiry),
        due: to.map(|it| due(it, Trigger::Backup)),
    };
    let all = vec![
        moved(0, 0, Some(50), Some(20)),
        moved(1, 0, Some(49), Some(20)),
        moved(2, 1, Some(50), Some(20)),
        moved(3, 0, Some(50), Some(20)),
        moved(4, 0, None, Some(30)),
        moved(9, 0, None, Some(30)),
    ];
    assert_eq!(storage.move_due(all).await.unwrap(), 3);
    assert_eq!(look(&storage, 0).await.connection.due, Some(due(20, Trigger::Backup)));
    assert_eq!(look(&storage, 1).await.connection.due, expiry(50));
    assert_eq!(look(&storage, 2).await.connection.due, expiry(50));
    let claimed = look(&storage, 3).await;
    assert_eq!(claimed.connection.due, Some(due(20, Trigger::Backup)), "a claim only hides it");
    assert_eq!(claimed.open.unwrap().lease_until, at(60));
    assert_eq!(look(&storage, 4).await.connection.due, Some(due(30, Trigger::Backup)));
    assert_eq!(storage.move_due(vec![moved(0, 0, Some(20), None)]).await.unwrap(), 1);
    assert_eq!(look(&storage, 0).await.connection.due, None);
    assert_eq!(storage.move_due(vec![]).await.unwrap(), 0);
}

async fn what_a_clock_that_was_ahead_has_noted_is_taken_back(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(3).await;
    for (number, noted) in [(0, 5_000), (1, 90)] {
        let mut pausing = pause(number, Some(noted + 300));
        pausing.at = at(noted);
        storage.set_pause(pausing).await.unwrap();
        storage.touch(&id(number), at(noted)).await.unwrap();
        let attempt = begin(number, None).attempt;
        let doubt_since = Some(at(noted));
        broken(&storage, number, Failed { doubt_since, ..failed(attempt, 0) }).await;
    }
    storage.forget_the_future(at(100), AHEAD).await.unwrap();
    let taken_back = look(&storage, 0).await.connection;
    assert_eq!(taken_back.pause.unwrap().until, Some(at(400)), "as long as it was meant to");
    assert_eq!(taken_back.due, expiry(400));
    assert_eq!((taken_back.doubt_since, taken_back.active_at), (Some(at(100)), Some(at(100))));
    let past = look(&storage, 1).await.connection;
    assert_eq!(past.pause.unwrap().until, Some(at(390)));
    assert_eq!((past.doubt_since, past.active_at), (Some(at(90)), Some(at(90))));
    let never = look(&storage, 2).await.connection;
    assert_eq!((never.doubt_since, never.active_at, never.pause), (None, None, None));
}

/// One that was added, with a token that ends then, and has failed.
async fn misconfigured(storage: &Storage, number: usize, ends: i64, config: u8) {
    let token = Some((token("t", Some(ends)), Sealed::from_bytes(vec![1])));
    assert!(storage.enrol(Enrolment { token, ..enrolment(number, None) }).await.unwrap());
    let attempt = begin(number, None).attempt;
    let (problem, config) = (Some(Problem::Misconfigured), Some(vec![config]));
    broken(storage, number, Failed { problem, config, ..failed(attempt, 1) }).await;
}

async fn what_a_person_has_corrected_is_tried_again_one_after_the_other(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    for (number, ends, config) in [(1, 900, 1), (2, 700, 1), (3, 800, 2), (4, 600, 1)] {
        misconfigured(&storage, number, ends, config).await;
    }
    let attempt = begin(0, None).attempt;
    let problem = Some(Problem::Misconfigured);
    broken(&storage, 0, Failed { problem, ..failed(attempt, 0) }).await;
    let forgiven = Forgiven {
        provider: "x".to_owned(),
        config: vec![2],
        listed: vec![id(4)],
        step: Duration::from_secs(10),
        at: at(30),
    };
    let other = Forgiven { provider: "y".to_owned(), ..forgiven.clone() };
    assert_eq!(storage.forgive(other).await.unwrap(), 0);
    assert_eq!(storage.forgive(forgiven).await.unwrap(), 2);
    for (number, at) in [(2, 30), (1, 40)] {
        let connection = look(&storage, number).await.connection;
        assert_eq!((connection.problem, connection.due), (None, expiry(at)), "{number}");
    }
    for number in [0, 3, 4] {
        let connection = look(&storage, number).await.connection;
        assert_eq!((connection.problem, connection.due), (problem, None), "{number}");
    }
}

async fn somebody_waits_for_a_correction_who_was_added_and_is_misconfigured(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let waits = async |provider| storage.waits_for_correction(provider).await.unwrap();
    let attempt = begin(0, None).attempt;
    let problem = Some(Problem::Misconfigured);
    broken(&storage, 0, Failed { problem, ..failed(attempt, 0) }).await;
    assert!(storage.enrol(enrolment(1, None)).await.unwrap());
    broken(&storage, 1, failed(attempt, 0)).await;
    assert!(!waits("x").await, "the manifest has its own, and a dead grant is no mistake");
    misconfigured(&storage, 2, 900, 1).await;
    assert!(waits("x").await && !waits("y").await);
}

async fn all_of_a_provider_that_is_gone_are_looked_at(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(4).await;
    refreshed(&storage, 0, Some(900)).await;
    refreshed(&storage, 1, Some(800)).await;
    broken(&storage, 2, failed(begin(2, None).attempt, 0)).await;
    opened(&storage, 3).await;
    let other = wanted("y".parse().unwrap());
    storage.reconcile(other.clone()).await.unwrap();
    storage.look_at_all("x", Duration::from_secs(10), at(30)).await.unwrap();
    let times = [look(&storage, 1).await, look(&storage, 0).await];
    let [first, last] = times.map(|it| it.connection.due.unwrap().at);
    assert!(at(30) <= first && first < last && last <= at(60), "what ends first is first");
    assert_eq!(look(&storage, 2).await.connection.due, None, "a person has to come");
    assert_eq!(look(&storage, 3).await.open.unwrap().lease_until, at(60));
    assert_eq!(storage.load(&other.id).await.unwrap().unwrap().connection.due, None);
}

async fn tokens_say_what_they_came_of(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    for number in 2..5 {
        assert!(storage.enrol(enrolment(number, None)).await.unwrap());
    }
    for (number, config) in [(0, Some(1)), (1, Some(1)), (2, Some(1)), (3, Some(1)), (4, None)] {
        let of = opened(&storage, number).await;
        let config = config.map(|it| vec![it]);
        storage.succeed(Succeeded { config, ..success(&of) }).await.unwrap();
    }
    let found = storage.came_of().await.unwrap();
    let found = found.iter().map(|it| (it.id.clone(), it.count, it.config.clone()));
    let expected = [(id(0), 1, vec![1]), (id(1), 1, vec![1]), (id(2), 2, vec![1])];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}
