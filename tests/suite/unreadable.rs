//! A row that cannot be read is alone with it: it is shown and left as it is, and the others go on. Each
//! column of the tables of a connection is spoiled once, by chance.

use std::collections::BTreeSet;

use e2e::chance::Chance;
use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::stage::Stage;
use serde_json::Value;

use crate::people::Crowd;

/// One field that is spoiled, and the connection that it belongs to.
#[derive(Debug)]
struct Spoiled {
    name: String,
    table: &'static str,
    column: String,
    value: String,
}

/// What the columns of a connection hold when something has gone wrong, in SQL. STRICT tables take no
/// other types.
fn rubbish(chance: &mut Chance, kind: &str) -> &'static str {
    let all: &[&str] = match kind {
        "TEXT" => &[
            "'rubbish'",
            "'{'",
            "'[1, '",
            "'x/y/z'",
            "''",
            "'null'",
            "'\u{202e}'",
            "cast(x'ff' as text)",
        ],
        "INTEGER" => &["9223372036854775807", "-9223372036854775807", "-1", "253402300800000"],
        _ => &["x''", "x'00'", "x'0101010101010101010101010101010101010101'"],
    };
    all[usize::try_from(chance.below(all.len() as u64)).unwrap()]
}

/// A connection for each column of each table, spoiled there.
fn spoil_everything(crowd: &Crowd, database: &Database, chance: &mut Chance) -> Vec<Spoiled> {
    let tables = [
        ("connections", "id"),
        ("generations", "connection"),
        ("captures", "connection"),
        ("claims", "connection"),
        ("attempts", "connection"),
    ];
    let mut all = Vec::new();
    for (table, key) in tables {
        for (column, kind) in database.columns(table) {
            let name = format!("{table}-{column}");
            all.push((Spoiled { name, table, column, value: String::new() }, key, kind));
        }
    }
    let names = all.iter().map(|(it, ..)| it.name.as_str()).chain(["z1", "z2"]);
    // They have ended: all are due at once.
    crowd.file("people.csv", &crowd.roster(&names.collect::<Vec<_>>(), -1));
    let _ = crowd.import(&["people.csv"]).exits(0);
    database.run("update connections set due_at = iif(name like 'z%', 1000, 1)");
    for (it, key, kind) in &mut all {
        let id = format!("rotor/{}", it.name);
        match it.table {
            "captures" => drop(database.texts(CAPTURE, &[&id])),
            "claims" => drop(database.texts(CLAIM, &[&id])),
            "attempts" => drop(database.texts(ATTEMPT, &[&id])),
            _ => {}
        }
        let mine = format!("{key} = '{id}'");
        // Not all are taken: two attempts cannot have one id.
        let spoiled = (0..50).any(|_| {
            rubbish(chance, kind).clone_into(&mut it.value);
            database.spoil(it.table, &it.column, &it.value, &mine)
        });
        assert!(spoiled, "{it:?}");
    }
    all.into_iter().map(|(it, ..)| it).collect()
}

const CAPTURE: &str = "
    insert into captures (connection, generation, seq, attempt, request, sealed, created_at)
    select id, generation, 0, '01890a5d-ac96-774b-bcce-b302099a8057', 'POST /token', x'01', 1
    from connections where id = ?1";

const ATTEMPT: &str = "
    insert into attempts (id, connection, provider, trigger, outcome, rotation, digest, generation, started_at)
    select printf('01890a5d-ac96-774b-bcce-%s', lower(hex(randomblob(6)))), id, provider, 'expiry',
           'success', '\"none\"', '', generation, unixepoch() * 1000 - 60000
    from connections where id = ?1";

const CLAIM: &str = "
    insert into claims (attempt, connection, provider, trigger, rotation, digest, owner, lease_until,
                        generation, started_at)
    select printf('01890a5d-ac96-774b-bcce-%s', lower(hex(randomblob(6)))), id, provider, 'expiry',
           '\"none\"', '', 'pid 1', 0, generation, unixepoch() * 1000 - 60000
    from connections where id = ?1";

#[test]
fn a_place_that_no_time_leads_to_stops_nobody() {
    let stage = Stage::eskiz("").logged_in();
    let database = Database::at(&stage.home.path("keepfresh.db"));
    assert!(database.spoil("attempts", "ended", "9223372036854775807", "true"));
    for count in 2..4 {
        let _ = stage.run_refresh(&["--force"]).exits(0);
        let successes = "select count(*) from attempts where outcome = 'success'";
        assert_eq!(database.number(successes), count);
    }
}

