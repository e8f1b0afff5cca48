//! All plugins against their fakes, through the real program. Every plugin is put into every
//! situation; what one of them does and no other has a file of its own.

/// The plugins, each registered once.
pub(crate) mod subject;

/// What is done to them, and what is seen of it.
mod situation;

/// What should be seen.
mod expected;

/// Plugin by situation.
mod table;

/// What ends by itself.
mod expiring;

/// All of them in one daemon.
mod together;

/// Where no request goes.
mod elsewhere;

/// A token that is a name and a password.
mod playmobile;

/// Milliseconds, another calendar, and a secret inside a token.
mod finnotech;

/// Servers that nobody described.
mod external_api;

/// Users and their organisations.
mod propelauth;

/// Grants that die of many causes.
mod google;

/// Clients, and who they say they are.
mod oauth2;

/// Discovery, introspection, and what tokens are for.
mod oauth2_facts;

/// Refusals in the words of many providers.
mod refusing;

use e2e::inside::Inside;
use e2e::stage::Stage;
use serde_json::Value;

/// All of the connection, as `connection show` has it.
fn show(stage: &Stage) -> Value {
    stage.home.run(&["connection", "show", stage.name(), "--json"]).exits(0).json()
}

/// One of the facts that the plugin remembers with the tokens.
fn fact(shown: &Value, name: &str) -> Option<String> {
    let facts = shown["metadata"].as_array().unwrap();
    let found = facts.iter().find(|it| it[0] == name)?;
    found[1].as_str().map(str::to_owned)
}

/// Asks for the profile, as the daemon does now and then.
fn probe(stage: &Stage) -> bool {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let inside = Inside::open(&stage.home).await;
        inside.app.refresher.profiles.probe(&stage.name().parse().unwrap()).await.unwrap()
    })
}
