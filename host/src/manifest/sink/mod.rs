//! `[[sinks]]`: where what is current of connections is delivered to, and as what. Templates are compiled here, and
//! name only values that they are given; whether they can be evaluated for a connection is not known here.

/// Templates, and what each may name.
mod templates;

/// Files.
mod file;

/// Tables of a database.
mod sql;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use toml::de::DeValue;

pub use file::{File, User};
pub use sql::{Columns, Sql};

use crate::manifest::channel::{Endpoint, Url};
use crate::manifest::problems::Fault;
use crate::manifest::reference::Section;
use crate::manifest::secret;
use crate::manifest::sink::templates::{ALL_BUT_ATTEMPT, IDENTITY, May, template};
use crate::manifest::table::Table;
use crate::manifest::value::{check_name, string};
use crate::model::code;
use crate::model::id::ConnectionId;
use crate::model::template::{Form, Template};
use crate::vault::source::Source;

/// One of `[[sinks]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// What people call it.
    pub name: String,
    /// Of which connections it delivers what is current.
    pub of: Of,
    /// Where to, and as what.
    pub how: How,
}

/// Which connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// This one.
    Connection(ConnectionId),
    /// All of a provider.
    Provider(String),
    /// All with a label.
    Label(String),
}

/// Where to, and as what.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// A file.
    File(File),
    /// A program, which reads it from its standard input.
    Command(Command),
    /// A URL, which gets JSON.
    Webhook(Webhook),
    /// A row of a table.
    Sql(Sql),
}

/// A program of the operator's.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<Template>,
    /// What it reads.
    pub template: Template,
    /// How long it may take.
    pub timeout: Duration,
}

/// An address of the operator's.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// Where to.
    pub to: Endpoint,
    /// What it is signed with.
    pub secret: Option<Source>,
    /// The body; an event when there is none.
    pub template: Option<Template>,
}

pub(super) fn read_all(root: &Table<'_>, folder: &Path) -> Vec<Sink> {
    let mut all: Vec<Sink> = Vec::new();
    for node in root.items("sinks") {
        let row = root.open(node, "sink", "a sink").with(Section::Sink, "");
        all.extend(Sink::read(&row, &all, folder));
    }
    all
}

impl Sink {
    fn read(row: &Table<'_>, others: &[Self], folder: &Path) -> Option<Self> {
        let (of, named) = (Of::read(row), row.node("name").is_some());
        let kind = one_of(row, KINDS, "where it delivers to");
        let kind = kind.map(|it| Kind::ALL[it]);
        if let Some(kind) = kind {
            row.leave_out(kind.foreign(), &format!("a sink with `{}`", kind.word()));
        }
        let how = kind.and_then(|it| it.read(row, of.as_ref(), folder));
        let (of, kind) = (of?, kind?);
        let usual = || format!("{}:{}", kind.word(), of.text());
        let name = if named {
            row.read("name", |it| unused(string(it)?, others))
        } else {
            row.read(kind.word(), |_| distinct(usual(), others))
        };
        let sink = Self { name: name?, of, how: how? };
        sink.collides(row, others);
        Some(sink)
    }

    /// What the parts of the program call it.
    pub fn outlet(&self) -> String {
        format!("sink:{}", self.name)
    }

    /// Its kind, as it is written.
    pub fn kind(&self) -> &'static str {
        match self.how {
            How::File(_) => "file",
            How::Command(_) => "command",
            How::Webhook(_) => "webhook",
            How::Sql(_) => "sql",
        }
    }

    /// Whether some template of it names this value. The event of a webhook without a template names all.
    pub fn mentions(&self, value: &str) -> bool {
        match &self.how {
            How::File(it) => it.template.mentions(value),
            How::Command(it) => it.template.mentions(value),
            How::Webhook(it) => it.template.as_ref().is_none_or(|it| it.mentions(value)),
            How::Sql(it) => it.templates().any(|it| it.mentions(value)),
        }
    }

    /// Sources of secrets that it reads, and the keys that lead to them.
    pub fn sources(&self) -> Vec<([&'static str; 2], &Source)> {
        let found = match &self.how {
            How::File(_) | How::Command(_) => Vec::new(),
            How::Webhook(it) => {
                vec![
                    (["webhook", "url"], it.to.url.source()),
                    (["webhook", "secret"], it.secret.as_ref()),
                ]
            }
            How::Sql(it) => vec![(["sql", "url"], it.url.source())],
        };
        found.into_iter().filter_map(|(path, source)| Some((path, source?))).collect()
    }

    /// Reports another sink that writes the same file: each would undo what the other does.
    fn collides(&self, row: &Table<'_>, others: &[Self]) {
        let How::File(file) = &self.how else { return };
        let same = |it: &&Self| matches!(&it.how, How::File(other) if other.path == file.path);
        let both = |it: &&Self| file.path.names().is_empty() || it.of == self.of;
        let Some(other) = others.iter().filter(same).find(both) else { return };
        let label = format!("the sink `{}` writes the same file", other.name);
        let fault = fault(label, "give each a file of its own");
        if let Some(node) = row.node("file") {
            row.report(node.span(), "file", &fault);
        }
    }
}

impl Of {
    fn read(row: &Table<'_>) -> Option<Self> {
        let which =
            one_of(row, &["connection", "provider", "label"], "of which connections it delivers")?;
        match which {
            0 => row.read("connection", connection).map(Self::Connection),
            1 => row.read("provider", crate::manifest::value::name).map(Self::Provider),
            _ => row.read("label", label).map(Self::Label),
        }
    }

    /// As people write it.
    pub fn text(&self) -> String {
        match self {
            Self::Connection(id) => id.to_string(),
            Self::Provider(name) | Self::Label(name) => name.clone(),
        }
    }

