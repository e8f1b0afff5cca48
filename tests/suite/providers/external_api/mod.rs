//! `external-api`: a plugin that finds its way by itself, against servers of every usual kind.

/// It finds the login and the token.
mod finding;

/// It never guesses a password.
mod refusing;

/// What it remembers, and what it does without.
mod remembering;

use std::fmt::Write as _;

use e2e::home::Home;
use e2e::provider::login::{ErrorStyle, Format, Settings};
use e2e::provider::{FakeProvider, Kind};
use e2e::stage::write_secret;
use serde_json::Value;

/// The usual paths, in the order in which they are tried.
const COMMON: [&str; 6] = [
    "/oauth/token",
    "/api/oauth/token",
    "/auth/oauth/token",
    "/api/auth/token",
    "/api/login",
    "/api/auth/login",
];

/// Which address the operator wrote down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Server,
    Whole,
}

/// One server, and what the operator knows of it.
#[derive(Clone, Debug)]
struct Case {
    server: Settings,
    told: Told,
    more: &'static str,
}

impl Case {
    fn new(told: Told, path: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let mut server = Settings { path: path.to_owned(), ..Settings::default() };
        change(&mut server);
        Self { server, told, more: "" }
    }

    fn is_client(&self) -> bool {
        self.server.format == Format::ClientCredentials
    }

    /// Its section: `connections` have the name of the case.
    fn section(&self, number: usize, base: &str) -> String {
        let path = if self.told == Told::Whole { self.server.path.as_str() } else { "" };
        let (client, secrets) = if self.is_client() {
            (", client_id = \"demo-client\"", "client_secret = { file = \"client_secret\" }")
        } else {
            (
                "",
                "email = { file = \"email\" }, username = { file = \"username\" }, password = { file = \"password\" }",
            )
        };
        format!(
            "[providers.case-{number}]\nplugin = \"external-api\"\nsecrets = {{ {secrets} }}\n\
             settings = {{ login_url = \"{base}{path}\"{client}{} }}\n\
             egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
            self.more
        )
    }
}

/// Many servers in one home, so that one command asks all of them.
struct Many {
    home: Home,
    all: Vec<(Case, FakeProvider)>,
}

impl Many {
    fn new(cases: impl IntoIterator<Item = Case>) -> Self {
        let start = |case: Case| {
            let fake = FakeProvider::start(Kind::Login(case.server.clone())).unwrap();
            (case, fake)
        };
        let all = cases.into_iter().map(start).collect::<Vec<_>>();
        let mut manifest = String::new();
        for (number, (case, fake)) in all.iter().enumerate() {
            let _ = write!(manifest, "{}", case.section(number, &fake.base_url()));
        }
        let home = Home::new(&manifest).with_plugin("external-api");
        let known = Settings::default();
        for (name, secret) in [
            ("email", known.email),
            ("username", known.username),
            ("password", known.password),
            ("client_secret", known.client_secret),
        ] {
            write_secret(&home, name, &secret);
        }
        Self { home, all }
    }

    /// Refreshes all of them and gives each case with its attempt and its number of requests.
    fn refresh(&self, arguments: &[&str]) -> Vec<(&Case, Value, usize)> {
        self.all.iter().for_each(|(_, fake)| fake.control().clear_journal());
        let run = self.home.run(&[&["refresh", "--json"], arguments].concat());
        let attempts = run.json()["attempts"].as_array().unwrap().clone();
        let mut found = Vec::new();
        for (number, (case, fake)) in self.all.iter().enumerate() {
            let name = format!("case-{number}");
            let attempt =
                attempts.iter().find(|it| it["connection"] == e2e::home::full(&name)).unwrap();
            found.push((case, attempt.clone(), fake.control().journal().len()));
        }
        found
    }

    /// All of them log in, without one wrong login. Gives the number of requests of each.
    fn succeed(&self, arguments: &[&str]) -> Vec<usize> {
        let mut requests = Vec::new();
        for (number, (case, attempt, seen)) in self.refresh(arguments).into_iter().enumerate() {
            let fake = &self.all[number].1;
            assert_eq!(attempt["outcome"], "success", "{case:?}\n{attempt}\n{}", trail(fake));
            assert_eq!(fake.control().wrong_logins(), 0, "{case:?}\n{}", trail(fake));
            requests.push(seen);
        }
        requests
    }

    fn show(&self, number: usize) -> Value {
        let name = format!("case-{number}");
        self.home.run(&["connection", "show", &name, "--json"]).exits(0).json()
    }

    fn token(&self, number: usize) -> String {
        let name = format!("case-{number}");
        self.home.run(&["token", "get", &name]).exits(0).stdout.trim_end().to_owned()
    }
}

/// Which requests a server saw, for whoever reads a failure.
fn trail(fake: &FakeProvider) -> String {
    let line = |it: e2e::provider::journal::Entry| {
        format!("{} {} {:?} {:?}", it.method, it.path, it.fields, it.status)
    };
    fake.control().journal().into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Every format, with errors in the words of a server that takes it.
const FORMATS: [(Format, ErrorStyle); 7] = [
    (Format::JsonEmail, ErrorStyle::Laravel422),
    (Format::JsonEmail, ErrorStyle::Drf400),
    (Format::JsonUsername, ErrorStyle::Drf401),
    (Format::JsonUsername, ErrorStyle::FastApi),
    (Format::FormEmail, ErrorStyle::Laravel422),
    (Format::FormUsername, ErrorStyle::OAuth400),
    (Format::ClientCredentials, ErrorStyle::OAuth400),
];
