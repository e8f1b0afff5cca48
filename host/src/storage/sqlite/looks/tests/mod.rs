//! Every mix of facts that a row can have: it is counted in the state that the row says, and found there, once.

/// The orders that somebody may choose.
mod orders;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tempfile::TempDir;

use crate::model::clock;
use crate::model::connection::Connection;
use crate::model::state::{State, overdue, state_of};
use crate::storage::{Counting, EndsIn, Filter, Storage, Urgency};

/// In milliseconds.
const NOW: i64 = 1_800_000_000_000;
const HOUR: i64 = 3_600_000;

/// Tokens: when issued, when they end, when their refresh tokens end.
const TOKENS: [&str; 5] = [
    "null, null, null",
    "1799990000000, 1800007200000, null",
    "1799990000000, 1799999999000, null",
    "1799990000000, 1799999999000, 1800500000000",
    "1799990000000, null, null",
];
const DUE: [&str; 5] = ["null", "1799990000000", "1799999999000", "1800000600000", "1800400000000"];
const PROBLEMS: [&str; 3] = ["null", "'reconnect'", "'misconfigured'"];
const PAUSES: [&str; 3] = ["null, null", "1799990000000, null", "1799990000000, 1800900000000"];

struct Rows {
    _dir: TempDir,
    storage: Storage,
    all: Vec<Connection>,
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(NOW).unwrap()
}

async fn every_mix() -> Rows {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keepfresh.db");
    let storage = Storage::open(&path).await.unwrap();
    let mut db = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let mut number = 0;
    for token in TOKENS {
        for due in DUE {
            for problem in PROBLEMS {
                for pause in PAUSES {
                    for (failures, open) in [(0, false), (2, false), (0, true), (2, true)] {
                        let id = format!("{}/c{number:04}", ["x", "y", "x-y"][number % 3]);
                        add(&mut db, &id, [token, due, problem, pause], failures, open).await;
                        number += 1;
                    }
                }
            }
        }
    }
    let mut all = Vec::new();
    let mut after = None::<String>;
    loop {
        let page = storage.page(&Filter::default(), after.as_deref(), 500).await.unwrap();
        all.extend(page.rows.into_iter().map(Result::unwrap));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(all.len(), number);
    Rows { _dir: dir, storage, all }
}

async fn add(db: &mut SqliteConnection, id: &str, facts: [&str; 4], failures: u32, open: bool) {
    let [token, due, problem, pause] = facts;
    let (provider, name) = id.split_once('/').unwrap();
    let trigger = if due == "null" { "null" } else { "'expiry'" };
    let labels = if name.ends_with('7') { "[\"gold\"]" } else { "[]" };
    let mut statement = format!(
        "insert into connections (id, provider, name, origin, generation, token_type, fingerprint, issued_at, expires_at,
             refresh_expires_at, due_at, due_trigger, problem, paused_at, paused_until, failures, labels, created_at)
         values ('{id}', '{provider}', '{name}', 'added', 1, 'Bearer', 'abcdef01', {token}, {due}, {trigger}, {problem},
             {pause}, {failures}, '{labels}', 1);"
    );
    if open {
        let claim = format!(
            "insert into claims (connection, attempt, provider, trigger, rotation, digest, owner, lease_until,
                                 generation, started_at)
             values ('{id}', '{}', '{provider}', 'expiry', '\"strict\"', '', 'o', {NOW}, 1, {NOW});",
            crate::model::id::AttemptId::generate()
        );
        statement.push_str(&claim);
    }
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(db).await.unwrap();
}

impl Rows {
    /// Names of all pages, of so many rows each, in order.
    async fn urgent(&self, wanted: Urgency, limit: u32) -> Vec<String> {
        let (now, overdue) = (now(), overdue(now()));
        let mut page = Urgency { now, overdue, limit, ..wanted };
        let mut found = Vec::new();
        loop {
            let part = self.storage.urgent(&page).await.unwrap();
            assert!(part.page.rows.len() <= limit as usize);
            let names = part.page.rows.into_iter().map(|it| it.unwrap().id.full().to_owned());
            found.extend(names);
            page.after = part.next;
            if page.after.is_none() {
                return found;
            }
        }
    }

    fn in_state(&self, state: State) -> BTreeSet<String> {
        let wanted = self.all.iter().filter(|it| state_of(it, now()) == state);
        wanted.map(|it| it.id.full().to_owned()).collect()
    }
}

