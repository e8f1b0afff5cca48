//! One row of a table in a real PostgreSQL, MariaDB and SQLite: values of any type, keys, and who else writes.

use e2e::databases::{Databank, Engine};
use keepfresh::delivery::sinks::Cell;
use keepfresh::delivery::sinks::sql::{How, Row, Table};

/// A table over this database.
pub(crate) fn table(bank: &Databank) -> Table {
    Table::open(&bank.url().into()).unwrap_or_else(|error| panic!("{error:?}"))
}

pub(crate) fn text(value: &str) -> Cell {
    Cell::Text(value.into())
}

pub(crate) fn time(value: &str) -> Cell {
    Cell::Time(value.parse().unwrap())
}

pub(crate) fn named<const N: usize>(cells: [(&str, Cell); N]) -> Vec<(String, Cell)> {
    cells.map(|(name, cell)| (name.to_owned(), cell)).into()
}

/// Changes the row with this id in `users`.
pub(crate) fn update<const N: usize>(id: Cell, columns: [(&str, Cell); N]) -> Row {
    let (key, columns) = (named([("id", id)]), named(columns));
    Row { table: "users".to_owned(), key, columns, how: How::Update }
}

/// Does the same with each database that is installed.
macro_rules! with_each {
    ($($name:ident)+) => {
        mod postgres {
            $(#[tokio::test] async fn $name() { super::on(e2e::databases::Engine::Postgres, super::$name).await; })+
        }
        mod mariadb {
            $(#[tokio::test] async fn $name() { super::on(e2e::databases::Engine::Mariadb, super::$name).await; })+
        }
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::on(e2e::databases::Engine::Sqlite, super::$name).await; })+
        }
    };
}
pub(crate) use with_each;

pub(crate) async fn on(engine: Engine, check: impl AsyncFnOnce(Databank)) {
    if let Some(bank) = Databank::start(engine).await {
        check(bank).await;
    }
}

with_each! {
    a_row_is_changed_by_its_key_and_by_no_other
    a_row_is_made_where_there_is_none_and_changed_where_there_is_one
    a_row_of_an_attempt_is_made_once_also_if_its_time_is_finer_than_the_column
    names_and_values_are_never_read_as_sql
    two_who_make_the_same_row_make_one
    a_database_that_is_back_is_written_to_again
    nothing_means_null_and_what_is_too_long_is_not_cut
}

async fn a_row_is_changed_by_its_key_and_by_no_other(bank: Databank) {
    bank.ask("create table users (id integer, name varchar(20), token varchar(200))").await;
    bank.ask("insert into users values (1, 'a', null), (2, 'b', null), (2, 'c', 'old')").await;
    let table = table(&bank);
    for _ in 0..2 {
        // The second time, nothing changes, and the row is found all the same.
        table.write(&update(text("1"), [("token", text("t-1"))])).await.unwrap();
    }
    assert_eq!(bank.value("select token from users where id = 1").await.as_deref(), Some("t-1"));
    let missing = table.write(&update(Cell::Int(3), [("token", text("t-3"))])).await.unwrap_err();
    assert_eq!(missing.code.text(), "sink.row_missing");
    let many = table.write(&update(Cell::Int(2), [("token", text("t-2"))])).await.unwrap_err();
    assert_eq!(many.code.text(), "sink.rows_many");
    assert_eq!(many.message, "2 rows of the table have that key, and none was changed");
    let tokens = bank.value("select count(*) from users where token = 't-2'").await;
    assert_eq!(tokens.as_deref(), Some("0"));
    // A database that compares numbers with text by turning it into a number would take this for 1.
    let error =
        table.write(&update(text("1 or more"), [("token", text("t-4"))])).await.unwrap_err();
    assert_eq!(error.code.text(), "sink.row_value", "{}", error.message);
    let error = table.write(&update(Cell::Null, [("token", text("t-5"))])).await.unwrap_err();
    assert_eq!(error.code.text(), "sink.row_key");
    assert_eq!(bank.value("select token from users where id = 1").await.as_deref(), Some("t-1"));
}

