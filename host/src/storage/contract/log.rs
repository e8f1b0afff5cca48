//! The log: what is open stands in it beside what has ended, every attempt on one page. Statistics, and
//! what is forgotten.

use std::pin::pin;

use super::steps::{broken, opened, refreshed, request, skipped, success};
use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::attempt::Outcome;
use crate::model::code::Code;
use crate::model::failure::{Case, Failure};
use crate::model::id::AttemptId;
use crate::storage::{Begin, Begun, Failed, Filter, LogFilter, Skipped, Storage, Succeeded};

on_every_engine! {
    the_log_has_every_attempt_once_newest_first
    each_filter_leaves_the_attempts_that_it_names
    whoever_follows_hears_of_what_is_newer
    an_attempt_is_in_the_log_also_in_the_moment_when_it_ends
    an_attempt_that_nobody_made_is_not_there
    statistics_count_what_has_ended
    what_is_old_is_forgotten_and_what_is_open_or_the_last_stays
}

/// All pages of so many attempts.
async fn all(storage: &Storage, filter: &LogFilter, limit: u32) -> Vec<AttemptId> {
    let (mut found, mut before) = (Vec::new(), filter.before.clone());
    loop {
        let page = LogFilter { before, limit, ..filter.clone() };
        let page = storage.log_page(&page).await.unwrap();
        assert!(page.attempts.len() <= limit as usize && page.unreadable.is_empty());
        found.extend(page.attempts.iter().map(|it| it.id));
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

/// A success, a failure and a skip of 0, and an open one of 1 between them, in this order.
async fn four(storage: &Storage) -> [AttemptId; 4] {
    let done = refreshed(storage, 0, None).await.attempt;
    let open = opened(storage, 1).await.attempt;
    let refused = broken(storage, 0, failed(done, 0)).await.attempt;
    let skip = skipped(0);
    storage.skip(skip.clone()).await.unwrap();
    [done, open, refused, skip.attempt]
}

async fn the_log_has_every_attempt_once_newest_first(fresh: Fresh) {
    let fresh = fresh.with(2).await;
    let mut newest_first = four(&fresh.storage).await;
    newest_first.reverse();
    let storage = fresh.again().await;
    for limit in [1, 2, 3, 4, 100] {
        let found = all(&storage, &LogFilter::default(), limit).await;
        assert_eq!(found, newest_first, "{limit}");
    }
    let log = storage.log(&LogFilter { limit: 9, ..LogFilter::default() }).await.unwrap();
    for attempt in log {
        assert_eq!(storage.attempt(attempt.id).await.unwrap(), Some(attempt));
    }
}

async fn each_filter_leaves_the_attempts_that_it_names(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    let [done, open, refused, skip] = four(&storage).await;
    let provider =
        |name: &str| LogFilter { provider: Some(name.to_owned()), ..LogFilter::default() };
    let of = |number| LogFilter { connection: Some(id(number)), ..LogFilter::default() };
    let ended = |outcome| LogFilter { outcome: Some(outcome), ..LogFilter::default() };
    let since = |second| LogFilter { since: Some(at(second)), ..LogFilter::default() };
    for (filter, found) in [
        (provider("x"), vec![skip, refused, open, done]),
        (provider("y"), vec![]),
        (of(0), vec![skip, refused, done]),
        (of(1), vec![open]),
        (LogFilter { provider: Some("y".to_owned()), ..of(0) }, vec![]),
        (ended(Outcome::Success), vec![done]),
        (ended(Outcome::Failed), vec![refused]),
        (ended(Outcome::Skipped), vec![skip]),
        (LogFilter { connection: Some(id(1)), ..ended(Outcome::Success) }, vec![]),
        (LogFilter { provider: Some("x".to_owned()), ..ended(Outcome::Success) }, vec![done]),
        (LogFilter { provider: Some("x".to_owned()), ..ended(Outcome::Failed) }, vec![refused]),
        (since(1), vec![skip, refused, open, done]),
        (since(2), vec![skip]),
        (since(4), vec![]),
    ] {
        for limit in [1, 2, 100] {
            assert_eq!(all(&storage, &filter, limit).await, found, "{filter:?} {limit}");
        }
    }
}

async fn whoever_follows_hears_of_what_is_newer(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    let [done, open, refused, skip] = four(&storage).await;
    let after = |it| LogFilter { after: Some(it), ..LogFilter::default() };
    assert_eq!(all(&storage, &after(done), 1).await, [skip, refused, open]);
    assert_eq!(all(&storage, &after(open), 9).await, [skip, refused]);
    assert_eq!(all(&storage, &after(skip), 9).await, []);
    let between = LogFilter { before: Some(skip.to_string()), ..after(done) };
    assert_eq!(all(&storage, &between, 1).await, [refused, open]);
}

async fn an_attempt_is_in_the_log_also_in_the_moment_when_it_ends(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    for _ in 0..20 {
        let of = opened(&storage, 0).await;
        let mut ends = pin!(storage.succeed(success(&of)));
        let filter = LogFilter { limit: 1, ..LogFilter::default() };
        while futures_util::poll!(&mut ends).is_pending() {
            assert!(storage.attempt(of.attempt).await.unwrap().is_some());
            let log = storage.log(&filter).await.unwrap();
            assert_eq!(log.iter().map(|it| it.id).collect::<Vec<_>>(), [of.attempt]);
            let page = storage.page(&Filter::default(), None, 9).await.unwrap();
            let last = page.rows[0].as_ref().unwrap().last_attempt.as_ref().unwrap();
            assert_eq!(last.id, of.attempt);
        }
    }
}

async fn an_attempt_that_nobody_made_is_not_there(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let of = begin(0, None);
    storage.depart(request(&of, 0)).await.unwrap();
    assert_eq!(storage.attempt(of.attempt).await.unwrap(), None);
    assert_eq!(all(&storage, &LogFilter::default(), 9).await, []);
}

async fn statistics_count_what_has_ended(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    for duration_ms in [10, 20, 30, 40] {
        let of = opened(&storage, 0).await;
        let done = Succeeded { duration_ms, ..success(&of) };
        assert_eq!(storage.succeed(done).await.unwrap(), Begun::Yes);
    }
    let why = |code: &str| Failure::new(Case::Unavailable, Code::read(code), "why");
    for code in ["x.down", "x.down", "x.slow"] {
        let failed = Failed { failure: why(code), duration_ms: 500, ..failed(begin_id(), 0) };
        broken(&storage, 1, failed).await;
    }
    storage.skip(skipped(0)).await.unwrap();
    opened(&storage, 0).await;
    let all = storage.statistics(Some("x"), at(0)).await.unwrap();
    assert_eq!((all.success, all.failed, all.skipped), (4, 3, 1));
    let causes = all.causes.iter().map(|(it, count)| (it.as_str(), *count)).collect::<Vec<_>>();
    assert_eq!(causes, [("x.down", 2), ("x.slow", 1)]);
    assert_eq!((all.p50_ms, all.p95_ms), (Some(40), Some(500)));
    assert_eq!(storage.statistics(None, at(0)).await.unwrap(), all);
    assert_eq!(storage.statistics(Some("y"), at(0)).await.unwrap().success, 0);
    let late = storage.statistics(None, at(3)).await.unwrap();
    assert_eq!((late.success, late.failed, late.skipped), (0, 0, 1));
    assert_eq!((late.p50_ms, late.p95_ms), (None, None), "nothing was sent");
}

/// An id that is replaced by that of a try.
fn begin_id() -> AttemptId {
    begin(0, None).attempt
}

async fn what_is_old_is_forgotten_and_what_is_open_or_the_last_stays(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(3).await;
    refreshed(&storage, 0, None).await;
    refreshed(&storage, 0, None).await;
    let last = refreshed(&storage, 0, None).await.attempt;
    let open = opened(&storage, 1).await.attempt;
    let young = Skipped { at: at(50), ..skipped(2) };
    storage.skip(young.clone()).await.unwrap();
    assert_eq!(storage.prune(at(1)).await.unwrap().attempts, 0, "nothing is older");
    assert_eq!(storage.prune(at(50)).await.unwrap().attempts, 2);
    let left = all(&storage, &LogFilter::default(), 9).await;
    assert_eq!(left, [young.attempt, open, last]);
    let generation = 3;
    let next = Begin { generation, ..begin(0, None) };
    assert_eq!(storage.begin(next.clone()).await.unwrap(), Begun::Yes);
    assert_eq!(storage.prune(at(50)).await.unwrap().attempts, 0);
    assert_eq!(storage.succeed(success(&next)).await.unwrap(), Begun::Yes);
    assert_eq!(storage.prune(at(50)).await.unwrap().attempts, 1, "it is no longer the last");
}
