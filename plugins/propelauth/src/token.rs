//! Tokens from a code and from a refresh token. A refresh token works once, so an answer without the
//! next one is not taken: storing it would lose the user. Nobody can log in here unattended.

use sdk::oauth::{Call, error_code, join, refusal, tokens, with_query};
use sdk::{
    Answer, Authorization, AuthorizationRequest, Context, Failure, Flow, Request, Step, Tokens,
    Value, basic_header, client_basic, kept, refresh_token, refresh_token_at, secret, send, text,
};

use crate::Plugin;
use crate::sheet::PROPELAUTH;

pub(crate) fn login(context: &Context) -> Flow<Tokens> {
    let id = &context.id;
    Err(Failure::grant_expired(format!(
        "the user has to log in at PropelAuth; run: keepfresh connect {id}"
    )))
}

pub(crate) fn refresh(context: &Context) -> Flow<Tokens> {
    let fields = [("grant_type", text("refresh_token")), ("refresh_token", refresh_token())];
    let request = ask(context, fields)?;
    let context = context.clone();
    send(request, move |answer| {
        let mut tokens = read(answer, Call::Refresh, context.now)?;
        if tokens.refresh_token.is_none() {
            return Err(Failure::unexpected(
                "PropelAuth answered a refresh without a new refresh token, and the old one is \
                 used up; the answer is kept",
            ));
        }
        if tokens.scopes.is_empty() {
            tokens.scopes = context.scopes();
        }
        Ok(tokens)
    })
}

impl Authorization for Plugin {
    fn authorization_url(context: &Context, request: &AuthorizationRequest) -> Flow<String> {
        let settings = &context.settings;
        let base = settings.fill("{auth_url}/propelauth/oauth/authorize")?;
        let scope = join(settings.optional("scopes"), &request.scopes);
        let mut parameters = vec![
            ("redirect_uri", request.redirect_uri.as_str()),
            ("client_id", settings.required("client_id")?),
            ("response_type", "code"),
        ];
        if !scope.is_empty() {
            parameters.push(("scope", &scope));
        }
        for name in ["prompt", "org_id"] {
            parameters.extend(settings.optional(name).map(|value| (name, value)));
        }
        Ok(Step::Done(with_query(&base, parameters)))
    }

    fn exchange(context: &Context, redirect_uri: &str) -> Flow<Tokens> {
        let request = ask(
            context,
            [
                ("grant_type", text("authorization_code")),
                ("code", kept("code")),
                ("redirect_uri", text(redirect_uri)),
                ("code_verifier", kept("code_verifier")),
            ],
        )?;
        let context = context.clone();
        send(request, move |answer| {
            let mut tokens = read(answer, Call::Code, context.now)?;
            if tokens.scopes.is_empty() {
                tokens.scopes = context.settings.words("scopes");
            }
            Ok(tokens)
        })
    }
}

/// A request to the token endpoint. The id is in the body with and without a secret, because clients
/// without one are known by it alone.
fn ask<const N: usize>(context: &Context, fields: [(&str, Value); N]) -> Result<Request, Failure> {
    let id = context.settings.required("client_id")?;
    let request = Request::post("{auth_url}/propelauth/oauth/token")
        .form([("client_id", text(id))].into_iter().chain(fields));
    Ok(if context.has_secret("client_secret") {
        let credentials = client_basic(id, secret("client_secret"));
        request.header("Authorization", basic_header(credentials))
    } else {
        request
    })
}

/// Flat by the OAuth endpoint, nested by the backend API.
fn read(answer: &dyn Answer, call: Call, now: u64) -> Result<Tokens, Failure> {
    const NESTED: &str = "/access_token/access_token";
    if answer.is_success() && answer.has_secret(NESTED) {
        let mut tokens = Tokens::bearer(NESTED);
        tokens.expires_at = answer.until("/access_token/expires_at_seconds", now);
        tokens.refresh_token = refresh_token_at(answer, "/refresh_token")?;
        return Ok(tokens);
    }
    tokens(answer, PROPELAUTH, now).unwrap_or_else(|| Err(refused(answer, call)))
}

