//! The command line: what can be typed, and who carries it out. Holds no state and takes no decision.

mod access;
mod arguments;
mod browser;
mod callback;
mod check;
mod compile;
mod config;
mod connect;
mod dispatch;
mod exit;
mod explain;
mod export;
mod follow;
mod found;
mod healthcheck;
mod import;
mod init;
mod inspect;
mod listing;
mod loopback;
mod paste;
mod patience;
mod plugin;
mod provider;
mod reference;
mod render;
mod run;
mod serve;
mod session;
mod traces;
mod visiting;

use std::process::ExitCode;

use clap::{Error, Parser as _};
use tracing::warn;

use arguments::{Arguments, Verb};
use dispatch::dispatch;
use exit::Exit;
use render::door;

use crate::model::code;
use crate::model::plain::escaped;
use crate::telemetry;
use crate::vault::source;

/// Reads the command line, carries it out, and says how it went.
pub fn run() -> ExitCode {
    if compile::is_asked_for() {
        return compile::run();
    }
    if browser::is_asked_for() {
        return browser::run();
    }
    let arguments = Arguments::try_parse().unwrap_or_else(|error| misread(&error));
    let format = match (&arguments.verb, arguments.json) {
        (Verb::Serve, true) => telemetry::Format::Json,
        _ => telemetry::Format::Text,
    };
    let quiet =
        if matches!(arguments.verb, Verb::Serve) { telemetry::DEFAULT_FILTER } else { "error" };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let message = format!("cannot start: {error}");
            return render::fail(code::Internal::Runtime, &message, false).into();
        }
    };
    let traces = traces::wanted(&arguments.verb, runtime.handle());
    let filter = source::variable("KEEPFRESH_LOG");
    let filter = filter.as_deref().unwrap_or(quiet);
    let _flushed =
        match telemetry::init(format, filter, traces.as_ref().ok().and_then(Option::as_ref)) {
            Ok(flush) => flush,
            Err(error) => {
                return render::fail(code::Command::Usage, &error.to_string(), arguments.json)
                    .into();
            }
        };
    if let Err(why) = &traces {
        warn!("{why}");
    }
    let exit = printed(runtime.block_on(dispatch(arguments)));
    if let Ok(Some(traces)) = &traces {
        traces.end();
    }
    exit.into()
}

/// `exit`, unless what the command found could not be printed. A reader that has gone away wanted no more.
fn printed(exit: Exit) -> Exit {
    match door::fault() {
        Some(error) => {
            let message = format!("the result could not be written to standard output: {error}");
            // Not as JSON: that would go the same way.
            render::fail(code::Command::Unprinted, &message, false)
        }
        None => exit,
    }
}

/// Says why the command line cannot be read, or its help. What was typed is quoted there and may come
/// from elsewhere, so it is quoted as it would be in any other line.
fn misread(error: &clap::Error) -> ! {
    let typed = std::env::args_os().map(|it| escaped(&it.to_string_lossy()).into_owned());
    let typed = typed.collect::<Vec<_>>();
    let plain = match Arguments::try_parse_from(&typed) {
        Err(plain) => plain,
        // It is read once what is hidden is written out: nothing is left to quote.
        Ok(_) => Error::raw(error.kind(), "an argument contains invisible characters\n"),
    };
    if plain.use_stderr() && typed.iter().any(|it| it == "--json") {
        let exit = render::fail(code::Command::Usage, &mistake(&plain), true);
        std::process::exit(exit.number().into());
    }
    plain.exit()
}

/// What is wrong with the command line, in one line: how it is written right is for people.
fn mistake(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let said = text.split("\n\nUsage:").next().unwrap_or_default();
    let said = said.split("\n\nFor more information").next().unwrap_or_default();
    let lines = said.lines().map(str::trim).filter(|it| !it.is_empty());
    lines.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").to_owned()
}
