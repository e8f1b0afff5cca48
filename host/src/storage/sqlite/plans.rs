//! How SQLite answers every statement that is written in this folder: by an index, and never by reading
//! a table to its end, unless that is what is asked for. Statements are texts in the program (`sqlx`
//! takes no others), so this finds them where they stand: a new one cannot be forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use crate::storage::Storage;

/// What may be read to its end, with the reason. Each is a line of a plan, and the beginning of the
/// statement that it belongs to.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("with recursive found", "SCAN found", "the providers that were found, which are few"),
    ("select *, cast(id as text) as key from keyring", "SCAN keyring", "a handful of keys"),
    ("select exists (select 1 from generations)", ANY_SET, "it ends at the first row"),
    ("select exists (select 1 from generations)", ANY_ANSWER, "it ends at the first row"),
    ("select exists (select 1 from generations)", "SCAN credentials", "it ends at the first row"),
    ("select * from api_keys", "SCAN api_keys", "a handful of keys"),
    ("select * from api_keys", SORTED, "a handful of keys"),
    ("select * from accounts order by name", "SCAN accounts", "a handful of accounts"),
    ("select audit.*, k.name", "SCAN audit", "newest first, until a page is full"),
    ("select audit.*, k.name", "SCAN k LEFT-JOIN", "a handful of keys"),
    ("select provider, count(*) from connections", COUNTED, "each is counted, in the index alone"),
    (
        "select provider, count(*) from connections where problem",
        STUCK,
        "each is counted, in the index alone",
    ),
    ("select kinds from listeners", "SCAN listeners", "a handful of listeners"),
    ("delete from listeners", "SCAN listeners", "a handful of listeners"),
    ("select id, at < ?2", "SCAN l", "a handful of listeners"),
    ("delete from outbox where id in", "SCAN l", "a handful of listeners"),
    ("select o.*, (select count(*) from messages", "SCAN o", "a handful of outlets"),
    ("delete from sinks", "SCAN sinks", "a handful of sinks"),
    ("delete from delivered where sink not in", "SCAN delivered", "once, when sinks change"),
    ("delete from pending where sink not in", WAITING, "once, when sinks change"),
    ("delete from changes where not exists", "SCAN sinks", "a handful of sinks"),
    ("delete from changes where not exists", CHANGES, "all of them go"),
    ("select provider, coalesce(problem", FAILING, "those in trouble are counted"),
    ("select provider, coalesce(problem", GROUPED, "those in trouble are counted"),
    (
        "select count(*) from connections indexed by connections_failing",
        FAILING,
        "they are counted",
    ),
    ("with some (id) as", FAILING, "those in trouble are counted"),
    (
        "with some (id) as",
        "SCAN connections USING INDEX connections_paused",
        "the paused are counted",
    ),
    ("with some (id) as", OPEN, "open attempts are counted"),
    ("with some (id) as", JOINED, "those that may not be fresh, each once"),
    ("with some (id) as", "SCAN some", "those that may not be fresh are counted"),
    ("with some (id) as", GROUPED, "those that may not be fresh are counted"),
    ("with some (id) as", SORTED, "those in one state, in the order that somebody has chosen"),
    ("select *, cast(id as text) as key from (select * from outbox", "SCAN outbox", "the newest"),
    ("select c.*, a.owner, a.attempt as open_id", SORTED, "what is overdue, or under way"),
    ("select coalesce(error_code, '') as code", GROUPED, "those in trouble are counted"),
    ("select coalesce(error_code, '') as code", SORTED, "the codes, which are few"),
    ("update connections set ending_told", FAILING, "those in trouble are looked at"),
    ("select version from _sqlx_migrations", MIGRATIONS, "a handful of migrations"),
    ("select *, attempt as id from claims", "SCAN claims", "open attempts alone"),
    ("select *, attempt as id from claims", SORTED, "open attempts alone"),
    ("select * from claims where attempt", "SCAN claims", "open attempts alone"),
    ("select c.id, c.due_at from claims a", AT_WORK, "open attempts alone"),
    ("select claims.connection as id", "SCAN claims", "open attempts alone"),
    ("select claims.connection as id", SORTED, "open attempts alone"),
    ("update claims set lease_until = ?2 where owner", "SCAN claims", "open attempts alone"),
    ("select (select count(*) from connections)", ALL_OF_THEM, "they are counted"),
    ("select (select count(*) from connections)", PROBLEMS, "those with a problem are counted"),
    ("select min(id) as id, count(*)", BY_PROVIDER, "`check` compares all of them"),
    ("select min(id) as id, count(*)", GROUPED, "`check` compares all of them"),
    ("select min(id) as id, count(*)", SORTED, "the groups, which are few"),
    (
        "update connections set paused_until",
        "SCAN connections",
        "after a clock was set, each is looked at once",
    ),
    ("update connections set problem = null", SORTED, "those that a person has mended, each moved"),
    (
        "update connections set problem = null",
        "SCAN r",
        "those that a person has mended, each moved",
    ),
    (
        "update connections set due_at = ?1 + r.place",
        SORTED,
        "all of a provider that is gone, each moved",
    ),
    (
        "update connections set due_at = ?1 + r.place",
        "SCAN r",
        "all of a provider that is gone, each moved",
    ),
];

