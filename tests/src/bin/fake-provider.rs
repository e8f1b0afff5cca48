//! Runs one fake provider in a process of its own, for demos and for tests that kill things.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use e2e::provider::{
    FakeProvider,
    options::{self, Options},
};
use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

fn main() -> ExitCode {
    let result = match options::parse(env::args().skip(1)) {
        Ok(options) => run(options).map_err(|error| error.to_string()),
        Err(message) => Err(format!("{message}\n\n{}", options::usage())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nothing is left to do when stderr is gone.
            let _ = writeln!(io::stderr(), "fake-provider: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(options: Options) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(options))
}

async fn serve(options: Options) -> io::Result<()> {
    // Before the line that says it is ready, so that whoever reads it may end us.
    let mut terminate = signal(SignalKind::terminate())?;
    let fake = FakeProvider::listen(options.kind, options.listen)?;
    if let Some(entries) = options.journal {
        fake.control().limit_journal(entries);
    }
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", fake.base_url())?;
    stdout.flush()?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = ctrl_c() => interrupted,
    }
}