    /// The key of the manifest that it is written with.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::Provider(_) => "provider",
            Self::Label(_) => "label",
        }
    }
}

const KINDS: &[&str] = &["file", "command", "webhook", "sql"];

/// The kinds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Command,
    Webhook,
    Sql,
}

impl Kind {
    const ALL: [Self; 4] = [Self::File, Self::Command, Self::Webhook, Self::Sql];

    fn word(self) -> &'static str {
        KINDS[self as usize]
    }

    /// Keys that only others have.
    fn foreign(self) -> &'static [&'static str] {
        match self {
            Self::File => &[
                "timeout",
                "set",
                "on_token",
                "on_failure",
                "on_reconnect",
                "on_removed",
                "on_attempt",
            ],
            Self::Command => &[
                "mode",
                "owner",
                "group",
                "remove",
                "set",
                "on_token",
                "on_failure",
                "on_reconnect",
                "on_removed",
                "on_attempt",
            ],
            Self::Webhook => &[
                "mode",
                "owner",
                "group",
                "remove",
                "timeout",
                "set",
                "on_token",
                "on_failure",
                "on_reconnect",
                "on_removed",
                "on_attempt",
            ],
            Self::Sql => &["template", "mode", "owner", "group", "remove", "timeout"],
        }
    }

    fn read(self, row: &Table<'_>, of: Option<&Of>, folder: &Path) -> Option<How> {
        match self {
            Self::File => File::read(row, of, folder).map(How::File),
            Self::Command => Command::read(row).map(How::Command),
            Self::Webhook => Webhook::read(row, folder).map(How::Webhook),
            Self::Sql => Sql::read(row, folder).map(How::Sql),
        }
    }
}

impl Command {
    fn read(row: &Table<'_>) -> Option<Self> {
        let may = May { names: IDENTITY, form: Form::Text };
        let items = row.items("command").iter();
        let argv = items.map(|it| template(row, it, "command", may)).collect::<Option<Vec<_>>>();
        let usual = || Template::parse("{{ token }}", Form::Text).ok();
        let text = match row.node("template") {
            Some(node) => template(row, node, "template", ALL_BUT_ATTEMPT),
            None => usual(),
        };
        let timeout = row.time("timeout").unwrap_or(Duration::from_secs(30));
        let argv = argv?;
        let program = argv.first().is_some_and(|it| it.names().is_empty() && !it.text().is_empty());
        if !program {
            let help = "write the program and its arguments: `command = [\"redis-cli\", \"-x\", \"SET\", \"eskiz\"]`";
            row.report(row.node("command")?.span(), "command", &fault("no program", help));
            return None;
        }
        Some(Self { argv, template: text?, timeout })
    }
}

impl Webhook {
    fn read(row: &Table<'_>, folder: &Path) -> Option<Self> {
        let part = row.part("webhook").with(Section::SinkWebhook, "");
        let to = Endpoint::read(&part, folder);
        let secret = part.node("secret").and_then(|it| secret::read(&part, it, "secret", folder));
        let may = May { form: Form::Json, ..ALL_BUT_ATTEMPT };
        let text = row.node("template").map(|it| template(row, it, "template", may));
        let text = match text {
            Some(None) => return None,
            Some(text) => text,
            None => None,
        };
        Some(Self { to: to?, secret, template: text })
    }
}

impl Url {
    /// Where a database is: like other URLs, with schemes of databases.
    fn of_database(row: &Table<'_>, folder: &Path) -> Option<Self> {
        let Some(node) = row.node("url") else {
            crate::manifest::channel::missing(row, "url", "url = { env = \"APP_DATABASE_URL\" }");
            return None;
        };
        Self::read_as(row, node, folder, sql::address)
    }
}

/// The place of the one key among `keys` that is there; none, or a second one, is reported.
fn one_of(row: &Table<'_>, keys: &[&str], what: &str) -> Option<usize> {
    let given = keys.iter().enumerate().filter_map(|(place, it)| Some((place, row.node(it)?)));
    let given = given.collect::<Vec<_>>();
    let listed = keys.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    match &given[..] {
        [(place, _)] => Some(*place),
        [] => {
            let message = format!("{} does not say {what}", row.subject());
            let fault = Fault::new(
                code::Manifest::MissingKey,
                format!("none of {listed}"),
                format!("add one of {listed}"),
            );
            row.problems().report(row.place(), &message, &fault);
            None
        }
        [_, (_, second), ..] => {
            row.report(
                second.span(),
                "key",
                &fault(format!("only one of {listed}"), "remove the others"),
            );
            None
        }
    }
}

pub(super) fn fault(label: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault::new(code::Manifest::Sink, label, help)
}

fn connection(value: &DeValue<'_>) -> Result<ConnectionId, Fault> {
    let text = string(value)?;
    text.parse().map_err(|_| fault("not a connection", "write \"eskiz\", or \"propelauth/ann\""))
}

fn label(value: &DeValue<'_>) -> Result<String, Fault> {
    match string(value)? {
        "" => Err(fault("an empty label", "write a label of connections, such as \"gold\"")),
        text => Ok(text.to_owned()),
    }
}

fn unused(name: &str, others: &[Sink]) -> Result<String, Fault> {
    check_name(name)?;
    distinct(name.to_owned(), others)
}

fn distinct(name: String, others: &[Sink]) -> Result<String, Fault> {
    if others.iter().any(|it| it.name == name) {
        let label = format!("another sink is called `{name}`");
        return Err(fault(label, "give it another name: `name = \"eskiz-env\"`"));
    }
    Ok(name)
}