#[test]
fn whatever_is_spoiled_the_others_are_refreshed_and_it_is_shown_and_left_alone() {
    let mut chance = Chance::new();
    let seed = format!("KEEPFRESH_SEED={}", chance.seed());
    let crowd = Crowd::new("concurrency = 1\nrotation = \"none\"");
    // The first command that does not only look makes the database.
    let _ = crowd.home.run(&["prune"]).exits(0);
    let database = Database::at(&crowd.home.path("keepfresh.db"));
    let spoiled = spoil_everything(&crowd, &database, &mut chance);
    assert!(spoiled.len() > 60, "{}", spoiled.len());
    let before = fields(&database, &spoiled);
    let daemon = crowd.home.serve();
    // They are behind all that is spoiled, and one is refreshed at a time.
    let refreshed = "select count(*) from connections where name like 'z%' and generation = 2";
    let begun = std::time::Instant::now();
    while database.number(refreshed) < 2 {
        let log = daemon.log();
        assert!(begun.elapsed().as_secs() < 30, "the others wait, {seed}: {log}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let shown = crowd.home.run(&["status", "--json"]).exits(4).json();
    let unreadable = unreadable(&shown);
    for column in ["settings", "labels", "due_trigger", "provider", "name", "origin"] {
        let certain = format!("rotor/connections-{column}");
        assert!(unreadable.contains(&certain), "{certain}, {seed}: {unreadable:?}");
    }
    assert!(unreadable.contains("rotor/captures-attempt"), "{seed}: {unreadable:?}");
    assert!(unreadable.contains("rotor/claims-rotation"), "{seed}: {unreadable:?}");
    let ids = shown["connections"].as_array().unwrap().len();
    assert!(ids > spoiled.len(), "all are listed but one whose id is no text: {ids}, {seed}");
    assert!(unreadable.len() > 10, "{seed}: {unreadable:?}");
    let log = daemon.log();
    for it in spoiled.iter().filter(|it| unreadable.contains(&format!("rotor/{}", it.name))) {
        let told =
            log.matches(&format!("row rotor/{} of connections cannot be read", it.name)).count();
        assert!(told <= 1, "{it:?} was told of {told} times, {seed}");
    }
    assert!(daemon.stop().success(), "{seed}");
    for (it, (old, new)) in spoiled.iter().zip(before.iter().zip(fields(&database, &spoiled))) {
        let is_shown = unreadable.contains(&format!("rotor/{}", it.name));
        assert!(!is_shown || *old == new, "{it:?} was rewritten, {seed}: {old:?} {new:?}");
    }
    // It stays possible to see to the others, and to those as well.
    let _ = crowd.home.run(&["token", "get", "rotor/z1"]).exits(0);
    let check = crowd.home.run(&["check"]).exits(78);
    assert!(check.stderr.contains("storage.row_unreadable"), "{check:?}, {seed}");
    let doctor = crowd.home.run(&["doctor"]).exits(1);
    assert!(doctor.stdout.contains("cannot be read"), "{doctor:?}, {seed}");
    let _ = crowd.home.run(&["log", "--json", "--limit", "1000"]).json();
}

/// What stands in the fields that were spoiled.
fn fields(database: &Database, spoiled: &[Spoiled]) -> Vec<Vec<String>> {
    let field = |it: &Spoiled| {
        let key = if it.table == "connections" { "id" } else { "connection" };
        database.field(it.table, &it.column, &format!("{key} = 'rotor/{}'", it.name))
    };
    spoiled.iter().map(field).collect()
}

/// Ids of those that cannot be read.
fn unreadable(shown: &Value) -> BTreeSet<String> {
    let all = shown["connections"].as_array().unwrap().iter();
    let broken = all.filter(|it| it["error"]["code"] == "storage.row_unreadable");
    let broken = broken.inspect(|it| assert_eq!(it["state"], "misconfigured", "{it}"));
    broken.map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_row_of_the_manifest_that_cannot_be_read_keeps_nobody_from_starting() {
    let more = "concurrency = 1\n[[providers.eskiz.connections]]\nname = \"a\"\n[[providers.eskiz.connections]]\nname = \"b\"\n[[providers.eskiz.connections]]\nname = \"c\"";
    let stage = Stage::eskiz(more);
    let _ = stage.home.run(&["refresh", "--all"]).exits(0);
    let database = Database::at(&stage.home.path("keepfresh.db"));
    database.run("update connections set due_at = 0, due_trigger = 'whenever' where name = 'a'");
    database.run("update connections set due_at = 1 where name <> 'a'");
    let daemon = stage.home.serve();
    let refreshed = "select count(*) from connections where due_at > 1";
    wait_until("the others were refreshed", || database.number(refreshed) == 2);
    let status = stage.home.run(&["status", "--json"]).exits(4).json();
    assert_eq!(unreadable(&status), BTreeSet::from(["eskiz/a".to_owned()]));
    let text = stage.home.run(&["status", "eskiz/a"]).exits(4).stdout;
    assert!(text.contains("due_trigger is damaged"), "{text}");
    let _ = stage.home.run(&["status", "eskiz/b"]).exits(0);
    let failed = stage.home.run(&["token", "get", "eskiz/a"]);
    assert!(failed.stderr.contains("error[storage.row_unreadable]"), "{failed:?}");
    let named = stage.home.run(&["refresh", "eskiz/a"]);
    assert!(named.stderr.contains("error[storage.row_unreadable]"), "{named:?}");
    assert_eq!(daemon.log().matches("due_trigger is damaged").count(), 1, "{}", daemon.log());
    assert!(daemon.stop().success());
    database.run("update connections set due_trigger = 'expiry' where name = 'a'");
    let _daemon = stage.home.serve();
    wait_until("it goes on once it was mended", || database.number(refreshed) == 3);
    let _ = stage.home.run(&["status"]).exits(0);
}
