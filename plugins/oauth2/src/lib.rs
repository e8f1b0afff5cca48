//! Any OAuth 2.0 provider, configured only by settings: client credentials, or a person's consent.

#![forbid(unsafe_code)]

/// Settings, secrets and addresses.
mod sheet;

/// Tokens of a client, a code or a refresh.
mod token;

/// Fields that a refresh has beyond that.
mod extra;

/// Whose tokens they are.
mod grant;

/// How the client proves who it is.
mod client;

/// Where the provider's endpoints are.
mod endpoint;

/// The document that says so.
mod discovery;

/// A person in a browser.
mod authorize;

/// A person on another machine.
mod device;

/// Facts about a token and a person.
mod account;

/// The end of a grant.
mod revocation;

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
