//! Many rows, and rows that cannot be read: pages, what is due, forgetting in bites. And the end of the
//! writer, which is the end of everything.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tempfile::TempDir;

use crate::model::attempt::{Outcome, Trigger};
use crate::model::connection::Due;
use crate::model::event::EventKind;
use crate::model::id::ConnectionId;
use crate::storage::{Filter, LogFilter, Pruning, Reconcile, Storage, StorageError};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A database with those connections, all due at the same time.
struct Crowd {
    _dir: TempDir,
    path: PathBuf,
    storage: Storage,
}

impl Crowd {
    async fn of(ids: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keepfresh.db");
        let storage = Storage::open(&path).await.unwrap();
        let due = Some(Due { at: at(1), trigger: Trigger::Expiry });
        for id in ids {
            let id = id.parse().unwrap();
            let new =
                Reconcile { id, due, forgive: false, probe_at: due.map(|it| it.at), at: at(0) };
            storage.reconcile(new).await.unwrap();
        }
        Self { _dir: dir, path, storage }
    }

    async fn run(&self, statement: &str) {
        let options = SqliteConnectOptions::new().filename(&self.path);
        let mut db = options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut db).await.unwrap();
    }

    async fn number(&self, query: &'static str) -> i64 {
        let mut db = SqliteConnectOptions::new().filename(&self.path).connect().await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut db).await.unwrap()
    }

    /// Keys of all pages, of so many rows each; what cannot be read with a mark.
    async fn keys(&self, filter: &Filter, limit: u32) -> Vec<String> {
        let (mut keys, mut after) = (Vec::new(), None);
        loop {
            let page = self.storage.page(filter, after.as_deref(), limit).await.unwrap();
            assert!(page.rows.len() <= limit as usize);
            for row in page.rows {
                keys.push(match row {
                    Ok(connection) => connection.id.to_string(),
                    Err(unreadable) => format!("!{}", unreadable.key),
                });
            }
            after = page.next;
            if after.is_none() {
                return keys;
            }
        }
    }

    async fn due(&self, limit: u32, unwanted: &[&str]) -> Vec<String> {
        let wanted = |id: &ConnectionId| !unwanted.contains(&id.to_string().as_str());
        let due = self.storage.due("x", at(9), limit, wanted).await.unwrap();
        due.into_iter().map(|(id, _)| id.to_string()).collect()
    }
}

#[tokio::test]
async fn pages_have_everything_once_whatever_is_asked_for_and_however_long_they_are() {
    let crowd = Crowd::of(&["x/a", "x/b", "x/c", "x/d", "x-y/a", "x.y/a", "y/a"]).await;
    crowd
        .run(
            "update connections set labels = '[\"gold\"]' where name in ('a', 'c');
              update connections set failures = 1 where id in ('x/b', 'x/c', 'y/a');
              update connections set active_at = 5000 where id in ('x/c', 'y/a')",
        )
        .await;
    let provider = Some("x".to_owned());
    let label = Some("gold".to_owned());
    let ids = || ["y/a", "x/b", "x/none", "x/a", "x/b"].map(|it| it.parse().unwrap()).to_vec();
    let filters: &[(Filter, &[&str])] = &[
        (Filter::default(), &["x-y/a", "x.y/a", "x/a", "x/b", "x/c", "x/d", "y/a"]),
        (Filter { provider: provider.clone(), ..Filter::default() }, &["x/a", "x/b", "x/c", "x/d"]),
        (Filter { provider: Some("z".to_owned()), ..Filter::default() }, &[]),
        (Filter { failed: true, ..Filter::default() }, &["x/b", "x/c", "y/a"]),
        (Filter { failed: true, provider: provider.clone(), ..Filter::default() }, &["x/b", "x/c"]),
        (
            Filter { label: label.clone(), ..Filter::default() },
            &["x-y/a", "x.y/a", "x/a", "x/c", "y/a"],
        ),
        (Filter { label: label.clone(), provider, failed: true, ..Filter::default() }, &["x/c"]),
        (Filter { active_since: Some(at(5)), ..Filter::default() }, &["x/c", "y/a"]),
        (Filter { ids: ids(), ..Filter::default() }, &["x/a", "x/b", "y/a"]),
        (Filter { ids: ids(), label, ..Filter::default() }, &["x/a", "y/a"]),
        (Filter { ids: ids(), failed: true, ..Filter::default() }, &["x/b", "y/a"]),
    ];
    for (filter, expected) in filters {
        for limit in [1, 2, 3, 100] {
            assert_eq!(crowd.keys(filter, limit).await, *expected, "{filter:?} by {limit}");
        }
    }
}

