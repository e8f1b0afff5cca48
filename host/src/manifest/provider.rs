//! One provider of the manifest: what to run, when, with which settings, secrets and grants. What the
//! plugin makes of its settings is not known here.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;
use toml::de::DeValue;

use crate::manifest::access::{Egress, Grant};
use crate::manifest::problems::Fault;
use crate::manifest::proxy::Proxy;
use crate::manifest::reference::Section;
use crate::manifest::secret;
use crate::manifest::table::{Node, Table};
use crate::manifest::timing::{self, Rate, Retry};
use crate::manifest::value::{check_name, name, setting, string};
use crate::model::code;
use crate::model::id::ConnectionId;
use crate::model::rotation::Rotation;
use crate::model::schedule::Schedule;
use crate::vault::source::Source;

/// Settings of a plugin, by key.
pub type Settings = BTreeMap<String, String>;
/// The places of secrets, by key.
pub type Secrets = BTreeMap<String, Source>;

/// A `[providers.NAME]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Its name in the manifest.
    pub name: String,
    /// The plugin's file name, without `.wasm`.
    pub plugin: String,
    /// When tokens are refreshed whatever their expiry, within `refresh_before`.
    pub schedule: Option<Schedule>,
    /// When what failed is tried again.
    pub backup_schedule: Option<Schedule>,
    /// The time zone of both, and of a schedule that the plugin proposes.
    pub timezone: TimeZone,
    /// How long before its expiry a token is refreshed.
    pub refresh_before: Option<Duration>,
    /// What to do when the provider is unavailable.
    pub retry: Retry,
    /// The longest that one attempt may take.
    pub timeout: Duration,
    /// The window over which ticks of the same minute are spread.
    pub jitter: Duration,
    /// The most attempts at a time.
    pub concurrency: u32,
    /// The most requests in a stretch of time.
    pub rate: Option<Rate>,
    /// Settings of every connection.
    pub settings: Settings,
    /// Secrets of every connection.
    pub secrets: Secrets,
    /// Addresses that would be refused otherwise.
    pub egress: Egress,
    /// What the plugin may do beyond what it declares.
    pub grants: Vec<Grant>,
    /// What the operator knows better than the plugin about refresh tokens.
    pub rotation: Option<Rotation>,
    /// What is served while nothing better is there.
    pub fallback_token: Option<Source>,
    /// How often to ask whether a token is still accepted.
    pub probe: Option<Duration>,
    /// Connections whose token no caller has requested for this long are not refreshed until one does.
    pub active_within: Option<Duration>,
    /// What programs may send through the proxy.
    pub proxy: Option<Proxy>,
    /// Fixed connections: `default` alone when the manifest lists none.
    pub connections: Vec<Connection>,
}

/// A fixed connection of a provider, with what it changes of the provider's settings and secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// `provider/name`.
    pub id: ConnectionId,
    /// Settings that go over the provider's.
    pub settings: Settings,
    /// Secrets that go over the provider's.
    pub secrets: Secrets,
}

impl Provider {
    /// The settings of the connection of that name: the provider's, and its own over them. A
    /// connection that is not listed has the provider's.
    pub fn settings_of(&self, name: &str) -> Settings {
        let own = self.connection(name).map(|it| it.settings.clone());
        merge(&self.settings, own.unwrap_or_default())
    }

    /// The places of the secrets of the connection of that name, merged likewise.
    pub fn secrets_of(&self, name: &str) -> Secrets {
        let own = self.connection(name).map(|it| it.secrets.clone());
        merge(&self.secrets, own.unwrap_or_default())
    }

    fn connection(&self, name: &str) -> Option<&Connection> {
        self.connections.iter().find(|it| it.id.name() == name)
    }
}

fn merge<V: Clone>(under: &BTreeMap<String, V>, over: BTreeMap<String, V>) -> BTreeMap<String, V> {
    under.clone().into_iter().chain(over).collect()
}

const HINT: &str = "the plugin's own settings go into `settings = { base_url = \"...\" }`, and its \
                    secrets into `secrets`";

pub(super) fn read_all(providers: &Table<'_>, folder: &Path) -> BTreeMap<String, Provider> {
    let mut all = BTreeMap::new();
    for (name, span, node) in providers.entries() {
        let subject = format!("provider `{name}`");
        if let Err(fault) = check_name(name) {
            let message = format!("{subject} has an invalid name");
            providers.problems().report(span, &message, &fault);
        }
        let table = providers.open(node, &subject, &subject);
        all.insert(name.to_owned(), Provider::read(name, table, folder));
    }
    all
}

