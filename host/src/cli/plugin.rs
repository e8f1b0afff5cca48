//! `keepfresh plugin approve NAME`: writes into `keepfresh.lock` what a file asks for now.

use std::path::Path;

use crate::catalogue::{LockEntry, LockFile, digest_of};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::manifest;
use crate::model::clock::Clock;
use crate::operator::lock_path;
use crate::sandbox::{Compiler, Sandbox};

pub(super) async fn approve(config: &Path, name: &str, json: bool) -> Exit {
    let manifest = match manifest::load(config) {
        Ok(manifest) => manifest,
        Err(problems) => return render::problems(config, &problems, json),
    };
    let file = format!("{}.wasm", name.trim_end_matches(".wasm"));
    let path = manifest.plugins.dir.join(&file);
    let fail = |code: &str, text: &str| render::fail(code, text, json, Exit::Failed);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return fail(
                "plugin.unreadable",
                &format!("{} cannot be read: {error}", path.display()),
            );
        }
    };
    let digest = digest_of(&bytes);
    let sandbox = match Sandbox::start(Compiler::itself()) {
        Ok(sandbox) => sandbox,
        Err(error) => return fail("internal.engine", &error.to_string()),
    };
    let program = match sandbox.load(&file, bytes, &digest, None, Clock::system().now()).await {
        Ok(program) => program,
        Err(error) => return fail(error.code(), &error.to_string()),
    };
    let path = lock_path(&manifest);
    let mut lock = LockFile::read(&path);
    if lock.is_damaged() {
        let text = format!(
            "{} cannot be read; restore it, or remove it to approve every plugin anew",
            path.display()
        );
        return fail("plugin.lock_damaged", &text);
    }
    lock.approve(&file, LockEntry::of(&program, &digest));
    if let Err(error) = lock.write(&path) {
        return fail(
            "plugin.lock_unwritable",
            &format!("{} cannot be written: {error}", path.display()),
        );
    }
    render::hint(&format!(
        "approved {file} {}; a running daemon takes it at its next reload (SIGHUP)",
        program.descriptor().version
    ));
    Exit::Done
}