const OPEN: &str = "SCAN claims";
const AT_WORK: &str = "SCAN a";
const JOINED: &str = "UNION USING TEMP B-TREE";
const ALL_OF_THEM: &str = "SCAN connections USING COVERING INDEX connections_ends";
const PROBLEMS: &str = "SCAN connections USING INDEX connections_problem";
const MIGRATIONS: &str =
    "SCAN _sqlx_migrations USING COVERING INDEX sqlite_autoindex__sqlx_migrations_1";
const ANY_SET: &str = "SCAN generations USING COVERING INDEX sqlite_autoindex_generations_1";
const ANY_ANSWER: &str = "SCAN captures USING COVERING INDEX sqlite_autoindex_captures_1";
const BY_PROVIDER: &str = "SCAN connections USING INDEX connections_provider";
const COUNTED: &str = "SCAN connections USING COVERING INDEX connections_provider";
const STUCK: &str = "SCAN connections USING INDEX connections_problem";
const FAILING: &str = "SCAN connections USING INDEX connections_failing";
const WAITING: &str = "SCAN pending USING INDEX pending_next";
const CHANGES: &str = "SCAN changes USING INDEX changes_seq";
const GROUPED: &str = "USE TEMP B-TREE FOR GROUP BY";
const SORTED: &str = "USE TEMP B-TREE FOR ORDER BY";

/// Indexes that no plan needs, with the reason.
const GUARDS: &[(&str, &str)] = &[
    ("api_keys_names", "two keys in force have two names"),
    ("audit_counted", "what is counted has one row"),
];

#[tokio::test]
async fn every_statement_is_answered_by_an_index() {
    let (_dir, mut db) = database().await;
    let mut faults = Vec::new();
    let mut needed = BTreeSet::new();
    let statements = statements();
    assert!(statements.len() > 40, "the statements are found: {}", statements.len());
    for it in &statements {
        for line in plan(&mut db, &it.text).await.unwrap_or_else(|error| panic!("{it:?}: {error}"))
        {
            if is_answered(&line) {
                continue;
            }
            let allowed = ALLOWED.iter().find(|(beginning, allowed, _)| {
                it.plain().starts_with(beginning) && line == *allowed
            });
            match allowed {
                Some(allowed) => drop(needed.insert(allowed)),
                None => faults.push(format!("{}: {line}\n    {}", it.file, it.plain())),
            }
        }
    }
    assert!(faults.is_empty(), "a statement reads a table to its end:\n{}", faults.join("\n"));
    let stale = ALLOWED.iter().filter(|it| !needed.contains(it)).collect::<Vec<_>>();
    assert!(stale.is_empty(), "nothing needs this any more: {stale:?}");
}

