//! `keepfresh compile-component`: this program runs it itself, to compile a plugin in a process
//! that has limits. It is not meant to be typed, so it is not a verb of the command line; and it
//! comes before anything is read or started, because a compiler should not have what it does not
//! need.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::cli::exit::Exit;
use crate::sandbox;

/// Whether this process is to be the compiler.
pub(super) fn is_asked_for() -> bool {
    std::env::args_os().nth(1).is_some_and(|it| it == sandbox::COMPILE)
}

/// Compiles what comes in on standard input.
pub(super) fn run() -> ExitCode {
    let input = io::stdin().lock();
    if input.is_terminal() {
        say("keepfresh runs this itself to compile plugins; it is not meant to be run by hand");
        return Exit::Usage.into();
    }
    match sandbox::compile_one(input, io::stdout().lock()) {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            say(&error.to_string());
            Exit::Failed.into()
        }
    }
}

fn say(text: &str) {
    // Nobody is left to tell when the pipe is closed.
    let _ = writeln!(io::stderr(), "{text}");
}
