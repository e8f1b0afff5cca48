//! What holds for each provider and connection, and where each value comes from: a line of the manifest, the
//! plugin, or the default. Never a secret, only where it is.

use serde::Serialize;

use crate::catalogue::{Plugin, Shelf};
use crate::manifest::provider::{Connection, Provider, Settings};
use crate::manifest::proxy::{Place, Proxy};
use crate::manifest::reference::{Key, Section, Usual};
use crate::manifest::{Manifest, short};
use crate::model::rotation::Rotation;
use crate::vault::source::Source;

/// All of it.
#[derive(Debug, Serialize)]
pub struct Effective {
    /// What is no provider's.
    pub manifest: Vec<Held>,
    /// By provider.
    pub providers: Vec<OfProvider>,
}

/// What holds for a provider.
#[derive(Debug, Serialize)]
pub struct OfProvider {
    /// Its name.
    pub name: String,
    /// Its keys.
    pub keys: Vec<Held>,
    /// Its connections in the manifest; others have the provider's values.
    pub connections: Vec<OfConnection>,
}

/// What holds for a connection.
#[derive(Debug, Serialize)]
pub struct OfConnection {
    /// `provider/name`.
    pub id: String,
    /// Its settings and secrets.
    pub keys: Vec<Held>,
}

/// A value that holds.
#[derive(Debug, Serialize)]
pub struct Held {
    /// `retry.attempts`.
    pub key: String,
    /// As it would be written, or in words.
    pub value: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub from: Origin,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "from")]
pub enum Origin {
    /// The manifest.
    Manifest {
        /// From one.
        line: usize,
    },
    /// The plugin.
    Plugin,
    /// Keepfresh.
    Default,
}

impl Effective {
    /// What holds under `manifest`, with its plugins on `shelf`.
    pub fn of(manifest: &Manifest, shelf: &Shelf) -> Self {
        let providers = manifest.providers.values().map(|provider| {
            let plugin = shelf.providers.get(&provider.name).and_then(|it| it.as_deref().ok());
            of_provider(manifest, provider, plugin)
        });
        Self { manifest: globals(manifest), providers: providers.collect() }
    }
}

fn globals(manifest: &Manifest) -> Vec<Held> {
    let Manifest { storage, vault, plugins, server, .. } = manifest;
    let listen = server.listen.map_or("none".to_owned(), |it| quoted(&it.to_string()));
    let mut values = vec![
        ("storage", "url", quoted(&format!("sqlite:{}", storage.path.display()))),
        ("vault", "key", place_of(&vault.key)),
        ("plugins", "dir", quoted(&plugins.dir.display().to_string())),
        ("server", "listen", listen),
        ("server", "behind_proxy", server.behind_proxy.to_string()),
    ];
    let list = |all: &[String]| {
        format!("[{}]", all.iter().map(|it| quoted(it)).collect::<Vec<_>>().join(", "))
    };
    let given = [("hosts", list(&server.hosts)), ("return_to", list(&server.return_to))];
    values.extend(
        given.into_iter().filter(|(_, it)| it != "[]").map(|(key, it)| ("server", key, it)),
    );
    values.extend(server.url.as_ref().map(|it| ("server", "url", quoted(it))));
    let held = values.into_iter().map(|(table, key, value)| {
        let line = manifest.line(&[table, key]);
        let from = line.map_or(Origin::Default, |line| Origin::Manifest { line });
        Held { key: format!("{table}.{key}"), value, from }
    });
    held.collect()
}

fn of_provider(manifest: &Manifest, provider: &Provider, plugin: Option<&Plugin>) -> OfProvider {
    let tables = [
        (None, Section::Provider),
        (Some("retry"), Section::Retry),
        (Some("egress"), Section::Egress),
    ];
    let proxy = provider.proxy.is_some().then_some((Some("proxy"), Section::Proxy));
    let keys = tables.into_iter().chain(proxy).flat_map(|(table, section)| {
        section.keys().filter_map(move |key| {
            let name = table.into_iter().chain([key.name]).collect::<Vec<_>>().join(".");
            held(manifest, provider, plugin, &name, key)
        })
    });
    let connections = provider.connections.iter().map(|it| OfConnection {
        id: format!("{}/{}", it.id.provider(), it.id.name()),
        keys: of_connection(manifest, provider, plugin, it),
    });
    OfProvider {
        name: provider.name.clone(),
        keys: keys.collect(),
        connections: connections.collect(),
    }
}

/// `None` for tables, whose own keys are told.
fn held(
    manifest: &Manifest,
    provider: &Provider,
    plugin: Option<&Plugin>,
    name: &str,
    key: &Key,
) -> Option<Held> {
    let tables = ["retry", "egress", "settings", "secrets", "connections"];
    if tables.contains(&name) || (name == "proxy" && provider.proxy.is_some()) {
        return None;
    }
    let mut path = vec!["providers", provider.name.as_str()];
    path.extend(name.split('.'));
    let given = value_of(provider, name);
    let of_plugin = plugin.and_then(|it| plugin_value(it, name));
    let (value, from) = match (manifest.line(&path), given, of_plugin) {
        (Some(line), Some(value), _) => (value, Origin::Manifest { line }),
        (_, _, Some(value)) => (value, Origin::Plugin),
        (_, Some(value), None) => (value, Origin::Default),
        (_, None, None) => (usual(key), Origin::Default),
    };
    Some(Held { key: name.to_owned(), value, from })
}

fn usual(key: &Key) -> String {
    match key.usual {
        Usual::Value(text) | Usual::Words(text) => text.to_owned(),
        Usual::Required => String::new(),
    }
}

