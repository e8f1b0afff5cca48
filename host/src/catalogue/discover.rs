//! Reads the plugin folder: complete `.wasm` files, their bytes and digests. What is verified later is
//! what was read here, not what the file has become meanwhile.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::model::failure::{Case, Failure};
use crate::model::token::hex;
use crate::sandbox::{LoadError, MAX_COMPONENT};

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

/// The bytes of one file, if it is one and no larger than a component may be.
pub(super) fn read(path: &Path, file: &str) -> Result<Vec<u8>, Failure> {
    let unreadable = |why: &str| {
        let message = format!("{} cannot be read: {why}", path.display());
        Failure::new(Case::Misconfigured, "plugin.unreadable", message)
    };
    let found = fs::metadata(path).map_err(|it| unreadable(&it.to_string()))?;
    if !found.is_file() {
        // Opening a pipe would wait for a writer, for ever.
        return Err(unreadable("it is not a file"));
    }
    if found.len() > MAX_COMPONENT as u64 {
        let error = LoadError::TooLarge(file.to_owned(), found.len());
        return Err(Failure::new(Case::Misconfigured, error.code().to_owned(), error.to_string()));
    }
    fs::read(path).map_err(|it| unreadable(&it.to_string()))
}

/// SHA-256 in lower-case hex.
pub fn digest_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
