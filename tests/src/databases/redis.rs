//! Redis, and its own client.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::databases::serving::{START, Server, WATCHED, free_port, installed};

/// A Redis with nothing in it.
pub struct Redis {
    port: u16,
    // In this order, so that the server has ended before its folder goes.
    _server: Server,
    _folder: TempDir,
}

impl Redis {
    /// Starts one, or nothing if it is not installed.
    ///
    /// # Panics
    /// When it is installed and does not become ready.
    pub fn start() -> Option<Self> {
        let program = installed("redis-server", &["/usr/bin", "/usr/local/bin"])?;
        installed("redis-cli", &["/usr/bin", "/usr/local/bin"])?;
        let folder = tempfile::Builder::new().prefix("keepfresh-db-").tempdir().expect("a folder");
        let port = free_port();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WATCHED, "sh"]).arg(program).current_dir(folder.path());
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        let log = File::create(folder.path().join("server.log")).expect("a log file");
        let redis = Self { port, _server: Server::start(command, log), _folder: folder };
        let begun = Instant::now();
        while redis.ask(&["PING"]) != "PONG" {
            assert!(begun.elapsed() < START, "it is not ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(redis)
    }

    /// What it answers to a command.
    ///
    /// # Panics
    /// When its client cannot be started.
    pub fn ask(&self, command: &[&str]) -> String {
        let mut client = Command::new("redis-cli");
        client.args(["-p", &self.port.to_string()]).args(command).stdin(Stdio::null());
        let output = client.output().expect("redis-cli starts");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }
}
