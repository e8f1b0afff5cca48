//! Failures in one call. The case decides what the host does next; the text is for people, names
//! what failed and what helps, and never quotes an answer.

use crate::answer::Answer;
use crate::bindings::exports::keepfresh::provider::provider::Rotation;
use crate::bindings::keepfresh::provider::types::Failure;
use crate::flow::{Flow, Step};
use crate::tokens::Tokens;

impl Failure {
    /// The stored credentials are wrong: a person corrects them.
    pub fn invalid_credentials(text: impl Into<String>) -> Self {
        Self::InvalidCredentials(text.into())
    }

    /// The refresh token or the grant is dead: log in again, or connect again.
    pub fn grant_expired(text: impl Into<String>) -> Self {
        Self::GrantExpired(text.into())
    }

    /// The access token was refused: refresh it.
    pub fn token_rejected(text: impl Into<String>) -> Self {
        Self::TokenRejected(text.into())
    }

    /// Slow down, for as long as the answer says.
    pub fn rate_limited(answer: &dyn Answer) -> Self {
        Self::RateLimited(retry_after(answer))
    }

    /// The provider is down or reports a fault of its own: try again later.
    pub fn unavailable(text: impl Into<String>) -> Self {
        Self::Unavailable(text.into())
    }

    /// A setting, a client or a scope is wrong: the operator corrects it.
    pub fn misconfigured(text: impl Into<String>) -> Self {
        Self::Misconfigured(text.into())
    }

    /// The answer was not understood.
    pub fn unexpected(text: impl Into<String>) -> Self {
        Self::Unexpected(text.into())
    }

    /// The failure of an answer that holds nothing of use, whatever it is: 429, 5xx, or not
    /// understood. A reading may end here. `who` begins the sentence and `what` was asked for:
    /// "Eskiz", "a login".
    pub fn of(answer: &dyn Answer, who: &str, what: &str) -> Self {
        trouble(answer, who).unwrap_or_else(|| {
            let kind = if answer.is_json() { "JSON" } else { "no JSON" };
            let status = answer.status();
            Self::Unexpected(format!(
                "{who}, asked for {what}, answered {status} with {kind}, which the plugin does not understand"
            ))
        })
    }
}

/// What helps when the provider is to blame, at the end of a text.
const LATER: &str = "; try again later";

/// The failure behind the statuses that mean the same at every provider: 429 and 5xx.
pub fn trouble(answer: &dyn Answer, who: &str) -> Option<Failure> {
    match answer.status() {
        429 => Some(Failure::rate_limited(answer)),
        status @ 500.. => Some(Failure::Unavailable(format!("{who} answered {status}{LATER}"))),
        _ => None,
    }
}

/// Seconds that the provider asks to wait. A date in `Retry-After` is left to the host, which reads it
/// of every failure.
fn retry_after(answer: &dyn Answer) -> Option<u32> {
    answer.header("retry-after")?.trim().parse().ok()
}

/// The same flow, in which a provider that fails after it was sent a refresh token leaves a doubt: it
/// may have rotated. Decided here for every plugin, from the request and the declared rotation, for which the plugin
/// is asked only when it matters: it makes its whole descriptor then.
pub(crate) fn doubting(
    flow: Flow<Tokens>,
    rotation: impl Fn() -> Rotation + 'static,
) -> Flow<Tokens> {
    Ok(match flow? {
        Step::Send(mut exchange) => {
            let spends = exchange.request.spends_refresh_token();
            let read = exchange.read;
            exchange.read = Box::new(move |answer| {
                let doubted = |it| if spends { doubt(it, &rotation) } else { it };
                let next = read(answer).map_err(doubted);
                doubting(next, rotation)
            });
            Step::Send(exchange)
        }
        done @ Step::Done(_) => done,
    })
}

fn doubt(failure: Failure, rotation: impl Fn() -> Rotation) -> Failure {
    match failure {
        Failure::Unavailable(text) if !matches!(rotation(), Rotation::None) => {
            let said = text.strip_suffix(LATER).unwrap_or(&text);
            Failure::InDoubt(format!("{said}; it may have used up the refresh token"))
        }
        clear => clear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{send, send_then};
    use crate::request::{Request, Value, refresh_token, secret};
    use crate::testing::{Canned, ending, run};

    fn asks(value: Value) -> Flow<Tokens> {
        let request = Request::post("{base_url}/token").json([("value", value)]);
        send(request, |answer| Err(Failure::of(answer, "It", "tokens")))
    }

    fn ends(flow: Flow<Tokens>, rotation: Rotation, status: u16) -> (&'static str, String) {
        let answers = vec![Canned::new(status, "{}"); 2];
        let (_, result) = run(doubting(flow, move || rotation), &answers);
        let (case, text) = ending(&result);
        (case, text.to_owned())
    }

    #[test]
    fn a_fault_is_doubt_only_where_a_refresh_token_may_be_spent() {
        for rotation in [Rotation::Strict, Rotation::Unknown, Rotation::Grace(5)] {
            assert_eq!(ends(asks(refresh_token()), rotation, 503).0, "in-doubt");
            assert_eq!(ends(asks(secret("key")), rotation, 503).0, "unavailable");
        }
        assert_eq!(ends(asks(refresh_token()), Rotation::None, 503).0, "unavailable");
        let text = "It answered 503; it may have used up the refresh token";
        assert_eq!(ends(asks(refresh_token()), Rotation::Strict, 503).1, text);
    }

    #[test]
    fn what_the_provider_said_clearly_is_no_doubt() {
        for (status, case) in [(429, "rate-limited"), (404, "unexpected")] {
            assert_eq!(ends(asks(refresh_token()), Rotation::Strict, status).0, case);
        }
    }

    #[test]
    fn a_later_request_of_the_same_flow_is_judged_by_itself() {
        let first = |then: Value| send_then(Request::get("{base_url}/where"), |_| asks(then));
        assert_eq!(ends(first(refresh_token()), Rotation::Strict, 500).0, "in-doubt");
        assert_eq!(ends(first(secret("key")), Rotation::Strict, 500).0, "unavailable");
    }

    #[test]
    fn a_limit_says_seconds_or_nothing() {
        let after =
            |value| Failure::rate_limited(&Canned::new(429, "").header("Retry-After", value));
        assert!(matches!(after("120"), Failure::RateLimited(Some(120))));
        assert!(matches!(after("Wed, 21 Oct 2026 07:28:00 GMT"), Failure::RateLimited(None)));
    }

    #[test]
    fn what_fits_nothing_is_named_by_its_status_and_never_quoted() {
        let failure = Failure::of(&Canned::new(418, r#"{"a":"SHOWN"}"#), "It", "a login");
        let text =
            "It, asked for a login, answered 418 with JSON, which the plugin does not understand";
        assert_eq!(ending::<()>(&Err(failure)), ("unexpected", text));
    }
}
