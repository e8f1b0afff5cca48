//! The provider as a process of its own: the benchmark's own program, started once more. So what it needs of the
//! processor and of memory is not that of what is measured, and nothing else has to be built.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{self, Child, Command, Stdio};
use std::thread;

use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::crowd::behaviour::{Behaviour, Counts};
use crate::crowd::server;
use crate::http::{Http, Place};

/// In the environment of a process that is to be the provider.
const WANTED: &str = "KEEPFRESH_BENCH_CROWD";

/// Serves, if this process was started for that: the first thing that `main` of a benchmark asks. Then it ends with
/// whoever has started it; this returns `true` only if it cannot serve any more.
///
/// # Panics
/// When it cannot listen.
pub fn serves() -> bool {
    let wanted = env::var_os(WANTED).is_some();
    if wanted {
        thread::spawn(end_with_the_other);
        serve().expect("the provider listens");
    }
    wanted
}

/// Its standard input ends with whoever has started it, however that ends.
fn end_with_the_other() {
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    process::exit(0);
}

/// On one thread: that is enough for ten thousand requests in a second.
fn serve() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut stdout = io::stdout();
        writeln!(stdout, "{}", listener.local_addr()?)?;
        stdout.flush()?;
        server::serve(listener).await
    })
}

/// A provider that runs; ended when dropped.
pub struct Provider {
    child: Child,
    address: SocketAddr,
}

impl Provider {
    /// Starts one. The program that calls this asks [`serves`] first.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start() -> Self {
        let program = env::current_exe().expect("a program knows its own path");
        let mut command = Command::new(program);
        command.env(WANTED, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the provider starts");
        let stdout = child.stdout.take().expect("its output is a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let address = line.trim().parse().expect("an address");
        Self { child, address }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes how it answers from now on.
    ///
    /// # Panics
    /// When it is gone.
    pub fn behave(&self, behaviour: Behaviour) {
        let body = serde_json::to_value(behaviour).expect("numbers are JSON");
        self.asker().post("/__behave", &body).is(204);
    }

    /// What it has answered so far.
    ///
    /// # Panics
    /// When it is gone.
    pub fn counts(&self) -> Counts {
        let answer = self.asker().get("/__counts").is(200);
        serde_json::from_slice(&answer.body).expect("counts")
    }

    fn asker(&self) -> Http {
        Http::at(Place::Address(self.address))
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