impl Provider {
    fn read(name_here: &str, table: Table<'_>, folder: &Path) -> Self {
        const HALF_MINUTE: Duration = Duration::from_secs(30);
        let table = &table.with(Section::Provider, HINT);
        let zone = table.read("timezone", timing::zone).unwrap_or(TimeZone::UTC);
        let egress = Egress::read(table.part("egress"));
        Self {
            name: name_here.to_owned(),
            plugin: table.read("plugin", name).unwrap_or_else(|| name_here.to_owned()),
            schedule: table.read("schedule", timing::schedule(&zone)),
            backup_schedule: table.read("backup_schedule", timing::schedule(&zone)),
            refresh_before: table.time("refresh_before"),
            retry: Retry::read(table.part("retry")),
            timeout: table.time("timeout").unwrap_or(HALF_MINUTE),
            jitter: table.time("jitter").unwrap_or(HALF_MINUTE),
            concurrency: table.count("concurrency").unwrap_or(8),
            rate: table.read("rate", timing::rate),
            settings: read_settings(table),
            secrets: read_secrets(table, folder),
            proxy: Proxy::read(table, &egress),
            egress,
            grants: table.list("grants", "grant", Grant::parse),
            rotation: table.read("rotation", timing::rotation),
            fallback_token: table
                .node("fallback_token")
                .and_then(|it| secret::read(table, it, "fallback_token", folder)),
            probe: table.time("probe"),
            active_within: table.time("active_within"),
            connections: read_connections(name_here, table, folder),
            timezone: zone,
        }
    }
}

fn read_settings(owner: &Table<'_>) -> Settings {
    let table = owner.part("settings");
    let read = |(key, _, node): (&str, Range<usize>, Node<'_>)| {
        let value = owner.convert(node, &format!("setting `{key}`"), setting)?;
        Some((key.to_owned(), value))
    };
    table.entries().filter_map(read).collect()
}

fn read_secrets(owner: &Table<'_>, folder: &Path) -> Secrets {
    let table = owner.part("secrets");
    let read = |(key, _, node): (&str, Range<usize>, Node<'_>)| {
        let place = secret::read(owner, node, &format!("secret `{key}`"), folder)?;
        Some((key.to_owned(), place))
    };
    table.entries().filter_map(read).collect()
}

fn read_connections(provider: &str, table: &Table<'_>, folder: &Path) -> Vec<Connection> {
    if table.node("connections").is_none() {
        return Connection::empty(provider, "default").into_iter().collect();
    }
    let mut all: Vec<Connection> = Vec::new();
    for node in table.items("connections") {
        let row = table.open(node, "connection", &format!("a connection of `{provider}`"));
        let row = row.with(Section::Connection, "");
        all.extend(Connection::read(provider, &row, &all, folder));
    }
    all
}

impl Connection {
    /// None where the provider's name is not one, which is reported where it stands.
    fn empty(provider: &str, name: &str) -> Option<Self> {
        let id = ConnectionId::new(provider, name).ok()?;
        Some(Self { id, settings: Settings::new(), secrets: Secrets::new() })
    }

    fn read(provider: &str, row: &Table<'_>, others: &[Self], folder: &Path) -> Option<Self> {
        if row.node("name").is_none() {
            let message = format!("{} has no name", row.subject());
            let fault =
                Fault::new(code::Manifest::MissingKey, "no name", "add `name = \"reports\"`");
            row.problems().report(row.place(), &message, &fault);
        }
        let name = row.read("name", |it| unused_name(it, others));
        let (settings, secrets) = (read_settings(row), read_secrets(row, folder));
        Some(Self { settings, secrets, ..Self::empty(provider, &name?)? })
    }
}

fn unused_name(value: &DeValue<'_>, others: &[Connection]) -> Result<String, Fault> {
    let name = string(value)?;
    crate::model::id::check_name(name).map_err(|error| {
        let help = "use letters, digits and . _ - @ + :, such as `reports`";
        Fault::new(code::Manifest::Name, error.to_string(), help)
    })?;
    if others.iter().any(|it| it.id.name() == name) {
        let label = format!("another connection is called `{name}`");
        return Err(Fault::new(code::Manifest::DuplicateConnection, label, "give it another name"));
    }
    Ok(name.to_owned())
}
