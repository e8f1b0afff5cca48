//! What a refusal means, as data: a table of codes and statuses with a case and a text for each.

use crate::answer::Answer;
use crate::bindings::keepfresh::provider::types::Failure;
use crate::failure::trouble;

/// What a provider means when it does not give what was asked for. The code in the answer decides,
/// then the status; 429 and 5xx decide before either, because a server that is busy or failing says
/// little else of worth.
#[derive(Clone, Copy, Debug)]
pub struct Refusals {
    who: &'static str,
    what: &'static str,
    rows: &'static [Refusal],
    codes_at: &'static [&'static str],
    believes_codes: bool,
}

/// One row: a failure, and the answers that mean it.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    case: Case,
    text: &'static str,
    codes: &'static [&'static str],
    statuses: &'static [u16],
    any_4xx: bool,
}

#[derive(Clone, Copy, Debug)]
enum Case {
    InvalidCredentials,
    GrantExpired,
    TokenRejected,
    RateLimited,
    Unavailable,
    Misconfigured,
}

impl Refusals {
    /// A table without rows, in which an answer is 429, 5xx or not understood. `who` begins the
    /// sentence and `what` was asked for: "Eskiz", "a login".
    pub const fn of(who: &'static str, what: &'static str) -> Self {
        Self { who, what, rows: &[], codes_at: &["/error"], believes_codes: false }
    }

    /// What is known: the first row that fits counts.
    #[must_use]
    pub const fn rows(mut self, rows: &'static [Refusal]) -> Self {
        self.rows = rows;
        self
    }

    /// Where an answer may have its code: the first place whose code is known counts. `/error` when
    /// this is not said. The descriptor has to declare that they are read.
    #[must_use]
    pub const fn codes_at(mut self, pointers: &'static [&'static str]) -> Self {
        self.codes_at = pointers;
        self
    }

    /// A code counts whatever the status is, also with 429 and 5xx.
    #[must_use]
    pub const fn whatever_the_status(mut self) -> Self {
        self.believes_codes = true;
        self
    }

    /// The failure behind an answer; what no row knows is 429, 5xx or `unexpected`.
    pub fn failure(&self, answer: &dyn Answer) -> Failure {
        self.known(answer).unwrap_or_else(|| Failure::of(answer, self.who, self.what))
    }

    /// The failure behind an answer that a row knows.
    pub fn known(&self, answer: &dyn Answer) -> Option<Failure> {
        let is_busy = trouble(answer, self.who).is_some();
        let by_code = if is_busy && !self.believes_codes { None } else { self.by_code(answer) };
        let by_status = || self.rows.iter().find(|row| !is_busy && row.is_at(answer.status()));
        by_code.or_else(by_status).map(|row| row.failure(answer))
    }

    fn by_code(&self, answer: &dyn Answer) -> Option<&'static Refusal> {
        self.codes_at.iter().find_map(|place| {
            // A code may be a word or a number.
            let code = answer.text(place).or_else(|| answer.json(place))?;
            self.rows.iter().find(|row| row.codes.contains(&code.as_str()))
        })
    }
}

impl Refusal {
    const fn new(case: Case, text: &'static str) -> Self {
        Self { case, text, codes: &[], statuses: &[], any_4xx: false }
    }

    /// The stored credentials are wrong: a person corrects them.
    pub const fn invalid_credentials(text: &'static str) -> Self {
        Self::new(Case::InvalidCredentials, text)
    }

    /// The refresh token or the grant is dead: log in again, or connect again.
    pub const fn grant_expired(text: &'static str) -> Self {
        Self::new(Case::GrantExpired, text)
    }

    /// The access token was refused: refresh it.
    pub const fn token_rejected(text: &'static str) -> Self {
        Self::new(Case::TokenRejected, text)
    }

    /// Slow down, for as long as the answer says.
    pub const fn rate_limited() -> Self {
        Self::new(Case::RateLimited, "")
    }

