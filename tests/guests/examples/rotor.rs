//! The well-behaved one: rotates a refresh token as RFC 6749 has it. The crash tests kill the host
//! around it. It never logs in, so a lost refresh token stays lost and is noticed.

use sdk::{
    Answer, Context, Descriptor, Failure, Field, Flow, Refusal, Refusals, Request, Rotation,
};
use sdk::{Tokens, refresh_token, refresh_token_at, send, text};

const NO_REFRESH: Refusals = Refusals::of("the provider", "tokens")
    .rows(&[Refusal::grant_expired("the grant is gone").on(&["invalid_grant"])]);

fn describe() -> Descriptor {
    Descriptor::new("rotor", "0.1.0", "rotor")
        .setting(Field::required("base_url", "Base URL", ""))
        .rotation(Rotation::Strict)
        .access("POST {base_url}/token", &["refresh-token"])
        .reads_oauth()
}

fn login(_: &Context) -> Flow<Tokens> {
    Err(Failure::Misconfigured("needs a person".to_owned()))
}

fn refresh(context: &Context) -> Flow<Tokens> {
    let fields = [("grant_type", text("refresh_token")), ("refresh_token", refresh_token())];
    let now = context.now;
    send(Request::post("{base_url}/token").form(fields), move |answer| read(answer, now))
}

fn read(answer: &dyn Answer, now: u64) -> Result<Tokens, Failure> {
    if !answer.is_success() {
        return Err(NO_REFRESH.failure(answer));
    }
    let mut tokens = Tokens::bearer("/access_token");
    tokens.expires_at = answer.number("/expires_in").and_then(|seconds| now.checked_add(seconds));
    tokens.refresh_token = refresh_token_at(answer, "/refresh_token")?;
    Ok(tokens)
}

guests::guest!(describe, login, refresh);
