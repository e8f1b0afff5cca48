//! What an unknown outcome comes to, and an answer that waits to be read: the rules that can lose a grant.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::connection::{Connection, TokenFacts};
use crate::model::rotation::{Remedy, Rotation};
use crate::refresher::ask::Ask;
use crate::refresher::decide::{Answers, Decision, Facts, Way};

/// What captured answers come to; `None` when they are given up, or there are none.
pub(super) fn of_answers(connection: &Connection, ask: Ask, facts: &Facts) -> Option<Decision> {
    let readings = match facts.captured? {
        Answers::Readable { readings } => readings,
        Answers::Unopenable if facts.unattended => return Some(Decision::Call(Way::Login)),
        Answers::Unopenable if ask.insists() => return None,
        Answers::Unopenable => return Some(Decision::Unopenable),
    };
    // An answer that could not be read twice will not be read a third time. If it was rubbish, it
    // leaves a doubt, and that is resolved like any other; a plugin that died of it is waited for.
    let tried = readings >= 2 && facts.interrupted.is_none();
    let given_up = tried && !ask.replay;
    if given_up && (connection.doubt_since.is_some() || facts.unattended) {
        return facts.unattended.then_some(Decision::Call(Way::Login));
    }
    // Reading goes on where the interrupted attempt stood: at a request that has left, perhaps.
    let token = connection.token.as_ref()?;
    Some(resolve(facts.unanswered, token, ask, facts).unwrap_or(Decision::Call(Way::Replay)))
}

/// What the doubt about a request that left at `since` comes to; `None` when it may be sent again.
pub(super) fn resolve(
    since: Option<Timestamp>,
    token: &TokenFacts,
    ask: Ask,
    facts: &Facts,
) -> Option<Decision> {
    let since = since.filter(|_| facts.rotation != Rotation::None)?;
    if facts.unattended {
        // A login does not depend on the refresh token that may be spent.
        return Some(Decision::Call(Way::Login));
    }
    let age = Duration::try_from(facts.now.duration_since(since)).unwrap_or_default();
    match (facts.rotation.remedy(age), token.ends().last_chance(facts.now)) {
        // Only a person who names it may risk the grant.
        (Remedy::WaitForEnd, Some(end)) if end > facts.now && !ask.insists() => {
            Some(Decision::WaitUntil(end))
        }
        (Remedy::RetryNow | Remedy::WaitForEnd, _) => None,
    }
}
