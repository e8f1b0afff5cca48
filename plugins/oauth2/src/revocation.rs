//! The end of a grant, RFC 7009. The refresh token goes first, because a provider that ends it ends
//! the access tokens with it; where only access tokens can be revoked, that one goes.

use sdk::oauth::{Call, error_code, refusal};
use sdk::{Answer, Context, Flow, Revocation, Step, access_token, refresh_token, send_then, text};

use crate::Plugin;
use crate::client;
use crate::endpoint::{Endpoint, Known, locate};
use crate::sheet::PROVIDER;

/// Which token is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Refresh,
    Access,
}

impl Revocation for Plugin {
    fn revoke(context: &Context) -> Flow<()> {
        let first = if context.has_refresh_token() { Token::Refresh } else { Token::Access };
        let context = context.clone();
        locate(&context.clone(), Endpoint::Revoke, move |known| send(context, known, first))
    }
}

fn send(context: Context, known: Known, token: Token) -> Flow<()> {
    let url = known.require(&context.settings, Endpoint::Revoke)?;
    let (value, hint) = match token {
        Token::Refresh => (refresh_token(), "refresh_token"),
        Token::Access => (access_token(), "access_token"),
    };
    let fields = [("token", value), ("token_type_hint", text(hint))];
    let unique = format!("{}-{hint}", context.unique);
    let request = client::request(&context, &url, &fields, &unique)?;
    send_then(request, move |answer| match error_code(answer).as_deref() {
        Some("unsupported_token_type") if token == Token::Refresh => {
            send(context, known, Token::Access)
        }
        // Not in the RFC, which has 200 for a token that is dead already; Google and others say so.
        Some("invalid_token") if answer.status() == 400 => Ok(Step::Done(())),
        _ => finish(answer),
    })
}

fn finish(answer: &dyn Answer) -> Flow<()> {
    if answer.is_success() && error_code(answer).is_none() {
        return Ok(Step::Done(()));
    }
    Err(refusal(answer, Call::Revocation, PROVIDER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, context_with_tokens, revoke};
    use sdk::{Body, Request, Value};

    fn connected() -> Context {
        let settings = [("client_id", "c"), ("revoke_url", "https://id.example/revoke")];
        context_with_tokens::<Plugin>(&settings)
    }

    fn ends(status: u16, body: &str) -> &'static str {
        let answers = [Canned::new(status, body), Canned::new(status, body)];
        revoke::<Plugin>(&connected(), &answers).case()
    }

    fn token(request: &Request) -> &Value {
        let Body::Form(fields) = &request.body else { panic!() };
        &fields[0].1
    }

    #[test]
    fn the_refresh_token_goes_first() {
        let mut context = connected();
        let sent = |context: &Context| revoke::<Plugin>(context, &[]).requests;
        assert_eq!(token(&sent(&context)[0]), &refresh_token());
        context.current.as_mut().unwrap().has_refresh_token = false;
        assert_eq!(token(&sent(&context)[0]), &access_token());
    }

    #[test]
    fn where_only_access_tokens_can_be_revoked_that_one_goes() {
        let answers =
            [Canned::new(400, r#"{"error":"unsupported_token_type"}"#), Canned::new(200, "")];
        let played = revoke::<Plugin>(&connected(), &answers);
        assert!(played.result.is_ok());
        assert_eq!(token(&played.requests[1]), &access_token());
        assert_eq!(ends(400, r#"{"error":"unsupported_token_type"}"#), "misconfigured");
    }

    #[test]
    fn a_token_that_is_dead_already_counts_as_revoked() {
        assert_eq!((ends(200, ""), ends(204, "")), ("ok", "ok"));
        assert_eq!(ends(400, r#"{"error":"invalid_token"}"#), "ok");
    }

    #[test]
    fn what_was_not_revoked_is_not_said_to_be() {
        assert_eq!((ends(503, ""), ends(429, "")), ("unavailable", "rate-limited"));
        assert_eq!(ends(401, r#"{"error":"invalid_client"}"#), "invalid-credentials");
        assert_eq!((ends(404, "<p>"), ends(400, "{}")), ("misconfigured", "unexpected"));
        assert_eq!(ends(200, r#"{"error":"server_error"}"#), "unavailable");
    }

    #[test]
    fn a_provider_without_revocation_is_named_with_the_setting() {
        let context = context_with_tokens::<Plugin>(&[
            ("client_id", "c"),
            ("token_url", "https://id.example/token"),
        ]);
        let played = revoke::<Plugin>(&context, &[]);
        assert_eq!(played.case(), "misconfigured");
        assert!(played.text().contains("`revoke_url`"));
    }
}
