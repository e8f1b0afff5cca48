//! Servers of others: where they are, as whom they run, and that they end with the test.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a server may take to be ready, on a machine that is busy with other tests.
pub(super) const START: Duration = Duration::from_mins(1);

/// Runs a server until the input ends, so that a test that is killed leaves nothing behind.
pub(super) const WATCHED: &str = "\"$@\" <&- & server=$!; cat; kill -9 $server; wait $server";

/// A server that runs.
pub(super) struct Server(Child);

impl Server {
    pub(super) fn start(mut command: Command, log: File) -> Self {
        let output = log.try_clone().expect("a log file");
        Self(command.stdin(Stdio::piped()).stdout(output).stderr(log).spawn().expect("a shell"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// PostgreSQL does not run as root.
pub(super) fn as_its_user(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if rustix::process::geteuid().is_root()
        && let Some((user, group)) = user_named("postgres")
    {
        command.uid(user).gid(group);
        chown(folder, Some(user), Some(group)).expect("root may do that");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    command
}

fn user_named(name: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let fields = users.lines().map(|it| it.split(':').collect::<Vec<_>>());
    let one = fields.into_iter().find(|it| it.first() == Some(&name))?;
    Some((one.get(2)?.parse().ok()?, one.get(3)?.parse().ok()?))
}

/// Debian keeps them out of the way, each version in a folder of its own.
pub(super) fn postgres_program(name: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders = versions.map(|it| it.path().join("bin")).collect::<Vec<_>>();
    folders.sort();
    folders.extend(["/usr/bin", "/usr/local/bin"].map(PathBuf::from));
    let found = folders.iter().rev().map(|it| it.join(name)).find(|it| it.exists());
    found.or_else(|| skipped("PostgreSQL"))
}

pub(super) fn installed(program: &str, folders: &[&str]) -> Option<PathBuf> {
    let found = folders.iter().map(|it| Path::new(it).join(program)).find(|it| it.exists());
    found.or_else(|| skipped(program))
}

fn skipped<T>(what: &str) -> Option<T> {
    crate::say(&format!("skipped: {what} is not installed; run ./dev servers"));
    None
}

pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    listener.expect("a free port").port()
}
