//! Plugins that misbehave, and files that are none: each is stopped with the error that names it, and
//! a connection beside it refreshes as if nothing had happened.

/// Limits of the sandbox: time, memory, stack, handles, what is returned.
mod limits;

/// Memory and time of the host itself.
mod spending;

/// Values of a plugin's own making that it asks about themselves.
mod algebra;

/// Guesses, and signs that they were right.
mod guesses;

/// Secrets on their way to where they may not go.
mod astray;

/// Codes and pages for people.
mod codes;

/// What a plugin declares.
mod declarations;

/// Requests that nobody allowed.
mod requests;

/// Where names lead.
mod addresses;

/// Access to secrets in clear.
mod reveal;

/// Lines in the log.
mod lines;

/// What people see.
mod terminal;

/// Files that are no plugins.
mod files;

/// Files that are costly to compile.
mod bombs;

/// Updates that ask for more.
mod updates;

/// All at once, in a daemon.
mod together;

use e2e::home::Home;
use e2e::provider::{FakeProvider, Kind, eskiz, rotor};
use serde_json::Value;

/// What the ill-behaved connection came to.
struct Ending {
    code: String,
    message: String,
}

/// Fakes for both sides: Rotor for guests, Eskiz for the connection that behaves.
struct Stage {
    rotor: FakeProvider,
    eskiz: FakeProvider,
}

impl Stage {
    fn new() -> Self {
        let eskiz = FakeProvider::start(Kind::Eskiz(eskiz::Settings::default())).unwrap();
        let rotor = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
        Self { rotor, eskiz }
    }

    /// The section of a guest as most of them need it.
    fn section(&self, guest: &str) -> String {
        self.section_with(guest, "")
    }

    /// The same, with further settings.
    fn section_with(&self, guest: &str, settings: &str) -> String {
        self.section_of(guest, settings, "")
    }

    /// The same, with further settings and secrets.
    fn section_of(&self, guest: &str, settings: &str, secrets: &str) -> String {
        format!(
            r#"
            [providers.{guest}]
            settings = {{ base_url = "{}"{settings} }}
            secrets = {{ key = {{ env = "GUEST_KEY" }}{secrets} }}
            egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
            "#,
            self.rotor.base_url(),
        )
    }

    /// A home with these sections, and the connection that behaves.
    fn home(&self, sections: &str) -> Home {
        let home = Home::new(&self.manifest(sections)).with_plugin("eskiz");
        home.with_env("ESKIZ_EMAIL", &eskiz::Settings::default().email)
            .with_env("ESKIZ_PASSWORD", &eskiz::Settings::default().password)
            .with_env("GUEST_KEY", &rotor::Settings::default().key)
    }

    fn manifest(&self, sections: &str) -> String {
        let base_url = self.eskiz.base_url();
        format!(
            r#"
            [providers.eskiz]
            settings = {{ base_url = "{base_url}" }}
            secrets = {{ email = {{ env = "ESKIZ_EMAIL" }}, password = {{ env = "ESKIZ_PASSWORD" }} }}
            egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
            {sections}
            "#
        )
    }

    /// Refreshes the guest and its neighbour together: the guest must fail, the neighbour must not.
    fn stops(&self, guest: &str) -> Ending {
        stops_in(&self.home(&self.section(guest)).with_guest(guest), guest)
    }
}

/// The same in a home that is there already.
fn stops_in(home: &Home, guest: &str) -> Ending {
    let run = home.run(&["refresh", "--force", "--json"]);
    let attempts = run.json()["attempts"].clone();
    let neighbour = attempt(&attempts, "eskiz");
    assert_eq!(neighbour["outcome"], "success", "{run:#?}");
    let attempt = attempt(&attempts, guest);
    assert_eq!(attempt["outcome"], "failed", "{run:#?}");
    let text = |name| attempt["error"][name].as_str().unwrap().to_owned();
    Ending { code: text("code"), message: text("message") }
}

impl Ending {
    fn is(&self, code: &str, message: &str) {
        assert_eq!((self.code.as_str(), self.message.as_str()), (code, message));
    }
}

/// The attempt of a connection in a list of them.
fn attempt<'a>(attempts: &'a Value, connection: &str) -> &'a Value {
    let all = attempts.as_array().unwrap();
    all.iter()
        .find(|it| it["connection"] == e2e::home::full(connection))
        .unwrap_or_else(|| panic!("{attempts:#}"))
}
