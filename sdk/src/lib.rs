//! What a plugin is written with. A plugin describes its requests and how to read the answers as
//! plain data; this crate sends them, moves the secrets by name, and speaks the contract. So a
//! flow never holds a secret, and is tested without a host.
//!
//! Start at [`Provider`]. Plugins that need the contract itself find it in [`bindings`].

pub mod bindings;

mod answer;
mod descriptor;
mod failure;
mod flow;
mod glue;
pub mod oauth;
mod refusals;
mod request;
mod run;
mod settings;
pub mod testing;
mod tokens;

pub use crate::answer::{Answer, facts, refresh_token_at};
pub use crate::bindings::exports::keepfresh::provider::provider::{
    Access, Descriptor, Field, Kind, Logins, Read, Rotation,
};
pub use crate::bindings::keepfresh::provider::http::{Method, Shape};
pub use crate::bindings::keepfresh::provider::secrets::{Encoding, JwtAlgorithm};
pub use crate::bindings::keepfresh::provider::types::Failure;
pub use crate::failure::trouble;
pub use crate::flow::{
    Authorization, AuthorizationRequest, Context, Current, Device, DeviceGrant, Exchange, Flow,
    Profile, Progress, Provider, Reading, Revocation, Step, send, send_then,
};
pub use crate::refusals::{Refusal, Refusals};
pub use crate::request::{
    Body, Place, Request, SignedJwt, Value, access_token, basic, basic_header, bearer,
    client_basic, compose, extra, json, kept, refresh_token, secret, text,
};
pub use crate::settings::{Settings, listed, origin};
pub use crate::tokens::{Source, Tokens, scheme};
/// What numbers, lengths and times mean; an [`Answer`] reads them with it.
pub use times;

/// Exports a plugin: `sdk::export!(Plugin)`, or with optional interfaces
/// `sdk::export!(Plugin, profile, revocation)`. Outside of WebAssembly it only checks the type:
/// the exported names are none that a native linker takes. It brings a test that every flow which
/// is exported sends what is declared, and no more ([`testing::declared`]).
#[macro_export]
macro_rules! export {
    ($plugin:ident $(, $optional:ident)* $(,)?) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::export_provider!($plugin with_types_in $crate::bindings);
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Descriptor =
            <$plugin as $crate::bindings::exports::keepfresh::provider::provider::Guest>::describe;
        $($crate::export_optional!($plugin, $optional);)*

        #[cfg(test)]
        #[test]
        fn every_request_is_declared() {
            $crate::testing::declared::provider::<$plugin>();
            $($crate::testing::declared::$optional::<$plugin>();)*
        }
    };
}

/// One optional interface of [`export!`].
#[doc(hidden)]
#[macro_export]
macro_rules! export_optional {
    ($plugin:ident, authorization) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::authorization::export_authorization!(
            $plugin with_types_in $crate::bindings::authorization
        );
    };
    ($plugin:ident, device) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::device::export_device!(
            $plugin with_types_in $crate::bindings::device
        );
    };
    ($plugin:ident, profile) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::profile::export_profile!(
            $plugin with_types_in $crate::bindings::profile
        );
    };
    ($plugin:ident, revocation) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::revocation::export_revocation!(
            $plugin with_types_in $crate::bindings::revocation
        );
    };
}

/// The example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