    /// The provider reports a fault of its own: try again later.
    pub const fn unavailable(text: &'static str) -> Self {
        Self::new(Case::Unavailable, text)
    }

    /// A setting, a client or a scope is wrong: the operator corrects it.
    pub const fn misconfigured(text: &'static str) -> Self {
        Self::new(Case::Misconfigured, text)
    }

    /// Codes that mean it.
    #[must_use]
    pub const fn on(mut self, codes: &'static [&'static str]) -> Self {
        self.codes = codes;
        self
    }

    /// Statuses that mean it, unless the code says otherwise.
    #[must_use]
    pub const fn at(mut self, statuses: &'static [u16]) -> Self {
        self.statuses = statuses;
        self
    }

    /// Any status from 400 to 499 means it, unless a row before says otherwise; not 429.
    #[must_use]
    pub const fn at_any_4xx(mut self) -> Self {
        self.any_4xx = true;
        self
    }

    fn is_at(&self, status: u16) -> bool {
        self.statuses.contains(&status) || (self.any_4xx && (400..500).contains(&status))
    }

    /// This failure, for an answer that is known to mean it.
    pub fn failure(&self, answer: &dyn Answer) -> Failure {
        let text = self.text.to_owned();
        match self.case {
            Case::InvalidCredentials => Failure::InvalidCredentials(text),
            Case::GrantExpired => Failure::GrantExpired(text),
            Case::TokenRejected => Failure::TokenRejected(text),
            Case::RateLimited => Failure::rate_limited(answer),
            Case::Unavailable => Failure::Unavailable(text),
            Case::Misconfigured => Failure::Misconfigured(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Canned, ending};

    const LOGIN: Refusals = Refusals::of("It", "a login").rows(&[
        Refusal::invalid_credentials("wrong").on(&["bad_key", "7"]).at(&[401]),
        Refusal::misconfigured("locked").on(&["locked"]),
        Refusal::rate_limited().on(&["slow"]),
        Refusal::grant_expired("gone").at_any_4xx(),
    ]);

    fn ends(table: &Refusals, status: u16, body: &str) -> (&'static str, String) {
        let result = Err::<(), _>(table.failure(&Canned::new(status, body)));
        let (case, text) = ending(&result);
        (case, text.to_owned())
    }

    fn case(status: u16, body: &str) -> &'static str {
        ends(&LOGIN, status, body).0
    }

    #[test]
    fn the_code_decides_before_the_status() {
        assert_eq!(ends(&LOGIN, 401, r#"{"error":"locked"}"#).1, "locked");
        assert_eq!(ends(&LOGIN, 401, r#"{"error":"new"}"#).1, "wrong");
        assert_eq!(case(200, r#"{"error":"bad_key"}"#), "invalid-credentials");
        assert_eq!(case(400, r#"{"error":7}"#), "invalid-credentials");
        assert_eq!((case(403, "{}"), case(200, "{}")), ("grant-expired", "unexpected"));
    }

    #[test]
    fn a_busy_server_is_not_believed_unless_its_codes_count_whatever_the_status() {
        let locked = r#"{"error":"locked"}"#;
        assert_eq!((case(503, locked), case(429, locked)), ("unavailable", "rate-limited"));
        let believed = LOGIN.whatever_the_status();
        assert_eq!(ends(&believed, 503, locked).0, "misconfigured");
        assert_eq!(
            (ends(&believed, 503, "").0, ends(&believed, 429, "").0),
            ("unavailable", "rate-limited")
        );
    }

    #[test]
    fn a_code_is_looked_for_where_the_table_says() {
        let elsewhere = LOGIN.codes_at(&["/errors/0/code", "/code"]);
        for body in [
            r#"{"errors":[{"code":"slow"}],"code":"x"}"#,
            r#"{"errors":[{"code":"x"}],"code":"slow"}"#,
        ] {
            assert_eq!(ends(&elsewhere, 400, body).0, "rate-limited", "{body}");
        }
    }
}
