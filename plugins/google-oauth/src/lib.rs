//! Google's APIs. A person gives consent once; access tokens live an hour, and the refresh token
//! stays the same.

#![forbid(unsafe_code)]

/// Settings, secrets and addresses.
mod sheet;

/// Tokens, from a browser and from a refresh.
mod token;

/// Scopes that were not granted.
mod scopes;

/// A person on another machine.
mod device;

/// What Google says of a token, and its end.
mod account;

/// What Google means when it refuses.
mod refusal;

use sdk::{Context, Descriptor, Flow, Provider, Tokens};

struct Plugin;

sdk::export!(Plugin, authorization, device, profile, revocation);

impl Provider for Plugin {
    fn describe() -> Descriptor {
        sheet::describe()
    }

    fn login(context: &Context) -> Flow<Tokens> {
        token::login(context)
    }

    fn refresh(context: &Context) -> Flow<Tokens> {
        token::refresh(context)
    }
}
