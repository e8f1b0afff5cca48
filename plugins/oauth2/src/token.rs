//! Tokens from client credentials, a code or a refresh token. A refresh token is used where there is
//! one; client credentials need none. What a person agreed to only a person can renew.

use sdk::oauth::{Call, error_code, refusal, tokens};
use sdk::{
    Answer, Body, Context, Failure, Flow, Settings, Step, Tokens, Value, kept, refresh_token,
    send_then, text,
};

use crate::client;
use crate::discovery::discover;
use crate::endpoint::{Endpoint, Known, locate};
use crate::extra::refresh_fields;
use crate::grant::Grant;
use crate::sheet::PROVIDER;

/// What goes into a form.
pub(crate) type Fields = Vec<(&'static str, Value)>;

pub(crate) fn login(context: &Context) -> Flow<Tokens> {
    if Grant::of(context)? == Grant::AuthorizationCode {
        let id = &context.id;
        return Err(Failure::grant_expired(format!(
            "a person has to give consent at the provider; run: keepfresh connect {id}"
        )));
    }
    let settings = &context.settings;
    let mut fields = vec![("grant_type", text("client_credentials"))];
    let scope = settings.words("scopes").join(" ");
    fields.extend((!scope.is_empty()).then(|| ("scope", text(scope))));
    fields.extend(settings.optional("audience").map(|it| ("audience", text(it))));
    ask(context, Call::ClientCredentials, fields)
}

pub(crate) fn refresh(context: &Context) -> Flow<Tokens> {
    if !context.has_refresh_token() {
        return match Grant::of(context)? {
            Grant::ClientCredentials => login(context),
            Grant::AuthorizationCode => Err(Failure::grant_expired(format!(
                "the provider gave no refresh token; request one (the scope `offline_access`, or \
                 authorize_params = \"access_type=offline\"), then run: keepfresh connect {}",
                context.id
            ))),
        };
    }
    let fields = vec![("grant_type", text("refresh_token")), ("refresh_token", refresh_token())];
    ask(context, Call::Refresh, fields)
}

pub(crate) fn exchange(context: &Context, redirect_uri: &str) -> Flow<Tokens> {
    Grant::allow_person(context)?;
    let mut fields = vec![
        ("grant_type", text("authorization_code")),
        ("code", kept("code")),
        ("redirect_uri", text(redirect_uri)),
    ];
    if knows_pkce(&context.settings)? {
        fields.push(("code_verifier", kept("code_verifier")));
    }
    ask(context, Call::Code, fields)
}

/// Whether the provider takes a code challenge; the host reads the same setting.
pub(crate) fn knows_pkce(settings: &Settings) -> Result<bool, Failure> {
    let chosen = settings.choice("pkce", &[("s256", true), ("none", false)])?;
    Ok(chosen.unwrap_or(true))
}

/// The resources that tokens are for, RFC 8707: one parameter each.
pub(crate) fn resources(context: &Context) -> Fields {
    context.settings.words("resource").into_iter().map(|it| ("resource", text(it))).collect()
}

fn ask(context: &Context, call: Call, mut fields: Fields) -> Flow<Tokens> {
    fields.extend(resources(context));
    let kept = context.clone();
    locate(context, Endpoint::Token, move |known| send(kept, call, fields, known))
}

fn send(context: Context, call: Call, fields: Fields, known: Known) -> Flow<Tokens> {
    let url = known.require(&context.settings, Endpoint::Token)?;
    // A second try at a new address is a second request, with a proof of its own.
    let turn = if known.remembered { "first" } else { "last" };
    let unique = format!("{}-{turn}", context.unique);
    let mut request = client::request(&context, &url, &fields, &unique)?;
    if let (Call::Refresh, Body::Form(form)) = (call, &mut request.body) {
        form.extend(refresh_fields(&context.settings)?);
    }
    send_then(request, move |answer| {
        if known.is_stale(&context.settings, Endpoint::Token, answer.status()) {
            let kept = context.clone();
            return discover(&context, Box::new(move |known| send(kept, call, fields, known)));
        }
        read(answer, &context, call, &known).map(Step::Done)
    })
}

fn read(
    answer: &dyn Answer,
    context: &Context,
    call: Call,
    known: &Known,
) -> Result<Tokens, Failure> {
    let read = tokens(answer, PROVIDER, context.now);
    let grant = match call {
        Call::ClientCredentials => Grant::ClientCredentials,
        // Whatever the tokens came from, they still do.
        Call::Refresh => Grant::of(context)?,
        _ => Grant::AuthorizationCode,
    };
    Ok(complete(read.unwrap_or_else(|| Err(refused(answer, call)))?, context, grant, known))
}

fn refused(answer: &dyn Answer, call: Call) -> Failure {
    let rejected = error_code(answer).as_deref() == Some("invalid_request");
    if call != Call::Code || !rejected {
        return refusal(answer, call, PROVIDER);
    }
    Failure::misconfigured(
        "the provider rejected the exchange of the code as invalid; check `token_url` or `issuer`, \
         `client_id` and the redirect URI, and if the provider does not know PKCE, set pkce = \"none\"",
    )
}

/// Adds what is worth remembering, and the scopes that an answer leaves out when they are those that
/// were asked for.
pub(crate) fn complete(
    mut tokens: Tokens,
    context: &Context,
    grant: Grant,
    known: &Known,
) -> Tokens {
    // What a person was asked for this time the host knows, and fills in.
    let consented = grant == Grant::AuthorizationCode && !context.has_refresh_token();
    if tokens.scopes.is_empty() && !consented {
        let before = Some(context.scopes()).filter(|it| !it.is_empty());
        tokens.scopes = before.unwrap_or_else(|| context.settings.words("scopes"));
    }
    tokens.metadata.push(grant.metadata());
    tokens.metadata.extend(known.metadata());
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Plugin;
    use sdk::Request;
    use sdk::testing::{Canned, context, context_with_tokens, exchange, login, refresh};

    const TOKENS: &str = include_str!("../fixtures/tokens.json");
    const DOCUMENT: &str = include_str!("../fixtures/openid-configuration.json");
    const PLAIN: [(&str, &str); 2] =
        [("client_id", "c"), ("token_url", "https://id.example/oauth/token")];
    const ISSUER: [(&str, &str); 2] = [("client_id", "c"), ("issuer", "https://id.example")];

    fn fresh(settings: &[(&str, &str)]) -> Context {
        Context { secrets: vec!["client_secret".to_owned()], ..context::<Plugin>(settings) }
    }

    fn connected(settings: &[(&str, &str)]) -> Context {
        let secrets = vec!["client_secret".to_owned()];
        Context { secrets, ..context_with_tokens::<Plugin>(settings) }
    }

    fn form(request: &Request) -> Vec<(&str, &Value)> {
        let Body::Form(fields) = &request.body else { panic!() };
        fields.iter().map(|(name, value)| (name.as_str(), value)).collect()
    }

    fn refresh_ends(status: u16, body: &str) -> &'static str {
        let played = refresh::<Plugin>(&connected(&PLAIN), &[Canned::new(status, body)]);
        played.case()
    }

    #[test]
    fn a_client_logs_in_for_itself() {
        let more =
            [("scopes", " read  write "), ("audience", "api"), ("resource", "https://a https://b")];
        let context = fresh(&[PLAIN.as_slice(), &more].concat());
        let played = login::<Plugin>(
            &context,
            &[Canned::new(200, r#"{"access_token":"a","expires_in":"60"}"#)],
        );
        assert_eq!(played.requests[0].url, "{token_url}");
        let expected = [
            ("grant_type", &text("client_credentials")),
            ("scope", &text("read write")),
            ("audience", &text("api")),
            ("resource", &text("https://a")),
            ("resource", &text("https://b")),
        ];
        assert_eq!(form(&played.requests[0]), expected);
        let tokens = played.result.unwrap();
        assert_eq!(tokens.expires_at, Some(context.now + 60));
        assert_eq!(tokens.scopes, ["read", "write"]);
        assert_eq!(tokens.metadata, [Grant::ClientCredentials.metadata()]);
    }

    #[test]
    fn what_a_person_agreed_to_is_not_logged_in_unattended() {
        let context = fresh(&[PLAIN.as_slice(), &[("grant", "authorization_code")]].concat());
        let played = login::<Plugin>(&context, &[]);
        let text =
            "a person has to give consent at the provider; run: keepfresh connect oauth2/default";
        assert_eq!((played.case(), played.text()), ("grant-expired", text));
        assert!(played.requests.is_empty());
    }

    #[test]
    fn a_refresh_token_is_used_where_there_is_one() {
        let played = refresh::<Plugin>(&connected(&PLAIN), &[Canned::new(200, TOKENS)]);
        let expected =
            [("grant_type", &text("refresh_token")), ("refresh_token", &refresh_token())];
        assert_eq!(form(&played.requests[0]), expected);
        let tokens = played.result.unwrap();
        assert_eq!(tokens.refresh_token, Some("/refresh_token".into()));
        assert_eq!(tokens.extra, [("id_token".to_owned(), "/id_token".into())]);
        assert_eq!(tokens.refresh_expires_at, Some(1_700_000_000 + 1800));
    }

    #[test]
    fn a_refresh_has_the_fields_that_its_provider_wants_beyond_the_rfc() {
        let more = [("refresh_params", "scope=openid offline_access")];
        let context = connected(&[PLAIN.as_slice(), &more].concat());
        let played = refresh::<Plugin>(&context, &[Canned::new(200, TOKENS)]);
        assert_eq!(form(&played.requests[0])[2], ("scope", &text("openid offline_access")));
        let login = login::<Plugin>(&fresh(&[PLAIN.as_slice(), &more].concat()), &[]);
        assert_eq!(form(&login.requests[0]), [("grant_type", &text("client_credentials"))]);
    }

    #[test]
    fn without_a_refresh_token_the_client_logs_in_and_a_person_connects() {
        let bare = |more: &[(&str, &str)]| {
            let mut context = connected(&[PLAIN.as_slice(), more].concat());
            context.current.as_mut().unwrap().has_refresh_token = false;
            refresh::<Plugin>(&context, &[])
        };
        assert_eq!(form(&bare(&[]).requests[0])[0], ("grant_type", &text("client_credentials")));
        let person = bare(&[("grant", "authorization_code")]);
        let (case, text) = (person.case(), person.text());
        assert_eq!((case, person.requests.len()), ("grant-expired", 0));
        assert!(text.contains("offline_access"), "{text}");
    }

    #[test]
    fn a_code_is_traded_with_its_verifier_and_the_grant_is_remembered() {
        let played = exchange::<Plugin>(&fresh(&PLAIN), "http://r", &[Canned::new(200, TOKENS)]);
        let expected = [
            ("grant_type", &text("authorization_code")),
            ("code", &kept("code")),
            ("redirect_uri", &text("http://r")),
            ("code_verifier", &kept("code_verifier")),
        ];
        assert_eq!(form(&played.requests[0]), expected);
        let without = fresh(&[PLAIN.as_slice(), &[("pkce", "none")]].concat());
        let without = exchange::<Plugin>(&without, "http://r", &[Canned::new(200, TOKENS)]);
        assert_eq!(form(&without.requests[0]), expected[..3], "what a provider does not know");
        let remembered = played.result.unwrap().metadata;
        let dead = Context { remembered, ..fresh(&PLAIN) };
        assert_eq!(login::<Plugin>(&dead, &[]).case(), "grant-expired");
    }

    #[test]
    fn a_rejected_exchange_names_the_setting_for_providers_without_pkce() {
        let body = r#"{"error":"invalid_request"}"#;
        let played = exchange::<Plugin>(&fresh(&PLAIN), "http://r", &[Canned::new(400, body)]);
        assert_eq!(played.case(), "misconfigured");
        assert!(played.text().contains("pkce = \"none\""), "{}", played.text());
    }

    #[test]
    fn what_was_granted_to_a_person_is_said_by_the_provider_or_known_to_the_host() {
        let settings = [PLAIN.as_slice(), &[("scopes", "read")]].concat();
        let body = r#"{"access_token":"a"}"#;
        let answer = [Canned::new(200, body)];
        let first = exchange::<Plugin>(&fresh(&settings), "http://r", &answer).result.unwrap();
        assert!(first.scopes.is_empty(), "{:?}", first.scopes);
        let next = refresh::<Plugin>(&connected(&settings), &answer).result.unwrap();
        assert_eq!(next.scopes, ["read"]);
    }

    #[test]
    fn discovery_is_asked_once_and_remembered() {
        let answers = [Canned::new(200, DOCUMENT), Canned::new(200, TOKENS)];
        let played = login::<Plugin>(&fresh(&ISSUER), &answers);
        assert_eq!(played.requests[1].url, "https://id.example/token");
        let remembered = played.result.unwrap().metadata;
        let next = Context { remembered: remembered.clone(), ..connected(&ISSUER) };
        let played = refresh::<Plugin>(&next, &[Canned::new(200, TOKENS)]);
        assert_eq!(played.requests.len(), 1);
        assert_eq!(played.result.unwrap().metadata, remembered);
    }

    #[test]
    fn a_token_endpoint_that_moved_is_found_again() {
        let old = DOCUMENT.replace("/token\"", "/old/token\"");
        let first = [Canned::new(200, &old), Canned::new(200, TOKENS)];
        let remembered = login::<Plugin>(&fresh(&ISSUER), &first).result.unwrap().metadata;
        let next = Context { remembered, ..connected(&ISSUER) };
        let answers =
            [Canned::new(404, "<p>"), Canned::new(200, DOCUMENT), Canned::new(200, TOKENS)];
        let played = refresh::<Plugin>(&next, &answers);
        let urls: Vec<_> = played.requests.iter().map(|it| it.url.as_str()).collect();
        let expected = [
            "https://id.example/old/token",
            "https://id.example/.well-known/openid-configuration",
            "https://id.example/token",
        ];
        assert_eq!(urls, expected);
        assert!(played.result.is_ok());
    }

    #[test]
    fn a_token_endpoint_elsewhere_gets_no_secret() {
        let far = DOCUMENT.replace("https://id.example/token", "https://evil.example/token");
        let played = login::<Plugin>(&fresh(&ISSUER), &[Canned::new(200, &far)]);
        let (case, text) = (played.case(), played.text());
        assert_eq!((case, played.requests.len()), ("misconfigured", 1));
        assert!(text.contains("token_url = \"https://evil.example/token\""), "{text}");
    }

    #[test]
    fn neither_issuer_nor_token_url_is_the_operators_to_correct() {
        let played = login::<Plugin>(&fresh(&[("client_id", "c")]), &[]);
        assert_eq!(played.case(), "misconfigured");
    }

    #[test]
    fn refusals_lead_to_who_can_help() {
        for (status, body, case) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"Session not active"}"#,
                "grant-expired",
            ),
            (
                401,
                r#"{"error":"invalid_request","hint":"Token has been revoked"}"#,
                "grant-expired",
            ),
            (401, r#"{"error":"invalid_client"}"#, "invalid-credentials"),
            (400, r#"{"error":"unauthorized_client"}"#, "misconfigured"),
            (400, r#"{"error":"invalid_scope"}"#, "misconfigured"),
            (200, r#"{"error":"bad_refresh_token"}"#, "grant-expired"),
            (200, r#"{"ok":false,"error":"invalid_refresh_token"}"#, "grant-expired"),
            (400, r#"{"status":"BAD_REFRESH_TOKEN","message":"m"}"#, "grant-expired"),
            (200, r#"{"status":"BAD_REFRESH_TOKEN","message":"m"}"#, "grant-expired"),
            (400, r#"{"message":"Invalid refresh token"}"#, "grant-expired"),
            (400, r#"{"errors":[{"errorType":"invalid_grant"}]}"#, "grant-expired"),
            (400, r#"[{"error":"invalid_grant"}]"#, "grant-expired"),
            (500, r#"{"error":"invalid_grant"}"#, "grant-expired"),
            (400, r#"{"message":"See the page about invalid_grant"}"#, "unexpected"),
            (400, r#"{"error":"invalid_grant","error_codes":[50196]}"#, "rate-limited"),
            (429, "", "rate-limited"),
            (503, "", "in-doubt"),
            (200, "<html>", "unexpected"),
        ] {
            assert_eq!(refresh_ends(status, body), case, "{status} {body}");
        }
    }
}