#[tokio::test]
async fn every_mix_is_counted_in_its_state() {
    let rows = every_mix().await;
    let hours = (0..24).map(|it| Timestamp::from_millisecond(NOW + it * HOUR).unwrap());
    let hours = hours.collect();
    let counting = Counting { now: now(), overdue: overdue(now()), hours, changes: 5 };
    let overall = rows.storage.overall(&counting).await.unwrap();
    let mut expected = BTreeMap::<State, u64>::new();
    for it in &rows.all {
        *expected.entry(state_of(it, now())).or_default() += 1;
    }
    assert_eq!(overall.states, expected);
    assert_eq!(expected.len(), State::ALL.len(), "each state occurs");
    let ends = overall.ends;
    let each = rows.all.len() as u64 / TOKENS.len() as u64;
    assert_eq!((ends.past, ends.day, ends.unknown), (2 * each, each, each));
    assert_eq!((ends.hour, ends.week, ends.month, ends.later), (0, 0, 0, 0));
    let soon = rows.all.iter().filter_map(|it| it.due).filter(|it| it.at > now());
    let soon = soon.filter(|it| it.at < clock::after(now(), std::time::Duration::from_hours(24)));
    assert_eq!(overall.due.iter().sum::<u64>(), soon.count() as u64);
    let failed = rows.all.iter().filter(|it| it.failures > 0 || it.problem.is_some()).count();
    assert_eq!(overall.failed, failed as u64);
}

#[tokio::test]
async fn every_mix_is_found_once_whatever_is_asked_for() {
    let rows = every_mix().await;
    let all = rows.all.iter().map(|it| it.id.full().to_owned()).collect::<BTreeSet<_>>();
    for limit in [7, 100] {
        let found = rows.urgent(Urgency::default(), limit).await;
        assert_eq!(found.len(), all.len(), "each once, {limit} at a time");
        assert_eq!(found.iter().cloned().collect::<BTreeSet<_>>(), all);
    }
    for state in State::ALL {
        let wanted = Urgency { state: Some(*state), ..Urgency::default() };
        let found = rows.urgent(wanted, 50).await;
        let set = found.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!((set.len(), &set), (found.len(), &rows.in_state(*state)), "{state}");
    }
    let of = |keep: &dyn Fn(&Connection) -> bool| {
        let kept = rows.all.iter().filter(|it| keep(it)).map(|it| it.id.full().to_owned());
        kept.collect::<BTreeSet<_>>()
    };
    let set = |found: Vec<String>| found.into_iter().collect::<BTreeSet<_>>();
    let provider = Urgency { provider: Some("x".to_owned()), ..Urgency::default() };
    assert_eq!(set(rows.urgent(provider, 100).await), of(&|it| it.id.provider() == "x"));
    let label = Urgency { label: Some("gold".to_owned()), ..Urgency::default() };
    assert_eq!(set(rows.urgent(label, 100).await), of(&|it| it.labels == ["gold"]));
    let search = Urgency { search: Some("C01".to_owned()), ..Urgency::default() };
    assert_eq!(set(rows.urgent(search, 100).await), of(&|it| it.id.name().contains("c01")));
    let ended = Urgency { ends: Some(EndsIn::Past), ..Urgency::default() };
    let has_ended = |it: &Connection| {
        it.token.as_ref().and_then(|it| it.expires_at).is_some_and(|it| it <= now())
    };
    assert_eq!(set(rows.urgent(ended, 100).await), of(&has_ended));
    let unknown = Urgency { ends: Some(EndsIn::Unknown), ..Urgency::default() };
    let is_unknown = |it: &Connection| it.token.as_ref().is_some_and(|it| it.expires_at.is_none());
    assert_eq!(set(rows.urgent(unknown, 100).await), of(&is_unknown));
}

#[tokio::test]
async fn those_that_need_somebody_come_first_and_then_what_ends_first() {
    let rows = every_mix().await;
    let found = rows.urgent(Urgency::default(), 100).await;
    let state = |id: &String| {
        let row = rows.all.iter().find(|it| it.id.full() == *id).unwrap();
        state_of(row, now())
    };
    let states = found.iter().map(state).collect::<Vec<_>>();
    let first = |wanted: State| states.iter().position(|it| *it == wanted).unwrap();
    let last = |wanted: State| states.iter().rposition(|it| *it == wanted).unwrap();
    for stuck in [State::Reconnect, State::Misconfigured] {
        assert!(last(stuck) < first(State::Late), "{stuck}");
    }
    assert!(first(State::Expired) < first(State::Late), "callers that fail before those that will");
    assert!(last(State::Late) < first(State::Fresh));
    assert!(last(State::Fresh) < last(State::Paused));
}
