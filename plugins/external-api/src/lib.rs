//! The plugin for any API with a login: exports, no logic.

#![forbid(unsafe_code)]

mod flow;

mod address;

mod format;

mod search;

mod reading;

mod complaint;

mod extract;

mod expiry;

mod memory;

mod renewal;

#[cfg(test)]
mod tests;

use sdk::{Context, Descriptor, Flow, Provider, Tokens};

struct Plugin;

impl Provider for Plugin {
    fn describe() -> Descriptor {
        flow::describe()
    }

    fn login(context: &Context) -> Flow<Tokens> {
        flow::login(context)
    }

    fn refresh(context: &Context) -> Flow<Tokens> {
        flow::refresh(context)
    }
}

sdk::export!(Plugin);
