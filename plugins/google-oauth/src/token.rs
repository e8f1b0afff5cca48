//! Tokens from a code and from a refresh token. The refresh token comes once, with the first consent
//! and only if the browser was sent with `access_type=offline`; a refresh never brings another, and
//! the old one stays. Nobody can log in here unattended.

use sdk::oauth::{Call, join, tokens, with_query};
use sdk::times;
use sdk::{
    Answer, Authorization, AuthorizationRequest, Context, Failure, Flow, Request, Step, Tokens,
    Value, kept, refresh_token, secret, send, text,
};

use crate::Plugin;
use crate::refusal::refusal;
use crate::scopes::missing;
use crate::sheet::GOOGLE;

/// Metadata: scopes that the settings want and the grant does not have.
const MISSING: &str = "missing_scopes";

/// Metadata: why this grant will end by itself.
const WARNING: &str = "warning";

pub(crate) fn login(context: &Context) -> Flow<Tokens> {
    let id = &context.id;
    Err(Failure::grant_expired(format!(
        "a person has to give consent at Google first; run: keepfresh connect {id}"
    )))
}

pub(crate) fn refresh(context: &Context) -> Flow<Tokens> {
    let fields = [("grant_type", text("refresh_token")), ("refresh_token", refresh_token())];
    let request = ask(context, fields)?;
    let context = context.clone();
    send(request, move |answer| {
        let read = tokens(answer, GOOGLE, context.now);
        next(&context, answer, read.unwrap_or_else(|| Err(refusal(answer, Call::Refresh)))?)
    })
}

impl Authorization for Plugin {
    fn authorization_url(context: &Context, request: &AuthorizationRequest) -> Flow<String> {
        let settings = &context.settings;
        let base = settings.fill("{accounts_url}/o/oauth2/v2/auth")?;
        let scope = join(Some(settings.required("scopes")?), &request.scopes);
        let mut parameters = vec![
            ("client_id", settings.required("client_id")?),
            ("redirect_uri", &request.redirect_uri),
            ("response_type", "code"),
            ("scope", &scope),
            ("access_type", "offline"),
            ("include_granted_scopes", "true"),
        ];
        parameters.extend(settings.optional("login_hint").map(|hint| ("login_hint", hint)));
        if request.consent {
            parameters.push(("prompt", "consent"));
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
            let read = tokens(answer, GOOGLE, context.now);
            first(&context, answer, read.unwrap_or_else(|| Err(refusal(answer, Call::Code)))?)
        })
    }
}

/// A request to the token endpoint; Google wants id and secret in the body.
pub(crate) fn ask<const N: usize>(
    context: &Context,
    fields: [(&str, Value); N],
) -> Result<Request, Failure> {
    let client = [
        ("client_id", text(context.settings.required("client_id")?)),
        ("client_secret", secret("client_secret")),
    ];
    Ok(Request::post("{api_url}/token").form(client.into_iter().chain(fields)))
}

/// A first token set. One with less than was wanted is refused while the person is still there.
pub(crate) fn first(
    context: &Context,
    answer: &dyn Answer,
    mut tokens: Tokens,
) -> Result<Tokens, Failure> {
    let wanted = context.settings.required("scopes")?;
    if tokens.scopes.is_empty() {
        tokens.scopes = context.settings.words("scopes");
    }
    let missing = missing(wanted, &tokens.scopes);
    if !missing.is_empty() {
        return Err(Failure::misconfigured(format!(
            "the person did not grant {}; connect again and tick every box",
            missing.join(", ")
        )));
    }
    tokens.metadata.extend(warning(answer).map(|text| (WARNING.to_owned(), text)));
    Ok(tokens)
}

