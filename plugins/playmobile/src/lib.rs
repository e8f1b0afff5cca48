//! The PlayMobile plugin: exports, no logic.

#![forbid(unsafe_code)]

mod flow;

use sdk::{Context, Descriptor, Flow, Profile, Provider, Tokens};

struct Plugin;

impl Provider for Plugin {
    fn describe() -> Descriptor {
        flow::describe()
    }

    fn login(_: &Context) -> Flow<Tokens> {
        flow::login()
    }

    fn refresh(_: &Context) -> Flow<Tokens> {
        flow::login()
    }
}

impl Profile for Plugin {
    fn profile(_: &Context) -> Flow<String> {
        flow::profile()
    }
}

sdk::export!(Plugin, profile);
