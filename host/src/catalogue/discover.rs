//! Reads the plugin folder: `.wasm` files, their digests, and the bytes of those that are wanted. What is
//! verified later is what was read here, not what the file has become meanwhile.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::token::hex;
use crate::sandbox::{LoadError, MAX_COMPONENT};

/// A file of the folder.
pub(super) struct Found {
    /// Its name.
    pub(super) file: String,
    path: PathBuf,
}

impl Found {
    /// The file at `path`, whichever it is.
    pub(super) fn at(path: &Path) -> Self {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { file, path: path.to_owned() }
    }
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
            Some(Found { file, path })
        })
        .collect::<Vec<_>>();
    found.sort_by(|a, b| a.file.cmp(&b.file));
    found
}

impl Found {
    /// What is in it, or why it could not be read.
    pub(super) fn read(&self) -> Result<Vec<u8>, Failure> {
        self.check()?;
        fs::read(&self.path).map_err(|it| self.unreadable(&it.to_string()))
    }

    /// Its digest, without keeping what is in it.
    pub(super) fn digest(&self) -> Result<String, Failure> {
        self.check()?;
        digest_of_file(&self.path).map_err(|it| self.unreadable(&it.to_string()))
    }

    fn check(&self) -> Result<(), Failure> {
        let found = fs::metadata(&self.path).map_err(|it| self.unreadable(&it.to_string()))?;
        if !found.is_file() {
            // Opening a pipe would wait for a writer forever.
            return Err(self.unreadable("it is not a file"));
        }
        if found.len() > MAX_COMPONENT as u64 {
            return Err(refusal(&LoadError::TooLarge(self.file.clone(), found.len())));
        }
        Ok(())
    }

    fn unreadable(&self, why: &str) -> Failure {
        let message = format!("{} cannot be read: {why}", self.path.display());
        Failure::new(Case::Misconfigured, code::PluginFile::Unreadable, message)
    }
}

/// Why a file is not used, as others see it.
pub(super) fn refusal(error: &LoadError) -> Failure {
    Failure::new(Case::Misconfigured, error.code(), error.to_string())
}

fn digest_of_file(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex(&hasher.finalize())),
            length => hasher.update(&piece[..length]),
        }
    }
}

/// SHA-256 in lower-case hex.
pub fn digest_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
