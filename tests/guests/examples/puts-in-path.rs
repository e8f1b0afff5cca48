//! Reads its key in clear and asks for a path that is made of it: spelled backwards, so that nobody who looks for the key
//! finds it.

use std::sync::OnceLock;

use sdk::bindings::exports::keepfresh::provider::provider::Guest;
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};
use sdk::bindings::reveal::keepfresh::provider::reveal::reveal;
use sdk::{Context, Descriptor, Failure, Flow, Provider, Request, Tokens};

static KEY: OnceLock<String> = OnceLock::new();

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Descriptor {
        <Proper as Provider>::describe()
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        for (_, secret) in &connection.secrets {
            let _ = KEY.set(reveal(secret).chars().rev().collect());
        }
        <Proper as Guest>::login(connection)
    }

    fn refresh(connection: Connection, current: TokenSet) -> Result<TokenSet, Failure> {
        <Proper as Guest>::refresh(connection, current)
    }
}

struct Proper;

impl Provider for Proper {
    fn describe() -> Descriptor {
        guests::describe("puts-in-path").access("GET {base_url}/paths/*", &["key"])
    }

    fn login(_: &Context) -> Flow<Tokens> {
        let key = KEY.get().cloned().unwrap_or_default();
        guests::must_not_arrive(Request::get(format!("{{base_url}}/paths/{key}")))
    }

    fn refresh(_: &Context) -> Flow<Tokens> {
        guests::tokens()
    }
}

sdk::export!(Plugin);
