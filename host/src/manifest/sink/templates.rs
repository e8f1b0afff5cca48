//! Templates of sinks, and which values each may name: what it could never be given is found in the manifest, and not
//! when a token comes.

use crate::manifest::problems::Fault;
use crate::manifest::sink::fault;
use crate::manifest::table::{Node, Table};
use crate::manifest::value::string;
use crate::model::nearest::nearest;
use crate::model::template::{Form, Template};

/// Who a connection is.
pub(super) const IDENTITY: &[&str] = &["name", "connection", "provider", "labels"];

/// What is left of a connection that was removed.
pub(super) const LEFT: &[&str] = &["name", "connection", "provider", "removed", "now"];

/// What is current of a connection.
const CURRENT: &[&str] = &[
    "name",
    "connection",
    "provider",
    "labels",
    "token",
    "token_type",
    "expires_at",
    "issued_at",
    "generation",
    "scopes",
    "state",
    "failures",
    "error",
    "message",
    "failed_at",
    "refreshed_at",
    "profile",
    "metadata",
    "now",
    "removed",
];

/// The same without the token, to find rows by.
const WITHOUT_TOKEN: &[&str] = &["name", "connection", "provider", "labels", "profile", "metadata"];

/// The same with an attempt.
const WITH_ATTEMPT: &[&str] = &[
    "name",
    "connection",
    "provider",
    "labels",
    "token",
    "token_type",
    "expires_at",
    "issued_at",
    "generation",
    "scopes",
    "state",
    "failures",
    "error",
    "message",
    "failed_at",
    "refreshed_at",
    "profile",
    "metadata",
    "now",
    "removed",
    "attempt",
];

/// What is known of an attempt.
const OF_ATTEMPT: &[&str] = &[
    "id",
    "trigger",
    "outcome",
    "success",
    "error",
    "message",
    "started_at",
    "ended_at",
    "duration_ms",
];

/// What a template may name, and what it makes.
#[derive(Clone, Copy)]
pub(super) struct May {
    pub(super) names: &'static [&'static str],
    pub(super) form: Form,
}

pub(super) const ALL_BUT_ATTEMPT: May = May { names: CURRENT, form: Form::Text };

/// Columns.
pub(super) const COLUMN: May = May { names: CURRENT, form: Form::Value };

/// Columns of a row for each attempt.
pub(super) const COLUMN_OF_ATTEMPT: May = May { names: WITH_ATTEMPT, form: Form::Value };

/// Columns of a connection that was removed.
pub(super) const COLUMN_OF_REMOVED: May = May { names: LEFT, form: Form::Value };

/// Columns that rows are found by.
pub(super) const KEY: May = May { names: WITHOUT_TOKEN, form: Form::Value };

/// The template at `node`, which is called `what` in messages.
pub(super) fn template(row: &Table<'_>, node: Node<'_>, what: &str, may: May) -> Option<Template> {
    row.convert(node, what, |it| read(string(it)?, may))
}

fn read(text: &str, may: May) -> Result<Template, Fault> {
    let help = "templates are those of Jinja: `{{ token }}`, `{% if token %}`; see docs/sinks.md";
    let template = Template::parse(text, may.form).map_err(|it| fault(it.to_string(), help))?;
    for name in template.names() {
        check(&name, may.names)?;
    }
    Ok(template)
}

fn check(name: &str, names: &[&str]) -> Result<(), Fault> {
    let mut parts = name.split('.');
    let (head, part) = (parts.next().unwrap_or_default(), parts.next());
    match (head, part) {
        ("attempt", Some(part)) if names.contains(&head) => known(part, OF_ATTEMPT),
        ("refresh_token", _) => Err(fault(
            "a refresh token is given to nobody",
            "whoever else uses one that rotates ends the grant for all; deliver `{{ token }}`",
        )),
        ("token", _) if !names.contains(&"token") => Err(fault(
            "others could read the token here",
            "put it where a sink delivers it: a command reads it from its standard input",
        )),
        ("connection", _) if !names.contains(&"connection") => Err(fault(
            "its slash would lead to another folder",
            "write `{{ provider }}-{{ name }}`",
        )),
        _ => known(head, names),
    }
}

fn known(name: &str, names: &[&str]) -> Result<(), Fault> {
    if names.contains(&name) {
        return Ok(());
    }
    let label = format!("`{name}` is not there");
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("what is there: {}", names.join(", ")),
    };
    Err(fault(label, help))
}
