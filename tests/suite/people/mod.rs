//! Connections of people: added, imported, found again, left alone and taken away.

/// Files of connections.
mod importing;

/// Files of other systems.
mod files;

/// Laravel's columns, and moving out.
mod leaving;

/// What nobody asks for.
mod resting;

/// What callers say about a token.
mod rejected;

/// As many as there are.
mod scale;

/// Finding some of many.
mod finding;

use e2e::home::{Home, Run};
use e2e::provider::{FakeProvider, Kind, rotor};
use serde_json::Value;

/// A provider whose connections are all added: nothing is listed in the manifest.
pub(crate) struct Crowd {
    /// The folder.
    pub(crate) home: Home,
    /// The provider.
    pub(crate) fake: FakeProvider,
}

impl Crowd {
    /// A rotating provider, with `more` lines in its section.
    pub(crate) fn new(more: &str) -> Self {
        let fake = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
        let manifest = format!(
            "[providers.rotor]\nconnections = []\nsettings = {{ base_url = \"{}\" }}\n\
             egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n{more}\n",
            fake.base_url()
        );
        Self { home: Home::new(&manifest).with_guest("rotor"), fake }
    }

    /// Writes a file beside the manifest.
    pub(crate) fn file(&self, name: &str, text: &str) {
        std::fs::write(self.home.path(name), text).unwrap();
    }

    /// Imports a file and gives what became of it.
    pub(crate) fn import(&self, arguments: &[&str]) -> Run {
        self.home.run(&[&["connection", "import", "rotor", "--json"], arguments].concat())
    }

    /// A CSV file with a family of tokens for each name; they live for `seconds`.
    pub(crate) fn roster(&self, names: &[&str], seconds: i64) -> String {
        let mut text = "name,access_token,refresh_token,expires_at\n".to_owned();
        for name in names {
            let pair = self.fake.control().issue_family(name);
            let end = self.fake.control().now().as_second() + seconds;
            let row = [*name, pair.access_token.as_str(), &pair.refresh_token, &end.to_string()];
            text = text + &row.join(",") + "\n";
        }
        text
    }

    /// All of one connection.
    pub(crate) fn show(&self, name: &str) -> Value {
        self.home.run(&["connection", "show", name, "--json"]).exits(0).json()
    }

    /// Ids as `connection list` has them.
    pub(crate) fn list(&self, arguments: &[&str]) -> Vec<String> {
        let run = self.home.run(&[&["connection", "list", "--json"], arguments].concat());
        let all = run.json()["connections"].as_array().unwrap().clone();
        all.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// The counts of an import.
pub(crate) fn counts(run: &Run) -> [u64; 5] {
    let sum = run.json()["summary"].clone();
    ["added", "updated", "unchanged", "kept", "refused"].map(|it| sum[it].as_u64().unwrap())
}
