//! Entry: hardens the process, runs the command line, turns its result into an exit code.

use std::process::ExitCode;

use keepfresh::cli;
use keepfresh::lifecycle::{hardening, limits};

fn main() -> ExitCode {
    hardening::at_start();
    limits::raise();
    cli::run()
}
