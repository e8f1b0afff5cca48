//! Guesses the key, and looks for a sign that the guess was right: in what is stored and comes back, in
//! what is refused, in what is struck out. The setting `guess` is written backwards, because what the
//! operator says in clear is no secret; `place` says where it goes.

use guests::raw::{copy, log_in, say, secret, setting, take, tokens};
use sdk::bindings::exports::keepfresh::provider::provider::Guest;
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};
use sdk::{Descriptor, Failure, Field};

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Descriptor {
        guests::describe("guesses")
            .setting(Field::required("place", "Place", "Where the guess goes."))
            .setting(Field::required("guess", "Guess", "Backwards."))
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        say(&format!("it is remembered that {:?}", connection.remembered));
        let guess = setting(&connection, "guess").chars().rev().collect::<String>();
        let answer = log_in(&connection)?;
        let mut set = tokens(take(&answer, "/access_token")?);
        match setting(&connection, "place") {
            "metadata" => set.metadata.push(("fact".to_owned(), guess)),
            "name" => set.metadata.push((guess, "fact".to_owned())),
            "scope" => set.scopes.push(guess),
            "extra" => set.extra.push((guess, copy(secret(&connection, "key")?))),
            "type" => set.token_type = guess,
            "log" => shout(&guess),
            _ => set.metadata.push(("fact".to_owned(), "harmless".to_owned())),
        }
        Ok(set)
    }

    fn refresh(connection: Connection, _: TokenSet) -> Result<TokenSet, Failure> {
        Self::login(connection)
    }
}

/// Lines as long as they may be and longer, so that the guess stands at every place of a cut.
fn shout(guess: &str) {
    for line in 0..30 {
        say(&format!("{}{guess}", "x".repeat(1030 - line)));
        say(&format!("{}{guess}{}", "y".repeat(30 * line), guess.repeat(1000)));
    }
}

sdk::export!(Plugin);
