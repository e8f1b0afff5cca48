//! PropelAuth, user logins for B2B products. Access tokens live 30 minutes, and every refresh
//! rotates the refresh token.

#![forbid(unsafe_code)]

/// Settings, secrets and addresses.
mod sheet;

/// Tokens, from a browser and from a refresh.
mod token;

/// Facts about the user, and the end of the session.
mod account;

use sdk::{Context, Descriptor, Flow, Provider, Tokens};

struct Plugin;

sdk::export!(Plugin, authorization, profile, revocation);

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
