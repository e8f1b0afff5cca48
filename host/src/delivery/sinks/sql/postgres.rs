//! PostgreSQL. It has a type for each value and turns none into another by itself, so values go as text, and the
//! statement turns them into the type that the catalogue has for their column. Nothing is prepared under a name and
//! nothing is set for the connection, so it may stand behind PgBouncer.

use secrecy::ExposeSecret as _;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use crate::delivery::sinks::sql::engine::{Column, Engine};
use crate::delivery::sinks::sql::fitting::{Bound, Form, Kind};
use crate::delivery::sinks::sql::refusal::Refusal;
use crate::delivery::sinks::sql::statement::{Dialect, Name, Statement};

pub(super) struct Postgres(PgConnection);

/// The columns of a table, and the type that text is turned into: of a domain what it is made of. Without a length where
/// the type has one, because who turns text into it by a word loses what is longer without a word; when it is stored, it
/// is refused.
const COLUMNS: &str = "
    with recursive types(place, name, type, modifier) as (
        select a.attnum, a.attname, a.atttypid, a.atttypmod
        from pg_catalog.pg_attribute a
        where a.attrelid = pg_catalog.to_regclass($1)
          and a.attnum > 0
          and not a.attisdropped
        union all
        select types.place, types.name, t.typbasetype, t.typtypmod
        from types
        join pg_catalog.pg_type t on t.oid = types.type
        where t.typtype = 'd'
    )
    select
        types.name::text as name,
        t.typcategory::text as category,
        t.typname::text as type,
        pg_catalog.format_type(
            types.type,
            case when t.typcategory in ('S', 'V', 'A') then -1 else types.modifier end
        ) as cast
    from types
    join pg_catalog.pg_type t on t.oid = types.type
    where t.typtype <> 'd'
    order by types.place";

impl Engine for Postgres {
    type Way = PgConnectOptions;

    /// Notices may quote values, and are not wanted. Times without a zone are UTC.
    const DIALECT: Dialect = Dialect {
        quote: '"',
        is_numbered: true,
        nowhere: "",
        begin: "begin;
            set local client_min_messages = error;
            set local statement_timeout = '15s';
            set local lock_timeout = '5s';
            set local time zone 'UTC'",
        begin_alone: "begin isolation level serializable;
            set local client_min_messages = error;
            set local statement_timeout = '15s';
            set local lock_timeout = '5s';
            set local time zone 'UTC'",
    };

    const IGNORES_CASE: bool = false;

    async fn connect(way: &PgConnectOptions) -> Result<Self, sqlx::Error> {
        way.connect().await.map(Self)
    }

    async fn columns(&mut self, table: &Name) -> Result<Vec<Column>, sqlx::Error> {
        let query = sqlx::query(COLUMNS).persistent(false).bind(table.quoted(&Self::DIALECT));
        let rows = query.fetch_all(&mut self.0).await?;
        let column = |row: &sqlx::postgres::PgRow| {
            let (category, kind): (String, String) =
                (row.try_get("category")?, row.try_get("type")?);
            Ok(Column {
                name: row.try_get("name")?,
                kind: kind_of(&category, &kind),
                cast: row.try_get("cast")?,
            })
        };
        rows.iter().map(column).collect()
    }

    async fn execute(&mut self, statement: &Statement<'_>) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(statement.sql.as_str())).persistent(false);
        let query = statement.values.iter().fold(query, |query, value| match value {
            Bound::Null => query.bind(None::<String>),
            Bound::Int(it) => query.bind(it.to_string()),
            Bound::Float(it) => query.bind(it.to_string()),
            Bound::Text(it) => query.bind(it.expose_secret().to_owned()),
        });
        Ok(query.execute(&mut self.0).await?.rows_affected())
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(sql).execute(&mut self.0).await.map(drop)
    }

    fn judge(error: &dyn DatabaseError) -> Refusal {
        let error = error.try_downcast_ref::<PgDatabaseError>();
        error.map_or_else(|| Refusal::Other("unknown".to_owned()), judge)
    }
}

/// By the category that the catalogue has for a type.
fn kind_of(category: &str, name: &str) -> Kind {
    match (category, name) {
        ("S", _) => Kind::Text,
        ("N", _) => Kind::Number,
        ("B", _) => Kind::Flag,
        ("D", _) => Kind::Moment(Form::Rfc),
        (_, "json" | "jsonb") => Kind::Json,
        _ => Kind::Other,
    }
}

fn judge(error: &PgDatabaseError) -> Refusal {
    let constraint = || error.constraint().map(str::to_owned);
    match error.code() {
        "42501" => Refusal::Denied,
        "25006" => Refusal::ReadOnly,
        "40001" | "40P01" => Refusal::Contended,
        "55P03" | "57014" => Refusal::Busy,
        "23502" => Refusal::Empty(error.column().map(str::to_owned)),
        "23503" => Refusal::Dangling(constraint()),
        "23505" => Refusal::Taken(constraint()),
        "23514" | "23P01" => Refusal::Unmet(constraint()),
        "3D000" => Refusal::LogIn,
        other => match other.get(..2) {
            Some("28") => Refusal::LogIn,
            Some("22") => Refusal::Value(error.column().map(str::to_owned)),
            Some("08" | "53" | "57" | "58") => {
                Refusal::Unreachable(format!("it has ended the connection with its code {other}"))
            }
            _ => Refusal::Other(other.to_owned()),
        },
    }
}
