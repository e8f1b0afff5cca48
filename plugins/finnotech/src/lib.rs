//! Finnotech, banking and identity services in Iran. A client and its secret give a token of ten
//! days with a refresh token; a refresh gives a new pair. Clients report that the refresh is
//! unreliable, so every refusal of it leads to a login. Few of its failures are documented: known
//! codes decide where they are clear, and otherwise the status does.

#![forbid(unsafe_code)]

/// Its calendar.
mod jalali;

/// Its answer with tokens.
mod token;

#[cfg(test)]
mod tests;

use sdk::{
    Answer, Context, Descriptor, Failure, Field, Flow, Kind, Logins, Provider, Refusal, Refusals,
    Request, Revocation, Rotation, Tokens, access_token, basic, basic_header, bearer, listed,
    refresh_token, secret, send, text,
};

use crate::token::{VALUE, tokens};

struct Plugin;

sdk::export!(Plugin, revocation);

const TOKEN: &str = "{base_url}/dev/v2/oauth2/token";
const REVOKE: &str = "{base_url}/dev/v2/clients/{client_id}/token";

/// The kind of token that a client gets for itself.
const KIND: &str = "CLIENT-CREDENTIAL";

/// `error` is an object here, and a string nowhere that is known.
const CODE: &[&str] = &["/error/code"];

const FAULT: Refusal = Refusal::unavailable("Finnotech reports an internal error; try again later")
    .on(&["SERVER_ERROR"]);

const ELSEWHERE: Refusal =
    Refusal::misconfigured("Finnotech has no token endpoint at this address; check `base_url`")
        .at(&[404, 405]);

const NO_LOGIN: Refusals = Refusals::of("Finnotech", "a login").codes_at(CODE).rows(&[
    Refusal::invalid_credentials(
        "Finnotech refused the client; check `client_id` and `client_secret`",
    )
    .on(&["UNAUTHORIZED"])
    .at(&[401]),
    Refusal::misconfigured(
        "Finnotech rejected the login; check `nid`, and that the client may use all of `scopes`",
    )
    .on(&["VALIDATION_ERROR"]),
    Refusal::misconfigured(
        "Finnotech does not allow this login; check `nid` and `scopes`, and whether Finnotech \
         allows this machine's IP address",
    )
    .at(&[400, 403]),
    ELSEWHERE,
    FAULT,
]);

/// A refresh that is refused leads to a login, which settles it either way.
const NO_REFRESH: Refusals = Refusals::of("Finnotech", "a refresh").codes_at(CODE).rows(&[
    Refusal::grant_expired("Finnotech no longer accepts this refresh token")
        .on(&["UNAUTHORIZED", "VALIDATION_ERROR"])
        .at(&[400, 401, 403]),
    ELSEWHERE,
    FAULT,
]);

const NOT_REVOKED: Refusals = Refusals::of("Finnotech", "a revocation").rows(&[
    Refusal::token_rejected("Finnotech refused the token").at(&[401]),
    Refusal::misconfigured(
        "Finnotech does not allow this token to revoke itself; add `boomrang:token:delete` to `scopes`, \
         or revoke it in Finnotech's panel",
    )
    .at(&[400, 403]),
]);

impl Provider for Plugin {
    fn describe() -> Descriptor {
        let base_url = Field::required("base_url", "Base URL", "URL of the API.");
        let scopes = "Scopes, such as `oak:iban-inquiry:get`, separated by commas or spaces.";
        Descriptor::new("finnotech", env!("CARGO_PKG_VERSION"), "Finnotech")
            .about("Banking and identity services in Iran, with client credentials.")
            .setting(base_url.or("https://api.finnotech.ir"))
            .setting(Field::required("client_id", "Client id", "Name of the application."))
            .setting(Field::required(
                "nid",
                "National id",
                "National ID of a person who may use the application.",
            ))
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

    fn login(context: &Context) -> Flow<Tokens> {
        let nid = context.settings.required("nid")?;
        let scopes: Vec<_> = listed(context.settings.required("scopes")?).collect();
        if scopes.is_empty() {
            return Err(Failure::misconfigured("the setting `scopes` is empty"));
        }
        let request = client(context)?.json([
            ("grant_type", text("client_credentials")),
            ("nid", text(nid.trim())),
            ("scopes", text(scopes.join(","))),
        ]);
        let now = context.now;
        send(request, move |answer| pair(answer, &NO_LOGIN, now))
    }

    fn refresh(context: &Context) -> Flow<Tokens> {
        if !context.has_refresh_token() {
            return Err(Failure::grant_expired("Finnotech gave no refresh token with this token"));
        }
        let request = client(context)?.json([
            ("grant_type", text("refresh_token")),
            ("token_type", text(KIND)),
            ("refresh_token", refresh_token()),
        ]);
        let now = context.now;
        send(request, move |answer| pair(answer, &NO_REFRESH, now))
    }
}

impl Revocation for Plugin {
    /// Finnotech wants a track id of its own with every call that a token pays for.
    fn revoke(context: &Context) -> Flow<()> {
        let request = Request::delete(REVOKE)
            .query("trackId", text(&context.unique))
            .header("Authorization", bearer())
            .json([("token", access_token()), ("token_type", text(KIND))]);
        send(request, revoked)
    }
}

/// A request to the token endpoint, which knows the client by HTTP Basic.
fn client(context: &Context) -> Result<Request, Failure> {
    let id = context.settings.required("client_id")?;
    let credentials = basic(text(id), secret("client_secret"));
    Ok(Request::post(TOKEN).header("Authorization", basic_header(credentials)))
}

/// The pair, when the answer is a success that holds one; a failure may come with any status.
fn pair(answer: &dyn Answer, refusals: &Refusals, now: u64) -> Result<Tokens, Failure> {
    if answer.is_success() && !has_failed(answer) && answer.has_secret(VALUE) {
        return tokens(answer, now);
    }
    Err(refusals.failure(answer))
}

/// A token that is dead already is as good as revoked.
fn revoked(answer: &dyn Answer) -> Result<(), Failure> {
    let is_revoked = answer.is_success() && !has_failed(answer);
    if is_revoked || is_dead_token(answer) { Ok(()) } else { Err(NOT_REVOKED.failure(answer)) }
}

fn has_failed(answer: &dyn Answer) -> bool {
    answer.text("/status").as_deref() == Some("FAILED")
}

/// Whether Finnotech says that it does not know a token, or no longer.
fn is_dead_token(answer: &dyn Answer) -> bool {
    let message = answer.text("/error/message").unwrap_or_default();
    answer.text("/error/code").as_deref() == Some("VALIDATION_ERROR")
        && message.eq_ignore_ascii_case("invalid token")
}
