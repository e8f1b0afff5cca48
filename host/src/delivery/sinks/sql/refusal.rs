//! Why a row was not written, in our own words. What the database says is not repeated: it likes to quote the values
//! that it was given. The names in it are those of tables, columns and constraints.

use crate::delivery::undelivered::Undelivered;
use crate::model::code;

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nobody answers, in one sentence.
    Unreachable(String),
    /// TLS was not agreed on, and why.
    Tls(String),
    /// User, password or database are not accepted.
    LogIn,
    /// There is no such table.
    NoTable(String),
    /// The table has no such column.
    NoColumn(String, String),
    /// This user may not write there.
    Denied,
    /// Nobody may write there now.
    ReadOnly,
    /// Somebody else holds it.
    Busy,
    /// Somebody else has changed it meanwhile: the same again does not fail for the same.
    Contended,
    /// There is such a row already, by this constraint.
    Taken(Option<String>),
    /// Something that it names is not there, by this constraint.
    Dangling(Option<String>),
    /// This constraint is not met.
    Unmet(Option<String>),
    /// This column must hold something.
    Empty(Option<String>),
    /// A value is none of its column.
    Value(Option<String>),
    /// No row has the key.
    NoRow,
    /// So many rows have it.
    ManyRows(u64),
    /// A column of the key has no value.
    NoKey(String),
    /// Something else, with the code that the database has for it.
    Other(String),
}

impl Refusal {
    /// The same for whoever delivers. It is always tried again: what is written is current then, too.
    pub(super) fn told(self) -> Undelivered {
        let (code, message) = self.words();
        Undelivered::again(code, message)
    }

    fn words(self) -> (code::Sink, String) {
        match self {
            Self::Unreachable(why) => (
                code::Sink::DatabaseUnreachable,
                format!("the database could not be reached: {why}"),
            ),
            Self::Tls(why) => {
                (code::Sink::DatabaseTls, format!("no TLS was agreed on with the database: {why}"))
            }
            Self::LogIn => (
                code::Sink::DatabaseLogin,
                "the database does not accept the user, the password, or the name of the database"
                    .to_owned(),
            ),
            Self::Denied => (
                code::Sink::DatabaseDenied,
                "the user of the database may not write to this table".to_owned(),
            ),
            Self::ReadOnly => {
                (code::Sink::DatabaseDenied, "the database can only be read".to_owned())
            }
            Self::Busy | Self::Contended => (
                code::Sink::DatabaseBusy,
                "the row or its table was in use by somebody else for too long".to_owned(),
            ),
            Self::Other(sqlstate) => (
                code::Sink::DatabaseFailed,
                format!("the database refused the row with its code {sqlstate}"),
            ),
            of_the_table => of_the_table.of_the_table(),
        }
    }

    /// What is about the table, or about the row itself.
    fn of_the_table(self) -> (code::Sink, String) {
        let by = |it: Option<String>| it.map_or_else(String::new, |it| format!(" `{it}`"));
        let (code, message) = match self {
            Self::NoTable(table) => (
                code::Sink::TableMissing,
                format!("the database has no table `{table}` that its user can see"),
            ),
            Self::NoColumn(table, column) => {
                (code::Sink::ColumnMissing, format!("the table `{table}` has no column `{column}`"))
            }
            Self::NoRow => (code::Sink::RowMissing, "no row of the table has that key".to_owned()),
            Self::ManyRows(count) => (
                code::Sink::RowsMany,
                format!("{count} rows of the table have that key, and none was changed"),
            ),
            Self::NoKey(column) => {
                (code::Sink::RowKey, format!("the column `{column}` of the key has no value"))
            }
            Self::Taken(it) => (
                code::Sink::RowRefused,
                format!("another row of the table has a value that must be unique{}", by(it)),
            ),
            Self::Dangling(it) => (
                code::Sink::RowRefused,
                format!("the row names one of another table that is not there{}", by(it)),
            ),
            Self::Unmet(it) => {
                (code::Sink::RowRefused, format!("the row does not meet a constraint{}", by(it)))
            }
            Self::Empty(it) => (
                code::Sink::RowRefused,
                format!("a column that must have a value{} would have none", by(it)),
            ),
            Self::Value(it) => {
                (code::Sink::RowValue, format!("a value does not fit into its column{}", by(it)))
            }
            other => (code::Sink::DatabaseFailed, format!("{other:?}")),
        };
        (code, message)
    }
}
