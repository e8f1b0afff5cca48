//! Rotates properly, and dies on an answer that says `"poison": true`: after the provider acted,
//! before the host has the token. The answer must survive it.

use sdk::{Answer, Context, Descriptor, Failure, Flow, Request, Rotation, Tokens, send};
use sdk::{refresh_token, refresh_token_at, secret, text};

fn describe() -> Descriptor {
    guests::describe("traps-after-answer").rotation(Rotation::Strict)
}

fn login(_: &Context) -> Flow<Tokens> {
    send(Request::post("{base_url}/token").json([("key", secret("key"))]), read)
}

fn refresh(_: &Context) -> Flow<Tokens> {
    let fields = [("grant_type", text("refresh_token")), ("refresh_token", refresh_token())];
    send(Request::post("{base_url}/token").form(fields), read)
}

fn read(answer: &dyn Answer) -> Result<Tokens, Failure> {
    assert!(answer.json("/poison").as_deref() != Some("true"), "poisoned");
    let mut tokens = Tokens::bearer("/access_token");
    tokens.refresh_token = refresh_token_at(answer, "/refresh_token")?;
    Ok(tokens)
}

guests::guest!(describe, login, refresh);