async fn a_row_is_made_where_there_is_none_and_changed_where_there_is_one(bank: Databank) {
    bank.ask("create table tokens (provider varchar(20), name varchar(20), token varchar(200))")
        .await;
    let table = table(&bank);
    let row = |token: &str| Row {
        table: "tokens".to_owned(),
        key: named([("provider", text("eskiz")), ("name", text("default"))]),
        columns: named([("token", text(token))]),
        how: How::Upsert,
    };
    table.write(&row("one")).await.unwrap();
    table.write(&row("two")).await.unwrap();
    let all = bank.ask("select provider, name, token from tokens").await;
    assert_eq!(all, [["eskiz", "default", "two"].map(|it| Some(it.to_owned()))]);
    bank.ask("insert into tokens values ('eskiz', 'default', 'three')").await;
    assert_eq!(table.write(&row("four")).await.unwrap_err().code.text(), "sink.rows_many");
}

async fn a_row_of_an_attempt_is_made_once_also_if_its_time_is_finer_than_the_column(
    bank: Databank,
) {
    let moment = match bank.engine {
        Engine::Postgres => "timestamp(0)",
        Engine::Mariadb | Engine::Sqlite => "datetime",
    };
    bank.ask(&format!("create table syncs (user_id integer, synced_at {moment}, success boolean)"))
        .await;
    let row = |at: &str| Row {
        table: "syncs".to_owned(),
        key: named([("user_id", text("7")), ("synced_at", time(at))]),
        columns: named([("success", Cell::Bool(true))]),
        how: How::InsertOnce,
    };
    for _ in 0..2 {
        // A connection of its own each time, as after a crash.
        let table = table(&bank);
        table.write(&row("2026-01-02T03:04:05.678901Z")).await.unwrap();
        table.write(&row("2026-01-02T03:04:59.5Z")).await.unwrap();
    }
    assert_eq!(bank.value("select count(*) from syncs").await.as_deref(), Some("2"));
}

async fn names_and_values_are_never_read_as_sql(bank: Databank) {
    let quote = if bank.engine == Engine::Mariadb { '`' } else { '"' };
    let quoted =
        |it: &str| format!("{quote}{}{quote}", it.replace(quote, &format!("{quote}{quote}")));
    let (odd, column, key) = ("odd`s\" table; --", "a b\"`;", "order");
    let [sql_odd, sql_column, sql_key] = [odd, column, key].map(quoted);
    bank.ask(&format!("create table {sql_odd} ({sql_key} varchar(60), {sql_column} varchar(60))"))
        .await;
    let value = "'; drop table users; -- \" ` \\ $1 ? {{ x }} \u{1f511}";
    let row = Row {
        table: format!("\"{}\"", odd.replace('"', "\"\"")),
        key: named([(key, text(value))]),
        columns: named([(column, text(value))]),
        how: How::Upsert,
    };
    let table = table(&bank);
    for _ in 0..2 {
        table.write(&row).await.unwrap();
    }
    let all = bank.ask(&format!("select {sql_key}, {sql_column} from {sql_odd}")).await;
    assert_eq!(all, [[Some(value.to_owned()), Some(value.to_owned())]]);
}

async fn two_who_make_the_same_row_make_one(bank: Databank) {
    bank.ask("create table users (id integer, token varchar(200))").await;
    if bank.engine == Engine::Postgres {
        // It takes its time, so that each of them looks before the other has made its row.
        let slow = "create function slow() returns trigger language plpgsql as \
                    $$ begin perform pg_sleep(0.3); return new; end $$; \
                    create trigger slow before insert on users for each row execute function slow()";
        bank.ask(slow).await;
    }
    let (one, other) = (table(&bank), table(&bank));
    for id in 0..5 {
        let row = Row { how: How::Upsert, ..update(Cell::Int(id), [("token", text("t"))]) };
        let (a, b) = tokio::join!(one.write(&row), other.write(&row));
        a.and(b).unwrap_or_else(|error| panic!("{id}: {error:?}"));
    }
    assert_eq!(bank.value("select count(*) from users").await.as_deref(), Some("5"));
}

