//! `traps-after-answer` after its fault was found: the same plugin in its next version, which reads
//! what the one before died of.

use sdk::{Answer, Context, Descriptor, Failure, Flow, Request, Rotation, Tokens, send};
use sdk::{refresh_token, refresh_token_at, secret, text};

fn describe() -> Descriptor {
    let mut descriptor = guests::describe("traps-after-answer").rotation(Rotation::Strict);
    descriptor.version = "0.1.1".to_owned();
    descriptor
}

fn login(_: &Context) -> Flow<Tokens> {
    send(Request::post("{base_url}/token").json([("key", secret("key"))]), read)
}

fn refresh(_: &Context) -> Flow<Tokens> {
    let fields = [("grant_type", text("refresh_token")), ("refresh_token", refresh_token())];
    send(Request::post("{base_url}/token").form(fields), read)
}

fn read(answer: &dyn Answer) -> Result<Tokens, Failure> {
    let mut tokens = Tokens::bearer("/access_token");
    tokens.refresh_token = refresh_token_at(answer, "/refresh_token")?;
    Ok(tokens)
}

guests::guest!(describe, login, refresh);