#[tokio::test]
async fn every_index_is_used_by_some_statement() {
    let (_dir, mut db) = database().await;
    let mut plans = String::new();
    for it in statements() {
        plans = plans + &plan(&mut db, &it.text).await.unwrap().join("\n") + "\n";
    }
    let all = "select name from sqlite_master where type = 'index' and sql is not null";
    let all: Vec<String> = sqlx::query_scalar(all).fetch_all(&mut db).await.unwrap();
    let is_guard = |it: &&String| GUARDS.iter().any(|(guard, _)| guard == it);
    // A cascade looks up what refers to a row, and shows in no plan.
    let cascades = |it: &&String| it.ends_with("_connection");
    let used = |it: &&String| {
        plans.contains(&format!("INDEX {it} ")) || plans.contains(&format!("INDEX {it}\n"))
    };
    let idle = all.iter().filter(|it| !used(it) && !is_guard(it) && !cascades(it));
    let idle = idle.collect::<Vec<_>>();
    assert!(idle.is_empty(), "each write pays for an index that nobody reads: {idle:?}");
}

/// A page that began at its time alone would read all of the same time again and again.
#[tokio::test]
async fn a_look_at_what_is_due_goes_on_where_the_last_one_ended() {
    let (_dir, mut db) = database().await;
    for (index, time) in [("connections_due_provider", "due_at"), ("connections_probe", "probe_at")]
    {
        let wanted =
            format!("SEARCH connections USING INDEX {index} (provider=? AND ({time},id)>(?,?)");
        let mut found = false;
        for it in statements() {
            let plan = plan(&mut db, &it.text).await.unwrap();
            found |= plan.iter().any(|it| it.starts_with(&wanted));
        }
        assert!(found, "{wanted}");
    }
}

/// A statement that is made while the program runs would be found by nobody.
#[test]
fn statements_are_texts_of_the_program() {
    for path in files() {
        let code = fs::read_to_string(&path).unwrap();
        for made in ["AssertSqlSafe", "concat!", "include_str!", "QueryBuilder", "raw_sql"] {
            assert!(!code.contains(made), "{} makes a statement with {made}", path.display());
        }
    }
}

#[tokio::test]
async fn a_scan_a_sort_and_an_index_for_once_are_seen() {
    let (_dir, mut db) = database().await;
    for text in [
        "select * from connections where failures > 0",
        "select id from attempts where outcome = 'failed' order by id desc",
        "select * from connections c where (? is null or provider = ?) order by c.id",
        "select * from connections where provider = 'x' and due_at < 5 order by name",
        "select * from attempts a join outbox o on o.generation = a.generation where a.id = 'x'",
        "delete from outbox where at < ?",
    ] {
        let lines = plan(&mut db, text).await.unwrap();
        assert!(!lines.iter().all(|it| is_answered(it)), "{text}: {lines:?}");
    }
}

#[test]
fn statements_are_found_however_they_are_written() {
    let code = r##"
        // "select 1"
        /// "select 2" it's
        const A: &str = "
            select 'x' from t"; let c = '"'; let l: &'static str = r#"with "a" as (select 4)"#;
        fn f<'a>(x: &'a str) { q("insert into \"t\" \
                                  values (5)", "selected", "nothing"); }
        #[cfg(test)]
        mod tests { const B: &str = "select 6"; }
    "##;
    let found = texts(code).into_iter().filter(|it| is_statement(it));
    let found = found.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(
        found.collect::<Vec<_>>(),
        ["select 'x' from t", "with \"a\" as (select 4)", "insert into \"t\" values (5)"]
    );
}

#[derive(Debug)]
struct Statement {
    file: String,
    text: String,
}

