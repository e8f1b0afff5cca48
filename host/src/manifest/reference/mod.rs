//! Every key of the manifest, as data: its type, what holds without it, what it means, an example. The parser
//! takes no other keys and takes its bounds from here; the page, the schema for editors and
//! `check --effective` are made of it.

/// Which keys there are.
mod keys;

/// As a page.
mod page;

/// As a JSON Schema.
mod schema;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use page::page;
pub use schema::schema;

/// A table of the manifest whose keys are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The manifest itself.
    Root,
    /// Where tokens are stored.
    Storage,
    /// Where the key is.
    Vault,
    /// Where plugins are.
    Plugins,
    /// Where the HTTP API listens.
    Server,
    /// Its certificate.
    Tls,
    /// Pages for people.
    Dashboard,
    /// Who logs them in.
    Oidc,
    /// What holds for all channels.
    Alerts,
    /// One of those who are told.
    Channel,
    /// Where what is current is delivered to.
    Sink,
    /// An address that it is posted to.
    SinkWebhook,
    /// A table that it is written into.
    SinkSql,
    /// A sign of life.
    Heartbeat,
    /// One provider.
    Provider,
    /// How often a provider that is down is asked again.
    Retry,
    /// Which addresses a plugin may reach beyond public ones.
    Egress,
    /// What programs may send through the proxy.
    Proxy,
    /// One of several connections of a provider.
    Connection,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// The table that it stands in.
    pub section: Section,
    /// How it is written.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What holds where it is not given.
    pub usual: Usual,
    /// What it does, in a sentence or two.
    pub meaning: &'static str,
    /// A value, as it is written.
    pub example: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A table with fixed keys.
    Table(Section),
    /// Tables in an array.
    Tables(Section),
    /// Tables by name.
    Named(Section),
    /// `sqlite:PATH`.
    Database,
    /// The path of a folder.
    Path,
    /// The path of a file.
    File,
    /// Where browsers get.
    Url,
    /// Such addresses.
    Urls,
    /// Names of hosts.
    Hosts,
    /// Texts.
    Texts,
    /// An IP address and a port.
    Address,
    /// The source of a secret.
    Secret,
    /// The same, or a text such as `file:PATH`.
    VaultKey,
    /// Sources of secrets, by the names that the plugin has for them.
    Secrets,
    /// Values for the plugin, by the names that it has for them.
    Settings,
    /// A name in lower case.
    Name,
    /// A name in any case.
    ConnectionName,
    /// A cron expression.
    Cron,
    /// A time zone.
    Zone,
    /// A length of time, in seconds from and to.
    Time(u64, u64),
    /// A whole number, from and to, of something.
    Count(u32, u32, &'static str),
    /// `true` or `false`.
    Boolean,
    /// Requests in a stretch of time.
    Rate,
    /// What a provider does with used refresh tokens.
    Rotation,
    /// Ranges of addresses.
    Networks,
    /// Permissions.
    Grants,
    /// Methods of HTTP.
    Methods,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A text.
    Text,
    /// Where requests go: a URL, or the source of one.
    Endpoint,
    /// How a channel is told.
    ChannelKind,
    /// What a channel is told of.
    AlertKinds,
    /// A time of day.
    TimeOfDay,
    /// A mail server.
    Smtp,
    /// An e-mail address.
    Mailbox,
    /// Such addresses.
    Mailboxes,
    /// A connection.
    Connection,
    /// A text with places for values.
    Template,
    /// Such texts, by the columns of a table.
    Columns,
    /// A program and its arguments.
    Command,
    /// Who may read and write a file.
    Mode,
    /// A user or a group.
    User,
    /// The URL of a database, or the source of one.
    DatabaseUrl,
}

