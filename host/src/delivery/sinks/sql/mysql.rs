//! MySQL and MariaDB. They turn text into the type of its column by themselves, and would cut off what is too long, if
//! they were not told to be strict.

use secrecy::ExposeSecret as _;
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use crate::delivery::sinks::sql::engine::{Column, Engine};
use crate::delivery::sinks::sql::fitting::{Bound, Form, Kind};
use crate::delivery::sinks::sql::refusal::Refusal;
use crate::delivery::sinks::sql::statement::{Dialect, Name, Statement};

pub(super) struct Mysql(MySqlConnection);

const COLUMNS: &str = "
    select
        cast(column_name as char) as name,
        cast(data_type as char) as kind,
        cast(column_type as char) as type,
        cast(coalesce(datetime_precision, 0) as signed) as digits
    from information_schema.columns
    where table_schema = coalesce(?, database())
      and table_name = ?
    order by ordinal_position";

/// The driver itself asks for the rows that an update has found, not only for those that it has changed.
const SETTINGS: &str = "
    set session
        sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO',
        innodb_lock_wait_timeout = 5";

impl Engine for Mysql {
    type Way = MySqlConnectOptions;

    const DIALECT: Dialect = Dialect {
        quote: '`',
        is_numbered: false,
        nowhere: " from dual",
        begin: "start transaction",
        begin_alone: "set transaction isolation level serializable; start transaction",
    };

    const IGNORES_CASE: bool = true;

    async fn connect(way: &MySqlConnectOptions) -> Result<Self, sqlx::Error> {
        let mut connected = Self(way.connect().await?);
        connected.run(SETTINGS).await?;
        Ok(connected)
    }

    async fn columns(&mut self, table: &Name) -> Result<Vec<Column>, sqlx::Error> {
        let (schema, table) = table.split();
        let query = sqlx::query(COLUMNS).bind(schema.map(str::to_owned)).bind(table.to_owned());
        let rows = query.fetch_all(&mut self.0).await?;
        let column = |row: &MySqlRow| {
            let (kind, full): (String, String) = (row.try_get("kind")?, row.try_get("type")?);
            let digits = u8::try_from(row.try_get::<i64, _>("digits")?).unwrap_or_default();
            let kind = kind_of(&kind.to_lowercase(), &full.to_lowercase(), digits);
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
        let error = error.try_downcast_ref::<MySqlDatabaseError>();
        error.map_or_else(|| Refusal::Other("unknown".to_owned()), |it| judge(it.number()))
    }
}

fn kind_of(kind: &str, full: &str, digits: u8) -> Kind {
    match kind {
        // How they keep yes and no.
        "bit" => Kind::Flag,
        "tinyint" if full.starts_with("tinyint(1)") => Kind::Flag,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Kind::Whole,
        "decimal" | "float" | "double" => Kind::Number,
        "datetime" | "timestamp" => Kind::Moment(Form::Spaced(digits)),
        "date" => Kind::Moment(Form::Day),
        "json" => Kind::Json,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Kind::Text,
        _ => Kind::Other,
    }
}

fn judge(number: u16) -> Refusal {
    match number {
        1044 | 1045 | 1049 | 1251 | 1698 => Refusal::LogIn,
        1142 | 1143 | 1227 | 1410 => Refusal::Denied,
        1290 | 1792 | 1836 => Refusal::ReadOnly,
        1205 | 1969 | 3024 => Refusal::Busy,
        1020 | 1213 => Refusal::Contended,
        1062 | 1169 | 1586 | 1859 => Refusal::Taken(None),
        1216 | 1452 => Refusal::Dangling(None),
        3819 | 4025 => Refusal::Unmet(None),
        1048 | 1364 => Refusal::Empty(None),
        // The first: the column has no such characters.
        1267 | 1264 | 1265 | 1292 | 1366 | 1406 | 1411 | 3140 | 3141 => Refusal::Value(None),
        1040 | 1053 | 1203 | 1226 | 1927 => {
            Refusal::Unreachable(format!("it has ended the connection with its code {number}"))
        }
        other => Refusal::Other(other.to_string()),
    }
}
