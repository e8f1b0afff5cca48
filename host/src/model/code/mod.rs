//! Every error code, as data: what it means, what helps, and the exit code of a command that fails
//! with it. Code compares the enums; the text is for people and scripts.

/// How a table of codes is written.
mod table;

/// The case that goes with a code.
mod case;

/// Commands, logins, connections and additions.
mod asking;

/// Tokens and refreshes.
mod refreshing;

/// The manifest.
mod manifest;

/// Secrets and the vault.
mod keys;

/// The database.
mod storage;

/// Channels and the heartbeat.
mod channel;

/// Sinks.
mod sink;

/// The HTTP API.
mod http;

/// People who use the dashboard.
mod account;

/// The process itself.
mod process;

/// The way out.
mod egress;

/// What providers answer.
mod provider;

/// Plugin files.
mod plugin_file;

/// Plugins that run.
mod plugin;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::model::exit::Exit;

pub use account::{Account, Login};
pub use asking::{ApiKey, Command, Connect, Connection, Export, Import};
pub use channel::Channel;
pub use egress::Egress;
pub use http::{Auth, Http, Proxy};
pub use keys::{Secret, Vault};
pub use manifest::Manifest;
pub use plugin::Plugin;
pub use plugin_file::PluginFile;
pub use process::{Daemon, Init, Instance, Internal};
pub use provider::Provider;
pub use refreshing::{Attempt, Refresh, Replay, Token};
pub use sink::Sink;
pub use storage::Storage;
pub use table::{Actor, Entry};

/// Texts that were codes once. None of them becomes the text of another one.
pub const RETIRED: &[&str] = &["internal.command", "manifest.not_yet"];

/// Makes the one enum of the areas, in the order in which they are listed.
macro_rules! areas {
    ($($area:ident),+ $(,)?) => {
        /// A code of one of the areas, or one that this version does not know.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(
                #[doc = concat!("See [`", stringify!($area), "`].")]
                $area($area),
            )+
            /// Of a newer version, or of an older one: kept as it came.
            Unknown(Arc<str>),
        }

        impl Code {
            /// Every code of this version, area by area.
            pub fn all() -> impl Iterator<Item = Self> {
                std::iter::empty()$(.chain($area::ALL.iter().map(|&it| Self::from(it))))+
            }

            /// The tables: what the codes of each have in common, and what is known of them.
            pub fn tables() -> Vec<(&'static str, Vec<Entry>)> {
                vec![$(($area::ABOUT, $area::ALL.iter().map(|it| it.entry()).collect())),+]
            }

            /// What is known of it.
            pub fn entry(&self) -> Option<Entry> {
                match self {
                    $(Self::$area(code) => Some(code.entry()),)+
                    Self::Unknown(_) => None,
                }
            }
        }
    };
}

areas! {
    Command, Daemon, Instance, Init, Manifest, Secret, Vault, Storage, PluginFile, Plugin, Egress,
    Provider, Refresh, Token, Attempt, Replay, Connect, Connection, Import, Export, ApiKey, Channel,
    Sink, Auth, Http, Proxy, Account, Login, Internal,
}

impl Code {
    /// The code with that text. What this version does not know is kept as it is.
    pub fn read(text: &str) -> Self {
        static KNOWN: LazyLock<HashMap<&str, Code>> = LazyLock::new(|| {
            let named = |it: Code| Some((it.entry()?.text, it));
            Code::all().filter_map(named).collect()
        });
        KNOWN.get(text).cloned().unwrap_or_else(|| Self::Unknown(text.into()))
    }

    /// `area.cause`, for people and scripts. Nothing decides by it.
    pub fn text(&self) -> &str {
        match self {
            Self::Unknown(text) => text,
            known => known.entry().map_or("", |it| it.text),
        }
    }

    /// What helps, if this version knows it.
    pub fn remedy(&self) -> Option<&'static str> {
        self.entry().map(|it| it.remedy)
    }

    /// The exit code of a command that fails with it.
    pub fn exit(&self) -> Exit {
        self.entry().map_or(Exit::Failed, |it| it.exit)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.text())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::read(&String::deserialize(from)?))
    }
}