/// Nobody documents the codes of a refused refresh, so there the status decides where the code does
/// not. A page for people is a gateway's: if it counted, one blocked hour would log out every user.
fn refused(answer: &dyn Answer, call: Call) -> Failure {
    match (error_code(answer), answer.status(), call) {
        (None, 400 | 401 | 403, Call::Refresh) if answer.is_page() => {
            Failure::of(answer, "PropelAuth", "a refresh")
        }
        (None, 400 | 401 | 403, Call::Refresh) => Failure::grant_expired(
            "PropelAuth no longer accepts the refresh token: the user logged out, was deleted, or \
             the token expired",
        ),
        _ => refusal(answer, call, PROPELAUTH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::oauth::words;
    use sdk::testing::{
        Canned, authorization_url, context, context_with_tokens, exchange, login, refresh,
    };

    const PAIR: &str = include_str!("../fixtures/pair.json");
    const NESTED: &str = include_str!("../fixtures/nested.json");
    const SETTINGS: [(&str, &str); 2] =
        [("auth_url", "https://auth.example.com/"), ("client_id", "c 1")];

    fn connected() -> Context {
        context_with_tokens::<Plugin>(&SETTINGS)
    }

    fn public(context: Context) -> Context {
        Context { secrets: Vec::new(), ..context }
    }

    fn url(more: &[(&str, &str)], scopes: &str) -> String {
        let context = context::<Plugin>(&[SETTINGS.as_slice(), more].concat());
        let redirect_uri = "http://127.0.0.1:1/cb".to_owned();
        let request = AuthorizationRequest { redirect_uri, scopes: words(scopes), consent: false };
        authorization_url::<Plugin>(&context, &request, &[]).result.unwrap()
    }

    fn refresh_ends(status: u16, body: &str) -> (&'static str, String) {
        let played = refresh::<Plugin>(&connected(), &[Canned::new(status, body)]);
        let (case, text) = (played.case(), played.text());
        (case, text.to_owned())
    }

    #[test]
    fn nobody_logs_in_unattended() {
        let played = login::<Plugin>(&context::<Plugin>(&SETTINGS), &[]);
        let text =
            "the user has to log in at PropelAuth; run: keepfresh connect propelauth/default";
        assert_eq!((played.case(), played.text()), ("grant-expired", text));
    }

    #[test]
    fn the_browser_is_sent_with_what_the_settings_say_and_no_more() {
        let start = "https://auth.example.com/propelauth/oauth/authorize?\
                     redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb&client_id=c%201&response_type=code";
        assert_eq!(url(&[], ""), start);
        let more = [("org_id", "o1"), ("prompt", "login"), ("scopes", "openid email")];
        let all = format!("{start}&scope=openid%20email%20profile&prompt=login&org_id=o1");
        assert_eq!(url(&more, "profile"), all);
    }

    #[test]
    fn a_code_is_traded_with_the_secret_or_with_pkce_alone() {
        let context = context::<Plugin>(&SETTINGS);
        let fields = [
            ("client_id", text("c 1")),
            ("grant_type", text("authorization_code")),
            ("code", kept("code")),
            ("redirect_uri", text("http://r")),
            ("code_verifier", kept("code_verifier")),
        ];
        let sent = Request::post("{auth_url}/propelauth/oauth/token").form(fields);
        let with_secret = sent
            .clone()
            .header("Authorization", basic_header(client_basic("c 1", secret("client_secret"))));
        let played = exchange::<Plugin>(&context, "http://r", &[Canned::new(200, PAIR)]);
        assert_eq!(played.requests, [with_secret]);
        let tokens = played.result.unwrap();
        assert_eq!(tokens.expires_at, Some(context.now + 1800));
        assert_eq!(tokens.refresh_token, Some("/refresh_token".into()));
        assert_eq!(exchange::<Plugin>(&public(context), "http://r", &[]).requests, [sent]);
    }

    #[test]
    fn a_refresh_names_the_client_and_takes_both_tokens() {
        let sent = Request::post("{auth_url}/propelauth/oauth/token").form([
            ("client_id", text("c 1")),
            ("grant_type", text("refresh_token")),
            ("refresh_token", refresh_token()),
        ]);
        let played = refresh::<Plugin>(&public(connected()), &[Canned::new(200, PAIR)]);
        assert_eq!(played.requests, [sent]);
        assert_eq!(played.result.unwrap().refresh_token, Some("/refresh_token".into()));
    }

    #[test]
    fn a_refresh_must_bring_both_tokens() {
        let (case, text) = refresh_ends(200, r#"{"access_token":"a","expires_in":1800}"#);
        assert_eq!(case, "unexpected");
        assert!(text.contains("without a new refresh token"), "{text}");
        assert_eq!(refresh_ends(200, r#"{"refresh_token":"r"}"#).0, "unexpected");
        assert_eq!(refresh_ends(200, r#"{"access_token":"a","refresh_token":""}"#).0, "unexpected");
    }

    #[test]
    fn the_backends_nested_shape_is_read_too() {
        let played = refresh::<Plugin>(&connected(), &[Canned::new(200, NESTED)]);
        let tokens = played.result.unwrap();
        assert_eq!(tokens.access_token, "/access_token/access_token".into());
        assert_eq!(tokens.expires_at, Some(1_700_001_800));
        assert_eq!(tokens.refresh_token, Some("/refresh_token".into()));
    }

    #[test]
    fn scopes_stay_when_the_answer_has_none() {
        let mut context = connected();
        context.current.as_mut().unwrap().scopes = words("openid email");
        let tokens = refresh::<Plugin>(&context, &[Canned::new(200, PAIR)]).result.unwrap();
        assert_eq!(tokens.scopes, ["openid", "email"]);
    }

    #[test]
    fn a_refused_refresh_needs_the_user_unless_the_client_is_wrong() {
        assert_eq!(refresh_ends(400, r#"{"error":"invalid_grant"}"#).0, "grant-expired");
        assert_eq!(refresh_ends(401, r#"{"error":"invalid_client"}"#).0, "invalid-credentials");
        for status in [400, 401, 403] {
            let (case, text) = refresh_ends(status, "{}");
            assert_eq!(case, "grant-expired", "{status}");
            assert!(text.contains("logged out"), "{text}");
            let page = Canned::new(status, "<html>").header("Content-Type", "text/html");
            let played = refresh::<Plugin>(&connected(), &[page]);
            assert_eq!(played.case(), "unexpected", "{status}");
        }
    }

    #[test]
    fn an_outage_may_have_rotated_and_a_limit_is_obeyed() {
        assert_eq!(refresh_ends(502, "<html>").0, "in-doubt");
        let slow = Canned::new(429, "slow down").header("Retry-After", "30");
        let result = refresh::<Plugin>(&connected(), &[slow]).result;
        assert!(matches!(result, Err(Failure::RateLimited(Some(30)))));
    }
}
