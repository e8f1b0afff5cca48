//! Whole flows, from outside: they cross every other file.

mod logins;

mod refreshes;

mod servers;

mod settings;

use sdk::Tokens;

/// A fact that `connection show` would print.
fn fact(tokens: &Tokens, name: &str) -> Option<String> {
    let found = tokens.metadata.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.clone())
}