async fn a_database_that_is_back_is_written_to_again(mut bank: Databank) {
    bank.ask("create table users (id integer, token varchar(200))").await;
    bank.ask("insert into users values (1, null)").await;
    let table = table(&bank);
    let row = |token: &str| update(Cell::Int(1), [("token", text(token))]);
    table.write(&row("one")).await.unwrap();
    bank.stop();
    if bank.engine != Engine::Sqlite {
        // Whoever has a file open keeps it.
        let down = table.write(&row("two")).await.unwrap_err();
        assert_eq!(down.code.text(), "sink.database_unreachable", "{}", down.message);
        assert_eq!(down.message, "the database could not be reached: connection refused");
    }
    bank.begin().await;
    table.write(&row("three")).await.unwrap();
    // The connection that was kept is dead, and nobody notices.
    bank.stop();
    bank.begin().await;
    table.write(&row("four")).await.unwrap();
    assert_eq!(bank.value("select token from users").await.as_deref(), Some("four"));
}

async fn nothing_means_null_and_what_is_too_long_is_not_cut(bank: Databank) {
    let length = if bank.engine == Engine::Sqlite { "check (length(token) <= 8)" } else { "" };
    bank.ask(&format!("create table users (id integer, token varchar(8) {length})")).await;
    bank.ask("insert into users values (1, 'old')").await;
    let table = table(&bank);
    table.write(&update(Cell::Int(1), [("token", Cell::Null)])).await.unwrap();
    assert_eq!(bank.value("select token from users").await, None);
    let error = table.write(&update(Cell::Int(1), [("token", text("too long for it"))])).await;
    let code = if bank.engine == Engine::Sqlite { "sink.row_refused" } else { "sink.row_value" };
    assert_eq!(error.unwrap_err().code.text(), code);
    assert_eq!(bank.value("select token from users").await, None);
}

/// A time that is finer than most columns.
const AT: &str = "2026-01-02T03:04:05.678901Z";

/// A value for each kind of column.
fn row_of_postgres() -> Row {
    let id = "11111111-2222-3333-4444-555555555555";
    let at = AT;
    Row {
        table: "app.users".to_owned(),
        key: named([("id", text(id))]),
        columns: named([
            ("name", text("An'n")),
            ("state", text("on")),
            ("at", time(at)),
            ("at_s", time(at)),
            ("day", time(at)),
            ("raw", text("{\"a\": [1, null]}")),
            ("plain", Cell::Int(3)),
            ("n", text("-12")),
            ("big", Cell::Int(i64::MAX)),
            ("price", Cell::Float(2.5)),
            ("flag", Cell::Bool(true)),
            ("tags", text("{a,\"b c\"}")),
            ("short", text("12345678")),
            ("fixed", text("ab")),
            ("code", text("abcd")),
            ("expires", time(at)),
            ("address", text("10.0.0.1")),
            ("said_at", time(at)),
            ("yes", Cell::Bool(false)),
        ]),
        how: How::Upsert,
    }
}

#[tokio::test]
async fn postgres_has_each_value_in_the_type_of_its_column() {
    let Some(bank) = Databank::start(Engine::Postgres).await else { return };
    bank.ask(
        "create schema app; create type app.state as enum ('on', 'off'); \
         create domain app.code as varchar(4); \
         create table app.users (id uuid primary key, name text, state app.state, at timestamptz, \
         at_s timestamp(0), day date, raw jsonb, plain json, n int, big bigint, price numeric(10, 2), \
         flag bool, tags text[], short varchar(8), fixed char(4), code app.code, expires integer, \
         address inet, said_at text, yes text)",
    )
    .await;
    let at = AT;
    let row = row_of_postgres();
    let table = table(&bank);
    table.write(&row).await.unwrap();
    table.write(&row).await.unwrap();
    bank.ask("set time zone 'UTC'").await;
    let all = bank
        .ask("set time zone 'UTC'; select name, state, at, at_s, day, raw, plain, n, big, price, flag, tags, short, fixed, code, expires, address, said_at, yes from app.users")
        .await;
    let expected = [
        "An'n",
        "on",
        "2026-01-02 03:04:05.678901+00",
        "2026-01-02 03:04:06",
        "2026-01-02",
        "{\"a\": [1, null]}",
        "3",
        "-12",
        "9223372036854775807",
        "2.50",
        "t",
        "{a,\"b c\"}",
        "12345678",
        "ab  ",
        "abcd",
        "1767323045",
        "10.0.0.1",
        at,
        "false",
    ];
    assert_eq!(all, [expected.map(|it| Some(it.to_owned()))]);
    for (column, value) in [
        ("short", "123456789"),
        ("fixed", "abcde"),
        ("code", "abcde"),
        ("n", "many"),
        ("state", "maybe"),
        ("raw", "{"),
        ("flag", "perhaps"),
    ] {
        let columns = named([(column, text(value))]);
        let error = table.write(&Row { columns, ..row.clone() }).await.unwrap_err();
        assert_eq!(error.code.text(), "sink.row_value", "{column}: {}", error.message);
    }
}

