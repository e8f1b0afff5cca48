//! What is said when a row cannot be written: which way it is wrong, what helps, and never a value, a password, or an
//! address.

use std::time::{Duration, Instant};

use e2e::databases::{Databank, Engine};
use keepfresh::delivery::sinks::Cell;
use keepfresh::delivery::sinks::sql::{How, Row, Table};
use keepfresh::delivery::undelivered::Undelivered;

use super::tables::{on, table, text, update, with_each};

/// A value that must not be told.
const CANARY: &str = "CANARY-token";

with_each! {
    what_the_database_says_of_values_is_not_repeated
    a_table_and_a_column_that_are_missing_are_named_and_found_once_they_are_there
    who_holds_the_row_is_not_waited_for_without_end
}

/// The code of an error that tells no value.
fn code(written: Result<(), Undelivered>) -> String {
    let error = written.expect_err("it is refused");
    let said = format!("{error:?} {}", error.message);
    assert!(!said.contains("CANARY") && !said.contains("127.0.0.1"), "{said}");
    assert!(error.code.remedy().is_some(), "{said}");
    error.code.text().to_owned()
}

async fn what_the_database_says_of_values_is_not_repeated(bank: Databank) {
    bank.ask("create table kinds (name varchar(60) primary key)").await;
    bank.ask(
        "create table users (id integer, token varchar(200) unique, kind varchar(60) references kinds (name), \
         name varchar(60) not null check (length(name) < 40), n integer)",
    )
    .await;
    bank.ask(&format!(
        "insert into users values (1, '{CANARY}', null, 'a', 1), (2, null, null, 'b', 2)"
    ))
    .await;
    let table = table(&bank);
    let long = CANARY.repeat(4);
    for (column, cell, expected) in [
        ("token", text(CANARY), "sink.row_refused"),
        ("name", Cell::Null, "sink.row_refused"),
        ("name", text(&long), "sink.row_refused"),
        ("n", text(CANARY), "sink.row_value"),
    ] {
        let written = table.write(&update(Cell::Int(2), [(column, cell)])).await;
        assert_eq!(code(written), expected, "{column}");
    }
    if bank.engine != Engine::Mariadb {
        // There, a column alone makes no foreign key.
        let written = table.write(&update(Cell::Int(2), [("kind", text(CANARY))])).await;
        assert_eq!(code(written), "sink.row_refused");
    }
    let raise = match bank.engine {
        Engine::Postgres => {
            "create function refuse() returns trigger language plpgsql as $$ begin raise notice 'got %', new.token; \
             raise exception 'no %', new.token using errcode = 'check_violation'; end $$; \
             create trigger refuses before update on users for each row execute function refuse()"
        }
        Engine::Mariadb => {
            "create trigger refuses before update on users for each row \
             signal sqlstate '45000' set message_text = 'no CANARY-token'"
        }
        Engine::Sqlite => {
            "create trigger refuses before update on users begin select raise(abort, 'no CANARY-token'); end"
        }
    };
    bank.ask(raise).await;
    let written = table.write(&update(Cell::Int(2), [("token", text("CANARY-other"))])).await;
    assert!(["sink.database_failed", "sink.row_refused"].contains(&code(written).as_str()));
}

async fn a_table_and_a_column_that_are_missing_are_named_and_found_once_they_are_there(
    bank: Databank,
) {
    let table = table(&bank);
    let row = update(Cell::Int(1), [("token", text(CANARY))]);
    let error = table.write(&row).await.unwrap_err();
    assert!(error.message.contains("no table `users`"), "{}", error.message);
    assert_eq!(code(Err(error)), "sink.table_missing");
    bank.ask("create table users (id integer)").await;
    bank.ask("insert into users values (1)").await;
    let error = table.write(&row).await.unwrap_err();
    assert_eq!(error.message, "the table `users` has no column `token`");
    assert_eq!(code(Err(error)), "sink.column_missing");
    bank.ask("alter table users add column token varchar(60)").await;
    table.write(&row).await.unwrap();
    assert_eq!(bank.value("select token from users").await.as_deref(), Some(CANARY));
    bank.ask("alter table users drop column token").await;
    assert!(code(table.write(&row).await).starts_with("sink."));
    assert_eq!(code(table.write(&row).await), "sink.column_missing");
}

async fn who_holds_the_row_is_not_waited_for_without_end(bank: Databank) {
    bank.ask("create table users (id integer primary key, token varchar(60))").await;
    bank.ask("insert into users values (1, null)").await;
    let (table, row) = (table(&bank), update(Cell::Int(1), [("token", text(CANARY))]));
    let held = bank.hold("update users set token = 'held' where id = 1").await;
    let begun = Instant::now();
    assert_eq!(code(table.write(&row).await), "sink.database_busy");
    let took = begun.elapsed();
    assert!((Duration::from_secs(3)..Duration::from_secs(12)).contains(&took), "{took:?}");
    drop(held);
    table.write(&row).await.unwrap();
}

