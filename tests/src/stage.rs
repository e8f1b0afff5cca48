//! A home whose providers are fakes: their sections of the manifest, the plugins, and the secrets
//! that the fakes accept. Half of the secrets are variables, and half are files, which a test can
//! correct under a running daemon.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::database::Database;
use crate::home::{Home, Run};
use crate::provider::control::Control;
use crate::provider::{FakeProvider, Kind, eskiz, jibit};

/// One provider and its fake.
pub struct Stage {
    /// The folder.
    pub home: Home,
    /// The provider.
    pub fake: FakeProvider,
    name: &'static str,
}

impl Stage {
    /// A fake and the home that has one connection to it, by its id.
    pub fn of(home: Home, fake: FakeProvider, name: &'static str) -> Self {
        Self { home, fake, name }
    }

    /// Eskiz as it usually is, with `more` lines in its section.
    pub fn eskiz(more: &str) -> Self {
        Self::eskiz_as(eskiz::Settings::default(), more)
    }

    /// Eskiz that behaves so.
    pub fn eskiz_as(settings: eskiz::Settings, more: &str) -> Self {
        let fake = start(Kind::Eskiz(settings));
        Self { home: home(&eskiz_section(&fake, more)), fake, name: "eskiz" }
    }

    /// Jibit as it usually is, with `more` lines in its section.
    pub fn jibit(more: &str) -> Self {
        Self::jibit_as(jibit::Settings::default(), more)
    }

    /// Jibit that behaves so.
    pub fn jibit_as(settings: jibit::Settings, more: &str) -> Self {
        let fake = start(Kind::Jibit(settings));
        Self { home: home(&jibit_section(&fake, more)), fake, name: "jibit" }
    }

    /// The same after its first login.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn logged_in(self) -> Self {
        let first = self.refresh(&[]);
        assert_eq!(first["outcome"], "success", "{first}");
        self
    }

    /// The id of its connection.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The hand on the fake.
    pub fn control(&self) -> &Control {
        self.fake.control()
    }

    /// Runs `refresh --json` and gives its one attempt.
    ///
    /// # Panics
    /// When there is another number of attempts.
    pub fn refresh(&self, arguments: &[&str]) -> Value {
        only(&self.run_refresh(arguments).json()["attempts"])
    }

    /// Runs `refresh --json`.
    pub fn run_refresh(&self, arguments: &[&str]) -> Run {
        self.home.run(&[&["refresh", "--json"], arguments].concat())
    }

    /// The id of its connection.
    ///
    /// # Panics
    /// When its status has none.
    pub fn id(&self) -> String {
        self.status()["id"].as_str().expect("an id").to_owned()
    }

    /// Lets the time of the next try come, without waiting for it.
    pub fn next_try_comes(&self) {
        let database = Database::at(&self.home.path("keepfresh.db"));
        database.run("update connections set due_at = 0 where failures > 0 and due_at is not null");
    }

    /// Makes its token older by six tenths of its lifetime.
    pub fn token_ages(&self) {
        Database::at(&self.home.path("keepfresh.db")).run(
            "update connections
             set issued_at = issued_at - (expires_at - issued_at) * 6 / 10,
                 expires_at = expires_at - (expires_at - issued_at) * 6 / 10",
        );
    }

    /// The connection as `status --json` has it.
    ///
    /// # Panics
    /// When there is another number of connections.
    pub fn status(&self) -> Value {
        only(&self.home.run(&["status", "--json", self.name]).json()["connections"])
    }

    /// The state alone.
    pub fn state(&self) -> String {
        self.status()["state"].as_str().unwrap_or_default().to_owned()
    }

    /// The token that callers get.
    pub fn token(&self) -> String {
        self.home.run(&["token", "get", self.name]).exits(0).stdout.trim_end().to_owned()
    }

    /// What the fake saw: `METHOD path`, oldest first.
    pub fn seen(&self) -> Vec<String> {
        let line = |it: crate::provider::journal::Entry| format!("{} {}", it.method, it.path);
        self.control().journal().into_iter().map(line).collect()
    }

    /// How many requests went to a path that ends so.
    pub fn count(&self, path: &str) -> usize {
        self.control().journal().iter().filter(|it| it.path.ends_with(path)).count()
    }
}

/// A home with this manifest, both plugins, and the secrets of both fakes.
pub fn home(manifest: &str) -> Home {
    let (eskiz, jibit) = (eskiz::Settings::default(), jibit::Settings::default());
    let home = Home::new(manifest).with_plugin("eskiz").with_plugin("jibit");
    write_secret(&home, "eskiz.password", &eskiz.password);
    write_secret(&home, "jibit.secret", &jibit.secret_key);
    home.with_env("ESKIZ_EMAIL", &eskiz.email).with_env("JIBIT_API_KEY", &jibit.api_key)
}

/// Writes a file that only its owner may read.
///
/// # Panics
/// When the disk fails.
pub fn write_secret(home: &Home, name: &str, secret: &str) {
    let path = home.path(name);
    fs::write(&path, secret).expect("the secret is written");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("and protected");
}

/// `[providers.eskiz]` against this fake, with `more` lines.
pub fn eskiz_section(fake: &FakeProvider, more: &str) -> String {
    let secrets = r#"email = { env = "ESKIZ_EMAIL" }, password = { file = "eskiz.password" }"#;
    section("eskiz", fake, secrets, more)
}

/// `[providers.jibit]` against this fake, with `more` lines.
pub fn jibit_section(fake: &FakeProvider, more: &str) -> String {
    let secrets = r#"api_key = { env = "JIBIT_API_KEY" }, secret_key = { file = "jibit.secret" }"#;
    section("jibit", fake, secrets, more)
}

fn section(name: &str, fake: &FakeProvider, secrets: &str, more: &str) -> String {
    let url = fake.base_url();
    format!(
        "[providers.{name}]
secrets = {{ {secrets} }}
egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}
settings.base_url = \"{url}\"
{more}
"
    )
}

fn start(kind: Kind) -> FakeProvider {
    FakeProvider::start(kind).expect("a free loopback port")
}

fn only(list: &Value) -> Value {
    match list.as_array().map(Vec::as_slice) {
        Some([one]) => one.clone(),
        _ => panic!("not one: {list}"),
    }
}
