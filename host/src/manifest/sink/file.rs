//! A file for each connection, with a mode that keeps it from others.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use crate::manifest::channel::missing;
use crate::manifest::problems::Fault;
use crate::manifest::sink::templates::{ALL_BUT_ATTEMPT, May, template};
use crate::manifest::sink::{Of, fault};
use crate::manifest::table::Table;
use crate::manifest::value::{boolean, string};
use crate::model::template::{Form, Template};

/// Files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path of the file of a connection.
    pub path: Template,
    /// What relative paths start from.
    pub folder: PathBuf,
    /// What is in it.
    pub template: Template,
    /// Who may read and write it.
    pub mode: u32,
    /// Whom it belongs to; the user of the daemon when not given.
    pub owner: Option<User>,
    /// Which group it belongs to.
    pub group: Option<User>,
    /// Whether it goes when its connection does.
    pub remove: bool,
}

/// A user or a group of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// By number.
    Id(u32),
    /// By name.
    Name(String),
}

/// What its owner and its group may do.
const USUAL_MODE: u32 = 0o600;

/// A path has no `connection`: the slash in it would lead to another folder.
const PATH: May = May { names: &["name", "provider", "labels"], form: Form::Path };

impl File {
    pub(super) fn read(row: &Table<'_>, of: Option<&Of>, folder: &Path) -> Option<Self> {
        let path = template(row, row.node("file")?, "file", PATH);
        let path = path.filter(|it| is_path(row, it) & is_distinct(row, it, of));
        let text = row.node("template");
        if text.is_none() {
            missing(row, "template", "template = \"ESKIZ_TOKEN={{ token }}\\n\"");
        }
        let form = path.as_ref().map_or(Form::Text, |it| form_of(it.text()));
        let text =
            text.and_then(|it| template(row, it, "template", May { form, ..ALL_BUT_ATTEMPT }));
        let mode = row.read("mode", mode).unwrap_or(USUAL_MODE);
        let (owner, group) = (row.read("owner", user), row.read("group", user));
        let remove = row.read("remove", boolean).unwrap_or_default();
        Some(Self {
            path: path?,
            folder: folder.to_owned(),
            template: text?,
            mode,
            owner,
            group,
            remove,
        })
    }
}

/// What a file of this name is read as.
fn form_of(path: &str) -> Form {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_json = Path::new(name).extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
    match name {
        _ if is_json => Form::Json,
        _ if name.contains(".env") => Form::Env,
        _ => Form::Text,
    }
}

fn is_path(row: &Table<'_>, path: &Template) -> bool {
    let name = path.text().rsplit('/').next().unwrap_or_default();
    let is_fine = !matches!(name, "" | "." | "..");
    if let Some(node) = row.node("file").filter(|_| !is_fine) {
        row.report(
            node.span(),
            "file",
            &fault("not the path of a file", "write \"/run/keepfresh/eskiz.env\""),
        );
    }
    is_fine
}

/// Whether two connections get two files.
fn is_distinct(row: &Table<'_>, path: &Template, of: Option<&Of>) -> bool {
    let (names, help): (&[&str], _) = match of {
        Some(Of::Provider(_)) => {
            (&["name"], "write `{{ name }}` into it: \"/run/keepfresh/{{ name }}.env\"")
        }
        Some(Of::Label(_)) => (
            &["provider", "name"],
            "write `{{ provider }}-{{ name }}` into it: \"/run/keepfresh/{{ provider }}-{{ name }}.env\"",
        ),
        Some(Of::Connection(_)) | None => (&[], ""),
    };
    let is_fine = names.iter().all(|it| path.mentions(it));
    if let Some(node) = row.node("file").filter(|_| !is_fine) {
        row.report(
            node.span(),
            "file",
            &fault("several connections would get the same file", help),
        );
    }
    is_fine
}

/// "0600": what is read by the others of a machine is no secret any more.
fn mode(value: &DeValue<'_>) -> Result<u32, Fault> {
    let text = string(value)?;
    let wrong =
        || fault("not a mode of a file", "write \"0600\", or \"0640\" with `group = \"NAME\"`");
    let is_octal =
        (3..=4).contains(&text.len()) && text.bytes().all(|it| (b'0'..b'8').contains(&it));
    let mode = u32::from_str_radix(text, 8).ok().filter(|_| is_octal).ok_or_else(wrong)?;
    if mode & 0o007 != 0 {
        let help = "write \"0640\" and `group = \"NAME\"` for whoever reads it";
        return Err(fault("everybody on this machine could read the token", help));
    }
    if mode & !0o660 != 0 || mode & 0o400 == 0 {
        return Err(wrong());
    }
    Ok(mode)
}

fn user(value: &DeValue<'_>) -> Result<User, Fault> {
    let text = string(value)?;
    if let Ok(id) = text.parse() {
        return Ok(User::Id(id));
    }
    let is_name =
        !text.is_empty() && text.chars().all(|it| it.is_alphanumeric() || "._-@$".contains(it));
    is_name
        .then(|| User::Name(text.to_owned()))
        .ok_or_else(|| fault("not a name", "write \"www-data\", or \"33\""))
}
