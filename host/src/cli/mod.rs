//! The command line: what can be typed, and who carries it out. Holds no state and takes no decision.

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
mod import;
mod init;
mod inspect;
mod listing;
mod loopback;
mod paste;
mod patience;
mod plugin;
mod render;
mod run;
mod serve;
mod session;
mod visiting;

use std::process::ExitCode;

use clap::{Error, Parser as _};

use arguments::{Arguments, Verb};
use dispatch::dispatch;

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
    let filter = source::variable("KEEPFRESH_LOG");
    let _flushed = match telemetry::init(format, filter.as_deref().unwrap_or(quiet)) {
        Ok(flush) => flush,
        Err(error) => {
            return render::fail(code::Command::Usage, &error.to_string(), arguments.json).into();
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(dispatch(arguments)).into(),
        Err(error) => {
            render::fail(code::Internal::Runtime, &format!("cannot start: {error}"), false).into()
        }
    }
}

/// Says why the command line cannot be read, or its help. What was typed is quoted there and may come
/// from elsewhere, so it is quoted as it would be in any other line.
fn misread(error: &clap::Error) -> ! {
    let typed = std::env::args_os().map(|it| escaped(&it.to_string_lossy()).into_owned());
    match Arguments::try_parse_from(typed) {
        Err(plain) => plain.exit(),
        // It is read once what is hidden is written out: nothing is left to quote.
        Ok(_) => Error::raw(error.kind(), "an argument contains invisible characters\n").exit(),
    }
}
