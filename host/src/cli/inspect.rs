//! `keepfresh plugin inspect FILE`: what a file would ask for, before anybody lets it.

use std::path::Path;

use serde_json::json;

use crate::catalogue::digest_of;
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::model::clock::Clock;
use crate::model::descriptor::Field;
use crate::sandbox::{Compiler, Program, Sandbox};

pub(super) async fn run(path: &Path, as_json: bool) -> Exit {
    let fail = |code: &str, text: &str| render::fail(code, text, as_json, Exit::Failed);
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return fail(
                "plugin.unreadable",
                &format!("{} cannot be read: {error}", path.display()),
            );
        }
    };
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let digest = digest_of(&bytes);
    let sandbox = match Sandbox::start(Compiler::itself()) {
        Ok(sandbox) => sandbox,
        Err(error) => return fail("internal.engine", &error.to_string()),
    };
    match sandbox.load(&file, bytes, &digest, None, Clock::system().now()).await {
        Ok(program) => {
            render::inspected(&report(&program, &digest), as_json);
            Exit::Done
        }
        Err(error) => fail(error.code(), &error.to_string()),
    }
}

/// The stable JSON of `plugin inspect`.
fn report(program: &Program, digest: &str) -> serde_json::Value {
    let descriptor = program.descriptor();
    let fields = |fields: &[Field]| {
        let one = |it: &Field| json!({ "name": it.name, "title": it.title, "help": it.help, "required": it.required, "default": it.default });
        fields.iter().map(one).collect::<Vec<_>>()
    };
    json!({
        "name": descriptor.name,
        "version": descriptor.version,
        "title": descriptor.title,
        "about": descriptor.about,
        "documentation": descriptor.documentation,
        "digest": format!("sha256:{digest}"),
        "imports": program.imports(),
        "exports": program.exports(),
        "access": descriptor.access,
        "reads": descriptor.reads,
        "sealed": descriptor.sealed,
        "signs": descriptor.signs,
        "secrets": fields(&descriptor.secrets),
        "settings": fields(&descriptor.settings),
        "rotation": descriptor.rotation,
        "unattended": descriptor.unattended,
        "interactive": descriptor.interactive,
        "lifetime": descriptor.lifetime,
        "schedule": descriptor.schedule,
    })
}
