//! What a row says: a connection with what is its own, and a token that it has already.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::id::{IdError, check_name};
use crate::model::token;
use crate::operator::command::Plain;
use crate::operator::import_file::Rules;
use crate::operator::import_file::cell::Cell;
use crate::operator::import_file::columns::Fields;
use crate::operator::import_file::remarks::Remarks;

/// One connection as a file has it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// Where it begins in the file; 0 when there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub line: u64,
    /// Its name within the provider.
    pub name: String,
    /// Settings of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// All the words to find it by; those that are there stay when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Words to find it by besides those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_labels: Vec<String>,
    /// Secrets of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, Plain>,
    /// A token that it has already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<RowToken>,
    /// When a caller last wanted its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_zero(line: &u64) -> bool {
    *line == 0
}

/// A token as a file has it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RowToken {
    /// What callers present; without it, the refresh token is used at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Plain>,
    /// What the next refresh presents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Plain>,
    /// How callers present it; `Bearer` when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When the refresh token stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_expires_at: Option<Timestamp>,
    /// What it may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Further tokens by name, such as `id_token`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Plain>,
    /// Facts that came with it, which its plugin may need again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl RowToken {
    /// Why it is no token, without what stands there.
    pub(in crate::operator) fn check(&self) -> Result<(), String> {
        let (access, refresh) = (self.access_token.as_ref(), self.refresh_token.as_ref());
        token::check(access.map(|it| &it.0), refresh.map(|it| &it.0), self.token_type.as_deref())?;
        match self.extra.iter().find(|(_, it)| !token::is_presentable(&it.0)) {
            Some((name, _)) => Err(format!("its extra.{name} is not one word of visible ASCII")),
            None => Ok(()),
        }
    }
}

/// The connection that those fields say.
pub(super) fn of(
    mut fields: Fields,
    rules: &Rules,
    line: u64,
    remarks: &mut Remarks,
) -> Result<Row, String> {
    let mut take = |name: &str| fields.remove(name).unwrap_or(Cell::Nothing);
    let said = take("name").word("name");
    let name = match &rules.name {
        Some(name) => name.clone(),
        None => said?.ok_or("it has no name")?,
    };
    check_name(&name).map_err(|it| of_name(&it))?;
    let mut row = Row { line, name, ..Row::default() };
    row.labels = take("labels").words("labels")?;
    row.active_at = take("active_at").time("active_at", line, remarks)?;
    row.token = row_token(&mut fields, line, remarks)?;
    for (column, cell) in fields {
        let Some((group, name)) = column.split_once('.') else { continue };
        let Some(text) = cell.text(&column)? else { continue };
        let name = name.to_owned();
        match (group, &mut row.token) {
            ("setting", _) => drop(row.settings.insert(name, kept(text, &column, line, remarks))),
            ("secret", _) => {
                drop(row.secrets.insert(name, kept(text, &column, line, remarks).into()));
            }
            ("extra", Some(token)) => drop(token.extra.insert(name, text.trim().to_owned().into())),
            ("metadata", Some(token)) => drop(token.metadata.insert(name, text)),
            _ => remarks.add(line, format!("{column} without a token is left out")),
        }
    }
    row.token.as_ref().map_or(Ok(()), RowToken::check)?;
    Ok(row)
}

/// The value as it stands there; what a person may not have seen is remarked.
fn kept(text: String, column: &str, line: u64, remarks: &mut Remarks) -> String {
    if text.trim() != text {
        remarks.add(line, format!("{column} begins or ends with white space, which is kept"));
    }
    text
}

/// Why a name is none, without the name: another column may have slipped into its place.
fn of_name(error: &IdError) -> String {
    match error {
        IdError::Empty(_) => "it has no name".to_owned(),
        IdError::TooLong(_) => "its name has more than 128 bytes".to_owned(),
        IdError::Character { found, .. } => format!(
            "its name has {found:?}, which is not allowed (letters, digits and . _ - @ + : are)"
        ),
    }
}

fn row_token(
    fields: &mut Fields,
    line: u64,
    remarks: &mut Remarks,
) -> Result<Option<RowToken>, String> {
    let mut take = |name: &str| fields.remove(name).unwrap_or(Cell::Nothing);
    let token = RowToken {
        access_token: take("access_token").word("access_token")?.map(Plain::from),
        refresh_token: take("refresh_token").word("refresh_token")?.map(Plain::from),
        token_type: take("token_type").word("token_type")?,
        expires_at: take("expires_at").time("expires_at", line, remarks)?,
        refresh_expires_at: take("refresh_expires_at").time("refresh_expires_at", line, remarks)?,
        scopes: take("scopes").words("scopes")?.unwrap_or_default(),
        ..RowToken::default()
    };
    if token.access_token.is_some() || token.refresh_token.is_some() {
        return Ok(Some(token));
    }
    let times = token.expires_at.is_some() || token.refresh_expires_at.is_some();
    if times || token.token_type.is_some() || !token.scopes.is_empty() {
        remarks.add(line, "what is said of a token is left out where there is no token");
    }
    Ok(None)
}
