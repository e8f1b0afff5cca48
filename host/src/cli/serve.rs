//! `keepfresh serve`.

use std::io::IsTerminal as _;
use std::path::Path;

use tracing::error;

use crate::app::{self, App, Purpose, Watch};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::cli::render::account;
use crate::egress::Gate;
use crate::lifecycle::signals::Signals;
use crate::lifecycle::{hardening, init, owner};
use crate::manifest;
use crate::model::audit::Actor;
use crate::model::clock::Clock;
use crate::model::code;
use crate::sandbox::Compiler;

/// Runs the daemon until a signal ends it.
pub(super) async fn run(config: &Path, json: bool) -> Exit {
    // Before anything that takes time: a signal that comes meanwhile is neither lost nor the end of it.
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            let message = format!("signals cannot be received: {error}");
            return render::fail(code::Daemon::Failed, &message, json);
        }
    };
    if !init::is_first() {
        return daemon(config, signals, json).await;
    }
    match init::run(signals).await {
        Ok(status) => Exit::Other(status),
        Err(error) => {
            let message = format!("the daemon cannot be started as a child of process 1: {error}");
            render::fail(code::Daemon::Failed, &message, json)
        }
    }
}

async fn daemon(config: &Path, mut signals: Signals, json: bool) -> Exit {
    // Twice: the first says what to watch, and the second is read while it is watched, so that no
    // change in between is missed.
    let watched = manifest::load(config).map(|it| (Watch::over(&it), manifest::load(config)));
    let (watch, manifest) = match watched {
        Ok((watch, Ok(manifest))) => (watch, manifest),
        Ok((_, Err(problems))) | Err(problems) => return render::problems(config, &problems, json),
    };
    let (clock, gate, compiler) = (Clock::system(), Gate::system(), Compiler::itself());
    let opened = tokio::select! {
        opened = App::open(manifest, Purpose::Serve, clock, gate, compiler) => opened,
        // Nothing is under way that could be cut in half: what is being written is written by its thread.
        () = signals.stop() => return Exit::Done,
    };
    let app = match opened {
        Ok(app) => app,
        Err(error) => {
            return render::fail(error.code(), &error.to_string(), json);
        }
    };
    if std::io::stderr().is_terminal() {
        welcome(&app).await;
    }
    // Only now: the engine looks at its own memory map when it starts, which this forbids.
    hardening::hide_memory();
    match app::serve(app, watch, signals).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            // In the log, which waits for nobody: standard error may be a pipe that is not read any more.
            error!(error.code = error.code().text(), "{error}");
            error.code().exit()
        }
    }
}

/// Shows whoever sits at the terminal the link to the first account, while nobody has logged in. A log that is kept
/// somewhere never has it.
async fn welcome(app: &App) {
    let first = app.operator.first_link(&Actor::User(owner::own())).await;
    if let Ok(Some(link)) = first {
        account::first(&link);
    }
}
