//! The signals of the operating system as values. Decides nothing about them.

use std::io;

use tokio::signal::unix::{self, SignalKind};

/// What the operator asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: systemd, Kubernetes or `kill` asks for a stop.
    Terminate,
    /// SIGINT: a person pressed Ctrl-C.
    Interrupt,
    /// SIGHUP: read the manifest again.
    Reload,
}

/// A stream of signals. From the first one on, none of the three ends the process by itself.
#[derive(Debug)]
pub struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    reload: unix::Signal,
}

impl Signals {
    /// Starts listening; a signal that comes before the first [`Signals::next`] is kept.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: unix::signal(SignalKind::terminate())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
            reload: unix::signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one that stops; a wish to reload is kept for [`Signals::next`].
    pub async fn stop(&mut self) {
        tokio::select! {
            Some(()) = self.terminate.recv() => {}
            Some(()) = self.interrupt.recv() => {}
            else => std::future::pending().await,
        }
    }

    /// Waits for the next signal. Several of one kind may arrive as one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            Some(()) = self.terminate.recv() => Signal::Terminate,
            Some(()) = self.interrupt.recv() => Signal::Interrupt,
            Some(()) = self.reload.recv() => Signal::Reload,
            // The streams end with the runtime, and then nobody is left to tell.
            else => std::future::pending().await,
        }
    }
}