#[tokio::test]
async fn who_may_not_write_is_told_so() {
    for engine in [Engine::Postgres, Engine::Mariadb] {
        let Some(bank) = Databank::start(engine).await else { continue };
        bank.ask("create table users (id integer, token varchar(60))").await;
        bank.ask("insert into users values (1, null)").await;
        let grant = match engine {
            Engine::Postgres => {
                "create user reader password 'CANARY-reader'; grant select on users to reader"
            }
            _ => "grant select on app.users to reader@'127.0.0.1' identified by 'CANARY-reader'",
        };
        bank.ask(grant).await;
        let row = update(Cell::Int(1), [("token", text(CANARY))]);
        let as_user = |user, password| Table::open(&bank.url_as(user, password).into()).unwrap();
        let reader = as_user("reader", "CANARY-reader");
        assert_eq!(code(reader.write(&row).await), "sink.database_denied");
        let stranger = as_user("app", "CANARY-wrong");
        assert_eq!(code(stranger.write(&row).await), "sink.database_login");
        let nowhere = bank.url().replace("/postgres", "/CANARY").replace("/app", "/CANARY");
        let nowhere = Table::open(&nowhere.into()).unwrap();
        assert_eq!(code(nowhere.write(&row).await), "sink.database_login");
        assert_eq!(bank.value("select token from users").await, None);
    }
}

#[tokio::test]
async fn a_file_must_be_there_and_be_a_database() {
    let Some(bank) = Databank::start(Engine::Sqlite).await else { return };
    let folder = bank.file().parent().unwrap().to_owned();
    let row = Row { how: How::Upsert, ..update(Cell::Int(1), [("token", text(CANARY))]) };
    let at = |name: &str| {
        let url = format!("sqlite:{}", folder.join(name).display());
        Table::open(&url.into()).unwrap()
    };
    let error = at("CANARY.db").write(&row).await.unwrap_err();
    assert!(error.message.ends_with("it is not made"), "{}", error.message);
    assert_eq!(code(Err(error)), "sink.database_unreachable");
    assert!(!folder.join("CANARY.db").exists());
    std::fs::write(folder.join("text.db"), "this is CANARY and no database at all, ".repeat(40))
        .unwrap();
    assert_eq!(code(at("text.db").write(&row).await), "sink.database_unreachable");
}

#[tokio::test]
async fn tls_is_asked_for_as_the_url_says() {
    for engine in [Engine::Postgres, Engine::Mariadb] {
        let Some(bank) = Databank::start(engine).await else { continue };
        bank.ask("create table users (id integer, token varchar(60))").await;
        bank.ask("insert into users values (1, null)").await;
        let row = update(Cell::Int(1), [("token", text(CANARY))]);
        let required = format!("{}?ssl-mode=required", bank.url());
        let required = required.replace(
            "=required",
            if engine == Engine::Postgres { "=require" } else { "=REQUIRED" },
        );
        let error = Table::open(&required.into()).unwrap().write(&row).await.unwrap_err();
        assert!(error.message.ends_with("the server does not offer it"), "{}", error.message);
        assert_eq!(code(Err(error)), "sink.database_tls");
        table(&bank).write(&row).await.unwrap();
        Table::open(&bank.socket_url().into()).unwrap().write(&row).await.unwrap();
    }
}

#[tokio::test]
async fn a_certificate_is_judged_unless_this_machine_is_called_without_a_word() {
    let Some(mut bank) = Databank::start(Engine::Postgres).await else { return };
    let Some(certificate) = bank.offer_tls() else { return };
    bank.stop();
    bank.begin().await;
    bank.ask("create table users (id integer, token varchar(60))").await;
    bank.ask("insert into users values (1, null)").await;
    let row = update(Cell::Int(1), [("token", text(CANARY))]);
    let over = |more: &str| Table::open(&format!("{}{more}", bank.url()).into()).unwrap();
    let error = over("?sslmode=verify-full").write(&row).await.unwrap_err();
    assert!(error.message.contains("certificate"), "{}", error.message);
    assert_eq!(code(Err(error)), "sink.database_tls");
    let root = certificate.display();
    over(&format!("?sslmode=verify-full&sslrootcert={root}")).write(&row).await.unwrap();
    over("?sslmode=require").write(&row).await.unwrap();
    over("").write(&row).await.unwrap();
}
