//! What is delivered of one connection by one sink, made of its templates. Pure.

use std::path::PathBuf;
use std::sync::LazyLock;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::delivery::sinks::sql::How as RowHow;
use crate::delivery::sinks::{Cell, Content};
use crate::delivery::undelivered::Undelivered;
use crate::manifest::sink::{Columns, Command, File, How, Sink, Sql, Webhook};
use crate::model::code;
use crate::model::template::{Form, Template, TemplateError, Values};

/// What a webhook gets that has no template of its own.
const EVENT: &str = r#"{"type": "{% if removed %}connection.removed{% else %}connection.current{% endif %}", "timestamp": {{ now | tojson }}, "data": {"connection": {{ connection | tojson }}, "provider": {{ provider | tojson }}, "name": {{ name | tojson }}, "labels": {{ labels | tojson }}, "state": {{ state | tojson }}, "generation": {{ generation | tojson }}, "token": {{ token | tojson }}, "token_type": {{ token_type | tojson }}, "issued_at": {{ issued_at | tojson }}, "expires_at": {{ expires_at | tojson }}, "failures": {{ failures | tojson }}, "error": {{ error | tojson }}, "message": {{ message | tojson }}}}"#;

static EVENT_TEMPLATE: LazyLock<Template> =
    LazyLock::new(|| Template::parse(EVENT, Form::Json).expect("the text above is a template"));

/// Something that is ready to be delivered.
#[derive(Debug)]
pub(super) struct Ready {
    /// Where to, beyond what the sink says: the file, the arguments, the row.
    pub(super) to: To,
    /// What.
    pub(super) content: Content,
}

/// Where something is delivered to.
#[derive(Debug)]
pub(super) enum To {
    /// This file.
    File(PathBuf),
    /// The program with these arguments.
    Command(Vec<String>),
    /// The address of the sink.
    Webhook,
    /// The row with these values.
    Row(Vec<(String, Cell)>, RowHow),
}

/// Whether there is a token, or was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Had {
    /// There is one.
    Here,
    /// There was one.
    Gone,
    /// There was none yet.
    Never,
}

/// What a connection is like, for the choice of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    /// Its token.
    pub(super) token: Had,
    /// Refreshing it fails.
    pub(super) fails: bool,
    /// Only a person can help.
    pub(super) needs_person: bool,
}

/// What is to be delivered of a connection; `None` while there is nothing yet.
pub(super) fn current(
    sink: &Sink,
    stand: Stand,
    values: &Values,
) -> Result<Option<Ready>, Undelivered> {
    match &sink.how {
        // Before there was a token there is nothing to be found there, and not even an empty file.
        How::File(it) if it.template.mentions("token") && stand.token == Had::Never => Ok(None),
        How::Command(it) if it.template.mentions("token") && stand.token == Had::Never => Ok(None),
        How::File(it) => file(it, values).map(Some),
        How::Command(it) => command(it, values).map(Some),
        How::Webhook(it) => webhook(it, values).map(Some),
        How::Sql(it) => row(it, stand, values),
    }
}

/// What is to be delivered of a connection that is gone; `None` where nothing is.
pub(super) fn removed(sink: &Sink, values: &Values) -> Result<Option<Ready>, Undelivered> {
    match &sink.how {
        How::Command(it) if it.template.mentions("removed") => command(it, values).map(Some),
        How::Webhook(it) => webhook(it, values).map(Some),
        How::Sql(Sql { key, columns: Columns::Current { on_removed, .. }, .. }) => {
            if on_removed.is_empty() {
                return Ok(None);
            }
            let key = cells(key, values)?;
            let content = Content::Columns(cells(on_removed, values)?);
            Ok(Some(Ready { to: To::Row(key, RowHow::Update), content }))
        }
        How::File(_) | How::Command(_) | How::Sql(_) => Ok(None),
    }
}

/// The row of an attempt.
pub(super) fn attempt(
    sql: &Sql,
    columns: &[(String, Template)],
    values: &Values,
) -> Result<Ready, Undelivered> {
    let content = Content::Columns(cells(columns, values)?);
    Ok(Ready { to: To::Row(cells(&sql.key, values)?, RowHow::InsertOnce), content })
}

/// The path of the file of a connection.
fn file(file: &File, values: &Values) -> Result<Ready, Undelivered> {
    let path = text("file", &file.path, values)?;
    let path = file.folder.join(path.expose_secret());
    let content = Content::Text(text("template", &file.template, values)?);
    Ok(Ready { to: To::File(path), content })
}

