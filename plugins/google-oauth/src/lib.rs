//! The Google plugin: exports, no logic.

#![forbid(unsafe_code)]

mod account;
mod device;
mod refusal;
mod scopes;
mod sheet;
mod token;

use sdk::{
    Authorization, AuthorizationRequest, Context, Descriptor, Device, DeviceGrant, Flow, Profile,
    Progress, Provider, Revocation, Tokens,
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

impl Device for Plugin {
    fn start(context: &Context, scopes: &[String]) -> Flow<DeviceGrant> {
        device::start(context, scopes)
    }

    fn poll(context: &Context) -> Flow<Progress> {
        device::poll(context)
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

sdk::export!(Plugin, authorization, device, profile, revocation);
