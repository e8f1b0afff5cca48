//! What Google says of a token, and its end. Google's revocation is older than RFC 7009: a token that
//! is dead already is a 400 there, and no failure here.

use sdk::oauth::{Call, error_code};
use sdk::{
    Context, Flow, Profile, Refusal, Refusals, Request, Revocation, access_token, bearer, facts,
    refresh_token, send,
};

use crate::Plugin;
use crate::refusal::refusal;

/// What Google says of a token and of the person behind it.
pub(crate) const FACTS: [&str; 8] =
    ["sub", "email", "email_verified", "scope", "exp", "access_type", "aud", "azp"];

const NOT_TOLD: Refusals = Refusals::of("Google", "tokeninfo").rows(&[Refusal::token_rejected(
    "Google refused the access token",
)
.on(&["invalid_token"])
.at(&[401])]);

impl Profile for Plugin {
    /// Google writes every number and truth of it as a string, and so they stay.
    fn profile(_: &Context) -> Flow<String> {
        let request = Request::post("{api_url}/tokeninfo").header("Authorization", bearer());
        send(request, |answer| match answer.status() {
            200 if answer.is_object("") => Ok(facts(answer, "", &FACTS)),
            _ => Err(NOT_TOLD.failure(answer)),
        })
    }
}

impl Revocation for Plugin {
    fn revoke(context: &Context) -> Flow<()> {
        let token = if context.has_refresh_token() { refresh_token() } else { access_token() };
        let request = Request::post("{api_url}/revoke").form([("token", token)]);
        send(request, |answer| {
            let gone = error_code(answer).as_deref() == Some("invalid_token");
            match answer.status() {
                200..300 => Ok(()),
                400 if gone => Ok(()),
                _ => Err(refusal(answer, Call::Revocation)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, context_with_tokens, profile, revoke};

    const DEAD: &str = include_str!("../fixtures/invalid_token.json");

    fn connected() -> Context {
        context_with_tokens::<Plugin>(&[("client_id", "c"), ("scopes", "openid")])
    }

    #[test]
    fn a_profile_is_what_google_says_of_the_token() {
        let answer = Canned::new(200, include_str!("../fixtures/tokeninfo.json"));
        let facts = profile::<Plugin>(&connected(), &[answer]).result.unwrap();
        for fact in [
            r#""email":"owner@example.com""#,
            r#""exp":"1700003600""#,
            r#""access_type":"offline""#,
            r#""scope":"https://www.googleapis.com/auth/business.manage""#,
        ] {
            assert!(facts.contains(fact), "{fact} in {facts}");
        }
    }

    #[test]
    fn a_profile_tells_a_rejected_token_from_an_outage() {
        let ends = |status, body: &str| {
            profile::<Plugin>(&connected(), &[Canned::new(status, body)]).case()
        };
        assert_eq!((ends(400, DEAD), ends(401, "")), ("token-rejected", "token-rejected"));
        assert_eq!((ends(503, ""), ends(400, "{}")), ("unavailable", "unexpected"));
    }

    #[test]
    fn the_grant_ends_with_its_refresh_token_where_there_is_one() {
        let sent = |context: &Context| revoke::<Plugin>(context, &[]).requests;
        let request = Request::post("{api_url}/revoke");
        let mut context = connected();
        assert_eq!(sent(&context), [request.clone().form([("token", refresh_token())])]);
        context.current.as_mut().unwrap().has_refresh_token = false;
        assert_eq!(sent(&context), [request.form([("token", access_token())])]);
    }

    #[test]
    fn a_token_that_is_dead_already_counts_as_revoked() {
        let ends = |status, body: &str| {
            revoke::<Plugin>(&connected(), &[Canned::new(status, body)]).case()
        };
        assert_eq!((ends(200, "{}"), ends(400, DEAD)), ("ok", "ok"));
        assert_eq!((ends(503, ""), ends(400, "{}")), ("unavailable", "unexpected"));
    }
}
