//! Four providers with every kind of secret, a daemon at its loudest, and every command that there is.

use std::fs;

use e2e::artifacts;
use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::provider::{FakeProvider, Kind, eskiz, jibit, rotor};
use serde_json::json;

use crate::canary::{Canaries, MARK};

/// Every command that prints, but `token get`. Each runs as text and as JSON.
const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["status", "eskiz"],
    &["log", "--limit", "500"],
    &["stats"],
    &["connection", "list"],
    &["connection", "show", "eskiz"],
    &["connection", "show", "jibit"],
    &["connection", "show", "rotor"],
    &["plugin", "list"],
    &["schedule", "list"],
    &["doctor"],
    &["check"],
    &["refresh", "--dry-run"],
    &["refresh", "--sync"],
    &["refresh", "--force", "--sync"],
    &["refresh", "--failed", "--sync"],
    &["plugin", "replay", "rotor"],
    &["connection", "pause", "jibit", "--for", "1h", "--reason", "maintenance"],
    &["connection", "resume", "jibit"],
    &["prune"],
];

struct Life {
    canaries: Canaries,
    home: Home,
    rotor: FakeProvider,
    _others: [FakeProvider; 2],
}

#[test]
fn no_secret_is_in_a_file_a_log_or_an_output_but_that_of_token_get() {
    let mut life = Life::begin();
    let daemon = life.home.serve();
    wait_until("all have tokens", || life.tokens() == 3);
    life.learn_tokens();
    life.set_and_rotate();
    life.run_everything();
    // It takes ten seconds; meanwhile everything else was run.
    wait_until("the profile is known", || life.profile_is_known());
    let seen = life.canaries.not_in_files(&life.home);
    for file in
        ["keepfresh.db", "keepfresh.db-wal", "keepfresh.db-shm", "keepfresh.lock", "serve.log"]
    {
        assert!(seen.iter().any(|it| it == file), "{file} is looked at: {seen:?}");
    }
    assert!(seen.iter().any(|it| it.ends_with(".compiled")), "{seen:?}");
    let cmdline = fs::read(format!("/proc/{}/cmdline", daemon.pid())).unwrap();
    life.canaries.not_in("the command line of the daemon", &cmdline);
    assert!(daemon.log().contains("TRACE") || daemon.log().contains("DEBUG"), "{}", daemon.log());
    assert!(daemon.stop().success());
    life.canaries.not_in_files(&life.home);
    life.run_everything();
    life.forget_everything();
}

impl Life {
    fn begin() -> Self {
        let mut canaries = Canaries::new();
        let eskiz_settings = eskiz::Settings {
            email: canaries.hatch("email"),
            password: canaries.hatch("password"),
            ..eskiz::Settings::default()
        };
        let jibit_settings = jibit::Settings {
            api_key: canaries.hatch("api_key"),
            secret_key: canaries.hatch("secret_key"),
            ..jibit::Settings::default()
        };
        let rotor_settings =
            rotor::Settings { prefix: canaries.hatch_plain("rotor"), ..rotor::Settings::default() };
        let (email, password) = (&eskiz_settings.email, &eskiz_settings.password);
        let home =
            Home::new("").with_env("ESKIZ_EMAIL", email).with_env("ESKIZ_PASSWORD", password);
        let home = home.with_plugin("eskiz").with_plugin("jibit").with_guest("rotor");
        let home = home.with_env("KEEPFRESH_LOG", "trace");
        fs::create_dir(home.path("secrets")).unwrap();
        fs::write(home.path("secrets/api"), &jibit_settings.api_key).unwrap();
        fs::write(home.path("secrets/key"), &jibit_settings.secret_key).unwrap();
        canaries.keep(fs::read_to_string(home.path("keepfresh.key")).unwrap().trim());
        let eskiz = FakeProvider::start(Kind::Eskiz(eskiz_settings)).unwrap();
        let jibit = FakeProvider::start(Kind::Jibit(jibit_settings)).unwrap();
        let rotor = FakeProvider::start(Kind::Rotor(rotor_settings)).unwrap();
        home.write_manifest(&manifest([&eskiz, &jibit, &rotor]));
        let life = Self { canaries, home, rotor, _others: [eskiz, jibit] };
        life.give_rotor_a_token();
        life
    }

    /// From standard input, as everybody gives it.
    fn give_rotor_a_token(&self) {
        let pair = self.rotor.control().issue_family("rotor");
        assert!(pair.access_token.starts_with(MARK));
        let tokens =
            json!({ "access_token": pair.access_token, "refresh_token": pair.refresh_token });
        let run =
            self.home.run_with_input(&["token", "set", "rotor"], &tokens.to_string()).exits(0);
        self.canaries.not_said_by(&run, &["token", "set"]);
    }

    fn tokens(&self) -> usize {
        let status = self.home.run(&["status", "--json"]).json();
        let all = status["connections"].as_array().unwrap();
        all.iter().filter(|it| it["generation"].as_u64() > Some(0)).count()
    }

    /// It names the account's e-mail, which is a secret of this connection.
    fn profile_is_known(&self) -> bool {
        let shown = self.home.run(&["connection", "show", "eskiz", "--json"]);
        self.canaries.not_said_by(&shown, &["connection", "show"]);
        shown.json()["profile"].is_object()
    }

    /// Tokens that the providers made are secrets too; `token get` is how they come out.
    fn learn_tokens(&mut self) {
        for connection in ["eskiz", "jibit", "rotor"] {
            let token = self.home.run(&["token", "get", connection]).exits(0).stdout;
            assert!(token.trim().len() > 20, "{token}");
            self.canaries.keep(token.trim());
        }
    }

    /// A token set by hand over the socket of the daemon, then rotated.
    fn set_and_rotate(&mut self) {
        self.give_rotor_a_token();
        for _ in 0..3 {
            self.home.run(&["refresh", "--force", "--sync", "--json"]).exits(0);
            self.learn_tokens();
        }
    }

    fn run_everything(&self) {
        for command in COMMANDS {
            for json in [&[][..], &["--json"]] {
                let arguments = [*command, json].concat();
                self.canaries.not_said_by(&self.home.run(&arguments), &arguments);
            }
        }
        let component = artifacts::plugin("eskiz").display().to_string();
        let inspect = ["plugin", "inspect", &component];
        self.canaries.not_said_by(&self.home.run(&inspect).exits(0), &inspect);
    }

    /// A token that was forgotten is no longer there, sealed or not.
    fn forget_everything(&self) {
        for connection in ["eskiz", "jibit", "rotor"] {
            let clear = ["token", "clear", connection];
            self.canaries.not_said_by(&self.home.run(&clear).exits(0), &clear);
        }
        self.canaries.not_in_files(&self.home);
    }
}

fn manifest([eskiz, jibit, rotor]: [&FakeProvider; 3]) -> String {
    let egress = r#"egress = { networks = ["127.0.0.0/8"], plaintext = true }"#;
    format!(
        r#"
        [providers.eskiz]
        settings = {{ base_url = "{}" }}
        secrets = {{ email = {{ env = "ESKIZ_EMAIL" }}, password = {{ env = "ESKIZ_PASSWORD" }} }}
        probe = "10s"
        {egress}

        [providers.jibit]
        settings = {{ base_url = "{}" }}
        secrets = {{ api_key = {{ file = "secrets/api" }}, secret_key = {{ file = "secrets/key" }} }}
        {egress}

        [providers.rotor]
        settings = {{ base_url = "{}" }}
        {egress}
        "#,
        eskiz.base_url(),
        jibit.base_url(),
        rotor.base_url(),
    )
}
