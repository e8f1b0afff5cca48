//! Entry: hardens the process, runs the command line, turns its result into an exit code.

use std::process::ExitCode;

use keepfresh::cli;
use keepfresh::lifecycle::{hardening, limits};

/// That of the system takes a lock between threads and asks the kernel more often (`docs/performance.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hardening::at_start();
    limits::raise();
    cli::run()
}
