//! Asks where to go before it refreshes, as a client with discovery does: two requests, of which only
//! the second can use up the refresh token.

use sdk::{Context, Descriptor, Failure, Flow, Request, Rotation, Tokens};
use sdk::{refresh_token, refresh_token_at, send, send_then, text};

fn describe() -> Descriptor {
    Descriptor::new("looks-first", "0.1.0", "looks-first")
        .setting(sdk::Field::required("base_url", "Base URL", ""))
        .rotation(Rotation::Strict)
        .access("GET {base_url}/resource", &[])
        .access("POST {base_url}/token", &["refresh-token"])
        .reads_oauth()
}

fn login(_: &Context) -> Flow<Tokens> {
    Err(Failure::Misconfigured("needs a person".to_owned()))
}

fn refresh(_: &Context) -> Flow<Tokens> {
    send_then(Request::get("{base_url}/resource"), |_| trade())
}

fn trade() -> Flow<Tokens> {
    let fields = [("grant_type", text("refresh_token")), ("refresh_token", refresh_token())];
    send(Request::post("{base_url}/token").form(fields), |answer| {
        if answer.text("/error").as_deref() == Some("invalid_grant") {
            return Err(Failure::GrantExpired("the grant is gone".to_owned()));
        }
        if !answer.is_success() {
            return Err(Failure::of(answer, "the provider", "a token"));
        }
        let mut tokens = Tokens::bearer("/access_token");
        tokens.refresh_token = refresh_token_at(answer, "/refresh_token")?;
        Ok(tokens)
    })
}

guests::guest!(describe, login, refresh);
