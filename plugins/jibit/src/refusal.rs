//! What Jibit means when it refuses. It documents codes and not statuses, so the code decides
//! and the status only helps out.

use sdk::{Answer, Effect, Failure, retry_after, trouble, unexpected};

/// Which call was refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Generate,
    Refresh,
}

/// The failure behind an answer that holds no pair.
pub(crate) fn refusal(call: Call, answer: &dyn Answer) -> Failure {
    code(answer)
        .and_then(|code| by_code(call, &code, answer))
        .or_else(|| trouble(answer, effect(call), "Jibit"))
        .unwrap_or_else(|| by_status(call, answer))
}

/// Products differ in the envelope: a list of errors, or one flat error.
fn code(answer: &dyn Answer) -> Option<String> {
    answer.text("/errors/0/code").or_else(|| answer.text("/code"))
}

fn by_code(call: Call, code: &str, answer: &dyn Answer) -> Option<Failure> {
    Some(match (call, code) {
        (Call::Generate, "security.bad_credentials") => bad_keys(),
        (
            Call::Refresh,
            "security.bad_credentials" | "security.auth_required" | "token.verification_failed",
        ) => dead_grant(),
        (_, "client.not_active") => {
            misconfigured("Jibit says that this client is not active; ask Jibit to activate it")
        }
        (_, "ip.not_trusted") => misconfigured(
            "Jibit does not trust the address of this machine; add it to the client's allowed \
             addresses at Jibit",
        ),
        (Call::Generate, "apiKey.is_required") => misconfigured("Jibit got no `api_key`; set it"),
        (Call::Generate, "secretKey.is_required") => {
            misconfigured("Jibit got no `secret_key`; set it")
        }
        (Call::Generate, "web.invalid_or_missing_body") => {
            misconfigured("Jibit could not read the keys; check `api_key` and `secret_key`")
        }
        (_, "too_many_requests") => Failure::RateLimited(retry_after(answer)),
        (_, "server.error") => server_error(call),
        _ => return None,
    })
}

/// A refresh that is refused without a known code leads to a login, which settles it either way.
fn by_status(call: Call, answer: &dyn Answer) -> Failure {
    match (call, answer.status()) {
        (Call::Generate, 401 | 403) => bad_keys(),
        (Call::Generate, 404 | 405) => Failure::Misconfigured(
            "Jibit has no such address; check `base_url` and `product`".to_owned(),
        ),
        (Call::Refresh, 400 | 401 | 403) => dead_grant(),
        (Call::Generate, _) => unexpected(answer, "Jibit login"),
        (Call::Refresh, _) => unexpected(answer, "Jibit refresh"),
    }
}

/// A login uses nothing up. A refresh may: Jibit sends a new pair and does not say what becomes
/// of the old one.
fn effect(call: Call) -> Effect {
    match call {
        Call::Generate => Effect::Harmless,
        Call::Refresh => Effect::MayRotate,
    }
}

fn bad_keys() -> Failure {
    let text = "Jibit refused the key pair; check `api_key` and `secret_key`, which belong to one \
                product";
    Failure::InvalidCredentials(text.to_owned())
}

fn dead_grant() -> Failure {
    Failure::GrantExpired("Jibit no longer accepts this pair of tokens".to_owned())
}

/// Jibit's own word for a failure of its server, whatever status it comes with.
fn server_error(call: Call) -> Failure {
    match effect(call) {
        Effect::Harmless => {
            Failure::Unavailable("Jibit reports a fault of its own; try again later".to_owned())
        }
        Effect::MayRotate => Failure::InDoubt(
            "Jibit reports a fault of its own; it may have rotated the pair".to_owned(),
        ),
    }
}

fn misconfigured(text: &str) -> Failure {
    Failure::Misconfigured(text.to_owned())
}
