//! Which calls of the kernel a process makes, as `strace` counts them. That slows it much, so that nothing else is measured at
//! the same time.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

/// How long it takes at most to have found all threads of a process.
const ATTACHING: Duration = Duration::from_millis(500);

/// Calls that are named; all others are in the sum.
const NAMED: usize = 8;

/// One that counts.
pub(crate) struct Strace {
    child: Child,
    summary: NamedTempFile,
}

impl Strace {
    /// Begins to count; nothing where there is no strace.
    pub(crate) fn on(process: u32) -> Option<Self> {
        let summary = NamedTempFile::new().unwrap();
        let mut command = Command::new("strace");
        command.args(["-c", "-f", "-p", &process.to_string(), "-o"]).arg(summary.path());
        let child = command.stderr(Stdio::null()).spawn().ok()?;
        thread::sleep(ATTACHING);
        Some(Self { child, summary })
    }

    /// What was counted, for each of so many refreshes: all calls, and the most frequent ones by their names.
    pub(crate) fn end(mut self, refreshes: f64) -> String {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self.child.wait().unwrap();
        let text = std::fs::read_to_string(self.summary.path()).unwrap();
        let mut calls = text.lines().filter_map(row).collect::<Vec<_>>();
        calls.sort_by(|a, b| b.1.total_cmp(&a.1));
        let line = |(name, calls): &(&str, f64)| format!("{name} {:.2}", calls / refreshes);
        calls.iter().take(1 + NAMED).map(line).collect::<Vec<_>>().join(", ")
    }
}

/// A call and how often it was made; the last row, `total`, is both in the same columns.
fn row(line: &str) -> Option<(&str, f64)> {
    let columns = line.split_whitespace().collect::<Vec<_>>();
    let calls = columns.get(3)?.parse().ok()?;
    Some((columns.last()?, calls))
}
