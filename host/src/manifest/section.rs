//! The tables about Keepfresh itself: where tokens, key and plugins are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeValue;

use crate::manifest::problems::Fault;
use crate::manifest::reference::Section;
use crate::manifest::secret;
use crate::manifest::table::Table;
use crate::manifest::value::string;
use crate::model::code;
use crate::vault::source::Source;

/// Where tokens are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The file of the database.
    pub path: PathBuf,
    /// How long attempts, events and the audit log are kept.
    pub retention: Duration,
}

/// How long they are kept when nobody says so.
const RETENTION: Duration = Duration::from_hours(30 * 24);

impl Storage {
    pub(super) fn read(table: Table<'_>, folder: &Path) -> Self {
        let table = table.with(Section::Storage, "");
        let path = table.read("url", sqlite).unwrap_or_else(|| PathBuf::from("keepfresh.db"));
        let retention = table.time("retention").unwrap_or(RETENTION);
        Self { path: folder.join(path), retention }
    }
}

/// `sqlite:PATH`.
fn sqlite(value: &DeValue<'_>) -> Result<PathBuf, Fault> {
    const HELP: &str = "write \"sqlite:keepfresh.db\"";
    let fault = |label: &str, help: &str| Err(Fault::new(code::Manifest::StorageUrl, label, help));
    let url = string(value)?;
    match url.split_once(':') {
        Some(("sqlite", rest)) => match rest.strip_prefix("//").unwrap_or(rest) {
            "" => fault("an empty path", HELP),
            path if path.contains(['?', ':']) => fault("SQLite takes only a path", HELP),
            path => Ok(PathBuf::from(path)),
        },
        Some(("postgres" | "postgresql", _)) => {
            let help = "write \"sqlite:keepfresh.db\" for now";
            fault("Postgres is not supported yet", help)
        }
        Some((_, rest)) if rest.starts_with("//") => fault("only SQLite is supported", HELP),
        _ => fault("not a database URL", HELP),
    }
}

/// Where the key is that seals tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Vault {
    /// The place of the key, never the key.
    pub key: Source,
}

impl Vault {
    pub(super) fn read(table: Table<'_>, folder: &Path) -> Self {
        let table = table.with(Section::Vault, "");
        let usual = || Source::File(folder.join("keepfresh.key"));
        Self { key: secret::read_key(&table, "key", folder).unwrap_or_else(usual) }
    }
}

/// Where plugins are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugins {
    /// The folder, which is watched.
    pub dir: PathBuf,
}

impl Plugins {
    pub(super) fn read(table: Table<'_>, folder: &Path) -> Self {
        let table = table.with(Section::Plugins, "");
        let dir = table.read("dir", path).unwrap_or_else(|| PathBuf::from("plugins"));
        Self { dir: folder.join(dir) }
    }
}

fn path(value: &DeValue<'_>) -> Result<PathBuf, Fault> {
    match string(value)? {
        "" => Err(Fault::new(code::Manifest::Path, "an empty path", "write \"plugins\"")),
        path => Ok(PathBuf::from(path)),
    }
}
