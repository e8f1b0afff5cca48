//! The well-behaved one: rotates a refresh token as RFC 6749 has it. The crash tests kill the host
//! around it. It never logs in, so a lost refresh token stays lost and is noticed.

use sdk::{Answer, Context, Descriptor, Effect, Failure, Field, Flow, Request, Rotation, Tokens};
use sdk::{refresh_token, refresh_token_at, send, text, trouble, unexpected};

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
    if let Some(failure) = trouble(answer, Effect::MayRotate, "the provider") {
        return Err(failure);
    }
    if answer.status() == 400 && answer.text("/error").as_deref() == Some("invalid_grant") {
        return Err(Failure::GrantExpired("the grant is gone".to_owned()));
    }
    if !answer.is_success() {
        return Err(unexpected(answer, "token"));
    }
    let mut tokens = Tokens::bearer("/access_token");
    tokens.expires_at = answer.number("/expires_in").and_then(|seconds| now.checked_add(seconds));
    tokens.refresh_token = refresh_token_at(answer, "/refresh_token")?;
    Ok(tokens)
}

guests::guest!(describe, login, refresh);
