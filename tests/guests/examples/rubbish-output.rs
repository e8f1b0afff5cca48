//! Gets a token properly and returns it with an expiry beyond all calendars and a fact of 1 MiB.

use sdk::{Context, Flow, Request, Tokens, secret, send};

fn rubbish(_: &Context) -> Flow<Tokens> {
    send(Request::post("{base_url}/token").json([("key", secret("key"))]), |_| {
        let mut tokens = Tokens::bearer("/access_token");
        tokens.expires_at = Some(u64::MAX - 1);
        tokens.refresh_expires_at = Some(u64::MAX);
        tokens.metadata.push(("essay".to_owned(), "x".repeat(1 << 20)));
        Ok(tokens)
    })
}

guests::guest!("rubbish-output", rubbish);