fn command(command: &Command, values: &Values) -> Result<Ready, Undelivered> {
    let argv = command.argv.iter().map(|it| argument(it, values)).collect::<Result<_, _>>()?;
    let content = Content::Text(text("template", &command.template, values)?);
    Ok(Ready { to: To::Command(argv), content })
}

/// A name must not become an option of the program.
fn argument(template: &Template, values: &Values) -> Result<String, Undelivered> {
    let argument = text("command", template, values)?.expose_secret().to_owned();
    if argument.starts_with('-') && !template.text().starts_with('-') {
        let message = "an argument of the sink's command would begin with `-` and be an option; \
                       write something before the name";
        return Err(Undelivered::again(code::Sink::ValueRefused, message));
    }
    Ok(argument)
}

fn webhook(webhook: &Webhook, values: &Values) -> Result<Ready, Undelivered> {
    let template = webhook.template.as_ref().unwrap_or(&EVENT_TEMPLATE);
    Ok(Ready { to: To::Webhook, content: Content::Text(text("template", template, values)?) })
}

fn row(sql: &Sql, stand: Stand, values: &Values) -> Result<Option<Ready>, Undelivered> {
    let Columns::Current { set, on_token, on_failure, on_reconnect, .. } = &sql.columns else {
        return Ok(None);
    };
    let mut chosen = vec![set];
    // The later goes over the earlier: a failure over the token that is still good, a person over both.
    chosen.extend((stand.token == Had::Here && !stand.needs_person).then_some(on_token));
    chosen.extend(stand.fails.then_some(on_failure));
    chosen.extend(stand.needs_person.then_some(on_reconnect));
    let mut columns: Vec<(String, Cell)> = Vec::new();
    for (name, cell) in chosen
        .into_iter()
        .map(|it| cells(it, values))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
    {
        // What is said for a case goes over what is said for all.
        columns.retain(|(it, _)| *it != name);
        columns.push((name, cell));
    }
    if columns.is_empty() {
        return Ok(None);
    }
    let how = if sql.insert { RowHow::Upsert } else { RowHow::Update };
    Ok(Some(Ready {
        to: To::Row(cells(&sql.key, values)?, how),
        content: Content::Columns(columns),
    }))
}

fn cells(
    columns: &[(String, Template)],
    values: &Values,
) -> Result<Vec<(String, Cell)>, Undelivered> {
    let cell = |(name, template): &(String, Template)| {
        let cell = template.cell(values).map_err(|it| unfit(&format!("column `{name}`"), &it))?;
        Ok((name.clone(), cell))
    };
    columns.iter().map(cell).collect()
}

fn text(what: &str, template: &Template, values: &Values) -> Result<SecretString, Undelivered> {
    template.render(values).map_err(|it| unfit(&format!("`{what}`"), &it))
}

fn unfit(what: &str, error: &TemplateError) -> Undelivered {
    let code = match error {
        TemplateError::Refused(..) => code::Sink::ValueRefused,
        _ => code::Sink::Template,
    };
    Undelivered::again(code, format!("the template of {what} has no result: {error}"))
}

impl Ready {
    /// All of it as bytes, to be digested.
    pub(super) fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::new());
        match &self.to {
            To::File(path) => put(&mut bytes, path.as_os_str().as_encoded_bytes()),
            To::Command(argv) => argv.iter().for_each(|it| put(&mut bytes, it.as_bytes())),
            To::Webhook => {}
            To::Row(key, _) => put_cells(&mut bytes, key),
        }
        match &self.content {
            Content::Text(text) => put(&mut bytes, text.expose_secret().as_bytes()),
            Content::Columns(columns) => put_cells(&mut bytes, columns),
        }
        bytes
    }
}

/// With its length before it, so that no two ways to cut a text look alike.
fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
    bytes.extend_from_slice(part);
}

fn put_cells(bytes: &mut Vec<u8>, cells: &[(String, Cell)]) {
    for (name, cell) in cells {
        put(bytes, name.as_bytes());
        match cell {
            Cell::Null => put(bytes, b"null"),
            Cell::Bool(it) => put(bytes, &[b'b', u8::from(*it)]),
            Cell::Int(it) => put(bytes, &[b"i", it.to_be_bytes().as_slice()].concat()),
            Cell::Float(it) => put(bytes, &[b"f", it.to_be_bytes().as_slice()].concat()),
            Cell::Time(it) => put(bytes, &[b"t", moment(*it).as_slice()].concat()),
            Cell::Text(it) => {
                put(bytes, b"text");
                put(bytes, it.expose_secret().as_bytes());
            }
        }
    }
}

fn moment(at: Timestamp) -> [u8; 16] {
    at.as_nanosecond().to_be_bytes()
}
