//! What a success is: whether the token that came is of use, when to look again, and what is told. Pure.

use jiff::Timestamp;

use crate::model::code;
use crate::model::connection::{Agreed, Due};
use crate::model::ends::Ends;
use crate::model::event::{Event, EventKind};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::state::span;
use crate::model::token::TokenSet;
use crate::refresher::plan::{Timing, at_the_end};
use crate::refresher::running::Running;

/// Why a token that has just come is of no use, if it is of none.
pub(super) fn dead_on_arrival(id: &ConnectionId, ends: Ends, now: Timestamp) -> Option<Failure> {
    let end = ends.access.filter(|_| ends.dead_on_arrival(now))?;
    let how = if end > now {
        format!("expires {} after it arrived", span(now, end))
    } else {
        format!("had expired {} before it arrived", span(end, now))
    };
    let message = format!(
        "the new token of {id} {how}: a clock is wrong, here or at the provider, or the plugin reads the expiry wrongly; the token is stored, but useless"
    );
    Some(Failure::new(Case::Unexpected, code::Token::DeadOnArrival, message))
}

/// When the connection is looked at next.
pub(super) fn due(
    running: &Running,
    token: &TokenSet,
    agreed: Option<&Agreed>,
    dead: bool,
    now: Timestamp,
) -> Option<Due> {
    let timing = Timing::of(&running.plugin, &running.connection);
    if dead {
        return Some(timing.after_dead_token(running.loaded.connection.failures + 1, now));
    }
    if agreed.is_some_and(|it| !it.renewable) {
        return at_the_end(token.ends());
    }
    timing.after_success(token.ends(), now)
}

/// What is told of it.
pub(super) fn events(running: &Running, dead: Option<&Failure>, now: Timestamp) -> Vec<Event> {
    let connection = &running.loaded.connection;
    let event = |kind, code| running.event(kind, connection.generation + 1, code, now);
    if let Some(dead) = dead {
        return vec![event(EventKind::Failed, Some(dead.code.clone()))];
    }
    let recovered = (connection.failures > 0).then(|| event(EventKind::Recovered, None));
    [event(EventKind::Refreshed, None)].into_iter().chain(recovered).collect()
}
