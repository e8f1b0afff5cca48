//! Who is told when something is wrong: once, whatever the number of connections; again when it gets worse or lasts;
//! and when it is over. Receivers are real, and time is moved.

/// What is told of an outage, and when.
mod outage;

/// What is sent, and what becomes of it when nobody takes it.
mod sending;

/// Plugins that wait for somebody.
mod approvals;

/// A sign of life.
mod heartbeat;

/// Mail, taken by a real server.
mod mail;

/// Nothing of it is a secret.
mod secrets;

use std::time::Duration;

use e2e::database::Database;
use e2e::home::Home;
use e2e::inside::Inside;
use e2e::provider::FakeProvider;
use e2e::receiver::{Received, Receiver};
use keepfresh::delivery::Delivery;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// A webhook to this receiver, with these lines besides.
pub(crate) fn webhook(receiver: &Receiver, more: &str) -> String {
    format!(
        "\n[[channels]]\nkind = \"webhook\"\nurl = \"{}\"\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n{more}\n",
        receiver.url("/hook")
    )
}

/// Does something with the database past the program, from within a runtime.
fn with_database<T>(home: &Home, work: impl FnOnce(&Database) -> T) -> T {
    tokio::task::block_in_place(|| work(&Database::at(&home.path("keepfresh.db"))))
}

/// Adds to the manifest of a home.
fn add(home: &Home, text: &str) {
    let before = std::fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&(before + text));
}

/// An open app whose channels are at work, and whose scheduler is not.
async fn at_work(home: &Home) -> (Inside, Delivery) {
    let inside = Inside::open(home).await;
    let parts = inside.app.delivery(&inside.app.scheduler());
    let delivery = Delivery::start(parts).await.unwrap();
    (inside, delivery)
}

/// Lets this much time pass, in steps that the channels see each of.
async fn pass(inside: &Inside, providers: &[&FakeProvider], by: Duration) {
    let step = Duration::from_secs(30);
    let mut left = by;
    while !left.is_zero() {
        inside.advance(left.min(step), providers);
        left = left.saturating_sub(step);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Lets time pass, in steps that are as long as this, until a receiver has got so many messages; their kinds. How
/// fast others are meanwhile does not matter.
async fn kinds(
    inside: &Inside,
    step: Duration,
    (receiver, count): (&Receiver, usize),
) -> Vec<String> {
    let begun = std::time::Instant::now();
    while receiver.received().len() < count {
        assert!(begun.elapsed() < MINUTE, "in vain: {:#?}", receiver.received());
        inside.advance(step, &[]);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let kinds = receiver.received().iter().map(Received::kind).collect::<Vec<_>>();
    assert_eq!(kinds.len(), count, "{kinds:?}");
    kinds
}