/// What the plugin says where the manifest does not.
fn plugin_value(plugin: &Plugin, name: &str) -> Option<String> {
    match name {
        "schedule" => plugin.declared_schedule().map(|it| quoted(it.expression())),
        "rotation" => Some(rotation(plugin.descriptor().rotation)),
        _ => None,
    }
}

/// A provider's value, as it would be written.
fn value_of(provider: &Provider, name: &str) -> Option<String> {
    let time = |it| quoted(&short(it));
    Some(match name {
        "plugin" => quoted(&provider.plugin),
        "schedule" => quoted(provider.schedule.as_ref()?.expression()),
        "backup_schedule" => quoted(provider.backup_schedule.as_ref()?.expression()),
        "timezone" => quoted(provider.timezone.iana_name().unwrap_or("UTC")),
        "refresh_before" => time(provider.refresh_before?),
        "timeout" => time(provider.timeout),
        "jitter" => time(provider.jitter),
        "concurrency" => provider.concurrency.to_string(),
        "rate" => quoted(&provider.rate?.to_string()),
        "grants" => listed(provider.grants.iter().map(|it| it.name())),
        "rotation" => rotation(provider.rotation?),
        "fallback_token" => place_of(provider.fallback_token.as_ref()?),
        "probe" => time(provider.probe?),
        "active_within" => time(provider.active_within?),
        "retry.attempts" => provider.retry.attempts.to_string(),
        "retry.backoff" => time(provider.retry.backoff),
        "egress.networks" => listed(provider.egress.networks.iter().map(ToString::to_string)),
        "egress.plaintext" => provider.egress.plaintext.to_string(),
        name => match name.split_once('.')? {
            ("proxy", key) => return value_of_proxy(provider.proxy.as_ref()?, key),
            _ => return None,
        },
    })
}

fn value_of_proxy(proxy: &Proxy, name: &str) -> Option<String> {
    Some(match (name, &proxy.place) {
        ("to", _) => listed(proxy.to.iter()),
        ("methods", _) => listed(proxy.methods.iter().map(|it| it.as_str())),
        ("basic", Place::Basic { before, behind }) => quoted(&format!("{before}{{token}}{behind}")),
        ("header", Place::Header { name, .. }) | ("query", Place::Query(name)) => quoted(name),
        ("prefix", Place::Header { before, .. }) if !before.is_empty() => quoted(before),
        ("without_token", _) => quoted(if proxy.goes_without { "forward" } else { "refuse" }),
        _ => return None,
    })
}

fn of_connection(
    manifest: &Manifest,
    provider: &Provider,
    plugin: Option<&Plugin>,
    connection: &Connection,
) -> Vec<Held> {
    let name = connection.id.name();
    let index = provider.connections.iter().position(|it| it.id == connection.id);
    let index = index.unwrap_or_default().to_string();
    let from = |table: &str, key: &str| {
        let own = ["providers", &provider.name, "connections", &index, table, key];
        let shared = ["providers", &provider.name, table, key];
        let line = manifest.line(&own).or_else(|| manifest.line(&shared));
        line.map_or(Origin::Plugin, |line| Origin::Manifest { line })
    };
    let settings =
        plugin.map_or_else(|| provider.settings_of(name), |it| it.settings(name, &Settings::new()));
    let settings = settings.iter().map(|(key, value)| Held {
        from: from("settings", key),
        value: quoted(value),
        key: format!("settings.{key}"),
    });
    let secrets = provider.secrets_of(name).into_iter().map(|(key, source)| Held {
        from: from("secrets", &key),
        value: place_of(&source),
        key: format!("secrets.{key}"),
    });
    settings.chain(secrets).collect()
}

/// Where a secret is. Of a command only its name: arguments may hold what they should not.
fn place_of(source: &Source) -> String {
    match source {
        Source::Env(name) => format!("{{ env = {} }}", quoted(name)),
        Source::File(path) => format!("{{ file = {} }}", quoted(&path.display().to_string())),
        Source::Credential(name) => format!("{{ credential = {} }}", quoted(name)),
        Source::Exec(words) => {
            let program = words.first().map_or("", String::as_str);
            let more = if words.len() > 1 { ", ..." } else { "" };
            format!("{{ exec = [{}{more}] }}", quoted(program))
        }
    }
}

fn rotation(rotation: Rotation) -> String {
    match rotation {
        Rotation::None => quoted("none"),
        Rotation::UntilUsed => quoted("until-used"),
        Rotation::Strict => quoted("strict"),
        Rotation::Unknown => quoted("unknown"),
        Rotation::Grace(seconds) => format!("{{ grace = \"{seconds}s\" }}"),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn listed(items: impl Iterator<Item = impl AsRef<str>>) -> String {
    let quoted = items.map(|it| quoted(it.as_ref())).collect::<Vec<_>>();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_key_of_a_provider_that_is_given_is_told_with_its_line() {
        let tables = [Section::Provider, Section::Retry, Section::Egress];
        for section in tables {
            let heading = section.heading().replace("NAME", "x");
            for key in section.keys() {
                let text = format!("{heading}\n{} = {}\n", key.name, key.example);
                let manifest = crate::manifest::parse(&text, Path::new("keepfresh.toml")).unwrap();
                let told = of_provider(&manifest, &manifest.providers["x"], None).keys;
                let name = told.iter().find(|it| it.key.rsplit('.').next() == Some(key.name));
                let is_table = ["retry", "egress", "settings", "secrets", "connections", "proxy"];
                if is_table.contains(&key.name) {
                    continue;
                }
                let it = name.unwrap_or_else(|| panic!("{} is told", key.name));
                assert_eq!(it.from, Origin::Manifest { line: 2 }, "{}", key.name);
                assert_eq!(it.value, key.example, "{}", key.name);
            }
        }
    }
}
