//! Columns of a table of the operator's own.

use std::path::Path;

use toml::de::DeValue;

use crate::manifest::channel::{Url, missing};
use crate::manifest::problems::Fault;
use crate::manifest::reference::Section;
use crate::manifest::sink::fault;
use crate::manifest::sink::templates::{
    COLUMN, COLUMN_OF_ATTEMPT, COLUMN_OF_REMOVED, KEY, LEFT, May, template,
};
use crate::manifest::table::Table;
use crate::manifest::value::{boolean, string};
use crate::model::template::Template;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// Where the database is: PostgreSQL, MySQL or SQLite.
    pub url: Url,
    /// The table, with its schema before it if it has one.
    pub table: String,
    /// Columns that the row of a connection, or of an attempt, is found by.
    pub key: Vec<(String, Template)>,
    /// Whether a row is made where there is none.
    pub insert: bool,
    /// What is written.
    pub columns: Columns,
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// What is current, into the row of the connection.
    Current {
        /// Always.
        set: Vec<(String, Template)>,
        /// While there is a token and nobody is needed.
        on_token: Vec<(String, Template)>,
        /// While refreshing fails, as well.
        on_failure: Vec<(String, Template)>,
        /// While a person is needed, instead of those of a token.
        on_reconnect: Vec<(String, Template)>,
        /// Once, when the connection is gone.
        on_removed: Vec<(String, Template)>,
    },
    /// A row for each attempt.
    Attempts(Vec<(String, Template)>),
}

impl Sql {
    pub(super) fn read(row: &Table<'_>, folder: &Path) -> Option<Self> {
        let part = row.part("sql").with(Section::SinkSql, "");
        let url = Url::of_database(&part, folder);
        let table = crate::manifest::channel::required(&part, "table", "table = \"users\"", table);
        let is_for_attempts = row.node("on_attempt").is_some();
        let may = if is_for_attempts { COLUMN_OF_ATTEMPT } else { KEY };
        let key = columns(&part, "key", without_token(may));
        if part.node("key").is_none() || key.as_ref().is_some_and(Vec::is_empty) {
            missing(&part, "key", "key = { id = \"{{ name }}\" }");
        }
        let insert = part.read("insert", boolean).unwrap_or_default();
        let (key, written) = (key?, Columns::read(row, is_for_attempts)?);
        let is_fine = written.leaves(row, &key) & written.finds_removed(row, &key);
        (is_fine && !key.is_empty()).then_some(Self {
            url: url?,
            table: table?,
            key,
            insert,
            columns: written,
        })
    }
}

impl Sql {
    /// All of its templates.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let written = self.columns.all().into_iter().flat_map(|it| it.1);
        self.key.iter().chain(written).map(|it| &it.1)
    }
}

impl Columns {
    fn read(row: &Table<'_>, is_for_attempts: bool) -> Option<Self> {
        let set = columns(row, "set", COLUMN);
        let on_token = columns(row, "on_token", COLUMN);
        let on_failure = columns(row, "on_failure", COLUMN);
        let on_reconnect = columns(row, "on_reconnect", COLUMN);
        let on_removed = columns(row, "on_removed", COLUMN_OF_REMOVED);
        let on_attempt = columns(row, "on_attempt", COLUMN_OF_ATTEMPT);
        if is_for_attempts {
            let others = ["set", "on_token", "on_failure", "on_reconnect", "on_removed"];
            row.leave_out(&others, "a sink with `on_attempt`");
            return Some(Self::Attempts(on_attempt?));
        }
        let (set, on_token, on_failure) = (set?, on_token?, on_failure?);
        let (on_reconnect, on_removed) = (on_reconnect?, on_removed?);
        let all = [&set, &on_token, &on_failure, &on_reconnect, &on_removed];
        if all.iter().all(|it| it.is_empty()) {
            missing(row, "set", "set = { token = \"{{ token }}\" }");
            return None;
        }
        Some(Self::Current { set, on_token, on_failure, on_reconnect, on_removed })
    }