/// What holds where a key is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usual {
    /// This value, as it would be written.
    Value(&'static str),
    /// Something that is no single value.
    Words(&'static str),
    /// It must be given.
    Required,
}

impl Section {
    /// All of them, in the order of the page.
    pub const ALL: &[Self] = &[
        Self::Root,
        Self::Storage,
        Self::Vault,
        Self::Plugins,
        Self::Server,
        Self::Tls,
        Self::Dashboard,
        Self::Oidc,
        Self::Provider,
        Self::Retry,
        Self::Egress,
        Self::Proxy,
        Self::Connection,
        Self::Alerts,
        Self::Channel,
        Self::Sink,
        Self::SinkWebhook,
        Self::SinkSql,
        Self::Heartbeat,
    ];

    /// Its keys, in the order of the page.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        keys::KEYS.iter().filter(move |it| it.section == self)
    }

    /// The key of that name.
    pub fn key(self, name: &str) -> Option<&'static Key> {
        self.keys().find(|it| it.name == name)
    }

    /// The names of its keys.
    pub(super) fn names(self) -> Vec<&'static str> {
        self.keys().map(|it| it.name).collect()
    }

    /// The least and the most that a length of time may be there.
    pub(super) fn times(self, name: &str) -> (Duration, Duration) {
        match self.key(name).map(|it| it.kind) {
            Some(Kind::Time(least, most)) => {
                (Duration::from_secs(least), Duration::from_secs(most))
            }
            _ => (Duration::ZERO, Duration::MAX),
        }
    }

    /// The least and the most that a number may be there.
    pub(super) fn counts(self, name: &str) -> (u32, u32) {
        match self.key(name).map(|it| it.kind) {
            Some(Kind::Count(least, most, _)) => (least, most),
            _ => (0, u32::MAX),
        }
    }

    /// How its heading is written.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Root => "The manifest",
            Self::Storage => "[storage]",
            Self::Vault => "[vault]",
            Self::Plugins => "[plugins]",
            Self::Server => "[server]",
            Self::Tls => "[server.tls]",
            Self::Dashboard => "[dashboard]",
            Self::Oidc => "[dashboard.oidc]",
            Self::Provider => "[providers.NAME]",
            Self::Retry => "[providers.NAME.retry]",
            Self::Egress => "[providers.NAME.egress]",
            Self::Proxy => "[providers.NAME.proxy]",
            Self::Connection => "[[providers.NAME.connections]]",
            Self::Alerts => "[alerts]",
            Self::Channel => "[[channels]]",
            Self::Sink => "[[sinks]]",
            Self::SinkWebhook => "[sinks.webhook]",
            Self::SinkSql => "[sinks.sql]",
            Self::Heartbeat => "[heartbeat]",
        }
    }
}

impl Kind {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Table(_) => "table",
            Self::Tables(_) => "array of tables",
            Self::Named(_) => "tables by name",
            Self::Database => "database URL",
            Self::Path | Self::File => "path",
            Self::Url => "URL",
            Self::Urls => "array of URLs",
            Self::Hosts => "array of hosts",
            Self::Texts => "array of texts",
            Self::Address => "address and port",
            Self::Secret => "secret",
            Self::VaultKey => "secret, or text",
            Self::Secrets => "secrets by name",
            Self::Settings => "values by name",
            Self::Name | Self::ConnectionName => "name",
            Self::Cron => "cron expression",
            Self::Zone => "time zone",
            Self::Time(..) => "duration",
            Self::Count(..) => "whole number",
            Self::Boolean => "`true` or `false`",
            Self::Rate => "rate",
            Self::Rotation => "rotation",
            Self::Networks => "array of networks",
            Self::Grants => "array of grants",
            Self::Methods => "array of methods",
            Self::Word(_) => "word",
            Self::Text => "text",
            Self::Endpoint => "URL, or secret",
            Self::ChannelKind => "kind of channel",
            Self::AlertKinds => "array of words",
            Self::TimeOfDay => "time of day",
            Self::Smtp => "URL of a mail server",
            Self::Mailbox => "e-mail address",
            Self::Mailboxes => "array of e-mail addresses",
            Self::Connection => "connection",
            Self::Template => "template",
            Self::Columns => "templates by column",
            Self::Command => "array of templates",
            Self::Mode => "mode of a file",
            Self::User => "name or number",
            Self::DatabaseUrl => "secret, or URL",
        }
    }

    /// What it is counted in, and its bounds.
    pub fn unit(self) -> String {
        match self {
            Self::Time(least, most) => format!("{} to {}", span(least), span(most)),
            Self::Count(least, most, of) => format!("{least} to {most} {of}"),
            Self::Rate => "requests per `s`, `m` or `h`".to_owned(),
            Self::Word(words) => {
                words.iter().map(|it| format!("`\"{it}\"`")).collect::<Vec<_>>().join(" or ")
            }
            _ => String::new(),
        }
    }
}

fn span(seconds: u64) -> String {
    super::value::short(Duration::from_secs(seconds))
}
