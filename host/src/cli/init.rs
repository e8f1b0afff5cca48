//! `keepfresh init`: a manifest to start from, and a key. Existing files are never changed.

use std::fs::{OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::cli::exit::Exit;
use crate::cli::render;
use crate::manifest::template::TEMPLATE;
use crate::manifest::{self, Manifest};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::storage::Storage;
use crate::vault::key::MasterKey;
use crate::vault::source::Source;

pub(super) async fn run(config: &Path, json: bool) -> Exit {
    let made = match write_new(config) {
        Ok(made) => made,
        Err(error) => {
            let text = format!("{} cannot be written: {error}", config.display());
            return render::fail(code::Init::Unwritable, &text, json);
        }
    };
    let manifest = match manifest::load(config) {
        Ok(manifest) => manifest,
        Err(problems) => return render::problems(config, &problems, json),
    };
    let mut files = vec![("manifest", config, made)];
    let Source::File(key) = &manifest.vault.key else {
        render::made(&files, json);
        return Exit::Done;
    };
    match make_key(key, &manifest).await {
        Ok(made) => {
            files.push(("key", key.as_path(), made));
            render::made(&files, json);
            if made {
                say_next(config, &manifest);
            }
            Exit::Done
        }
        Err(failure) => render::failure(&failure, json),
    }
}

/// Whether the key was made; one that is there is left as it is.
async fn make_key(key: &Path, manifest: &Manifest) -> Result<bool, Failure> {
    if key.exists() {
        return Ok(false);
    }
    if is_sealed(&manifest.storage.path).await {
        let text = format!(
            "{} is missing, but {} was sealed with a key; restore that key, because a new one cannot decrypt it; if nothing in it is needed, move the database away",
            key.display(),
            manifest.storage.path.display()
        );
        return Err(Failure::new(Case::HostFault, code::Vault::KeyMissing, text));
    }
    let made = MasterKey::generate_file(key);
    made.map_err(|it| Failure::new(Case::HostFault, it.code(), it.to_string()))?;
    Ok(true)
}

fn say_next(config: &Path, manifest: &Manifest) {
    render::hint("keep a copy of the key elsewhere: without it the tokens cannot be decrypted");
    let dir = manifest.plugins.dir.display();
    render::hint(format!(
        "next: put a plugin into {dir}, name it in {}, and run: keepfresh check",
        config.display()
    ));
}

/// Whether something may be sealed in the database with a key that is gone. A keyring that is empty never had
/// one: a start that failed has left the file.
async fn is_sealed(database: &Path) -> bool {
    if std::fs::metadata(database).map_or(true, |it| it.len() == 0) {
        return false;
    }
    let Ok(Some(storage)) = Storage::open_as_it_is(database).await else { return true };
    let has_keys = storage.keyring().await.map_or(true, |it| !it.is_empty());
    let sealed = has_keys || storage.holds_sealed().await.unwrap_or(true);
    storage.close().await;
    sealed
}

/// Whether the file was created; an existing one is left unchanged.
fn write_new(path: &Path) -> std::io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            // It holds no secret, and whoever checks a deployment reads it.
            file.set_permissions(Permissions::from_mode(0o644))?;
            file.write_all(TEMPLATE.as_bytes()).map(|()| true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
