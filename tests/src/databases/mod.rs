//! Databases that others wrote, on loopback and in folders of their own: PostgreSQL, MariaDB, SQLite; and Redis, which is
//! none. `./dev servers` installs them. A test whose server is not installed says so in one line and passes.

/// Starting the servers.
mod engines;

/// What holds for each of them.
mod serving;

mod redis;

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, ValueRef as _};
use tempfile::TempDir;

pub use redis::Redis;
use serving::{START, Server, free_port};

/// The password of the database's user, to be looked for where it must not be.
pub const PASSWORD: &str = "CANARY-database-password";

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MariaDB, which speaks as MySQL does.
    Mariadb,
    /// A file.
    Sqlite,
}

/// All of them.
pub const ALL: [Engine; 3] = [Engine::Postgres, Engine::Mariadb, Engine::Sqlite];

/// A database with nothing in it. It ends when dropped.
pub struct Databank {
    /// Which.
    pub engine: Engine,
    port: u16,
    // In this order, so that the server has ended before its folder goes.
    server: Option<Server>,
    folder: TempDir,
}

/// A connection in the middle of a transaction, which ends with it.
pub enum Held {
    /// Of PostgreSQL.
    Postgres(PgConnection),
    /// Of MariaDB.
    Mariadb(MySqlConnection),
    /// Of SQLite.
    Sqlite(SqliteConnection),
}

/// What a query answers with: rows of texts.
pub type Rows = Vec<Vec<Option<String>>>;

impl Databank {
    /// Starts one, or nothing if it is not installed.
    ///
    /// # Panics
    /// When it is installed and does not become ready.
    pub async fn start(engine: Engine) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("keepfresh-db-").tempdir().expect("a folder");
        let mut bank = Self { engine, folder, port: free_port(), server: None };
        match engine {
            Engine::Postgres => bank.make_postgres()?,
            Engine::Mariadb => bank.make_mariadb()?,
            Engine::Sqlite => drop(File::create(bank.file()).expect("a file")),
        }
        bank.begin().await;
        if engine == Engine::Mariadb {
            bank.ask_at(&bank.root_url(), "create database app character set utf8mb4")
                .await
                .expect("a database");
            let user = format!(
                "grant all on app.* to 'app'@'127.0.0.1' identified by '{PASSWORD}'; flush privileges"
            );
            bank.ask_at(&bank.root_url(), &user).await.expect("a user");
        }
        Some(bank)
    }

    /// Its URL, as a sink has it.
    pub fn url(&self) -> String {
        self.url_as("app", PASSWORD)
    }

    /// The same for another user.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        let (port, file) = (self.port, self.file());
        match self.engine {
            Engine::Postgres => format!("postgres://{user}:{password}@127.0.0.1:{port}/postgres"),
            Engine::Mariadb => format!("mysql://{user}:{password}@127.0.0.1:{port}/app"),
            Engine::Sqlite => format!("sqlite:{}", file.display()),
        }
    }

    /// The URL of whoever may do everything, through a socket of this machine.
    fn root_url(&self) -> String {
        match self.engine {
            Engine::Mariadb => {
                let socket = self.folder.path().join("s").display().to_string();
                format!("mysql://root@localhost/?socket={socket}")
            }
            _ => self.url(),
        }
    }

    /// The same, for what is in the database.
    fn app_url(&self) -> String {
        self.root_url().replace("/?", "/app?")
    }

    /// The URL through a socket, of a database that has one.
    pub fn socket_url(&self) -> String {
        let folder = self.folder.path().display();
        match self.engine {
            Engine::Postgres => {
                format!("postgres://app:{PASSWORD}@/postgres?host={folder}&port={}", self.port)
            }
            Engine::Mariadb => self.app_url(),
            Engine::Sqlite => self.url(),
        }
    }

    /// The file of SQLite.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    /// Runs statements, and gives the rows of the last one.
    ///
    /// # Panics
    /// When the database refuses them.
    pub async fn ask(&self, sql: &str) -> Rows {
        self.ask_at(&self.app_url(), sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The one value of the one row that a query answers with.
    ///
    /// # Panics
    /// When the database refuses it.
    pub async fn value(&self, sql: &str) -> Option<String> {
        let mut rows = self.ask(sql).await;
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows.remove(0).remove(0)
    }

    async fn ask_at(&self, url: &str, sql: &str) -> Result<Rows, sqlx::Error> {
        macro_rules! over {
            ($connection:ty) => {{
                let mut connection = <$connection>::connect(url).await?;
                let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
                let rows = rows.fetch_all(&mut connection).await?;
                connection.close().await?;
                let text = |row: &_, place: usize| {
                    text::<<$connection as sqlx::Connection>::Database>(row, place)
                };
                rows.iter().map(|row| (0..row.len()).map(|it| text(row, it)).collect()).collect()
            }};
        }
        Ok(match self.engine {
            Engine::Postgres => over!(PgConnection),
            Engine::Mariadb => over!(MySqlConnection),
            Engine::Sqlite => over!(SqliteConnection),
        })
    }

    /// Runs a statement in a transaction that holds what it has touched until the answer is dropped.
    ///
    /// # Panics
    /// When the database refuses it.
    pub async fn hold(&self, sql: &str) -> Held {
        macro_rules! over {
            ($kind:ident, $connection:ty) => {{
                let connection = <$connection>::connect(&self.app_url()).await;
                let mut connection = connection.expect("a connection");
                let sql = AssertSqlSafe(format!("begin; {sql}"));
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("it is held");
                Held::$kind(connection)
            }};
        }
        match self.engine {
            Engine::Postgres => over!(Postgres, PgConnection),
            Engine::Mariadb => over!(Mariadb, MySqlConnection),
            Engine::Sqlite => over!(Sqlite, SqliteConnection),
        }
    }

    /// Ends the server, as a machine that fails does; its files stay.
    ///
    /// # Panics
    /// When it cannot be done.
    pub fn stop(&mut self) {
        self.server = None;
        if self.engine == Engine::Sqlite {
            fs::rename(self.file(), self.folder.path().join("away")).expect("it is moved");
        }
    }

    /// Starts it again over its files.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn begin(&mut self) {
        let away = self.folder.path().join("away");
        if away.exists() {
            fs::rename(away, self.file()).expect("it is moved back");
        }
        self.server = match self.engine {
            Engine::Postgres => Some(self.run_postgres()),
            Engine::Mariadb => Some(self.run_mariadb()),
            Engine::Sqlite => return,
        };
        let begun = Instant::now();
        while let Err(error) = self.ask_at(&self.root_url(), "select 1").await {
            let log = fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
            assert!(begun.elapsed() < START, "it is not ready: {error}\n{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> File {
        let path = self.folder.path().join("server.log");
        File::options().create(true).append(true).open(path).expect("a log file")
    }
}

/// A value as text, whatever its type.
fn text<D: sqlx::Database>(row: &D::Row, place: usize) -> Option<String>
where
    usize: sqlx::ColumnIndex<D::Row>,
    for<'a> String: sqlx::Decode<'a, D>,
{
    let value = row.try_get_raw(place).expect("there is one");
    if value.is_null() {
        return None;
    }
    Some(<String as sqlx::Decode<D>>::decode(value).expect("its text"))
}