impl Statement {
    /// On one line.
    fn plain(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

async fn database() -> (tempfile::TempDir, SqliteConnection) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keepfresh.db");
    drop(Storage::open(&path).await.unwrap());
    let db = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    (dir, db)
}

async fn plan(db: &mut SqliteConnection, text: &str) -> sqlx::Result<Vec<String>> {
    let explain = AssertSqlSafe(format!("explain query plan {text}"));
    let rows = sqlx::query(explain).fetch_all(db).await?;
    rows.iter().map(|it| it.try_get("detail")).collect()
}

/// Whether a line of a plan costs what is asked for, and not what is stored.
fn is_answered(line: &str) -> bool {
    let reads_all = line.starts_with("SCAN ")
        && !line.contains("VIRTUAL TABLE")
        // What it is made of has lines of its own.
        && !line.starts_with("SCAN (subquery")
        && !line.contains("CONSTANT ROW");
    !reads_all && !line.contains("AUTOMATIC") && !line.contains("TEMP B-TREE")
}

fn statements() -> Vec<Statement> {
    let mut found = Vec::new();
    for path in files() {
        let code = fs::read_to_string(&path).unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let of_file = texts(&code).into_iter().filter(|it| is_statement(it));
        found.extend(of_file.map(|text| Statement { file: file.clone(), text }));
    }
    found
}

/// The files of this folder, and of those below it, but tests.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/storage/sqlite"), &mut found);
    found.retain(|it| it.extension().is_some_and(|it| it == "rs"));
    found.retain(|it| !["tests.rs", "plans.rs", "crowd.rs"].iter().any(|test| it.ends_with(test)));
    found.retain(|it| !it.components().any(|it| it.as_os_str() == "tests"));
    found.sort();
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Whether a text is a statement that reads or changes rows.
fn is_statement(text: &str) -> bool {
    let verbs = ["select", "insert", "update", "delete", "with", "replace"];
    let first = text.split_whitespace().next().unwrap_or_default();
    let more = text.split_whitespace().count() > 1;
    more && verbs.iter().any(|it| first.eq_ignore_ascii_case(it))
}

/// The texts in a file of code, in order; its tests are left out.
fn texts(code: &str) -> Vec<String> {
    let code = code.split("#[cfg(test)]\n").enumerate();
    // What follows a test module's mark is that module, to the end of the file.
    let code = code
        .take_while(|(index, part)| *index == 0 || !part.trim_start().starts_with("mod tests {"));
    let code = code.map(|(_, part)| part).collect::<String>();
    let mut rest = code.as_str();
    let mut found = Vec::new();
    while let Some(at) = rest.find(['"', '/', '\'', 'r']) {
        rest = &rest[at..];
        rest = if rest.starts_with("//") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(hashes) = raw(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let (text, after) = rest[hashes + 2..].split_once(&end).unwrap();
            found.push(text.to_owned());
            after
        } else if let Some(text) = rest.strip_prefix('"') {
            let (text, after) = quoted(text);
            found.push(text);
            after
        } else {
            &rest[after_character(rest)..]
        };
    }
    found
}

/// How many hashes a raw text has that begins here.
fn raw(code: &str) -> Option<usize> {
    let hashes = code.strip_prefix('r')?;
    let text = hashes.trim_start_matches('#');
    text.starts_with('"').then_some(hashes.len() - text.len())
}

/// A text up to its quote, with what is escaped in it, and what follows.
fn quoted(code: &str) -> (String, &str) {
    let mut text = String::new();
    let mut letters = code.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (text, &code[at + 1..]),
            '\\' => match letters.next() {
                Some((_, '\n')) | None => {}
                Some((_, escaped)) => text.push(escaped),
            },
            letter => text.push(letter),
        }
    }
    panic!("a text without an end: {text}")
}

/// Behind a letter in quotes; behind one letter, where there is none.
fn after_character(code: &str) -> usize {
    let plain = ["'\"'", "'/'", "'\\''", "'\\\"'"];
    plain.iter().find(|it| code.starts_with(**it)).map_or(1, |it| it.len())
}
