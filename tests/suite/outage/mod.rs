//! A provider that is down, or wants to be asked less: whoever asks, and however many they are, it gets
//! few requests, and nobody is left behind when it is back.

/// Whoever asks for a token.
mod callers;

/// What is due.
mod due;

/// What a person orders.
mod orders;

/// Times that a provider names.
mod told;

use std::time::Duration;

use e2e::home::Home;
use e2e::inside::Inside;
use e2e::provider::FakeProvider;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use keepfresh::model::failure::Failure;
use keepfresh::refresher::Served;

use crate::schedule::{HOUR, eskiz};

/// Eskiz with so many connections that want their first token, and these lines in its section.
fn crowd(connections: usize, more: &str) -> (FakeProvider, Home) {
    let names = (0..connections).map(|it| format!("{{ name = \"c{it}\" }}"));
    let names = names.collect::<Vec<_>>().join(", ");
    eskiz(12 * HOUR, &format!("connections = [{names}]\n{more}"))
}

fn goes_down(provider: &FakeProvider) {
    provider.control().script(Scenario::from(Answer::server_error()).always());
}

/// The token that a caller of the connection of that number gets.
async fn call(inside: &Inside, number: usize) -> Result<Served, Failure> {
    let id = format!("eskiz/c{number}").parse().unwrap();
    inside.app.refresher.serving.token(&id, Duration::ZERO).await
}

/// An outage of which five connections have told.
async fn five_have_found_out(inside: &Inside, provider: &FakeProvider) {
    goes_down(provider);
    for number in 0..5 {
        call(inside, number).await.unwrap_err();
    }
    assert_eq!(provider.control().seen(), 5);
}
