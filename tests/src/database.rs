//! The database of a home, looked at and disturbed past the program: what a person with a SQL shell
//! would see, and faults that no disk gives on demand.

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::runtime::{Builder, Runtime};

/// Triggers that keep rows from being damaged.
const GUARDS: [&str; 3] = ["generations_grow", "generations_follow", "attempts_stay"];

/// A database file. Every question opens it anew, so that nothing is held against the program.
pub struct Database {
    path: PathBuf,
    runtime: Runtime,
}

/// One that begins and is not ended holds the write lock, as a backup tool may.
pub struct Held<'a>(&'a Database, SqliteConnection);

impl Database {
    /// The database at `path`.
    ///
    /// # Panics
    /// When a runtime cannot be made.
    pub fn at(path: &Path) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { path: path.to_owned(), runtime }
    }

    /// Runs a statement: a trigger that makes a write fail, say.
    ///
    /// # Panics
    /// When it fails.
    pub fn run(&self, statement: &'static str) {
        self.ask(async |db| sqlx::query(statement).execute(db).await.map(drop));
    }

    /// The one number that a query answers with.
    ///
    /// # Panics
    /// When it fails.
    pub fn number(&self, query: &'static str) -> i64 {
        self.ask(async |db| sqlx::query_scalar(query).fetch_one(db).await)
    }

    /// The texts that a query with these arguments answers with.
    ///
    /// # Panics
    /// When it fails.
    pub fn texts(&self, query: &'static str, arguments: &[&str]) -> Vec<String> {
        self.ask(async |db| {
            let mut asked = sqlx::query_scalar(query);
            for argument in arguments {
                asked = asked.bind(*argument);
            }
            asked.fetch_all(db).await
        })
    }

    /// The columns of a table, each with its type.
    pub fn columns(&self, table: &str) -> Vec<(String, String)> {
        let both = "select name || ' ' || type from pragma_table_info(?)";
        let split = |it: String| {
            let (name, kind) = it.split_once(' ').unwrap_or((&it, ""));
            (name.to_owned(), kind.to_owned())
        };
        self.texts(both, &[table]).into_iter().map(split).collect()
    }

    /// Sets one field of the rows for which `condition` holds to whatever `value` is in SQL, past keys and
    /// invariants, as a damaged disk or a careless hand may; false if the table does not take it.
    pub fn spoil(&self, table: &str, column: &str, value: &str, condition: &str) -> bool {
        let update = format!("update {table} set {column} = {value} where {condition}");
        let guards = "select sql from sqlite_master where type = 'trigger'";
        let guards = self.texts(guards, &[]);
        let done = self.ask(async |db| {
            sqlx::query("pragma foreign_keys = off").execute(&mut *db).await?;
            for name in GUARDS {
                let drop = format!("drop trigger if exists {name}");
                sqlx::query(AssertSqlSafe(drop)).execute(&mut *db).await?;
            }
            let done = sqlx::query(AssertSqlSafe(update)).execute(&mut *db).await;
            for guard in guards.iter().filter(|it| GUARDS.iter().any(|name| it.contains(name))) {
                sqlx::query(AssertSqlSafe(guard.clone())).execute(&mut *db).await?;
            }
            Ok(done)
        });
        done.is_ok_and(|it| it.rows_affected() > 0)
    }

    /// What stands in a field of the rows for which `condition` holds, in hexadecimal digits, with its type.
    pub fn field(&self, table: &str, column: &str, condition: &str) -> Vec<String> {
        let query =
            format!("select hex({column}) || typeof({column}) from {table} where {condition}");
        self.ask(async |db| sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(db).await)
    }

    /// What SQLite finds when it looks at every page.
    pub fn integrity(&self) -> Vec<String> {
        self.texts("select * from pragma_integrity_check", &[])
    }

    /// Takes the write lock until the guard is dropped.
    ///
    /// # Panics
    /// When somebody else has it.
    pub fn hold(&self) -> Held<'_> {
        let held = self.runtime.block_on(async {
            let mut db = self.options().connect().await?;
            sqlx::query("begin immediate").execute(&mut db).await?;
            Ok::<_, sqlx::Error>(db)
        });
        Held(self, held.expect("the write lock is free"))
    }

    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new().filename(&self.path).disable_statement_logging()
    }

    fn ask<T>(&self, question: impl AsyncFnOnce(&mut SqliteConnection) -> sqlx::Result<T>) -> T {
        let answer = self.runtime.block_on(async {
            let mut db = self.options().connect().await?;
            let answer = question(&mut db).await;
            db.close().await?;
            answer
        });
        answer.unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let Self(database, connection) = self;
        // The end of the connection ends what it began, too.
        let _ = database.runtime.block_on(sqlx::query("rollback").execute(connection));
    }
}
