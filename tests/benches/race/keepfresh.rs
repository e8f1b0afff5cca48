//! Keepfresh as people run it: a daemon whose connections were imported, and the command that has them all refreshed.

use std::fmt::Write as _;
use std::process::{Child, Stdio};
use std::time::UNIX_EPOCH;

use e2e::daemon::Daemon;
use e2e::database::Database;
use e2e::home::Home;

use crate::certificate::Certificate;
use crate::provider::Provider;
use crate::provider::desk::{CLIENT_ID, CLIENT_SECRET};
use crate::provider::tokens::{self, Rotation};
use crate::racer::Racer;

/// Where no provider is, for as long as nobody races.
const NOWHERE: &str = "http://127.0.0.1:1/token";

const SUCCEEDED: &str = "select count(*) from attempts where outcome = 'success'";

/// A home with so many connections, none of which is due by itself.
pub(crate) fn template(many: usize) -> Home {
    let manifest = manifest(NOWHERE, Rotation::Strict, 16);
    let home = Home::new(&manifest).with_plugin("oauth2").with_env("RACE_SECRET", CLIENT_SECRET);
    let end = UNIX_EPOCH.elapsed().unwrap().as_secs() + 86_400;
    let mut rows = "name,access_token,refresh_token,expires_at\n".to_owned();
    for number in 0..many {
        let _ = writeln!(rows, "p{number},at-old,{},{end}", tokens::first(number));
    }
    std::fs::write(home.path("people.csv"), rows).unwrap();
    home.run(&["connection", "import", "people", "people.csv"]).exits(0);
    // What it compiles of the plugin is there from its first start on.
    assert!(home.serve().stop().success());
    home
}

fn manifest(token_url: &str, rotation: Rotation, at_once: u16) -> String {
    let rotation = rotation.as_str();
    format!(
        r#"
[providers.people]
plugin = "oauth2"
refresh_before = "1m"
rate = "100000/s"
concurrency = {at_once}
rotation = "{rotation}"
connections = []
settings = {{ token_url = "{token_url}", client_id = "{CLIENT_ID}", grant = "authorization_code" }}
secrets = {{ client_secret = {{ env = "RACE_SECRET" }} }}
egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
"#
    )
}

/// The daemon in a home of its own.
pub(crate) struct Keepfresh {
    home: Home,
    daemon: Option<Daemon>,
    command: Option<Child>,
}

impl Keepfresh {
    /// One with the connections of `template`.
    pub(crate) fn start(
        template: &Home,
        (rotation, at_once): (Rotation, u16),
        provider: &Provider,
        tls: Option<&Certificate>,
    ) -> Box<dyn Racer> {
        let mut home = template.copy();
        home.write_manifest(&manifest(provider.token_url(), rotation, at_once));
        if let Some(tls) = tls {
            home.set_env("SSL_CERT_FILE", &tls.authority().display().to_string());
        }
        let daemon = Some(home.serve());
        Box::new(Self { home, daemon, command: None })
    }
}

impl Racer for Keepfresh {
    fn process(&self) -> u32 {
        self.daemon.as_ref().unwrap().pid()
    }

    fn processes(&self) -> Vec<u32> {
        let command = self.command.as_ref().map(Child::id);
        [Some(self.process()), command].into_iter().flatten().collect()
    }

    fn go(&mut self) {
        let mut command = self.home.command(&["refresh", "--all", "--force"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.command = Some(command.spawn().unwrap());
    }

    /// Each answer with tokens is an attempt that succeeded, and no refresh token was sent twice.
    fn end(mut self: Box<Self>, provider: &Provider) {
        let stopped = self.daemon.take().unwrap().stop();
        assert!(stopped.success(), "{stopped}");
        let succeeded = Database::at(&self.home.path("keepfresh.db")).number(SUCCEEDED);
        let counts = provider.counts();
        assert_eq!(
            (counts.reuse, i64::try_from(counts.good).unwrap()),
            (0, succeeded),
            "{counts:?}"
        );
    }
}

impl Drop for Keepfresh {
    fn drop(&mut self) {
        if let Some(command) = &mut self.command {
            let _ = command.kill();
            let _ = command.wait();
        }
    }
}
