//! Process 1 of a container: the kernel gives it every orphan of the machine, and expects it to collect
//! them. So there it does nothing else: the daemon is its child, gets the signals it gets, and ends it.

use std::io;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use tokio::signal::unix::{SignalKind, signal};

use crate::lifecycle::signals::{self, Signals};

/// Whether this is the process that collects orphans.
pub fn is_first() -> bool {
    std::process::id() == 1
}

/// Runs this program again as a child, passes signals on, collects orphans, and returns the exit code of
/// the child; the usual one if a signal ended it.
pub async fn run(mut signals: Signals) -> io::Result<u8> {
    let mut ends = signal(SignalKind::child())?;
    let child = again()?;
    let pid = Pid::from_child(&child);
    loop {
        if let Some(code) = collect(pid) {
            return Ok(code);
        }
        tokio::select! {
            _ = ends.recv() => {}
            asked = signals.next() => {
                // An error means that it has just ended by itself.
                let _ = kill_process(pid, of(asked));
            }
        }
    }
}

fn again() -> io::Result<Child> {
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    let program = std::env::current_exe().ok().or(name.map(Into::into));
    let program = program.ok_or_else(|| io::Error::other("it does not know its own path"))?;
    Command::new(program).args(arguments).spawn()
}

fn of(asked: signals::Signal) -> Signal {
    match asked {
        signals::Signal::Terminate => Signal::TERM,
        signals::Signal::Interrupt => Signal::INT,
        signals::Signal::Reload => Signal::HUP,
    }
}

/// Collects whatever has ended; what `awaited` came to, if it was among it.
fn collect(awaited: Pid) -> Option<u8> {
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == awaited {
            let code = status.exit_status().or(status.terminating_signal().map(|it| 128 + it));
            return code.and_then(|it| u8::try_from(it).ok()).or(Some(1));
        }
    }
    None
}
