//! When connections are looked at, in the order of events that nobody planned: pauses that cross a
//! refresh, tokens that come dead, clocks that are set, configurations that are corrected.

/// Tokens that have ended before anybody can use them.
mod dead;

/// Clocks that were ahead.
mod clocks;

/// What a person has corrected, for many at once.
mod forgiven;

/// Tokens without an end, and what was changed since.
mod endless;

use std::time::Duration;

use e2e::home::Home;
use e2e::inside::Inside;
use e2e::provider::{FakeProvider, Kind, rotor};
use jiff::Timestamp;
use keepfresh::refresher::ManualToken;
use keepfresh::storage::Storage;

const DAY: Duration = Duration::from_hours(24);

/// A provider whose tokens live for an hour from when they come, as it says itself.
fn rotor(lifetime: u32) -> (FakeProvider, Home) {
    let settings = rotor::Settings { lifetime, ..rotor::Settings::default() };
    let fake = FakeProvider::start(Kind::Rotor(settings)).unwrap();
    let manifest = format!(
        "[providers.rotor]\nsettings = {{ base_url = \"{}\" }}\n\
         egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        fake.base_url()
    );
    (fake, Home::new(&manifest).with_guest("rotor"))
}

/// Gives `rotor` the first token of a family, good for an hour.
async fn seed(inside: &Inside, fake: &FakeProvider) {
    let pair = fake.control().issue_family("first");
    let text = serde_json::json!({
        "access_token": pair.access_token, "refresh_token": pair.refresh_token, "expires_in": 3_600,
    });
    let token = ManualToken::parse(&text.to_string().into(), inside.app.clock.now()).unwrap();
    inside.app.refresher.enrolling.set_token(&"rotor".parse().unwrap(), token).await.unwrap();
}

/// When a connection is looked at next.
async fn due(storage: &Storage, id: &str) -> Option<Timestamp> {
    let loaded = storage.load(&id.parse().unwrap()).await.unwrap().unwrap();
    loaded.connection.due.map(|it| it.at)
}
