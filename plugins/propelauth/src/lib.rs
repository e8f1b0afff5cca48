//! The PropelAuth plugin: exports, no logic.

#![forbid(unsafe_code)]

mod account;
mod sheet;
mod token;

use sdk::{
    Authorization, AuthorizationRequest, Context, Descriptor, Flow, Profile, Provider, Revocation,
    Tokens,
};

struct Plugin;

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

impl Authorization for Plugin {
    fn authorization_url(context: &Context, request: &AuthorizationRequest) -> Flow<String> {
        token::authorization_url(context, request)
    }

    fn exchange(context: &Context, redirect_uri: &str) -> Flow<Tokens> {
        token::exchange(context, redirect_uri)
    }
}

impl Profile for Plugin {
    fn profile(_: &Context) -> Flow<String> {
        account::profile()
    }
}

impl Revocation for Plugin {
    fn revoke(context: &Context) -> Flow<()> {
        account::revoke(context)
    }
}

sdk::export!(Plugin, authorization, profile, revocation);
