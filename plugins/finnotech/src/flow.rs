//! What Finnotech asks for. A client and its secret buy a token of ten days with a refresh token; a
//! refresh buys a new pair. Clients report that the refresh is unreliable, so every refusal of it leads
//! to a login.

use sdk::{
    Answer, Context, Descriptor, Failure, Field, Flow, Kind, Logins, Request, Rotation, Tokens,
    access_token, basic, basic_header, bearer, refresh_token, secret, send, text, trouble,
    unexpected,
};

use crate::refusal::{Call, is_dead_token, refusal};
use crate::token::{VALUE, tokens};

const TOKEN: &str = "{base_url}/dev/v2/oauth2/token";
const REVOKE: &str = "{base_url}/dev/v2/clients/{client_id}/token";

/// The kind of token that a client gets for itself.
const KIND: &str = "CLIENT-CREDENTIAL";

pub(crate) fn describe() -> Descriptor {
    let base_url = Field::required("base_url", "Base URL", "Where the API is.");
    let scopes = "What the token is for, such as `oak:iban-inquiry:get`; commas or spaces between.";
    Descriptor::new("finnotech", env!("CARGO_PKG_VERSION"), "Finnotech")
        .about("Banking and identity services of Iran, by client credentials.")
        .setting(base_url.or("https://api.finnotech.ir"))
        .setting(Field::required("client_id", "Client id", "The name of the application."))
        .setting(Field::required("nid", "National id", "Of a person who may use the application."))
        .setting(Field::required("scopes", "Scopes", scopes))
        .secret(Field::required("client_secret", "Client secret", "Its password."))
        .logins(Logins::UNATTENDED)
        .rotation(Rotation::Unknown)
        .access(&format!("POST {TOKEN}"), &["client_secret", "refresh-token"])
        .access(&format!("DELETE {REVOKE}"), &["access-token"])
        .reads(Kind::Code, &["/status", "/error/code"])
        .reads(Kind::Text, &["/error/message"])
        .reads(Kind::Number, &["/result/lifeTime"])
        .reads(Kind::Date, &["/result/creationDate"])
        .reads(Kind::Fact, &["/result/scopes", "/result/scopes/*"])
        .sealed("value")
        .lifetime(864_000)
        .schedule("0 */12 * * *")
}

pub(crate) fn login(context: &Context) -> Flow<Tokens> {
    let nid = context.settings.required("nid")?;
    let scopes: Vec<_> = listed(context.settings.required("scopes")?).collect();
    if scopes.is_empty() {
        return Err(Failure::Misconfigured("the setting `scopes` names no scope".to_owned()));
    }
    let request = client(context)?.json([
        ("grant_type", text("client_credentials")),
        ("nid", text(nid.trim())),
        ("scopes", text(scopes.join(","))),
    ]);
    let now = context.now;
    send(request, move |answer| pair(Call::Login, answer, now))
}

pub(crate) fn refresh(context: &Context) -> Flow<Tokens> {
    if !context.current.as_ref().is_some_and(|current| current.has_refresh_token) {
        let text = "Finnotech gave no refresh token with this token";
        return Err(Failure::GrantExpired(text.to_owned()));
    }
    let request = client(context)?.json([
        ("grant_type", text("refresh_token")),
        ("token_type", text(KIND)),
        ("refresh_token", refresh_token()),
    ]);
    let now = context.now;
    send(request, move |answer| pair(Call::Refresh, answer, now))
}

/// Finnotech wants a track id of its own with every call that a token pays for.
pub(crate) fn revoke(context: &Context) -> Flow<()> {
    let request = Request::delete(REVOKE)
        .query("trackId", text(&context.unique))
        .header("Authorization", bearer())
        .json([("token", access_token()), ("token_type", text(KIND))]);
    send(request, revoked)
}

/// The pieces of a list with commas, spaces or both between them.
pub(crate) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| it == ',' || it.is_whitespace()).filter(|piece| !piece.is_empty())
}

/// A request to the token endpoint, which knows the client by HTTP Basic.
fn client(context: &Context) -> Result<Request, Failure> {
    let id = context.settings.required("client_id")?;
    let credentials = basic(text(id), secret("client_secret"));
    Ok(Request::post(TOKEN).header("Authorization", basic_header(credentials)))
}

/// The pair, when the answer is a success that holds one; a failure may come with any status.
fn pair(call: Call, answer: &dyn Answer, now: u64) -> Result<Tokens, Failure> {
    let failed = answer.text("/status").as_deref() == Some("FAILED");
    if answer.is_success() && !failed && answer.has_secret(VALUE) {
        return tokens(answer, now);
    }
    Err(refusal(call, answer))
}

