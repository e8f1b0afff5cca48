//! Compiled components, kept beside the database so that a restart does not compile again.
//!
//! Compiled code is machine code: a process that can write it can do anything. So it is never taken from the
//! plugin folder, its name binds the component and this exact engine, and it is used only under a seal
//! made with a key that is not on the disk in clear. Whatever does not fit is compiled again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tracing::{debug, warn};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::model::code;
use crate::vault::Vault;

/// Bytes of the seal at the head of each file.
const SEAL: usize = 32;

/// A folder of sealed, compiled components.
#[derive(Clone)]
pub struct Cache {
    dir: PathBuf,
    vault: Vault,
    keeps: bool,
}

impl Cache {
    /// The cache in `dir`, made when it is first used; unless it `keeps` what is new, it is only read.
    pub fn new(dir: PathBuf, vault: Vault, keeps: bool) -> Self {
        Self { dir, vault, keeps }
    }

    /// The compiled form of the component with this `digest`, if there is a sound one.
    pub(in crate::sandbox) fn find(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let path = self.path(engine, digest);
        let file = std::fs::read(&path).ok()?;
        let (seal, code) = file.split_at_checked(SEAL)?;
        if !self.vault.verify_mac(&sealed_part(&path, code), seal) {
            warn!(
                error.code = code::PluginFile::CacheDamaged.text(),
                "{} does not match its seal; compiling it again",
                path.display()
            );
            return None;
        }
        load_sealed(engine, code)
    }

    /// Keeps the compiled form; a failure costs only time at the next start.
    pub(in crate::sandbox) fn keep(&self, engine: &Engine, digest: &str, code: &[u8]) {
        if !self.keeps {
            return;
        }
        let path = self.path(engine, digest);
        let mut file = self.seal(&path, code).to_vec();
        file.extend_from_slice(code);
        if let Err(error) = write_private(&self.dir, &path, &file) {
            debug!("{} could not be written: {error}", path.display());
        }
    }

    fn path(&self, engine: &Engine, digest: &str) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.dir.join(format!("{digest}-{:016x}.compiled", hasher.finish()))
    }

    fn seal(&self, path: &Path, code: &[u8]) -> [u8; SEAL] {
        self.vault.mac(&sealed_part(path, code))
    }
}

/// Binds the file's name too, so that one sealed file cannot stand in for another.
fn sealed_part(path: &Path, code: &[u8]) -> Vec<u8> {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    [name, &[0], code].concat()
}

/// The component of code whose seal was just checked: the cache's, or that of the compiler's answer.
#[expect(unsafe_code, reason = "the only way to load compiled code; its seal was just checked")]
pub(in crate::sandbox) fn load_sealed(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: these bytes came from wasmtime's compiler in this program, and are as it wrote them. Those
    // of a file were sealed with a key that only this program has, over a name that binds the engine's
    // version and settings; those of the compiler's process with a key that was made for this answer.
    unsafe { Component::deserialize(engine, code) }.ok()
}

fn write_private(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    io::Write::write_all(&mut file, bytes)?;
    std::fs::rename(&temporary, path)
}
