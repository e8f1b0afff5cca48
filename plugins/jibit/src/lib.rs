//! The Jibit plugin: exports, no logic.

#![forbid(unsafe_code)]

mod flow;
mod product;
mod refusal;

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
