//! Gets a token properly and returns it with rubbish beside it. The setting `rubbish` chooses: `year`
//! is an expiry beyond all calendars, `essay` a fact of 100 KiB, `twice` the same token as access and
//! refresh token; anything else adds nothing, so that the rubbish can come from the provider.

use sdk::{Context, Descriptor, Field, Flow, Request, Tokens, refresh_token_at, secret, send};

fn describe() -> Descriptor {
    guests::describe("rubbish-output").setting(Field::required("rubbish", "Rubbish", "Which."))
}

fn rubbish(context: &Context) -> Flow<Tokens> {
    let which = context.settings.optional("rubbish").unwrap_or_default().to_owned();
    send(Request::post("{base_url}/token").json([("key", secret("key"))]), move |answer| {
        let mut tokens = Tokens::bearer("/access_token");
        tokens.refresh_token = refresh_token_at(answer, "/refresh_token")?;
        match which.as_str() {
            "year" => tokens.expires_at = Some(u64::MAX - 1),
            "essay" => tokens.metadata.push(("essay".to_owned(), "x".repeat(100 << 10))),
            "twice" => tokens.refresh_token = Some("/access_token".into()),
            _ => {}
        }
        Ok(tokens)
    })
}

guests::guest!(describe, rubbish, rubbish);
