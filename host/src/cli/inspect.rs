//! `keepfresh plugin inspect FILE`: what a plugin asks for, before it is approved.

use std::path::Path;

use serde_json::json;

use crate::catalogue::Candidate;
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::descriptor::Field;
use crate::model::said;
use crate::sandbox::{Compiler, Sandbox};

pub(super) async fn run(config: &Path, path: &Path, as_json: bool) -> Exit {
    let sandbox = match Sandbox::start(Compiler::itself()) {
        Ok(sandbox) => sandbox,
        Err(error) => {
            return render::fail(code::Internal::Engine, &error.to_string(), as_json);
        }
    };
    match Candidate::read(path, &sandbox, Clock::system().now()).await {
        Ok(candidate) => {
            render::inspected(&report(&candidate, config), as_json);
            Exit::Done
        }
        Err(failure) => render::failure(&failure, as_json),
    }
}

/// The stable JSON of `plugin inspect`.
fn report(candidate: &Candidate, config: &Path) -> serde_json::Value {
    let program = candidate.program();
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
        "digest": said::digest(candidate.digest()),
        "approve": candidate.command(config),
        "imports": program.imports(),
        "exports": program.exports(),
        "access": descriptor.access.iter().map(|it| &it.request).collect::<Vec<_>>(),
        "sends": descriptor.access.iter().map(|it| json!({ "request": it.request, "carries": it.carries, "sentence": descriptor.sentence(it) })).collect::<Vec<_>>(),
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