/// A token that is dead already is as good as revoked.
fn revoked(answer: &dyn Answer) -> Result<(), Failure> {
    match answer.status() {
        _ if is_dead_token(answer) => Ok(()),
        200..300 if answer.text("/status").as_deref() != Some("FAILED") => Ok(()),
        401 => Err(Failure::TokenRejected("Finnotech refused the token".to_owned())),
        400 | 403 => Err(Failure::Misconfigured(
            "Finnotech does not let this token revoke itself; add `boomrang:token:delete` to \
             `scopes`, or revoke it in Finnotech's panel"
                .to_owned(),
        )),
        _ => Err(trouble(answer, sdk::Effect::Harmless, "Finnotech")
            .unwrap_or_else(|| unexpected(answer, "Finnotech revocation"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{
        Canned, context, context_with_tokens, ending, play, play_tokens, undeclared,
    };

    const ISSUED: &str = include_str!("../fixtures/token.json");
    const DEAD: &str = include_str!("../fixtures/invalid_token.json");
    const BAD_CLIENT: &str = include_str!("../fixtures/invalid_client.json");

    const SETTINGS: [(&str, &str); 3] =
        [("client_id", "shop"), ("nid", "0012345678"), ("scopes", "oak:iban-inquiry:get, a:b:get")];

    fn fresh() -> Context {
        context::<crate::Plugin>(&SETTINGS)
    }

    fn held() -> Context {
        context_with_tokens::<crate::Plugin>(&SETTINGS)
    }

    fn error(code: &str) -> String {
        format!(r#"{{"status":"FAILED","error":{{"code":"{code}","message":"invented"}}}}"#)
    }

    fn login_ends(status: u16, body: &str) -> &'static str {
        ending(&play_tokens::<crate::Plugin>(login(&fresh()), &[Canned::new(status, body)]).result)
            .0
    }

    fn refresh_ends(status: u16, body: &str) -> &'static str {
        ending(&play_tokens::<crate::Plugin>(refresh(&held()), &[Canned::new(status, body)]).result)
            .0
    }

    fn revoke_ends(status: u16, body: &str) -> &'static str {
        ending(&play::<crate::Plugin, _>(revoke(&held()), &[Canned::new(status, body)]).result).0
    }

    fn at_token_endpoint() -> Request {
        Request::post("{base_url}/dev/v2/oauth2/token")
            .header("Authorization", basic_header(basic(text("shop"), secret("client_secret"))))
    }

    #[test]
    fn a_login_names_the_client_and_joins_the_scopes_with_commas() {
        let played = play_tokens::<crate::Plugin>(login(&fresh()), &[Canned::new(200, ISSUED)]);
        let sent = at_token_endpoint().json([
            ("grant_type", text("client_credentials")),
            ("nid", text("0012345678")),
            ("scopes", text("oak:iban-inquiry:get,a:b:get")),
        ]);
        assert_eq!(played.requests, [sent]);
        let tokens = played.result.unwrap();
        assert_eq!(tokens.access_token, "/result/value".into());
        assert_eq!(tokens.refresh_token, Some("/result/refreshToken".into()));
        assert_eq!(tokens.expires_at, Some(fresh().now + 864_000));
        assert_eq!(tokens.scopes, ["oak:iban-inquiry:get"]);
    }

    #[test]
    fn scopes_may_be_written_with_commas_spaces_or_both() {
        for written in ["a:b:get,c:d:get", "a:b:get c:d:get", " a:b:get ,\n c:d:get,"] {
            assert_eq!(listed(written).collect::<Vec<_>>(), ["a:b:get", "c:d:get"]);
        }
        let none = context::<crate::Plugin>(&[("client_id", "c"), ("nid", "1"), ("scopes", ", ,")]);
        let played = play_tokens::<crate::Plugin>(login(&none), &[]);
        assert_eq!(
            ending(&played.result),
            ("misconfigured", "the setting `scopes` names no scope")
        );
        assert!(played.requests.is_empty());
    }

    #[test]
    fn a_refresh_sends_the_refresh_token_and_says_which_kind() {
        let played = play_tokens::<crate::Plugin>(refresh(&held()), &[Canned::new(200, ISSUED)]);
        let sent = at_token_endpoint().json([
            ("grant_type", text("refresh_token")),
            ("token_type", text("CLIENT-CREDENTIAL")),
            ("refresh_token", refresh_token()),
        ]);
        assert_eq!(played.requests, [sent]);
        assert_eq!(played.result.unwrap().refresh_token, Some("/result/refreshToken".into()));
    }

    #[test]
    fn a_refresh_without_a_refresh_token_leads_to_a_login_unsent() {
        let mut context = held();
        context.current.as_mut().unwrap().has_refresh_token = false;
        for context in [context, fresh()] {
            let played = play_tokens::<crate::Plugin>(refresh(&context), &[]);
            assert_eq!(ending(&played.result).0, "grant-expired");
            assert!(played.requests.is_empty());
        }
    }

    #[test]
    fn a_refused_client_is_for_a_person_and_a_refused_refresh_leads_to_a_login() {
        assert_eq!(login_ends(401, BAD_CLIENT), "invalid-credentials");
        assert_eq!(login_ends(403, BAD_CLIENT), "invalid-credentials");
        assert_eq!(login_ends(401, "<html>"), "invalid-credentials");
        assert_eq!(login_ends(400, &error("VALIDATION_ERROR")), "misconfigured");
        assert_eq!(login_ends(403, "{}"), "misconfigured");
        for status in [400, 401, 403] {
            assert_eq!(refresh_ends(status, DEAD), "grant-expired", "{status}");
            assert_eq!(refresh_ends(status, "<html>"), "grant-expired", "{status}");
        }
    }

    #[test]
    fn a_wrong_address_is_the_operators_to_correct() {
        assert_eq!(
            (login_ends(404, "<html>"), refresh_ends(404, "")),
            ("misconfigured", "misconfigured")
        );
    }

    #[test]
    fn a_failure_in_a_success_counts_as_the_failure() {
        assert_eq!(login_ends(200, BAD_CLIENT), "invalid-credentials");
        assert_eq!(refresh_ends(200, DEAD), "grant-expired");
        assert_eq!(login_ends(200, r#"{"status":"DONE","result":{"value":""}}"#), "unexpected");
        assert_eq!(login_ends(200, "welcome to the proxy"), "unexpected");
    }

    #[test]
    fn a_fault_is_waited_out_at_login_and_doubted_at_refresh() {
        for (status, body) in [(500, error("SERVER_ERROR")), (503, String::new())] {
            assert_eq!(login_ends(status, &body), "unavailable");
            assert_eq!(refresh_ends(status, &body), "in-doubt");
        }
        assert_eq!(refresh_ends(400, &error("SERVER_ERROR")), "in-doubt");
        assert_eq!(
            ending(&play_tokens::<crate::Plugin>(refresh(&held()), &[]).result).0,
            "in-doubt"
        );
    }

    #[test]
    fn a_limit_is_obeyed() {
        let slow = Canned::new(429, "{}").header("Retry-After", "60");
        let result = play_tokens::<crate::Plugin>(login(&fresh()), &[slow]).result;
        assert!(matches!(result, Err(Failure::RateLimited(Some(60)))));
    }

    #[test]
    fn no_text_quotes_what_finnotech_said() {
        for status in [400, 401, 403, 404, 500] {
            let played = play_tokens::<crate::Plugin>(
                login(&fresh()),
                &[Canned::new(status, &error("VALIDATION_ERROR"))],
            );
            assert!(!ending(&played.result).1.contains("invented"), "{status}");
        }
    }

    #[test]
    fn a_token_revokes_itself() {
        let sent = Request::delete("{base_url}/dev/v2/clients/{client_id}/token")
            .query("trackId", text("0123456789abcdef0123456789abcdef"))
            .header("Authorization", bearer())
            .json([("token", access_token()), ("token_type", text("CLIENT-CREDENTIAL"))]);
        assert_eq!(play::<crate::Plugin, _>(revoke(&held()), &[]).requests, [sent]);
        assert_eq!(revoke_ends(200, r#"{"status":"DONE"}"#), "ok");
        assert_eq!(revoke_ends(204, ""), "ok");
    }

    #[test]
    fn a_dead_token_is_revoked_already_and_a_missing_scope_is_named() {
        assert_eq!(revoke_ends(403, DEAD), "ok");
        assert_eq!(revoke_ends(401, "{}"), "token-rejected");
        assert_eq!(revoke_ends(403, &error("FORBIDDEN")), "misconfigured");
        assert_eq!(revoke_ends(200, &error("FORBIDDEN")), "unexpected");
        assert_eq!(revoke_ends(503, ""), "unavailable");
    }

    #[test]
    fn every_request_is_declared_exactly() {
        let described = describe();
        assert!(described.access.iter().all(|it| !it.request.contains('*')));
        for requests in [
            play::<crate::Plugin, _>(login(&fresh()), &[]).requests,
            play::<crate::Plugin, _>(refresh(&held()), &[]).requests,
            play::<crate::Plugin, _>(revoke(&held()), &[]).requests,
        ] {
            assert_eq!(undeclared(&described, &requests), None);
        }
    }
}