#[tokio::test]
async fn labels_follow_their_list_and_go_with_their_connection() {
    let crowd = Crowd::of(&["x/a", "x/b"]).await;
    let gold = Filter { label: Some("gold".to_owned()), ..Filter::default() };
    crowd.run("update connections set labels = '[\"gold\", \"eu\"]', origin = 'added'").await;
    assert_eq!(crowd.keys(&gold, 9).await, ["x/a", "x/b"]);
    crowd.run("update connections set labels = '[\"eu\"]' where id = 'x/a'").await;
    assert_eq!(crowd.keys(&gold, 9).await, ["x/b"]);
    assert!(crowd.storage.remove(&"x/b".parse().unwrap(), true).await.unwrap());
    assert!(crowd.keys(&gold, 9).await.is_empty());
    crowd.run("update connections set labels = 'rubbish' where id = 'x/a'").await;
    assert_eq!(crowd.keys(&Filter::default(), 9).await, ["!x/a"]);
}

#[tokio::test]
async fn what_cannot_be_read_stands_in_nobodys_way() {
    let names = (0..100).map(|it| format!("x/c{it:03}")).collect::<Vec<_>>();
    let crowd = Crowd::of(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(crowd.due(2, &[]).await, ["x/c000", "x/c001"]);
    // Two looks are full of them; all are due at the same time.
    crowd.run("update connections set due_trigger = 'whenever' where name < 'c070'").await;
    assert_eq!(crowd.due(1, &[]).await, ["x/c070"]);
    assert_eq!(crowd.due(2, &["x/c070", "x/c072"]).await, ["x/c071", "x/c073"]);
    crowd.run("update connections set due_at = -9223372036854775808 where name = 'c070'").await;
    crowd.run("update connections set id = cast(x'ff' as text) where name = 'c071'").await;
    assert_eq!(crowd.due(1, &[]).await, ["x/c072"]);
    assert_eq!(crowd.due(100, &[]).await.len(), 28);
    let probes = crowd.storage.probes_due("x", at(9), 100).await.unwrap();
    assert_eq!(probes.len(), 28, "they are not asked about either");
    assert_eq!(crowd.storage.next_probe("x").await.unwrap(), Some(at(1)));
    assert_eq!(crowd.storage.providers().await.unwrap(), ["x"]);
    crowd.run("update connections set provider = cast(x'ff' as text) where name = 'c099'").await;
    assert_eq!(crowd.storage.providers().await.unwrap(), ["x"]);
}

#[tokio::test]
async fn a_time_that_no_calendar_holds_is_nobodys_next() {
    let crowd = Crowd::of(&["x/a", "x/b"]).await;
    crowd.run("update connections set due_at = 9223372036854775807 where name = 'a'").await;
    assert_eq!(crowd.storage.next_due(at(0)).await.unwrap(), Some(at(1)));
    assert_eq!(crowd.storage.next_due(at(1)).await.unwrap(), None);
    crowd.run("update connections set probe_at = -9223372036854775808 where name = 'a'").await;
    assert_eq!(crowd.storage.next_probe("x").await.unwrap(), Some(at(1)));
}

/// So many finished attempts of `x/a`, one each millisecond from the beginning of 1970.
fn attempts(count: usize) -> String {
    format!(
        "with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < {count})
         insert into attempts (id, connection, provider, trigger, outcome, error_code, error_message,
                               rotation, generation, started_at, duration_ms)
         select printf('%08x-%04x-7000-8000-000000000000', i >> 16, i & 65535), 'x/a', 'x', 'expiry',
                iif(i % 10 = 3, 'failed', 'success'), iif(i % 10 = 3, 'x', null),
                iif(i % 10 = 3, 'it is down', null), '\"none\"', 0, i, i % 100 from n"
    )
}

#[tokio::test]
async fn old_attempts_go_in_bites_between_which_others_write() {
    let crowd = Crowd::of(&["x/a"]).await;
    crowd.run(&attempts(4_000)).await;
    crowd.run("update connections set last_attempt = '00000000-0064-7000-8000-000000000000'").await;
    let (storage, id) = (crowd.storage.clone(), "x/a".parse().unwrap());
    let mut left = BTreeSet::new();
    let pruning = storage.prune(Timestamp::from_millisecond(3_500).unwrap(), Pruning::Log);
    tokio::pin!(pruning);
    let pruned = loop {
        // Whoever writes meanwhile has its turn after one bite.
        let write = async {
            storage.touch(&id, at(1)).await.unwrap();
            crowd.number("select count(*) from attempts").await
        };
        tokio::select! {
            pruned = &mut pruning => break pruned.unwrap(),
            count = write => drop(left.insert(count)),
        }
    };
    assert_eq!((pruned.attempts, pruned.events), (3_499, 0), "all but the last of its connection");
    assert!(left.len() >= 4, "others wrote between the bites: {left:?}");
    let all = LogFilter { limit: 10_000, ..LogFilter::default() };
    assert_eq!(storage.log(&all).await.unwrap().len(), 501);
}

#[tokio::test]
async fn open_attempts_and_waiting_events_are_never_forgotten() {
    let crowd = Crowd::of(&["x/a"]).await;
    let [quick, slow] =
        ["quick", "slow"].map(|it| crowd.storage.listen(it, &[EventKind::Refreshed]));
    let (quick, slow) = (quick.await.unwrap(), slow.await.unwrap());
    crowd.storage.keep_listeners(&["quick", "slow"]).await.unwrap();
    crowd.run(&attempts(3)).await;
    crowd
        .run("insert into claims (attempt, connection, provider, trigger, rotation, digest, owner, lease_until,
                                  generation, started_at)
              values ('00000000-ffff-7000-8000-000000000000', 'x/a', 'x', 'expiry', '\"none\"', '', '', 0, 0, 1);
              with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < 1300)
              insert into outbox (at, kind, connection, generation)
              select i, 'refreshed', iif(i between 700 and 1250, '', 'x/a'), 1 from n")
        .await;
    quick.told(1_299).await.unwrap();
    slow.told(601).await.unwrap();
    let pruned = crowd
        .storage
        .prune(Timestamp::from_millisecond(1_201).unwrap(), Pruning::Log)
        .await
        .unwrap();
    assert_eq!((pruned.attempts, pruned.events), (3, 601), "what the slow one was told of");
    assert!(crowd.storage.load(&"x/a".parse().unwrap()).await.unwrap().unwrap().open.is_some());
    // Those that cannot be read stand in nobody's way.
    let waiting = slow.waiting(50).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].id), (50, 602));
    slow.told(700).await.unwrap();
    assert_eq!(slow.waiting(100).await.unwrap()[0].id, 1_252);
    slow.told(1_300).await.unwrap();
    let pruned = crowd.storage.prune(at(9), Pruning::Log).await.unwrap();
    assert_eq!(pruned.events, 698, "the last one stays, and what the other was not told of");
}

