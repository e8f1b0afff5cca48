//! Keyed digests of the operator's configuration, to tell whether it has changed since a connection
//! needed a person, or since a token was issued. Nothing can be read back from them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::catalogue::{Plugin, Shelf};
use crate::manifest::provider::Settings;
use crate::model::id::ConnectionId;
use crate::vault::Vault;
use crate::vault::source::Source;

/// Bytes of each part: enough to tell two configurations apart.
const PART: usize = 8;

/// A part of the configuration that is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Changed {
    /// A setting.
    Settings,
    /// A secret.
    Secrets,
}

/// Digests of settings, of secrets, and of secrets that a command prints: asking for the last is not
/// for every look. A part of zeros is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config(Vec<u8>);

impl fmt::Display for Changed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Settings => "settings",
            Self::Secrets => "secrets",
        })
    }
}

impl Config {
    /// As it is stored.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// What has changed since `then`, of what is known of both.
    pub fn changed_since(&self, then: &[u8]) -> Vec<Changed> {
        let differs = |part: usize| {
            let range = part * PART..(part + 1) * PART;
            let both = (self.0.get(range.clone()), then.get(range));
            let known = |it: &[u8]| it.iter().any(|it| *it != 0);
            matches!(both, (Some(now), Some(then)) if now != then && known(now) && known(then))
        };
        let settings = differs(0).then_some(Changed::Settings);
        let secrets = (differs(1) || differs(2)).then_some(Changed::Secrets);
        settings.into_iter().chain(secrets).collect()
    }
}

/// What is configured now, asked once for all connections that share it.
pub struct Configs {
    shelf: Arc<Shelf>,
    vault: Vault,
    commands: bool,
    found: HashMap<(String, String, Settings), Config>,
}

impl Configs {
    /// What the providers of `shelf` are configured with; with `commands`, what those print counts too.
    pub fn new(shelf: Arc<Shelf>, vault: Vault, commands: bool) -> Self {
        Self { shelf, vault, commands, found: HashMap::new() }
    }

    /// What has changed for the connection `id`, with its own settings, since the configuration `then`.
    pub async fn changed_since(
        &mut self,
        id: &ConnectionId,
        own: &Settings,
        then: &[u8],
    ) -> Vec<Changed> {
        let Some(Ok(plugin)) = self.shelf.providers.get(id.provider()) else { return Vec::new() };
        // All that the manifest does not list share what it says.
        let listed = plugin.provider().connections.iter().any(|it| it.id == *id);
        let name = if listed { id.name() } else { "" };
        let key = (id.provider().to_owned(), name.to_owned(), own.clone());
        if let Some(config) = self.found.get(&key) {
            return config.changed_since(then);
        }
        let config = plugin.config_now(name, own, self.commands, &self.vault).await;
        self.found.entry(key).or_insert(config).changed_since(then)
    }
}

impl Plugin {
    /// What a call for the connection of that name works with. Secrets of the connection's own are
    /// nobody's configuration: when it brings some, `secrets` is `None`.
    pub fn config_of(
        &self,
        name: &str,
        settings: &[(String, String)],
        secrets: Option<&[(String, SecretString)]>,
        vault: &Vault,
    ) -> Config {
        let sources = self.provider().secrets_of(name);
        let is_printed = |key: &str| matches!(sources.get(key), Some(Source::Exec(_)));
        let of = |printed: bool| {
            let mine = secrets?.iter().filter(|it| is_printed(&it.0) == printed);
            Some(mine.map(|(key, it)| (key.as_str(), it.expose_secret())).collect())
        };
        let settings = settings.iter().map(|(key, it)| (key.as_str(), it.as_str())).collect();
        Config([Some(settings), of(false), of(true)].map(|it| part(it, vault)).concat())
    }

    /// What a call would work with now. Without `commands` none is run, and what they print stays
    /// unknown; so do all secrets, when one cannot be read.
    pub async fn config_now(
        &self,
        name: &str,
        own: &Settings,
        commands: bool,
        vault: &Vault,
    ) -> Config {
        let settings = self.settings(name, own).into_iter().collect::<Vec<_>>();
        let mut secrets = Some(Vec::new());
        for (key, source) in self.provider().secrets_of(name) {
            if matches!(source, Source::Exec(_)) && !commands {
                continue;
            }
            match (source.read().await, &mut secrets) {
                (Ok(value), Some(found)) => found.push((key, value)),
                _ => secrets = None,
            }
        }
        let mut config = self.config_of(name, &settings, secrets.as_deref(), vault);
        if !commands {
            config.0[2 * PART..].fill(0);
        }
        config
    }

    /// Keyed digest of all that the operator can be blamed for: when it changes, what needed a person may
    /// be tried again. `name` is that of a connection that the manifest lists; all others share one.
    pub async fn config_digest(&self, name: &str, vault: &Vault) -> Vec<u8> {
        let egress = &self.provider().egress;
        let mut text = Zeroizing::new(format!("{}\n{egress:?}", self.digest()));
        for (name, value) in self.settings(name, &Settings::new()) {
            let _ = write!(text, "\n{name}={value}");
        }
        for (name, value) in self.secrets(name, Vec::new()).await.unwrap_or_default() {
            let _ = write!(text, "\n{name}={}", value.expose_secret());
        }
        vault.mac(text.as_bytes()).to_vec()
    }
}

/// Zeros for what is not known.
fn part(all: Option<BTreeMap<&str, &str>>, vault: &Vault) -> [u8; PART] {
    let Some(all) = all else { return [0; PART] };
    let text = Zeroizing::new(format!("config\n{all:?}"));
    let mut part = [0; PART];
    part.copy_from_slice(&vault.mac(text.as_bytes())[..PART]);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(parts: [u8; 3]) -> Config {
        Config(parts.iter().flat_map(|it| [*it; PART]).collect())
    }

    #[test]
    fn only_what_is_known_of_both_can_have_changed() {
        let then = config([1, 2, 3]).into_bytes();
        for (now, changed) in [
            ([1, 2, 3], vec![]),
            ([9, 2, 3], vec![Changed::Settings]),
            ([1, 9, 3], vec![Changed::Secrets]),
            ([1, 2, 9], vec![Changed::Secrets]),
            ([9, 9, 9], vec![Changed::Settings, Changed::Secrets]),
            ([1, 0, 0], vec![]),
        ] {
            assert_eq!(config(now).changed_since(&then), changed, "{now:?}");
        }
        assert_eq!(config([9, 9, 9]).changed_since(&[]), []);
    }
}