/// The next token set. Scopes that are wanted since are no reason to lose what works.
fn next(context: &Context, answer: &dyn Answer, mut tokens: Tokens) -> Result<Tokens, Failure> {
    if tokens.scopes.is_empty() {
        tokens.scopes = context.scopes();
    }
    let missing = missing(context.settings.required("scopes")?, &tokens.scopes);
    if !missing.is_empty() {
        tokens.metadata.push((MISSING.to_owned(), missing.join(" ")));
    }
    // A refresh does not always repeat how long the grant lives.
    let warning = warning(answer).or_else(|| context.remembered(WARNING).map(str::to_owned));
    tokens.metadata.extend(warning.map(|text| (WARNING.to_owned(), text)));
    Ok(tokens)
}

/// Google says how long a grant lives only when it ends by itself.
fn warning(answer: &dyn Answer) -> Option<String> {
    const WEEK: u64 = 604_800;
    let lifetime = times::span(&answer.written("/refresh_token_expires_in")).value()?;
    let text = match lifetime {
        ..=WEEK => {
            "this grant will expire: the Google Cloud project is probably in Testing, where \
             grants expire after seven days; publish it, then connect again"
        }
        _ => {
            "this grant will expire: the person gave access for a limited time; connect again \
             before that"
        }
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::Body;
    use sdk::oauth::words;
    use sdk::testing::{
        Canned, authorization_url, context, context_with_tokens, exchange, login, refresh,
    };

    const BUSINESS: &str = "https://www.googleapis.com/auth/business.manage";
    const FIRST: &str = include_str!("../fixtures/first.json");
    const NEXT: &str = include_str!("../fixtures/next.json");

    fn settings(scopes: &str) -> [(&'static str, &str); 2] {
        [("client_id", "c.apps.example"), ("scopes", scopes)]
    }

    fn fresh(scopes: &str) -> Context {
        context::<Plugin>(&settings(scopes))
    }

    fn connected(scopes: &str) -> Context {
        context_with_tokens::<Plugin>(&settings(scopes))
    }

    fn url(context: &Context, consent: bool) -> String {
        let redirect_uri = "http://127.0.0.1:7420/oauth/callback".to_owned();
        let request = AuthorizationRequest { redirect_uri, scopes: words("openid"), consent };
        authorization_url::<Plugin>(context, &request, &[]).result.unwrap()
    }

    #[test]
    fn nobody_logs_in_unattended() {
        let played = login::<Plugin>(&fresh(BUSINESS), &[]);
        let text = "a person has to give consent at Google first; run: keepfresh connect google-oauth/default";
        assert_eq!((played.case(), played.text()), ("grant-expired", text));
    }

    #[test]
    fn the_browser_asks_for_a_refresh_token() {
        let expected = "https://accounts.google.com/o/oauth2/v2/auth?client_id=c.apps.example\
            &redirect_uri=http%3A%2F%2F127.0.0.1%3A7420%2Foauth%2Fcallback&response_type=code\
            &scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fbusiness.manage%20openid\
            &access_type=offline&include_granted_scopes=true";
        assert_eq!(url(&fresh(BUSINESS), false), expected);
        assert_eq!(url(&fresh(BUSINESS), true), format!("{expected}&prompt=consent"));
    }

    #[test]
    fn an_account_can_be_offered_first() {
        let given = [settings(BUSINESS).as_slice(), &[("login_hint", "a@b.example")]].concat();
        let url = url(&context::<Plugin>(&given), false);
        assert!(url.ends_with("&login_hint=a%40b.example"), "{url}");
    }

    #[test]
    fn a_code_is_traded_with_verifier_and_secret() {
        let played = exchange::<Plugin>(&fresh(BUSINESS), "http://r", &[Canned::new(200, FIRST)]);
        let sent = Request::post("{api_url}/token").form([
            ("client_id", text("c.apps.example")),
            ("client_secret", secret("client_secret")),
            ("grant_type", text("authorization_code")),
            ("code", kept("code")),
            ("redirect_uri", text("http://r")),
            ("code_verifier", kept("code_verifier")),
        ]);
        assert_eq!(played.requests, [sent]);
        let tokens = played.result.unwrap();
        assert_eq!(tokens.refresh_token, Some("/refresh_token".into()));
        assert_eq!(tokens.expires_at, Some(1_700_000_000 + 3599));
        assert_eq!((tokens.scopes, tokens.metadata), (words(BUSINESS), Vec::new()));
    }

    #[test]
    fn a_box_that_was_not_ticked_is_named_at_once() {
        let wanted = format!("{BUSINESS} https://www.googleapis.com/auth/calendar");
        let played = exchange::<Plugin>(&fresh(&wanted), "http://r", &[Canned::new(200, FIRST)]);
        let text = "the person did not grant https://www.googleapis.com/auth/calendar; connect \
                    again and tick every box";
        assert_eq!((played.case(), played.text()), ("misconfigured", text));
    }

    #[test]
    fn a_refresh_keeps_the_refresh_token_and_names_what_is_missing_since() {
        let wanted = format!("{BUSINESS} https://www.googleapis.com/auth/calendar");
        let played = refresh::<Plugin>(&connected(&wanted), &[Canned::new(200, NEXT)]);
        let Body::Form(fields) = &played.requests[0].body else { panic!() };
        assert!(fields.contains(&("refresh_token".to_owned(), refresh_token())));
        assert!(fields.contains(&("client_secret".to_owned(), secret("client_secret"))));
        let tokens = played.result.unwrap();
        let missing =
            ("missing_scopes".to_owned(), "https://www.googleapis.com/auth/calendar".to_owned());
        assert_eq!((tokens.refresh_token, tokens.metadata), (None, vec![missing]));
    }

    #[test]
    fn a_refresh_that_names_no_scopes_has_those_of_before() {
        let mut context = connected(BUSINESS);
        context.current.as_mut().unwrap().scopes = words(BUSINESS);
        let body = r#"{"access_token":"a","expires_in":3599}"#;
        let tokens = refresh::<Plugin>(&context, &[Canned::new(200, body)]).result.unwrap();
        assert_eq!((tokens.scopes, tokens.metadata), (words(BUSINESS), Vec::new()));
    }

    #[test]
    fn a_project_in_testing_is_warned_about_until_the_grant_is_a_new_one() {
        let dying = FIRST.replace("{\"", "{\"refresh_token_expires_in\":604799,\"");
        let first = exchange::<Plugin>(&fresh(BUSINESS), "http://r", &[Canned::new(200, &dying)]);
        let first = first.result.unwrap();
        assert_eq!(first.refresh_expires_at, Some(1_700_000_000 + 604_799));
        assert!(first.metadata[0].1.contains("seven days"), "{:?}", first.metadata);
        let later = Context { remembered: first.metadata.clone(), ..connected(BUSINESS) };
        let next = refresh::<Plugin>(&later, &[Canned::new(200, NEXT)]).result.unwrap();
        assert_eq!(next.metadata, first.metadata);
        let again = Context { remembered: first.metadata, ..fresh(BUSINESS) };
        let again = exchange::<Plugin>(&again, "http://r", &[Canned::new(200, FIRST)]);
        assert_eq!(again.result.unwrap().metadata, Vec::new());
    }

    #[test]
    fn a_dead_grant_needs_a_person_and_a_wrong_secret_the_operator() {
        let ends = |status, body: &str| {
            let played = refresh::<Plugin>(&connected(BUSINESS), &[Canned::new(status, body)]);
            played.case()
        };
        assert_eq!(ends(400, include_str!("../fixtures/revoked.json")), "grant-expired");
        assert_eq!(ends(401, r#"{"error":"invalid_client"}"#), "invalid-credentials");
        assert_eq!((ends(503, ""), ends(429, "")), ("unavailable", "rate-limited"));
        assert_eq!(ends(200, "{}"), "unexpected");
    }
}
