//! What Finnotech means when it refuses. Little of it is documented, so known codes decide where they
//! are clear, and otherwise the status does.

use sdk::{Answer, Effect, Failure, trouble, unexpected};

/// Which call was refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Login,
    Refresh,
}

/// The failure behind an answer without tokens.
pub(crate) fn refusal(call: Call, answer: &dyn Answer) -> Failure {
    trouble(answer, effect(call), "Finnotech")
        .or_else(|| by_code(call, &code(answer)?))
        .unwrap_or_else(|| by_status(call, answer))
}

/// The code of an error; `error` is an object here, and a string nowhere that is known.
fn code(answer: &dyn Answer) -> Option<String> {
    answer.text("/error/code")
}

/// Whether Finnotech says that it does not know a token, or no longer.
pub(crate) fn is_dead_token(answer: &dyn Answer) -> bool {
    let message = answer.text("/error/message").unwrap_or_default();
    code(answer).as_deref() == Some("VALIDATION_ERROR")
        && message.eq_ignore_ascii_case("invalid token")
}

fn by_code(call: Call, code: &str) -> Option<Failure> {
    Some(match (call, code) {
        (Call::Login, "UNAUTHORIZED") => bad_client(),
        (Call::Login, "VALIDATION_ERROR") => Failure::Misconfigured(
            "Finnotech found the login invalid; check `nid`, and that the client may use all of \
             `scopes`"
                .to_owned(),
        ),
        (Call::Refresh, "UNAUTHORIZED" | "VALIDATION_ERROR") => dead_grant(),
        (Call::Login, "SERVER_ERROR") => {
            Failure::Unavailable("Finnotech reports a fault of its own; try again later".to_owned())
        }
        (Call::Refresh, "SERVER_ERROR") => Failure::InDoubt(
            "Finnotech reports a fault of its own; it may have rotated the token".to_owned(),
        ),
        _ => return None,
    })
}

/// A refresh that is refused leads to a login, which settles it either way.
fn by_status(call: Call, answer: &dyn Answer) -> Failure {
    match (call, answer.status()) {
        (Call::Refresh, 400 | 401 | 403) => dead_grant(),
        (Call::Login, 401) => bad_client(),
        (Call::Login, 400 | 403) => Failure::Misconfigured(
            "Finnotech does not let this client log in so; check `nid` and `scopes`, and whether \
             Finnotech knows the address of this machine"
                .to_owned(),
        ),
        (_, 404 | 405) => Failure::Misconfigured(
            "Finnotech has no token endpoint at this address; check `base_url`".to_owned(),
        ),
        (Call::Login, _) => unexpected(answer, "Finnotech login"),
        (Call::Refresh, _) => unexpected(answer, "Finnotech refresh"),
    }
}

fn effect(call: Call) -> Effect {
    match call {
        Call::Login => Effect::Harmless,
        Call::Refresh => Effect::MayRotate,
    }
}

fn bad_client() -> Failure {
    Failure::InvalidCredentials(
        "Finnotech refused the client; check `client_id` and `client_secret`".to_owned(),
    )
}

fn dead_grant() -> Failure {
    Failure::GrantExpired("Finnotech no longer accepts this refresh token".to_owned())
}
