//! Makes every [`Provider`] a guest of the contract. The only file that asks for the time.

use std::time::UNIX_EPOCH;

use crate::bindings::authorization::exports::keepfresh::provider::authorization;
use crate::bindings::exports::keepfresh::provider::provider;
use crate::bindings::keepfresh::provider::secrets::Secret;
use crate::bindings::keepfresh::provider::types::{Connection, Failure, TokenSet};
use crate::bindings::profile::exports::keepfresh::provider::profile;
use crate::bindings::revocation::exports::keepfresh::provider::revocation;
use crate::flow::{
    Authorization, AuthorizationRequest, Context, Current, Flow, Profile, Provider, Revocation,
    Settings,
};
use crate::run::{self, Keyring};
use crate::tokens::Tokens;

impl<P: Provider> provider::Guest for P {
    fn describe() -> provider::Descriptor {
        P::describe()
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        tokens(open::<P>(connection, None), P::login)
    }

    fn refresh(connection: Connection, current: TokenSet) -> Result<TokenSet, Failure> {
        tokens(open::<P>(connection, Some(current)), P::refresh)
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
        P::authorization_url(&open::<P>(connection, None).0, &request)
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
        tokens((context, keyring), |context| P::exchange(context, &redirect_uri))
    }
}

/// Runs a flow that ends in tokens.
fn tokens(
    (context, mut keyring): (Context, Keyring),
    flow: impl FnOnce(&Context) -> Flow<Tokens>,
) -> Result<TokenSet, Failure> {
    let (tokens, last) = run::run(flow(&context), &context.settings, &mut keyring)?;
    run::collect(tokens, last.as_ref(), &keyring)
}

/// Parts a connection into what a flow may see and the secrets it may only name.
fn open<P: Provider>(connection: Connection, current: Option<TokenSet>) -> (Context, Keyring) {
    let context = Context {
        id: connection.id,
        settings: Settings::new(&P::describe(), connection.settings),
        secrets: connection.secrets.iter().map(|(name, _)| name.clone()).collect(),
        current: current.as_ref().map(plain),
        now: UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()),
    };
    (context, Keyring { connection: connection.secrets, current, kept: Vec::new() })
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
