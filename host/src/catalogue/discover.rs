//! Reads the plugin folder: complete `.wasm` files, their bytes and digests. What is verified later is
//! what was read here, not what the file has become meanwhile.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::model::failure::{Case, Failure};
use crate::model::token::hex;
use crate::sandbox::MAX_COMPONENT;

/// A file of the folder.
pub(super) struct Found {
    /// Its name.
    pub(super) file: String,
    /// What is in it, or why it could not be read.
    pub(super) bytes: Result<Vec<u8>, Failure>,
}

/// Every `.wasm` file in `dir`, by name. A folder that is not there is empty.
pub(super) fn folder(dir: &Path) -> Vec<Found> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found = entries
        .filter_map(Result::ok)
        .map(|it| it.path())
        .filter(|it| it.extension().is_some_and(|it| it == "wasm"))
        .filter_map(|path| {
            let file = path.file_name()?.to_str()?.to_owned();
            Some(Found { bytes: read(&path, &file), file })
        })
        .collect::<Vec<_>>();
    found.sort_by(|a, b| a.file.cmp(&b.file));
    found
}

fn read(path: &Path, file: &str) -> Result<Vec<u8>, Failure> {
    let refuse = |code: &'static str, message| Failure::new(Case::Misconfigured, code, message);
    let size = fs::metadata(path).map(|it| it.len()).unwrap_or_default();
    if size > MAX_COMPONENT as u64 {
        let message =
            format!("{file} is {} MiB; the limit is {} MiB", size >> 20, MAX_COMPONENT >> 20);
        return Err(refuse("plugin.too_large", message));
    }
    fs::read(path).map_err(|error| {
        refuse("plugin.unreadable", format!("{} cannot be read: {error}", path.display()))
    })
}

/// SHA-256 in lower-case hex.
pub fn digest_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
