//! What a row says: a connection with what is its own, and a token that it has already. Nothing in a cell is
//! nothing said.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use times::Read;

use crate::model::clock;
use crate::model::token;
use crate::operator::command::Plain;
use crate::operator::import_file::formats::Field;

/// One connection as a file has it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// Its name within the provider.
    pub name: String,
    /// Settings of its own.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Words to find it by.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Secrets of its own.
    #[serde(default)]
    pub secrets: BTreeMap<String, Plain>,
    /// A token that it has already.
    pub token: Option<RowToken>,
    /// When a caller last wanted its token.
    pub active_at: Option<Timestamp>,
}

/// A token as a file has it.
#[derive(Debug, Serialize, Deserialize)]
pub struct RowToken {
    /// What callers present.
    pub access_token: Plain,
    /// What the next refresh presents.
    pub refresh_token: Option<Plain>,
    /// How callers present it; `Bearer` when not given.
    pub token_type: Option<String>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When the refresh token stops working.
    pub refresh_expires_at: Option<Timestamp>,
    /// What it may do.
    #[serde(default)]
    pub scopes: Vec<String>,
}

impl RowToken {
    /// Why it is no token, without what stands there.
    pub(in crate::operator) fn check(&self) -> Result<(), String> {
        let refresh = self.refresh_token.as_ref().map(|it| &it.0);
        token::check(&self.access_token.0, refresh, self.token_type.as_deref())
    }
}

/// Other names for columns: what the file says to what is meant here.
pub type Names = HashMap<String, String>;

/// Columns that have a meaning; beside them `setting.NAME` and `secret.NAME`.
const COLUMNS: &[&str] = &[
    "name",
    "access_token",
    "refresh_token",
    "token_type",
    "expires_at",
    "refresh_expires_at",
    "scopes",
    "labels",
    "active_at",
];

/// The connection that those fields say.
pub(super) fn of(fields: Vec<Field>, names: &Names) -> Result<Row, String> {
    let mut row = Row::default();
    let mut token = BTreeMap::new();
    for (said, text) in fields {
        let name = names.get(&said).cloned().unwrap_or(said);
        // Nothing in a cell is nothing said.
        if text.is_empty() {
            continue;
        }
        match name.as_str() {
            "name" => row.name = text,
            "labels" => row.labels = words(&text),
            "active_at" => row.active_at = time(&name, &text)?,
            _ => match name.split_once('.') {
                Some(("setting", key)) => drop(row.settings.insert(key.to_owned(), text)),
                Some(("secret", key)) => drop(row.secrets.insert(key.to_owned(), text.into())),
                _ if COLUMNS.contains(&name.as_str()) => drop(token.insert(name, text)),
                _ => return Err(unknown_column(&name)),
            },
        }
    }
    if row.name.is_empty() {
        return Err("it has no name".to_owned());
    }
    row.token = row_token(token)?;
    Ok(row)
}

fn unknown_column(name: &str) -> String {
    format!(
        "there is no column `{name}`; there are {}, setting.NAME and secret.NAME, or say what it is: --map {name}=...",
        COLUMNS.join(", ")
    )
}

fn row_token(mut fields: BTreeMap<String, String>) -> Result<Option<RowToken>, String> {
    let Some(access_token) = fields.remove("access_token") else {
        return match fields.keys().next() {
            Some(other) => Err(format!("it has {other} and no access_token")),
            None => Ok(None),
        };
    };
    let times = ["expires_at", "refresh_expires_at"]
        .map(|name| fields.get(name).map(|text| time(name, text)).transpose());
    let [expires_at, refresh_expires_at] = times;
    let token = RowToken {
        access_token: access_token.into(),
        refresh_token: fields.remove("refresh_token").map(Plain::from),
        token_type: fields.remove("token_type"),
        expires_at: expires_at?.flatten(),
        refresh_expires_at: refresh_expires_at?.flatten(),
        scopes: fields.get("scopes").map(|it| words(it)).unwrap_or_default(),
    };
    token.check().map(|()| Some(token))
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split([' ', ',', ';', '|']).filter(|it| !it.is_empty());
    parts.map(str::to_owned).collect()
}

/// A time in any usual way to write one. None is one of the ways to say that there is no end; what could be
/// anything is asked for.
fn time(name: &str, text: &str) -> Result<Option<Timestamp>, String> {
    match times::time(text) {
        Read::Unreadable => Err(format!("{name} is not a time; write 2030-01-31T12:00:00Z")),
        read => Ok(read.value().and_then(clock::at)),
    }
}
