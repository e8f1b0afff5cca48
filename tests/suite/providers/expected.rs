//! What each cell of the table should come to, as data: rules from the general to the particular, of
//! which the last that fits counts. A rule for single plugins says why they differ.

use crate::providers::situation::{Fault, Next, Seen, Then, Token};

use Fault::{
    BadGateway, CutAfter, CutBefore, HalfJson, Limit, LimitTold, Nothing, Page, Revoked,
    ServerError, WrongCredentials,
};
use Moment::{Login, Refresh};
use Then::{Reconnects, Recovers, RecoversByForce};

/// Before the first token, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Login,
    Refresh,
}

/// What is seen of some faults at some plugins; at all of them where none is named.
struct Rule {
    moment: Moment,
    faults: &'static [Fault],
    plugins: &'static [&'static str],
    code: &'static str,
    state: &'static str,
    next: Next,
    token: Token,
    requests: usize,
    then: Then,
}

/// What is expected of this cell.
pub(crate) fn expected(moment: Moment, fault: Fault, plugin: &str) -> Seen {
    let fits = |rule: &&Rule| {
        let plugins = rule.plugins;
        rule.moment == moment
            && rule.faults.contains(&fault)
            && (plugins.is_empty() || plugins.contains(&plugin))
    };
    let rule = RULES.iter().rfind(fits).expect("every fault has a rule");
    Seen {
        code: rule.code.to_owned(),
        state: rule.state.to_owned(),
        next: rule.next,
        token: rule.token,
        requests: rule.requests,
        then: rule.then,
    }
}

/// The usual end: a token that is better than the one before.
const GOOD: Rule = Rule {
    moment: Refresh,
    faults: &[Nothing],
    plugins: &[],
    code: "",
    state: "fresh",
    next: Next::Usual,
    token: Token::New,
    requests: 1,
    then: Recovers,
};

/// The usual failure: callers keep what they have, and it is tried again by itself.
const BAD: Rule = Rule {
    code: "provider.unavailable",
    state: "late",
    next: Next::Soon,
    token: Token::Old,
    ..GOOD
};

/// The same before the first token.
const EMPTY: Rule = Rule { moment: Login, state: "expired", token: Token::None, ..BAD };

const RULES: &[Rule] = &[
    Rule { moment: Login, ..GOOD },
    Rule {
        faults: &[WrongCredentials],
        code: "provider.invalid_credentials",
        state: "misconfigured",
        next: Next::Never,
        ..EMPTY
    },
    Rule { faults: &[LimitTold], code: "provider.rate_limited", next: Next::AsTold, ..EMPTY },
    Rule { faults: &[Limit], code: "provider.rate_limited", ..EMPTY },
    Rule { faults: &[ServerError, BadGateway], ..EMPTY },
    Rule { faults: &[Page, HalfJson], code: "provider.unexpected", ..EMPTY },
    Rule { faults: &[CutBefore, CutAfter], code: "provider.connection_lost", ..EMPTY },
    // A page is no login, so it asks at the six usual addresses too; then a person has to say which.
    Rule {
        faults: &[Page],
        plugins: &["external-api"],
        code: "provider.misconfigured",
        state: "misconfigured",
        next: Next::Never,
        requests: 7,
        ..EMPTY
    },
    GOOD,
    // Whoever can log in does so at once.
    Rule { faults: &[Revoked], requests: 2, ..GOOD },
    Rule {
        faults: &[WrongCredentials],
        code: "provider.invalid_credentials",
        state: "misconfigured",
        next: Next::Never,
        requests: 2,
        ..BAD
    },
    Rule { faults: &[LimitTold], code: "provider.rate_limited", next: Next::AsTold, ..BAD },
    Rule { faults: &[Limit], code: "provider.rate_limited", ..BAD },
    // It may have rotated.
    Rule { faults: &[ServerError, BadGateway], code: "refresh.outcome_unknown", ..BAD },
    Rule { faults: &[Page, HalfJson], code: "provider.unexpected", ..BAD },
    Rule { faults: &[CutBefore, CutAfter], code: "provider.connection_lost", ..BAD },
    // A person's grant ends for good, and the tokens stay where they are.
    Rule {
        faults: &[Revoked],
        plugins: &["propelauth", "google-oauth", "oauth2-person"],
        code: "provider.grant_expired",
        state: "reconnect",
        next: Next::Never,
        then: Reconnects,
        ..BAD
    },
    // The client is refused before its refresh token is looked at, and there is no login after that.
    Rule {
        faults: &[WrongCredentials],
        plugins: &["propelauth", "google-oauth", "oauth2-person", "oauth2-client", "playmobile"],
        code: "provider.invalid_credentials",
        state: "misconfigured",
        next: Next::Never,
        ..BAD
    },
    // It has no refresh token: its refresh is a login.
    Rule { faults: &[Revoked], plugins: &["oauth2-client"], ..GOOD },
    // The token is the user name and the password: always the same, and nobody ends it.
    Rule { faults: &[Nothing, Revoked], plugins: &["playmobile"], token: Token::Old, ..GOOD },
    // Nothing dies of these refreshes, so there is nothing to doubt.
    Rule {
        faults: &[ServerError, BadGateway],
        plugins: &["eskiz", "playmobile", "google-oauth", "oauth2-client"],
        ..BAD
    },
    // Where there is no refresh it logs in, and a page is no refresh.
    Rule { faults: &[Page], plugins: &["external-api"], requests: 2, ..GOOD },
    // It cannot rotate twice, or may not be able to, and nobody can log in: so the token is served to its end
    // before the refresh token is tried once more.
    Rule {
        faults: &[ServerError],
        plugins: &["propelauth", "oauth2-person"],
        code: "refresh.outcome_unknown",
        next: Next::AtItsEnd,
        then: RecoversByForce,
        ..BAD
    },
    Rule {
        faults: &[CutBefore],
        plugins: &["propelauth", "oauth2-person"],
        code: "provider.connection_lost",
        next: Next::AtItsEnd,
        then: RecoversByForce,
        ..BAD
    },
    Rule {
        faults: &[BadGateway],
        plugins: &["propelauth", "oauth2-person"],
        code: "refresh.outcome_unknown",
        next: Next::AtItsEnd,
        then: Reconnects,
        ..BAD
    },
    Rule {
        faults: &[CutAfter],
        plugins: &["propelauth", "oauth2-person"],
        code: "provider.connection_lost",
        next: Next::AtItsEnd,
        then: Reconnects,
        ..BAD
    },
    Rule {
        faults: &[Page],
        plugins: &["propelauth", "oauth2-person"],
        code: "provider.unexpected",
        then: RecoversByForce,
        ..BAD
    },
    // The next refresh token was in the answer that nobody got.
    Rule {
        faults: &[HalfJson],
        plugins: &["propelauth", "oauth2-person"],
        code: "provider.unexpected",
        then: Reconnects,
        ..BAD
    },
];
