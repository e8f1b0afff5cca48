//! A running `keepfresh serve`: ready when its socket answers, ended with the test.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a daemon may take to be ready, on a machine that is busy with other tests.
const START: Duration = Duration::from_secs(30);

/// How long a test waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command` and waits for the socket.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn start(command: Command, socket: &Path, log: PathBuf) -> Self {
        let file = File::options().create(true).append(true).open(&log).expect("a log file");
        Self::start_with(command, socket, log, file.into())
    }

    /// The same with its log sent to `stderr`, whoever reads it there.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn start_with(mut command: Command, socket: &Path, log: PathBuf, stderr: Stdio) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        let child = command.spawn().expect("the daemon starts");
        let mut daemon = Self { child, log };
        let begun = Instant::now();
        while UnixStream::connect(socket).is_err() {
            let ended = daemon.child.try_wait().expect("the daemon can be asked");
            assert!(ended.is_none(), "the daemon ended: {}", daemon.log());
            assert!(begun.elapsed() < START, "the daemon is not ready: {}", daemon.log());
            thread::sleep(Duration::from_millis(5));
        }
        daemon
    }

    /// Everything it has logged, and its predecessors in the same home.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the daemon is there");
    }

    /// Ends it with SIGTERM and waits for it.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.child.wait().expect("the daemon ends")
    }

    /// Ends it with SIGKILL.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `true`.
///
/// # Panics
/// When that takes too long.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
