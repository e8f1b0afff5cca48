//! `keepfresh init`: a manifest to start from, and a key. Existing files are never changed.

use std::fs::{OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::cli::exit::Exit;
use crate::cli::render;
use crate::manifest;
use crate::manifest::template::TEMPLATE;
use crate::model::code;
use crate::vault::key::MasterKey;
use crate::vault::source::Source;

pub(super) fn run(config: &Path, json: bool) -> Exit {
    let made = match write_new(config) {
        Ok(made) => made,
        Err(error) => {
            let text = format!("{} cannot be written: {error}", config.display());
            return render::fail(code::Init::Unwritable, &text, json);
        }
    };
    say(config, made);
    let manifest = match manifest::load(config) {
        Ok(manifest) => manifest,
        Err(problems) => return render::problems(config, &problems, json),
    };
    let Source::File(key) = &manifest.vault.key else { return Exit::Done };
    if key.exists() {
        say(key, false);
        return Exit::Done;
    }
    if manifest.storage.path.exists() {
        let text = format!(
            "{} is missing, but {} was sealed with a key; restore that key, because a new one cannot decrypt it",
            key.display(),
            manifest.storage.path.display()
        );
        return render::fail(code::Vault::KeyMissing, &text, json);
    }
    match MasterKey::generate_file(key) {
        Ok(_) => {
            say(key, true);
            render::hint(
                "keep a copy of the key elsewhere: without it the tokens cannot be decrypted",
            );
            let dir = manifest.plugins.dir.display();
            render::hint(format!(
                "next: put a plugin into {dir}, name it in {}, and run: keepfresh check",
                config.display()
            ));
            Exit::Done
        }
        Err(error) => render::fail(error.code(), &error.to_string(), json),
    }
}

fn say(path: &Path, made: bool) {
    let what = if made { "wrote" } else { "kept" };
    render::hint(format!("{what} {}", path.display()));
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