    /// Each of its tables, with its key.
    fn all(&self) -> Vec<(&'static str, &[(String, Template)])> {
        match self {
            Self::Current { set, on_token, on_failure, on_reconnect, on_removed } => vec![
                ("set", set),
                ("on_token", on_token),
                ("on_failure", on_failure),
                ("on_reconnect", on_reconnect),
                ("on_removed", on_removed),
            ],
            Self::Attempts(columns) => vec![("on_attempt", columns)],
        }
    }

    /// Whether it leaves the columns alone that rows are found by.
    fn leaves(&self, row: &Table<'_>, key: &[(String, Template)]) -> bool {
        let is_key = |column: &str| key.iter().any(|(it, _)| it == column);
        let all = self.all();
        let taken = all.iter().find_map(|(table, columns)| {
            columns.iter().find(|(it, _)| is_key(it)).map(|(it, _)| (*table, it))
        });
        if let Some((table, column)) = taken
            && let Some(node) = row.node(table)
        {
            let label = format!("`{column}` is what the row is found by");
            row.report(node.span(), table, &fault(label, "leave it to `key`"));
        }
        taken.is_none()
    }

    /// Whether the row of a connection that is gone is found by what is left of it.
    fn finds_removed(&self, row: &Table<'_>, key: &[(String, Template)]) -> bool {
        let Self::Current { on_removed, .. } = self else { return true };
        let is_left = |name: &String| LEFT.contains(&name.split('.').next().unwrap_or_default());
        let found = key.iter().all(|(_, it)| it.names().iter().all(is_left));
        let is_fine = on_removed.is_empty() || found;
        if let Some(node) = row.node("on_removed").filter(|_| !is_fine) {
            let label = "labels and profile are gone then, and `key` names them";
            let help = "write `key` with `{{ name }}`, `{{ provider }}` or `{{ connection }}`";
            row.report(node.span(), "on_removed", &fault(label, help));
        }
        is_fine
    }
}

/// Templates by column.
fn columns(row: &Table<'_>, key: &str, may: May) -> Option<Vec<(String, Template)>> {
    let Some(_) = row.node(key) else { return Some(Vec::new()) };
    let table = row.part(key);
    let read = |(name, at, node): (&str, std::ops::Range<usize>, _)| {
        if !is_identifier(name) {
            table.report(at, "column", &fault("not the name of a column", NAME_HELP));
            return None;
        }
        Some((name.to_owned(), template(&table, node, name, may)?))
    };
    // All of them are read, so that all that is wrong is found.
    table.entries().map(read).collect::<Vec<_>>().into_iter().collect()
}

fn without_token(may: May) -> May {
    const NAMES: &[&str] =
        &["name", "connection", "provider", "labels", "profile", "metadata", "attempt"];
    if may.names.contains(&"attempt") { May { names: NAMES, ..may } } else { may }
}

const NAME_HELP: &str = "a name has letters, digits, `_` and `$`";

fn table(value: &DeValue<'_>) -> Result<String, Fault> {
    let text = string(value)?;
    // The database is named by the URL: nothing stands before the schema.
    if text.split('.').count() <= 2 && text.split('.').all(is_identifier) {
        return Ok(text.to_owned());
    }
    Err(fault("not the name of a table", "write \"users\", or \"app.users\" with its schema"))
}

/// Names are quoted in statements all the same: this is against slips.
fn is_identifier(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.chars().all(|it| it.is_alphanumeric() || "_$".contains(it))
}

/// The URL of a database that is no secret.
pub(super) fn address(value: &DeValue<'_>) -> Result<String, Fault> {
    let help = "write { env = \"APP_DATABASE_URL\" }, or \"sqlite:/var/lib/app/app.db\"";
    let text = string(value)?;
    let scheme = text.split(':').next().unwrap_or_default();
    let has_password = url::Url::parse(text).is_ok_and(|it| it.password().is_some());
    match scheme {
        _ if has_password => Err(fault("a URL with a password in it", help)),
        "postgres" | "postgresql" | "mysql" | "mariadb" | "sqlite" => Ok(text.to_owned()),
        _ => Err(fault("no database that can be written to", help)),
    }
}
