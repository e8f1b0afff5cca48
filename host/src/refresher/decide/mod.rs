//! What a request for a refresh comes to: nothing, a login, or a refresh. Pure: facts in, decision
//! out; the hardest rules of the protocol are here and in `judge`.

/// What an unknown outcome comes to, and an answer that waits.
mod doubt;

use jiff::Timestamp;

use crate::model::attempt::Trigger;
use crate::model::connection::Connection;
use crate::model::rotation::Rotation;
use crate::model::state::span;
use crate::refresher::ask::{Ask, Wish, wish};

/// What the decision rests on, besides the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// What the provider does with used refresh tokens.
    pub rotation: Rotation,
    /// Whether the plugin can log in with nobody present.
    pub unattended: bool,
    /// When an attempt that has no outcome began, if there is one.
    pub interrupted: Option<Timestamp>,
    /// Answers that were captured and nobody has spent.
    pub captured: Option<Answers>,
    /// When a request left, besides those with a captured answer, that has none.
    pub unanswered: Option<Timestamp>,
    /// Whether nobody has asked for the token for so long that nobody will miss it.
    pub idle: bool,
    /// Whether the provider gave the current token, and not a person.
    pub given: bool,
    /// Now.
    pub now: Timestamp,
}

/// Captured answers that nobody has spent, and what can be done with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// They can be given to the plugin, which got them so many times.
    Readable {
        /// The first time included.
        readings: u32,
    },
    /// The key that opens them is not here, or they are damaged.
    Unopenable,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing; for people the reason is recorded.
    Skip(String),
    /// Call the plugin, this way.
    Call(Way),
    /// Nothing yet: the outcome of an earlier request is unknown and trying again could kill the
    /// grant. Once, at this time.
    WaitUntil(Timestamp),
    /// Nothing until a caller asks: nobody has for a long time.
    Rest,
    /// Nothing: an answer waits that cannot be opened, and what is sent instead may end the grant.
    Unopenable,
    /// Nothing works without a person.
    NeedsPerson,
}

/// How a plugin is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `login`.
    Login,
    /// `refresh`, and `login` if the grant turns out to be dead.
    Refresh,
    /// The same over the answers that were captured; only what was not captured is sent.
    Replay,
}

impl Way {
    /// Whether the provider is asked for something new.
    pub fn sends(self) -> bool {
        matches!(self, Self::Login | Self::Refresh)
    }
}

/// Decides what `ask` comes to for `connection`.
pub(super) fn decide(connection: &Connection, ask: Ask, facts: &Facts) -> Decision {
    let decision = find_way(connection, ask, facts);
    let Decision::Call(way) = decision else { return decision };
    // The time of what was interrupted is the end of its claim, and no wish of the provider.
    let patient = ask.is_patient() && facts.interrupted.is_none() && way.sends();
    match next_try(connection, facts.now).filter(|_| patient) {
        Some(at) => Decision::Skip(format!(
            "the last refresh failed; the next retry is in {}, or use --force to refresh now",
            span(facts.now, at)
        )),
        None => decision,
    }
}

fn find_way(connection: &Connection, ask: Ask, facts: &Facts) -> Decision {
    if connection.pause.is_some() {
        let resume = format!("keepfresh connection resume {}", connection.id);
        return Decision::Skip(format!("paused by a person; resume it with: {resume}"));
    }
    if let Some(reason) = not_needed(connection, ask, facts) {
        return Decision::Skip(reason);
    }
    if facts.idle && !ask.trigger.is_on_request() && may_rest(connection, facts) {
        return Decision::Rest;
    }
    let Some(token) = &connection.token else {
        return if facts.unattended { Decision::Call(Way::Login) } else { Decision::NeedsPerson };
    };
    if let Some(decision) = doubt::of_answers(connection, ask, facts) {
        return decision;
    }
    // The earlier of both: a grace counts from the first use of the token.
    let since = facts.interrupted.into_iter().chain(connection.doubt_since).min();
    doubt::resolve(since, token, ask, facts).unwrap_or(Decision::Call(Way::Refresh))
}

/// Whether there is a token and no question about it, and a grant that does not end meanwhile.
fn may_rest(connection: &Connection, facts: &Facts) -> bool {
    let open =
        facts.interrupted.is_some() || facts.captured.is_some() || connection.doubt_since.is_some();
    let Some(token) = connection.token.as_ref().filter(|_| !open) else { return false };
    token.keep_alive_from(facts.now).is_none_or(|it| it > facts.now)
}

/// When a failure that time may mend is tried again, if that is still to come.
pub(super) fn next_try(connection: &Connection, now: Timestamp) -> Option<Timestamp> {
    let failing = connection.failures > 0 && connection.problem.is_none();
    connection.due.map(|it| it.at).filter(|it| failing && *it > now)
}

/// Why nothing is needed, if nothing is.
fn not_needed(connection: &Connection, ask: Ask, facts: &Facts) -> Option<String> {
    if ask.replaces.is_some_and(|it| it != connection.generation) {
        return Some("the rejected token has been replaced".to_owned());
    }
    let token = connection.token.as_ref()?;
    let unsettled = facts.interrupted.is_some()
        || facts.captured.is_some()
        || connection.failures > 0
        || connection.problem.is_some();
    match ask.trigger {
        Trigger::Forced => None,
        Trigger::OnDemand => match wish(token, ask.min_ttl, facts.given, facts.now) {
            Wish::Met => Some("the token is valid for long enough".to_owned()),
            Wish::Beyond(_) => Some("a new token would not live longer".to_owned()),
            Wish::Refresh => None,
        },
        _ if unsettled || !token.is_valid(facts.now) => None,
        _ => match connection.due {
            Some(due) if due.at <= facts.now => None,
            due => Some(still_valid(token.expires_at, due.map(|it| it.at), facts.now)),
        },
    }
}

fn still_valid(expires_at: Option<Timestamp>, due: Option<Timestamp>, now: Timestamp) -> String {
    let valid = match expires_at {
        Some(end) => format!("still valid for {}", span(now, end)),
        None => "still valid, its expiry is not known".to_owned(),
    };
    let next = due.map(|it| format!(", next refresh in {}", span(now, it))).unwrap_or_default();
    format!("{valid}{next}; use --force to refresh now")
}

#[cfg(test)]
mod tests;
