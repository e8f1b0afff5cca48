//! What a command costs beside many connections: on one of them what one costs, and a list no more memory
//! than a page. `benches/many.rs` has the figures for 300,000.

use e2e::inside::Inside;
use e2e::many::{self, bytes_read};
use keepfresh::model::audit::Actor;
use keepfresh::operator::{Command, LogQuery, Reply, Selection};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::people::Crowd;

/// Connections beside the one that is asked about.
const MANY: u32 = 20_000;

/// What one command may read: a few pages of each table and index on the way, and what it has written.
const ONE: u64 = 1_000_000;

/// KiB beside what a command on one connection takes: pages, and what SQLite keeps of the file. All of it at
/// once would take four times as much.
const ROOM: u64 = 40 << 10;

fn crowd() -> Crowd {
    let crowd = Crowd::new("");
    crowd.file("people.csv", &crowd.roster(&["one"], 86_400));
    let _ = crowd.import(&["people.csv"]).exits(0);
    many::fill(&crowd.home, "rotor", MANY);
    crowd
}

#[test]
fn a_command_on_one_connection_reads_what_one_has() {
    let crowd = crowd();
    let size = std::fs::metadata(crowd.home.path("keepfresh.db")).unwrap().len();
    assert!(size > 30 * ONE, "a scan would show: {size}");
    Runtime::new().unwrap().block_on(async {
        let inside = Inside::open(&crowd.home).await;
        let id = || "rotor/one".parse().unwrap();
        let log = LogQuery { connection: Some(id()), limit: 50, ..LogQuery::default() };
        let failures =
            LogQuery { outcome: Some("failed".parse().unwrap()), limit: 5, ..LogQuery::default() };
        let since = LogQuery { since_s: Some(0), limit: 50, ..LogQuery::default() };
        let label = Selection { label: Some("none".to_owned()), ..Selection::default() };
        let failed = Selection { failed: true, ..Selection::default() };
        for command in [
            Command::Status { ids: vec![id()], page: None },
            Command::Show { id: id() },
            Command::TokenGet { id: id(), min_ttl_s: 0 },
            Command::Pause { id: id(), for_s: None, reason: None },
            Command::Resume { id: id() },
            Command::Log(log),
            Command::Log(failures),
            Command::Log(since),
            Command::Stats { provider: None, since_s: 0 },
            Command::Connections { selection: label, page: None },
            Command::Connections { selection: failed, page: None },
            Command::Refresh { selection: one(), force: false, dry_run: true, wait: true },
            Command::Refresh { selection: one(), force: true, dry_run: false, wait: true },
        ] {
            let what = format!("{command:?}");
            let before = bytes_read();
            let (nobody, _) = mpsc::unbounded_channel();
            inside.app.operator.run(&Actor::User(0), command, &nobody).await.unwrap();
            let read = bytes_read() - before;
            assert!(read < ONE, "{what} read {read} bytes of {size}");
        }
    });
}

fn one() -> Selection {
    Selection { ids: vec!["rotor/one".parse().unwrap()], ..Selection::default() }
}

#[test]
fn a_list_holds_a_page_in_memory_whoever_makes_it() {
    let crowd = crowd();
    let command = |verb: &[&str]| crowd.home.command(&[verb, &["--json"]].concat());
    let lists: &[&[&str]] = &[&["status"], &["connection", "list"], &["log", "--limit", "60000"]];
    let alone = many::cost(command(&["status", "rotor/one"])).memory;
    for list in lists {
        let cost = many::cost(command(list));
        assert!(cost.output > 10 << 20, "{list:?} is long: {cost:?}");
        assert!(cost.memory < alone + ROOM, "{list:?} took {cost:?}, and one took {alone}");
    }
    let daemon = crowd.home.serve();
    for list in lists {
        many::forget_peak(daemon.pid());
        let before = many::peak_memory(daemon.pid()).unwrap();
        let cost = many::cost(command(list));
        let after = many::peak_memory(daemon.pid()).unwrap();
        assert!(after < before + ROOM, "{list:?}: the daemon went from {before} to {after} KiB");
        assert!(cost.memory < alone + ROOM, "{list:?} through the daemon took {cost:?}");
    }
}

#[test]
fn a_list_in_pages_is_one_document_with_everything_once_and_in_order() {
    let crowd = Crowd::new("");
    assert!(crowd.list(&[]).is_empty());
    // The first command that does not only look makes the database.
    let _ = crowd.home.run(&["prune"]).exits(0);
    many::fill(&crowd.home, "rotor", 1_203);
    let ids = |arguments: &[&str]| crowd.list(arguments);
    let all = ids(&[]);
    assert_eq!((all.len(), all.is_sorted()), (1_203, true));
    assert_eq!(ids(&["--label", "gold"]).len(), 12);
    let log = |limit: &str| {
        let log = crowd.home.run(&["log", "--json", "--limit", limit]).exits(0).json();
        let all = log["attempts"].as_array().unwrap().clone();
        all.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (limit, found) in [("0", 0), ("1", 1), ("500", 500), ("501", 501), ("4000", 3_609)] {
        let ids = log(limit);
        assert_eq!((ids.len(), ids.iter().rev().is_sorted()), (found, true), "{limit}");
    }
    let text = crowd.home.run(&["log", "--limit", "1200"]).exits(0).stdout;
    assert_eq!(text.matches("STARTED").count(), 1, "one heading");
    let daemon = crowd.home.serve();
    assert_eq!(ids(&[]), all, "the daemon has the same");
    assert_eq!(log("4000").len(), 3_609);
    // Command lines that know no pages still get all of it at once.
    Runtime::new().unwrap().block_on(async {
        let client = keepfresh::control::Client::connect(&crowd.home.path("keepfresh.db")).await;
        let (nobody, _) = mpsc::unbounded_channel();
        let old = serde_json::from_str("{\"command\":\"status\",\"ids\":[]}").unwrap();
        let reply = keepfresh::control::ask(client.unwrap().unwrap(), &old, &nobody).await.unwrap();
        let Reply::Connections(rows) = reply else { panic!("{reply:?}") };
        assert_eq!(rows.len(), 1_203);
    });
    assert!(daemon.stop().success());
}
