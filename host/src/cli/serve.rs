//! `keepfresh serve`.

use std::path::Path;

use crate::app::{self, App, Purpose, Watch};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::egress::Gate;
use crate::lifecycle::hardening;
use crate::manifest;
use crate::model::clock::Clock;
use crate::sandbox::Compiler;

/// Runs the daemon until a signal ends it.
pub(super) async fn run(config: &Path, json: bool) -> Exit {
    // Twice: the first says what to watch, and the second is read while it is watched, so that no
    // change in between is missed.
    let watched = manifest::load(config).map(|it| (Watch::over(&it), manifest::load(config)));
    let (watch, manifest) = match watched {
        Ok((watch, Ok(manifest))) => (watch, manifest),
        Ok((_, Err(problems))) | Err(problems) => return render::problems(config, &problems, json),
    };
    let (clock, gate, compiler) = (Clock::system(), Gate::system(), Compiler::itself());
    let app = match App::open(manifest, Purpose::Serve, clock, gate, compiler).await {
        Ok(app) => app,
        Err(error) => {
            return render::fail(error.code(), &error.to_string(), json);
        }
    };
    // Only now: the engine looks at its own memory map when it starts, which this forbids.
    hardening::hide_memory();
    match app::serve(app, watch).await {
        Ok(()) => Exit::Done,
        Err(error) => render::fail(error.code(), &error.to_string(), json),
    }
}
