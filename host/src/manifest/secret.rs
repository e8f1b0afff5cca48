//! Where a secret is, never the secret itself. A literal is refused, and kept out of what is printed
//! about it.

use std::path::Path;

use toml::de::DeValue;

use crate::manifest::problems::Fault;
use crate::manifest::table::{Node, Table};
use crate::manifest::value::{string, wrong_kind};
use crate::model::code;
use crate::vault::source::Source;

const FORMS: &str = "`{ env = \"NAME\" }`, `{ file = \"PATH\" }`, `{ credential = \"NAME\" }` or \
                     `{ exec = [\"COMMAND\"] }`";

/// The place of a secret, which is called `what` in messages.
pub(super) fn read(table: &Table<'_>, node: Node<'_>, what: &str, folder: &Path) -> Option<Source> {
    finish(table, node, what, source(node.get_ref(), folder))
}

/// The place of the vault's key, which may also be a text such as `file:keepfresh.key`.
pub(super) fn read_key(table: &Table<'_>, key: &str, folder: &Path) -> Option<Source> {
    let node = table.node(key)?;
    let source = match node.get_ref() {
        DeValue::String(text) => prefixed(text, folder),
        other => source(other, folder),
    };
    finish(table, node, key, source)
}

fn finish(
    table: &Table<'_>,
    node: Node<'_>,
    what: &str,
    source: Result<Source, Fault>,
) -> Option<Source> {
    let report = |fault: Fault| {
        hide(table, node);
        table.report(node.span(), what, &fault);
    };
    source.map_err(report).ok()
}

/// Whatever is wrong, the value may be the secret.
pub(super) fn hide(table: &Table<'_>, node: Node<'_>) {
    match node.get_ref() {
        DeValue::Table(entries) => entries.values().for_each(|it| hide(table, it)),
        _ => table.problems().hide(&table.problems().lines().places(&node.span())),
    }
}

fn source(value: &DeValue<'_>, folder: &Path) -> Result<Source, Fault> {
    let DeValue::Table(entries) = value else {
        return Err(literal());
    };
    let mut entries = entries.iter().map(|(key, value)| (key.get_ref().as_ref(), value.get_ref()));
    match (entries.next(), entries.next()) {
        (Some((form, value)), None) => of_form(form, value, folder),
        _ => Err(fault("a secret has exactly one source")),
    }
}

fn of_form(form: &str, value: &DeValue<'_>, folder: &Path) -> Result<Source, Fault> {
    match form {
        "env" => variable(string(value)?),
        "file" => file(string(value)?, folder),
        "credential" => credential(string(value)?),
        "exec" => exec(value),
        "value" | "literal" | "text" => Err(literal()),
        _ => Err(fault("not a source of a secret")),
    }
}

/// `env:NAME` and the like.
fn prefixed(text: &str, folder: &Path) -> Result<Source, Fault> {
    match text.split_once(':') {
        Some(("env", name)) => variable(name),
        Some(("file", path)) => file(path, folder),
        Some(("credential", name)) => credential(name),
        Some(("exec", command)) => match DeValue::parse(command) {
            Ok(command) => exec(command.get_ref()),
            Err(_) => Err(fault("a command must be an array")),
        },
        _ => Err(literal()),
    }
}

fn variable(name: &str) -> Result<Source, Fault> {
    let allowed = |it: char| it.is_ascii_alphanumeric() || "_-.".contains(it);
    if name.is_empty() || !name.chars().all(allowed) {
        return Err(fault("not the name of an environment variable"));
    }
    Ok(Source::Env(name.to_owned()))
}

fn file(path: &str, folder: &Path) -> Result<Source, Fault> {
    if path.is_empty() {
        return Err(fault("an empty path"));
    }
    Ok(Source::File(folder.join(path)))
}

/// systemd's credentials are files of one folder, so a name must not lead out of it.
fn credential(name: &str) -> Result<Source, Fault> {
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err(fault("not the name of a credential"));
    }
    Ok(Source::Credential(name.to_owned()))
}

fn exec(value: &DeValue<'_>) -> Result<Source, Fault> {
    let DeValue::Array(items) = value else {
        return Err(wrong_kind("an array", value));
    };
    let words: Result<Vec<String>, Fault> =
        items.iter().map(|it| string(it.get_ref()).map(str::to_owned)).collect();
    match words? {
        words if words.first().is_none_or(String::is_empty) => Err(fault("an empty command")),
        words => Ok(Source::Exec(words)),
    }
}

fn literal() -> Fault {
    let help = format!(
        "write its source instead: {FORMS}; change the secret if others could read this file"
    );
    Fault::new(code::Manifest::SecretLiteral, "a secret must not be written here", help)
}

fn fault(label: &str) -> Fault {
    Fault::new(code::Manifest::Secret, label, format!("write {FORMS}"))
}
