//! When a connection is looked at next. Pure: timing, facts and `now` in, a moment and its reason out.

/// After a failure.
mod failing;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use jiff::Timestamp;

use crate::catalogue::Plugin;
use crate::manifest::provider::Provider;
use crate::manifest::timing::Retry;
use crate::model::attempt::Trigger;
use crate::model::clock;
use crate::model::connection::{Connection, Due, TokenFacts};
use crate::model::ends::Ends;
use crate::model::id::ConnectionId;
use crate::model::schedule::Schedule;

/// Margin before expiry when there is a schedule and the manifest names none.
const DEFAULT_MARGIN: Duration = Duration::from_mins(5);

/// Nothing is refreshed twice within this time by itself, whatever a provider says of expiry.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// What ends together is refreshed apart, over this part of the margin before it: wide enough that no second has
/// many of them, and so small that nothing is refreshed much too early (decision 0056).
const APART: u32 = 4;

/// A token that was stored so long after now was stored by a clock that was ahead, and its times are
/// worth nothing.
pub(super) const AHEAD: Duration = Duration::from_mins(5);

/// What the manifest says about one connection's times.
#[derive(Clone, Copy)]
pub(super) struct Timing<'a> {
    schedule: Option<&'a Schedule>,
    backup: Option<&'a Schedule>,
    refresh_before: Option<Duration>,
    jitter: Duration,
    retry: Retry,
    seed: u64,
}

/// The last moment at which something is refreshed for its end, and how long before that end it is.
#[derive(Clone, Copy)]
struct Deadline {
    at: Timestamp,
    margin: Duration,
}

impl<'a> Timing<'a> {
    /// The timing of `id` under its plugin.
    pub(super) fn of(plugin: &'a Plugin, id: &ConnectionId) -> Self {
        Self::new(plugin.provider(), plugin.declared_schedule(), id)
    }

    /// The timing of `id` under `provider`; `declared` is the plugin's own schedule, for when the
    /// manifest has none.
    pub(super) fn new(
        provider: &'a Provider,
        declared: Option<&'a Schedule>,
        id: &ConnectionId,
    ) -> Self {
        Self {
            schedule: provider.schedule.as_ref().or(declared),
            backup: provider.backup_schedule.as_ref(),
            refresh_before: provider.refresh_before,
            jitter: provider.jitter,
            retry: provider.retry,
            seed: Self::seed_of(id),
        }
    }

    /// What spreads connections that would otherwise do the same at the same time.
    pub(super) fn seed_of(id: &ConnectionId) -> u64 {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        hasher.finish()
    }

    /// When a token that was stored at `now` is refreshed; `None` when nobody says that it ends and
    /// there is no schedule.
    ///
    /// A tick refreshes what would not live until the tick after it plus the margin: so the last tick
    /// before that point is the one. When no tick lies there, expiry itself is the reason, and a part of
    /// the margin spreads those that end together: earlier, so that the margin stays what was promised.
    /// What ends at no time that is known is asked for anew at each tick: a password may have been changed.
    pub(super) fn after_success(&self, ends: Ends, now: Timestamp) -> Option<Due> {
        let deadline = self.deadline(ends, now);
        let end = deadline.map(|it| it.at);
        let due = match (self.tick_before(ends, end, now), deadline) {
            (Some(tick), _) => {
                let at = clock::after(tick, self.spread());
                Due { at: end.map_or(at, |it| it.min(at)), trigger: Trigger::Scheduled }
            }
            (None, Some(Deadline { at, margin })) => {
                let early = share(self.seed, margin / APART);
                Due { at: clock::before(at, early), trigger: Trigger::Expiry }
            }
            (None, None) => return None,
        };
        Some(Due { at: due.at.max(now + SHORTEST_PAUSE), ..due })
    }

    /// By when a token that was stored at `now` has to be fresh again: before it ends, and before its refresh
    /// token does.
    fn deadline(&self, ends: Ends, now: Timestamp) -> Option<Deadline> {
        let access = ends.access.map(|end| {
            let margin = self.margin(between(now, end));
            Deadline { at: clock::before(end, margin), margin }
        });
        let grant = ends.keep_alive_from(now).zip(ends.refresh);
        let grant = grant.map(|(at, end)| Deadline { at, margin: between(at, end) });
        access.into_iter().chain(grant).min_by_key(|it| it.at)
    }

    /// The tick that refreshes what must be fresh by `end`.
    fn tick_before(&self, ends: Ends, end: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let schedule = self.schedule?;
        match end {
            Some(end) if ends.access.is_some() => {
                schedule.last_at_or_before(end).filter(|it| *it > now)
            }
            end => schedule.next_after(now).filter(|it| end.is_none_or(|end| *it <= end)),
        }
    }

    /// The same for a token that is there already, looked at now: what is past is due now, and so is
    /// what a clock that was ahead has stored.
    pub(super) fn restored(&self, token: &TokenFacts, now: Timestamp) -> Option<Due> {
        let ends = token.ends();
        let due = self.after_success(ends, token.issued_at.min(now))?;
        if token.issued_at > clock::after(now, AHEAD) {
            return Some(Due { at: clock::after(now, self.spread()), ..due });
        }
        let soonest = if ends.access.is_some() { now } else { clock::after(now, self.spread()) };
        Some(if due.at < now { Due { at: soonest, ..due } } else { due })
    }

    fn margin(&self, lifetime: Duration) -> Duration {
        let third = longest_margin(lifetime);
        match (self.refresh_before, self.schedule) {
            (Some(margin), _) => margin.min(third),
            (None, Some(_)) => DEFAULT_MARGIN.min(third),
            (None, None) => third,
        }
    }

    /// This connection's place in the window after a tick.
    fn spread(&self) -> Duration {
        share(self.seed, self.jitter)
    }
}

/// When a token is looked at that nothing renews: not before somebody has to be told that it has ended.
pub(super) fn at_the_end(ends: Ends) -> Option<Due> {
    ends.access.map(|at| Due { at, trigger: Trigger::Expiry })
}

/// The longest margin before the end of a token, whatever `refresh_before` says: one as long as the token would
/// refresh for ever.
pub fn longest_margin(lifetime: Duration) -> Duration {
    lifetime / 3
}

/// When what nobody asks for is refreshed all the same, so that its grant does not end; `None` when it
/// does not end by itself.
pub(super) fn keep_alive(connection: &Connection, now: Timestamp) -> Option<Due> {
    let token = connection.token.as_ref()?;
    let (from, end) = (token.keep_alive_from(now)?, token.refresh_expires_at?);
    let spread = share(Timing::seed_of(&connection.id), between(from, end) / 2);
    Some(Due { at: clock::after(from, spread), trigger: Trigger::Expiry })
}

/// A part of `whole` picked by `seed`, to the millisecond.
pub(super) fn share(seed: u64, whole: Duration) -> Duration {
    let millis = u64::try_from(whole.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(seed.checked_rem(millis).unwrap_or_default())
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
