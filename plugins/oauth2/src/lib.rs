//! The plugin for any OAuth 2.0 provider: exports, no logic.

#![forbid(unsafe_code)]

mod account;
mod authorize;
mod client;
mod device;
mod discovery;
mod endpoint;
mod grant;
mod revocation;
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
        authorize::url(context, request)
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
    fn profile(context: &Context) -> Flow<String> {
        account::profile(context)
    }
}

impl Revocation for Plugin {
    fn revoke(context: &Context) -> Flow<()> {
        revocation::revoke(context)
    }
}

sdk::export!(Plugin, authorization, device, profile, revocation);