#[tokio::test]
async fn the_log_has_pages_too_and_counts_what_it_shows() {
    let crowd = Crowd::of(&["x/a"]).await;
    crowd.run(&attempts(100)).await;
    crowd
        .run(
            "drop trigger attempts_stay;
              update attempts set trigger = 'rubbish' where started_at in (95, 50)",
        )
        .await;
    let failed = Some(Outcome::Failed);
    let connection: Option<ConnectionId> = Some("x/a".parse().unwrap());
    let provider = Some("x".to_owned());
    for (filter, found) in [
        (LogFilter::default(), 98),
        (LogFilter { connection: connection.clone(), ..LogFilter::default() }, 98),
        (LogFilter { provider: provider.clone(), ..LogFilter::default() }, 98),
        (LogFilter { outcome: failed, ..LogFilter::default() }, 10),
        (LogFilter { outcome: failed, provider, ..LogFilter::default() }, 10),
        (LogFilter { outcome: failed, connection, ..LogFilter::default() }, 10),
        (LogFilter { outcome: Some(Outcome::Skipped), ..LogFilter::default() }, 0),
        (LogFilter { provider: Some("y".to_owned()), ..LogFilter::default() }, 0),
        (LogFilter { since: Some(at(0)), ..LogFilter::default() }, 98),
        (LogFilter { since: Timestamp::from_millisecond(90).ok(), ..LogFilter::default() }, 9),
    ] {
        for limit in [1, 7, 1_000] {
            let (mut ids, mut page) = (Vec::new(), LogFilter { limit, ..filter.clone() });
            loop {
                let part = crowd.storage.log_page(&page).await.unwrap();
                ids.extend(part.attempts.into_iter().map(|it| it.id));
                page.before = part.next;
                if page.before.is_none() {
                    break;
                }
            }
            assert!(ids.iter().rev().is_sorted(), "{filter:?}");
            assert_eq!(ids.len(), found, "{filter:?} by {limit}");
        }
    }
}