/// The same for MariaDB.
fn row_of_mariadb() -> Row {
    let at = AT;
    Row {
        table: "app.users".to_owned(),
        key: named([("ID", text("9223372036854775807"))]),
        columns: named([
            ("at", time(at)),
            ("at_s", time(at)),
            ("day", time(at)),
            ("raw", text("{\"a\": [1, null]}")),
            ("n", text("-12")),
            ("price", Cell::Float(2.5)),
            ("flag", Cell::Bool(true)),
            ("bits", text("true")),
            ("state", text("on")),
            ("bytes", text("b")),
            ("expires", time(at)),
            ("said_at", time(at)),
            ("yes", Cell::Bool(false)),
            ("given", text("2026-01-02T05:04:05+02:00")),
        ]),
        how: How::Upsert,
    }
}

#[tokio::test]
async fn mariadb_has_each_value_in_the_type_of_its_column() {
    let Some(bank) = Databank::start(Engine::Mariadb).await else { return };
    bank.ask(
        "create table users (id bigint primary key, at datetime(3), at_s timestamp null, day date, raw json, \
         n int, price decimal(10, 2), flag tinyint(1), bits bit(1), state enum('on', 'off'), bytes varbinary(20), \
         expires int unsigned, said_at text, yes varchar(10), given datetime)",
    )
    .await;
    let at = AT;
    let row = row_of_mariadb();
    let table = table(&bank);
    table.write(&row).await.unwrap();
    table.write(&row).await.unwrap();
    let all = bank
        .ask("set time_zone = '+00:00'; select at, at_s, day, raw, n, price, flag, bits + 0, state, bytes, expires, said_at, yes, given from users")
        .await;
    let expected = [
        "2026-01-02 03:04:05.678",
        "2026-01-02 03:04:05",
        "2026-01-02",
        "{\"a\": [1, null]}",
        "-12",
        "2.50",
        "1",
        "1",
        "on",
        "b",
        "1767323045",
        at,
        "false",
        "2026-01-02 03:04:05",
    ];
    assert_eq!(all, [expected.map(|it| Some(it.to_owned()))]);
    for (column, value, code) in [
        ("n", "many", "sink.row_value"),
        ("state", "maybe", "sink.row_value"),
        ("at", "soon", "sink.row_value"),
        ("flag", "perhaps", "sink.row_value"),
        ("raw", "{", "sink.row_refused"),
    ] {
        let columns = named([(column, text(value))]);
        let error = table.write(&Row { columns, ..row.clone() }).await.unwrap_err();
        assert_eq!(error.code.text(), code, "{column}: {}", error.message);
    }
}

#[tokio::test]
async fn sqlite_has_each_value_as_others_write_it() {
    let Some(bank) = Databank::start(Engine::Sqlite).await else { return };
    bank.ask(
        "create table users (id integer primary key, at datetime, day date, flag boolean, n int, price real, \
         raw json, said_at text, yes varchar(10), expires integer)",
    )
    .await;
    let at = "2026-01-02T03:04:05.678Z";
    let row = Row {
        how: How::Upsert,
        ..update(
            text("7"),
            [
                ("at", time(at)),
                ("day", time(at)),
                ("flag", Cell::Bool(true)),
                ("n", text("-12")),
                ("price", Cell::Float(2.5)),
                ("raw", text("{}")),
                ("said_at", time(at)),
                ("yes", Cell::Bool(true)),
                ("expires", time(at)),
            ],
        )
    };
    let table = table(&bank);
    table.write(&row).await.unwrap();
    table.write(&row).await.unwrap();
    let all = bank
        .ask("select id, typeof(id), at, day, flag, n, typeof(n), price, raw, said_at, yes, expires from users")
        .await;
    let expected = [
        "7",
        "integer",
        "2026-01-02 03:04:05.678",
        "2026-01-02",
        "1",
        "-12",
        "integer",
        "2.5",
        "{}",
        at,
        "true",
        "1767323045",
    ];
    assert_eq!(all, [expected.map(|it| Some(it.to_owned()))]);
}
