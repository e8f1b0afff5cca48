//! Imports `reveal` and logs every plaintext it gets; then logs in properly. Without the grant it
//! must not even load; with it, what it logs must still be struck out.

use guests::log::{Level, log};
use sdk::bindings::exports::keepfresh::provider::provider::Guest;
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};
use sdk::bindings::reveal::keepfresh::provider::reveal::reveal;
use sdk::{Context, Descriptor, Failure, Flow, Provider, Tokens};

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Descriptor {
        guests::describe("reveals")
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        for (name, secret) in &connection.secrets {
            log(Level::Info, &format!("{name} is {}", reveal(secret)));
        }
        <Proper as Guest>::login(connection)
    }

    fn refresh(connection: Connection, current: TokenSet) -> Result<TokenSet, Failure> {
        log(Level::Info, &format!("the access token is {}", reveal(&current.access_token)));
        <Proper as Guest>::refresh(connection, current)
    }
}

struct Proper;

impl Provider for Proper {
    fn describe() -> Descriptor {
        guests::describe("reveals")
    }

    fn login(_: &Context) -> Flow<Tokens> {
        guests::tokens()
    }

    fn refresh(_: &Context) -> Flow<Tokens> {
        guests::tokens()
    }
}

sdk::export!(Plugin);
