//! The log: what is open stands in it beside what has ended, every attempt on one page. Statistics, and
//! what is forgotten.

use std::collections::HashSet;
use std::pin::pin;

use futures_util::future::join_all;

use super::steps::{broken, opened, refreshed, request, skipped, success};
use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::attempt::{Outcome, Spent};
use crate::model::audit::{Action, Actor, AuditRecord};
use crate::model::code::Code;
use crate::model::exchange::Exchange;
use crate::model::failure::{Case, Failure};
use crate::model::id::AttemptId;
use crate::storage::{
    AuditFilter, Begin, Begun, Failed, Filter, LogFilter, Pruning, Skipped, Statistics, Storage,
    Succeeded,
};

on_every_engine! {
    the_log_has_every_attempt_once_newest_first
    each_filter_leaves_the_attempts_that_it_names
    whoever_follows_meets_every_end_once_whatever_began_first
    an_attempt_is_in_the_log_also_in_the_moment_when_it_ends
    an_attempt_that_nobody_made_is_not_there
    an_attempt_comes_with_the_requests_that_it_made
    what_was_tried_is_told_newest_first
    statistics_count_what_has_ended_and_only_that
    what_is_pruned_is_still_counted
    what_shares_a_commit_is_counted_and_numbered_each_for_itself
    failed_attempts_go_alone
    who_did_what_is_kept_as_long_as_is_wanted
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

fn exchange(status: Option<u16>) -> Exchange {
    let (method, address) = ("POST".to_owned(), "https://a.example/token".to_owned());
    Exchange { method, address, status, sent_bytes: 9, received_bytes: 70, took_ms: 250 }
}

async fn an_attempt_comes_with_the_requests_that_it_made(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    let made = vec![exchange(None), exchange(Some(200))];
    let open = opened(&storage, 0).await;
    let recorded = async |id| storage.recorded(id).await.unwrap().unwrap();
    assert_eq!(recorded(open.attempt).await.exchanges, [], "it has not ended");
    let done = Succeeded { exchanges: made.clone(), ..success(&open) };
    assert_eq!(storage.succeed(done).await.unwrap(), Begun::Yes);
    let found = recorded(open.attempt).await;
    assert_eq!((found.exchanges, found.digest), (made.clone(), None));
    assert_eq!(Some(found.attempt), storage.attempt(open.attempt).await.unwrap());
    let begin = Begin { digest: "abc".to_owned(), ..begin(1, None) };
    storage.begin(begin.clone()).await.unwrap();
    let refused = Failed { exchanges: made.clone(), connection: id(1), ..failed(begin.attempt, 0) };
    assert_eq!(storage.fail(refused).await.unwrap(), Begun::Yes);
    let found = recorded(begin.attempt).await;
    assert_eq!((found.exchanges, found.digest.as_deref()), (made, Some("abc")));
    let tries = storage.tries(&id(1), at(0)).await.unwrap();
    assert_eq!(tries[0].digest.as_deref(), Some("abc"), "and its page knows which plugin ran");
    assert_eq!(storage.recorded(AttemptId::generate()).await.unwrap(), None);
}

async fn what_was_tried_is_told_newest_first(fresh: Fresh) {
    let fresh = fresh.with(2).await;
    let [done, _, refused, skip] = four(&fresh.storage).await;
    let tries = fresh.storage.tries(&id(0), at(0)).await.unwrap();
    let ids = tries.iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids, [skip, refused, done], "what is open has no end yet");
    let outcomes = tries.iter().map(|it| it.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes, [Outcome::Skipped, Outcome::Failed, Outcome::Success]);
    assert_eq!(tries[2].generation, 1);
    assert!(fresh.storage.tries(&id(0), at(1_000)).await.unwrap().is_empty());
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

/// Attempts that ended behind a place, in their order, and the place to go on from.
async fn ends(storage: &Storage, filter: &LogFilter, mut after: i64) -> (Vec<AttemptId>, i64) {
    let mut found = Vec::new();
    loop {
        let ends = storage.ends(filter, Some(after)).await.unwrap();
        assert!(ends.attempts.len() <= filter.limit as usize && ends.unreadable.is_empty());
        found.extend(ends.attempts.iter().map(|it| it.id));
        after = ends.next;
        if !ends.more {
            return (found, after);
        }
    }
}

async fn whoever_follows_meets_every_end_once_whatever_began_first(fresh: Fresh) {
    let fresh = fresh.with(2).await;
    let storage = &fresh.storage;
    refreshed(storage, 0, None).await;
    let start = storage.ends(&LogFilter::default(), None).await.unwrap();
    assert!(start.attempts.is_empty() && !start.more, "only where the order ends now");
    let early = opened(storage, 1).await;
    let late = refreshed(storage, 0, None).await.attempt;
    let limit = |limit| LogFilter { limit, ..LogFilter::default() };
    let (met, place) = ends(storage, &limit(9), start.next).await;
    assert_eq!(met, [late], "the other one is open");
    storage.succeed(success(&early)).await.unwrap();
    let refused = broken(storage, 0, failed(late, 0)).await.attempt;
    storage.skip(skipped(0)).await.unwrap();
    let storage = fresh.again().await;
    let skip = opened(&storage, 1).await;
    let last = broken(&storage, 0, failed(late, 0)).await.attempt;
    let (met, end) = ends(&storage, &limit(9), place).await;
    assert_eq!(met.len(), 4, "not the open one: {skip:?}");
    assert_eq!((met[0], met[1], met[3]), (early.attempt, refused, last));
    for by in [1, 2, 3] {
        assert_eq!(ends(&storage, &limit(by), place).await, (met.clone(), end), "{by}");
    }
    let of = |number| LogFilter { connection: Some(id(number)), ..limit(9) };
    assert_eq!(ends(&storage, &of(1), place).await.0, [early.attempt]);
    let how = LogFilter { outcome: Some(Outcome::Failed), ..limit(1) };
    assert_eq!(ends(&storage, &how, place).await.0, [refused, last]);
    let nobody = LogFilter { provider: Some("y".to_owned()), ..limit(9) };
    assert_eq!(ends(&storage, &nobody, place).await, (vec![], end));
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

/// What an attempt was that asked the provider for so long.
fn asked(provider_ms: u64) -> Spent {
    Spent { waited_ms: Some(5_000), provider_ms: Some(provider_ms) }
}

async fn statistics_count_what_has_ended_and_only_that(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    for provider_ms in [10, 20, 30, 40] {
        let of = opened(&storage, 0).await;
        let done = || Succeeded { spent: asked(provider_ms), duration_ms: 9_000, ..success(&of) };
        assert_eq!(storage.succeed(done()).await.unwrap(), Begun::Yes);
        assert_eq!(storage.succeed(done()).await.unwrap(), Begun::Lost, "which is not counted");
    }
    let why = |code: &str| Failure::new(Case::Unavailable, Code::read(code), "why");
    for code in ["x.down", "x.down", "x.slow"] {
        let failed = Failed { failure: why(code), spent: asked(500), ..failed(begin_id(), 0) };
        broken(&storage, 1, failed).await;
    }
    storage.skip(skipped(0)).await.unwrap();
    opened(&storage, 0).await;
    let found = storage.statistics(Some("x"), at(0)).await.unwrap();
    let all = &found.all;
    assert_eq!((all.success, all.failed, all.skipped), (4, 3, 1));
    let causes = all.causes.iter().map(|(it, count)| (it.as_str(), *count)).collect::<Vec<_>>();
    assert_eq!(causes, [("x.down", 2), ("x.slow", 1)]);
    assert_eq!((all.p50_ms, all.p95_ms), (Some(47), Some(560)), "without waiting, rounded up");
    assert_eq!(found.providers["x"], *all);
    assert_eq!(storage.statistics(None, at(0)).await.unwrap(), found);
    assert_eq!(storage.statistics(Some("y"), at(0)).await.unwrap(), Statistics::default());
    let next_hour = storage.statistics(None, at(3_600)).await.unwrap();
    assert_eq!(next_hour, Statistics::default());
    let late = Skipped { at: at(4_000), ..skipped(1) };
    storage.skip(late).await.unwrap();
    let next_hour = storage.statistics(None, at(5_000)).await.unwrap().all;
    assert_eq!((next_hour.success, next_hour.skipped), (0, 1), "the hour counts whole");
    assert_eq!((next_hour.p50_ms, next_hour.p95_ms), (None, None), "nothing was sent");
}

async fn what_is_pruned_is_still_counted(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    for _ in 0..3 {
        refreshed(&storage, 0, None).await;
    }
    let before = storage.statistics(None, at(0)).await.unwrap();
    assert_eq!(storage.prune(at(50), Pruning::LogAndAudit).await.unwrap().attempts, 2);
    assert_eq!(storage.statistics(None, at(0)).await.unwrap(), before);
    storage.forget_hours(at(3_599)).await.unwrap();
    assert_eq!(storage.statistics(None, at(0)).await.unwrap(), before, "the hour is not over");
    storage.forget_hours(at(3_600)).await.unwrap();
    assert_eq!(storage.statistics(None, at(0)).await.unwrap(), Statistics::default());
}

async fn what_shares_a_commit_is_counted_and_numbered_each_for_itself(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let skips = (0..600).map(|number| Skipped { at: at(number % 7), ..skipped(0) });
    let first = skipped(0);
    storage.skip(first.clone()).await.unwrap();
    // One in their midst fails, and what shared its commit is made once more.
    let all = join_all(skips.map(|it| storage.skip(it)));
    let (all, again) = tokio::join!(all, storage.skip(first));
    assert!(all.iter().all(Result::is_ok) && again.is_err());
    let counted = storage.statistics(None, at(0)).await.unwrap().all;
    assert_eq!(counted.skipped, 601);
    let filter = LogFilter { limit: 50, ..LogFilter::default() };
    let met = ends(&storage, &filter, 0).await.0;
    assert_eq!(met.len(), 601);
    assert_eq!(met.iter().collect::<HashSet<_>>().len(), 601);
}

async fn failed_attempts_go_alone(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let of = refreshed(&storage, 0, None).await.attempt;
    broken(&storage, 0, failed(of, 0)).await;
    let last = broken(&storage, 0, failed(of, 0)).await.attempt;
    let skip = skipped(0);
    storage.skip(skip.clone()).await.unwrap();
    let gone = async |outcome| {
        let pruned = storage.prune(at(50), Pruning::Outcome(outcome)).await.unwrap();
        (pruned.attempts, pruned.events)
    };
    assert_eq!(gone(Outcome::Failed).await, (1, 0), "the last attempt of a connection stays");
    assert_eq!(all(&storage, &LogFilter::default(), 9).await, [skip.attempt, last, of]);
    assert_eq!(gone(Outcome::Skipped).await, (1, 0));
    assert_eq!(gone(Outcome::Success).await, (1, 0));
    assert_eq!(all(&storage, &LogFilter::default(), 9).await, [last]);
}

async fn who_did_what_is_kept_as_long_as_is_wanted(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    let record = |second| AuditRecord {
        at: at(second),
        actor: Actor::User(0),
        action: Action::Paused,
        subject: "x/c0".to_owned(),
        detail: None,
        count: 1,
    };
    storage.audit((0..1_200).map(record).collect()).await.unwrap();
    assert_eq!(storage.prune(at(900), Pruning::Log).await.unwrap().audit, 0);
    assert_eq!(storage.prune(at(900), Pruning::LogAndAudit).await.unwrap().audit, 900);
    let page = AuditFilter { limit: 1_000, ..AuditFilter::default() };
    let left = storage.audit_page(&page).await.unwrap().entries;
    assert_eq!((left.len(), left.last().unwrap().at), (300, at(900)));
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
    assert_eq!(storage.prune(at(1), Pruning::Log).await.unwrap().attempts, 0, "nothing is older");
    assert_eq!(storage.prune(at(50), Pruning::Log).await.unwrap().attempts, 2);
    let left = all(&storage, &LogFilter::default(), 9).await;
    assert_eq!(left, [young.attempt, open, last]);
    let generation = 3;
    let next = Begin { generation, ..begin(0, None) };
    assert_eq!(storage.begin(next.clone()).await.unwrap(), Begun::Yes);
    assert_eq!(storage.prune(at(50), Pruning::Log).await.unwrap().attempts, 0);
    assert_eq!(storage.succeed(success(&next)).await.unwrap(), Begun::Yes);
    assert_eq!(
        storage.prune(at(50), Pruning::Log).await.unwrap().attempts,
        1,
        "it is no longer the last"
    );
}
