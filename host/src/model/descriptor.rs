//! What a plugin says about itself: data from `describe`, already checked by the catalogue.

use serde::{Deserialize, Serialize};

use crate::model::rotation::Rotation;

/// A setting or secret that a connection needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The key in the manifest.
    pub name: String,
    /// A short name for people.
    pub title: String,
    /// One sentence for people.
    pub help: String,
    /// Whether a connection works without it.
    pub required: bool,
    /// The value when the manifest gives none; never for secrets.
    pub default: Option<String>,
}

/// A plugin's own account of the provider it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Lower-case name, such as "eskiz".
    pub name: String,
    /// Semantic version of the plugin.
    pub version: String,
    /// The provider's name for people.
    pub title: String,
    /// One sentence about it.
    pub about: String,
    /// The provider's own documentation.
    pub documentation: Option<String>,
    /// Settings that a connection takes.
    pub settings: Vec<Field>,
    /// Secrets that a connection takes.
    pub secrets: Vec<Field>,
    /// Whether `login` works with nobody present.
    pub unattended: bool,
    /// Whether a person can log in through a browser.
    pub interactive: bool,
    /// What happens to the old refresh token when it is used.
    pub rotation: Rotation,
    /// Requests it makes: `POST {base_url}/api/auth/login`.
    pub access: Vec<String>,
    /// Response members, besides the host's own list, that hold secrets.
    pub sealed: Vec<String>,
    /// Seconds that a token lives when nothing else says so.
    pub lifetime: Option<u32>,
    /// Cron expression used when the manifest gives none.
    pub schedule: Option<String>,
    /// Further facts for later versions of the contract.
    pub extra: Vec<(String, String)>,
}

impl Descriptor {
    /// What is known of a plugin before it was asked.
    pub fn unknown() -> Self {
        Self {
            name: String::new(),
            version: String::new(),
            title: String::new(),
            about: String::new(),
            documentation: None,
            settings: Vec::new(),
            secrets: Vec::new(),
            unattended: false,
            interactive: false,
            rotation: Rotation::Unknown,
            access: Vec::new(),
            sealed: Vec::new(),
            lifetime: None,
            schedule: None,
            extra: Vec::new(),
        }
    }
}
