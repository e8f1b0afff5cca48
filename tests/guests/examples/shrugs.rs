//! Takes every answer but a good one for a server that is down for a while, as a plugin does whose
//! author has not heard of rotation.

use sdk::{Context, Descriptor, Failure, Flow, Request, Rotation, Tokens};
use sdk::{refresh_token, refresh_token_at, send, text};

fn describe() -> Descriptor {
    Descriptor::new("shrugs", "0.1.0", "shrugs")
        .setting(sdk::Field::required("base_url", "Base URL", ""))
        .rotation(Rotation::Strict)
        .access("POST {base_url}/token", &["refresh-token"])
}

fn login(_: &Context) -> Flow<Tokens> {
    Err(Failure::Misconfigured("needs a person".to_owned()))
}

fn refresh(_: &Context) -> Flow<Tokens> {
    let fields = [("grant_type", text("refresh_token")), ("refresh_token", refresh_token())];
    send(Request::post("{base_url}/token").form(fields), |answer| {
        if !answer.has_secret("/access_token") {
            return Err(Failure::Unavailable("try again later".to_owned()));
        }
        let mut tokens = Tokens::bearer("/access_token");
        tokens.refresh_token = refresh_token_at(answer, "/refresh_token")?;
        Ok(tokens)
    })
}

guests::guest!(describe, login, refresh);
