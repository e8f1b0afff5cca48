//! The Finnotech plugin: exports, no logic.

#![forbid(unsafe_code)]

mod flow;
mod jalali;
mod refusal;
mod token;

use sdk::{Context, Descriptor, Flow, Provider, Revocation, Tokens};

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

impl Revocation for Plugin {
    fn revoke(context: &Context) -> Flow<()> {
        flow::revoke(context)
    }
}

sdk::export!(Plugin, revocation);