/// What a prune of many costs whoever writes meanwhile: never more than one bite.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "a figure, for whoever wants to see it")]
async fn hundreds_of_thousands_of_old_attempts_hold_up_no_writer() {
    let crowd = Crowd::of(&["x/a"]).await;
    crowd.run(&attempts(300_000)).await;
    let (storage, id) = (crowd.storage.clone(), "x/a".parse().unwrap());
    let pruning = storage.prune(at(400), Pruning::Log);
    tokio::pin!(pruning);
    let (mut writes, mut longest) = (0, Duration::ZERO);
    let pruned = loop {
        let write = async {
            let begun = std::time::Instant::now();
            storage.touch(&id, at(1)).await.unwrap();
            begun.elapsed()
        };
        tokio::select! {
            pruned = &mut pruning => break pruned.unwrap(),
            took = write => (writes, longest) = (writes + 1, longest.max(took)),
        }
    };
    eprintln!("{writes} writes meanwhile, the longest of them {longest:?}");
    assert_eq!(pruned.attempts, 300_000);
    assert!(writes > 600, "between all bites: {writes}");
    // All of them in one write take far longer than that.
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}

/// An upgrade counts what is in the log already, and gives it its place in the order of ends.
#[tokio::test]
async fn what_was_there_before_it_was_counted_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keepfresh.db");
    drop(Storage::open(&path).await.unwrap());
    let crowd =
        Crowd { _dir: dir, path: path.clone(), storage: Storage::open(&path).await.unwrap() };
    crowd
        .run(
            "drop index attempts_ended; drop table hours;
             alter table attempts drop column waited_ms; alter table attempts drop column provider_ms;
             alter table attempts drop column ended;
             delete from _sqlx_migrations where version = 15",
        )
        .await;
    crowd.run(&attempts(100)).await;
    let storage = Storage::open(&path).await.unwrap();
    let figures = storage.statistics(None, at(0)).await.unwrap().all;
    assert_eq!((figures.success, figures.failed, figures.p50_ms), (90, 10, None));
    let filter = LogFilter { limit: 200, ..LogFilter::default() };
    assert_eq!(storage.ends(&filter, Some(0)).await.unwrap().attempts.len(), 99, "0 is no place");
}

#[tokio::test]
async fn a_writer_that_ends_is_told_of_and_writes_nothing_any_more() {
    let crowd = Crowd::of(&["x/a"]).await;
    let ended = crowd.storage.writer_ended();
    let id = "x/a".parse().unwrap();
    crowd.storage.touch(&id, at(1)).await.unwrap();
    crowd.storage.break_writer().await;
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("whoever waits is told");
    let after = crowd.storage.touch(&id, at(2)).await;
    assert!(matches!(after, Err(StorageError::WriterGone)), "{after:?}");
    assert!(crowd.storage.load(&id).await.unwrap().is_some(), "it can still be read");
}
