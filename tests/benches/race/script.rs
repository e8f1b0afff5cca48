//! Services as people write them by hand: one in Node, one in Python, each over a database of its own. They are in
//! `racers/`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use e2e::database::Database;
use e2e::servers;
use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::entrants::Who;
use crate::provider::Provider;
use crate::provider::desk::{CLIENT_ID, CLIENT_SECRET};
use crate::provider::tokens;
use crate::racer::Racer;

/// Refreshes that they have under way at once. More are no faster: while one is written, all others wait.
const AT_ONCE: &str = "16";

const SCHEMA: &str = include_str!("racers/schema.sql");

const ROWS: &str = "
    insert into connections (id, provider, name, access_token, refresh_token, expires_at)
    select key, 'people', 'p' || key, 'at-old', value, 1000 + key from json_each(?)";

const KEPT: &str = "select refresh_token from connections order by id";

/// What each of them begins with, and how they are started.
pub(crate) struct Scripts {
    folder: TempDir,
    node: Option<PathBuf>,
    python: Option<PathBuf>,
}

impl Scripts {
    /// A database of so many connections, all of which are due.
    pub(crate) fn new(many: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("begin.db");
        fs::write(&path, "").unwrap();
        let database = Database::at(&path);
        database.run(SCHEMA);
        let all = serde_json::json!((0..many).map(tokens::first).collect::<Vec<_>>());
        let _ = database.texts(ROWS, &[&all.to_string()]);
        Self { folder, node: node(), python: python() }
    }

    /// One at its start; nothing where it is not installed.
    pub(crate) fn start(
        &self,
        who: Who,
        provider: &Provider,
        tls: Option<&Certificate>,
    ) -> Option<Box<dyn Racer>> {
        let mut command = match who {
            Who::Node => with("node", self.node.as_ref()?),
            Who::Aiohttp => with(self.python.as_ref()?, &here("python.py")),
            Who::Keepfresh(..) => return None,
        };
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("connections.db");
        fs::copy(self.folder.path().join("begin.db"), &database).unwrap();
        command.env("DATABASE", &database).env("AT_ONCE", AT_ONCE);
        command.env("TOKEN_URL", provider.token_url());
        command.env("CLIENT_ID", CLIENT_ID).env("CLIENT_SECRET", CLIENT_SECRET);
        if let Some(tls) = tls {
            command.env("NODE_EXTRA_CA_CERTS", tls.authority());
            command.env("SSL_CERT_FILE", tls.authority());
        }
        Some(Box::new(Script::start(command, folder)))
    }
}

/// The script beside the packages that it needs, where Node looks for them.
fn node() -> Option<PathBuf> {
    let script = installed("racers-node")?.join("node.mjs");
    fs::copy(here("node.mjs"), &script).unwrap();
    Some(script)
}

fn python() -> Option<PathBuf> {
    Some(installed("racers-python")?.join("bin/python"))
}

/// The folder of what `./dev bench` installs under this name.
fn installed(name: &str) -> Option<PathBuf> {
    let found = servers::found(name);
    if found.is_none() {
        println!("not raced: {name} is not installed; run ./dev bench, and see what it says of it");
    }
    found
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/race/racers").join(name)
}

fn with(program: impl AsRef<std::ffi::OsStr>, script: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(script);
    command
}

/// One of them, which does nothing until it is told to.
struct Script {
    child: Child,
    input: Option<ChildStdin>,
    folder: TempDir,
}

impl Script {
    fn start(mut command: Command, folder: TempDir) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{command:?}");
        let input = child.stdin.take();
        Self { child, input, folder }
    }
}

impl Racer for Script {
    fn process(&self) -> u32 {
        self.child.id()
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.child.id()]
    }

    fn go(&mut self) {
        self.input.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// The refresh token of each row is the good one.
    fn end(mut self: Box<Self>, provider: &Provider) {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
        let kept = Database::at(&self.folder.path().join("connections.db")).texts(KEPT, &[]);
        let good = provider.current();
        let lost = good.iter().zip(&kept).filter(|(good, kept)| good != kept).count();
        assert_eq!((lost, kept.len()), (0, good.len()), "{:?}", provider.counts());
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
