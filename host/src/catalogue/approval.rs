//! A plugin file that an operator inspects and may approve. It is read once, so that what is shown,
//! what is hashed and what is approved are the same bytes, whatever happens to the file meanwhile.

use std::path::Path;

use jiff::Timestamp;

use crate::catalogue::discover::{Found, digest_of, refusal};
use crate::catalogue::grant;
use crate::catalogue::lock::{LockEntry, LockFile};
use crate::model::failure::Failure;
use crate::model::said::for_a_shell;
use crate::sandbox::{Program, Sandbox};

/// A file that was read and loaded.
pub struct Candidate {
    file: String,
    digest: String,
    program: Program,
}

impl Candidate {
    /// Reads and loads the file at `path`.
    pub async fn read(path: &Path, sandbox: &Sandbox, now: Timestamp) -> Result<Self, Failure> {
        let found = Found::at(path);
        let bytes = found.read()?;
        let digest = digest_of(&bytes);
        let loaded = sandbox.load(&found.file, bytes, &digest, None, now).await;
        let program = loaded.map_err(|it| refusal(&it))?;
        Ok(Self { file: found.file, digest, program })
    }

    /// SHA-256 of the file in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it does.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The command that approves this file and no other, under that manifest.
    pub fn command(&self, manifest: &Path) -> String {
        let command = command(&self.file, &self.digest);
        match manifest.to_string_lossy() {
            usual if usual == "keepfresh.toml" => command,
            other => format!("{command} --config {}", for_a_shell(&other)),
        }
    }

    /// What it asks for beyond what was approved, in words; `None` if it never was.
    pub fn asks_beyond(&self, lock: &LockFile) -> Option<Vec<String>> {
        Some(grant::widened(lock.entry(&self.file)?, &self.wishes()))
    }

    /// Lets it have what it asks for.
    pub fn approve(&self, lock: &mut LockFile) {
        lock.approve(&self.file, self.wishes());
    }

    fn wishes(&self) -> LockEntry {
        LockEntry::of(&self.program, &self.digest)
    }
}

/// The command that approves `file` as long as it has this digest.
pub(super) fn command(file: &str, digest: &str) -> String {
    let name = file.strip_suffix(".wasm").unwrap_or(file);
    format!("keepfresh plugin approve {} --digest sha256:{digest}", for_a_shell(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_one_file_and_its_digest_and_nothing_else_in_a_shell() {
        for (file, name) in [
            ("eskiz.wasm", "eskiz"),
            ("google-oauth.wasm", "google-oauth"),
            ("a b.wasm", "'a b'"),
            ("x;rm -rf ~.wasm", "'x;rm -rf ~'"),
            ("it's.wasm", r"'it'\''s'"),
            ("-x.wasm", "'-x'"),
        ] {
            let expected = format!("keepfresh plugin approve {name} --digest sha256:00ff");
            assert_eq!(command(file, "00ff"), expected);
        }
    }
}
