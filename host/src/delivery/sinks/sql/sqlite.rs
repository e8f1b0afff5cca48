//! SQLite: a file that is there already. It takes any value for any column, so what a column is declared as says how
//! values are written.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use crate::delivery::sinks::sql::engine::{Column, Engine};
use crate::delivery::sinks::sql::fitting::{Bound, Form, Kind};
use crate::delivery::sinks::sql::refusal::Refusal;
use crate::delivery::sinks::sql::statement::{Dialect, Name, Statement};

pub(super) struct Sqlite(SqliteConnection);

/// How long somebody else may hold the file.
const BUSY: Duration = Duration::from_secs(5);

impl Engine for Sqlite {
    type Way = SqliteConnectOptions;

    const DIALECT: Dialect = Dialect {
        quote: '"',
        is_numbered: false,
        nowhere: "",
        begin: "begin immediate",
        begin_alone: "begin immediate",
    };

    const IGNORES_CASE: bool = true;

    async fn connect(way: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        way.clone().busy_timeout(BUSY).connect().await.map(Self)
    }

    async fn columns(&mut self, table: &Name) -> Result<Vec<Column>, sqlx::Error> {
        let (schema, table) = table.split();
        let query = sqlx::query("select name, type from pragma_table_info(?, ?)");
        let query = query.bind(table.to_owned()).bind(schema.unwrap_or("main").to_owned());
        let rows = query.fetch_all(&mut self.0).await?;
        let column = |row: &SqliteRow| {
            let kind = kind_of(&row.try_get::<String, _>("type")?.to_uppercase());
            Ok(Column { name: row.try_get("name")?, kind, cast: None })
        };
        rows.iter().map(column).collect()
    }

    async fn execute(&mut self, statement: &Statement<'_>) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(statement.sql.as_str()));
        let query = statement.values.iter().fold(query, |query, value| match value {
            Bound::Null => query.bind(None::<String>),
            Bound::Int(it) => query.bind(*it),
            Bound::Float(it) => query.bind(*it),
            Bound::Text(it) => query.bind(it.expose_secret().to_owned()),
        });
        Ok(query.execute(&mut self.0).await?.rows_affected())
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(sql).execute(&mut self.0).await.map(drop)
    }

    fn judge(error: &dyn DatabaseError) -> Refusal {
        let code = error.code().and_then(|it| it.parse().ok()).unwrap_or_default();
        judge(code)
    }
}

/// By the rules of SQLite for declared types, with a look at those that other programs declare.
fn kind_of(declared: &str) -> Kind {
    let has = |it: &str| declared.contains(it);
    if has("BOOL") {
        Kind::Flag
    } else if has("DATETIME") || has("TIMESTAMP") {
        Kind::Moment(Form::Spaced(6))
    } else if declared == "DATE" {
        Kind::Moment(Form::Day)
    } else if has("INT") {
        Kind::Whole
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Kind::Text
    } else if has("JSON") {
        Kind::Json
    } else if has("REAL") || has("FLOA") || has("DOUB") || has("NUM") || has("DEC") {
        Kind::Number
    } else {
        Kind::Other
    }
}

/// By the extended codes of SQLite, and by the general ones where there is no other.
fn judge(code: i32) -> Refusal {
    match code {
        787 => Refusal::Dangling(None),
        1555 | 2067 | 2579 => Refusal::Taken(None),
        1299 => Refusal::Empty(None),
        275 => Refusal::Unmet(None),
        3091 => Refusal::Value(None),
        other => match other & 0xff {
            5 | 6 => Refusal::Busy,
            8 => Refusal::ReadOnly,
            3 => Refusal::Denied,
            10 | 11 | 13 | 14 | 26 => Refusal::Unreachable(of_the_file(other & 0xff).to_owned()),
            18 | 20 => Refusal::Value(None),
            _ => Refusal::Other(other.to_string()),
        },
    }
}

fn of_the_file(code: i32) -> &'static str {
    match code {
        14 => "its file is not there, or may not be opened; it is not made",
        13 => "its disk is full",
        10 => "its file cannot be read or written",
        _ => "its file is no database, or is damaged",
    }
}
