//! Makes every [`Provider`] a guest of the contract. The only file that asks for the time.

use std::hash::{BuildHasher as _, RandomState};
use std::time::UNIX_EPOCH;

use crate::bindings::authorization::exports::keepfresh::provider::authorization;
use crate::bindings::device::exports::keepfresh::provider::device;
use crate::bindings::exports::keepfresh::provider::provider::{self, Rotation};
use crate::bindings::keepfresh::provider::secrets::Secret;
use crate::bindings::keepfresh::provider::types::{Connection, Failure, TokenSet};
use crate::bindings::profile::exports::keepfresh::provider::profile;
use crate::bindings::revocation::exports::keepfresh::provider::revocation;
use crate::failure::doubting;
use crate::flow::{
    Authorization, AuthorizationRequest, Context, Current, Device, Flow, Profile, Progress,
    Provider, Revocation,
};
use crate::run::{self, Keyring};
use crate::settings::Settings;
use crate::tokens::Tokens;

impl<P: Provider> provider::Guest for P {
    fn describe() -> provider::Descriptor {
        P::describe()
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        tokens::<P>(open::<P>(connection, None), P::login)
    }

    fn refresh(connection: Connection, current: TokenSet) -> Result<TokenSet, Failure> {
        tokens::<P>(open::<P>(connection, Some(current)), P::refresh)
    }
}

impl<P: Profile> profile::Guest for P {
    fn fetch(connection: Connection, current: TokenSet) -> Result<String, Failure> {
        let (context, mut keyring) = open::<P>(connection, Some(current));
        run::run(P::profile(&context), &context.settings, &mut keyring).map(|(facts, _)| facts)
    }
}

impl<P: Revocation> revocation::Guest for P {
    fn revoke(connection: Connection, current: TokenSet) -> Result<(), Failure> {
        let (context, mut keyring) = open::<P>(connection, Some(current));
        run::run(P::revoke(&context), &context.settings, &mut keyring).map(|_| ())
    }
}

impl<P: Authorization> authorization::Guest for P {
    fn authorization_url(
        connection: Connection,
        request: AuthorizationRequest,
    ) -> Result<String, Failure> {
        let (context, mut keyring) = open::<P>(connection, None);
        let flow = P::authorization_url(&context, &request);
        run::run(flow, &context.settings, &mut keyring).map(|(url, _)| url)
    }

    fn exchange(
        connection: Connection,
        redirect_uri: String,
        code: Secret,
        code_verifier: Secret,
    ) -> Result<TokenSet, Failure> {
        let (context, mut keyring) = open::<P>(connection, None);
        let handed = [("code", code), ("code_verifier", code_verifier)];
        keyring.kept.extend(handed.map(|(name, secret)| (name.to_owned(), secret)));
        tokens::<P>((context, keyring), |context| P::exchange(context, &redirect_uri))
    }
}

impl<P: Device> device::Guest for P {
    fn start(connection: Connection, scopes: Vec<String>) -> Result<device::Grant, Failure> {
        let (context, mut keyring) = open::<P>(connection, None);
        let flow = P::start(&context, &scopes);
        let (grant, last) = run::run(flow, &context.settings, &mut keyring)?;
        Ok(device::Grant {
            device_code: run::take(grant.device_code, last.as_ref(), &keyring)?,
            user_code: grant.user_code,
            verification_uri: grant.verification_uri,
            verification_uri_complete: grant.verification_uri_complete,
            expires_in: grant.expires_in,
            interval: grant.interval,
        })
    }

    fn poll(connection: Connection, device_code: Secret) -> Result<device::Progress, Failure> {
        let (context, mut keyring) = open::<P>(connection, None);
        keyring.kept.push(("device_code".to_owned(), device_code));
        let (progress, last) = run::run(P::poll(&context), &context.settings, &mut keyring)?;
        Ok(match progress {
            Progress::Pending => device::Progress::Pending,
            Progress::SlowDown => device::Progress::SlowDown,
            Progress::Granted(tokens) => {
                device::Progress::Granted(run::collect(*tokens, last.as_ref(), &keyring)?)
            }
        })
    }
}

/// Runs a flow that ends in tokens.
fn tokens<P: Provider>(
    (context, mut keyring): (Context, Keyring),
    flow: impl FnOnce(&Context) -> Flow<Tokens>,
) -> Result<TokenSet, Failure> {
    let rotation: fn() -> Rotation = || P::describe().rotation;
    let flow = doubting(flow(&context), rotation);
    let (tokens, last) = run::run(flow, &context.settings, &mut keyring)?;
    run::collect(tokens, last.as_ref(), &keyring)
}

/// Parts a connection into what a flow may see and the secrets it may only name.
fn open<P: Provider>(connection: Connection, current: Option<TokenSet>) -> (Context, Keyring) {
    let context = Context {
        id: connection.id,
        settings: Settings::given(connection.settings, P::describe),
        secrets: connection.secrets.iter().map(|(name, _)| name.clone()).collect(),
        current: current.as_ref().map(plain),
        remembered: connection.remembered,
        unique: unique(),
        now: UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()),
    };
    (context, Keyring { connection: connection.secrets, current, kept: Vec::new() })
}

/// The keys of two hash maps: the standard library's own way to the random numbers of the host.
fn unique() -> String {
    let half = || RandomState::new().hash_one(0_u8);
    // Keys that follow one another differ by one only, and the hash hides that.
    format!("{:016x}{:016x}", half(), half())
}

fn plain(tokens: &TokenSet) -> Current {
    Current {
        token_type: tokens.token_type.clone(),
        expires_at: tokens.expires_at,
        has_refresh_token: tokens.refresh_token.is_some(),
        scopes: tokens.scopes.clone(),
        metadata: tokens.metadata.clone(),
    }
}
