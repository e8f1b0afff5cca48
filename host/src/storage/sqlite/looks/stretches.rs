//! Parts of the orders in which connections are shown. Each is read by one statement and goes by one number: the end of
//! the token, or the time of the next look. Here are those of urgency, each from an index of its own.

use crate::model::state::State;
use crate::storage::Order;
use crate::storage::sqlite::looks::orders::{DATED, DATELESS, FEW, NAMED, PLANNED, UNPLANNED};

/// A token that does not end.
pub(super) const ENDLESS: i64 = i64::MAX;

/// No token.
pub(super) const NONE: i64 = -1;

/// A part of an order. Those of one order stand in it as they follow each other: a place tells them by their numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stretch {
    Stuck,
    Broken,
    Overdue,
    New,
    Ahead,
    Endless,
    Past,
    Paused,
    /// No part of it, but a way to find few.
    Open,
    /// The same for the orders that follow.
    Few,
    Named,
    Dated,
    Dateless,
    Planned,
    Unplanned,
}

impl Stretch {
    /// Where those in `state` can be, in order; everything when none is named.
    pub(super) fn of(order: Order, state: Option<State>) -> &'static [Self] {
        // Most are fresh as a rule: they are found among all.
        let few = state.is_some_and(|it| it != State::Fresh);
        match order {
            Order::Urgency => Self::of_urgency(state),
            _ if few => &[Self::Few],
            Order::Name => &[Self::Named],
            Order::Expiry => &[Self::Dated, Self::Dateless],
            Order::Next => &[Self::Planned, Self::Unplanned],
        }
    }

    fn of_urgency(state: Option<State>) -> &'static [Self] {
        use Stretch::{Ahead, Broken, Endless, New, Open, Overdue, Past, Paused, Stuck};
        match state {
            None => &[Stuck, Broken, Overdue, New, Ahead, Endless, Past, Paused],
            Some(State::Reconnect | State::Misconfigured) => &[Stuck],
            Some(State::Late) => &[Broken, Overdue],
            Some(State::Expired) => &[Broken, Overdue, Past],
            Some(State::New) => &[Overdue, New],
            Some(State::Fresh) => &[Ahead, Endless],
            Some(State::Paused) => &[Past, Paused],
            Some(State::Refreshing) => &[Open],
        }
    }

    pub(super) fn statement(self) -> &'static str {
        match self {
            Self::Stuck => STUCK,
            Self::Broken => BROKEN,
            Self::Overdue => OVERDUE,
            Self::Ahead | Self::Past => ENDING,
            Self::New | Self::Endless => WITHOUT_END,
            Self::Paused => PAUSED,
            Self::Open => OPEN,
            Self::Few => FEW,
            Self::Named => NAMED,
            Self::Dated => DATED,
            Self::Dateless => DATELESS,
            Self::Planned => PLANNED,
            Self::Unplanned => UNPLANNED,
        }
    }

    /// The first and the last end of a token in it.
    pub(super) fn ends(self, now: i64) -> (i64, i64) {
        match self {
            Self::New => (NONE, NONE),
            Self::Endless => (ENDLESS, ENDLESS),
            Self::Ahead => (now + 1, ENDLESS - 1),
            Self::Past => (NONE + 1, now),
            Self::Dated => (NONE + 1, ENDLESS - 1),
            _ => (NONE, ENDLESS),
        }
    }

    /// The number that it goes by, as its rows name it.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Few => "place",
            Self::Planned => "due_at",
            _ => "ends_at",
        }
    }

    /// Where it begins, when the first end that is wanted is that one.
    pub(super) fn beginning(self, first: i64) -> i64 {
        if self.column() == "ends_at" { first } else { i64::MIN }
    }
}

/// What only a person can mend.
const STUCK: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections c indexed by connections_stuck
    left join claims a on a.connection = c.id
    where c.problem is not null and c.paused_at is null and (?9 is null or c.problem = ?9)
      and (c.ends_at, c.id) > (?1, ?2) and c.ends_at <= ?3
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.ends_at, c.id limit ?8";

/// What fails and is tried again: those whose token has ended come first by themselves.
const BROKEN: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections c indexed by connections_broken
    left join claims a on a.connection = c.id
    where c.failures > 0 and c.problem is null and c.paused_at is null
      and (c.ends_at, c.id) > (?1, ?2) and c.ends_at <= ?3
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.ends_at, c.id limit ?8";

/// What should have been refreshed and was not even tried.
const OVERDUE: &str = "
    select c.*, a.owner, a.attempt as open_id, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from json_each(?10) p cross join connections c on c.provider = p.value and c.due_at < ?9
    left join claims a on a.connection = c.id
    where c.failures = 0 and c.problem is null and c.paused_at is null
      and (c.ends_at, c.id) > (?1, ?2) and c.ends_at <= ?3
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.ends_at, c.id limit ?8";

/// What nothing is wrong with, by the end of the token. Names are looked at in the index alone.
const ENDING: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections k indexed by connections_ends cross join connections c on c.id = k.id
    left join claims a on a.connection = c.id
    where (k.expires_at, k.id) > (?1, ?2) and k.expires_at <= ?3
      and k.id > ?4 and k.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(k.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = k.id))
      and c.failures = 0 and c.problem is null and c.paused_at is null
      and (c.due_at is null or c.due_at >= ?9)
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by k.expires_at, k.id limit ?8";

/// The same where no end is known: without a token, or with one of which nobody says when it ends.
const WITHOUT_END: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections k indexed by connections_ends cross join connections c on c.id = k.id
    left join claims a on a.connection = c.id
    where k.expires_at is null and k.id > ?2 and (c.issued_at is null) = ?10
      and k.id > ?4 and k.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(k.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = k.id))
      and c.failures = 0 and c.problem is null and c.paused_at is null
      and (c.due_at is null or c.due_at >= ?9)
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by k.id limit ?8";

/// What a person has paused.
const PAUSED: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections c indexed by connections_paused
    left join claims a on a.connection = c.id
    where c.paused_at is not null
      and (c.ends_at, c.id) > (?1, ?2) and c.ends_at <= ?3
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.ends_at, c.id limit ?8";

/// What is under way, for those who look for that alone.
const OPEN: &str = "
    select c.*, a.owner, a.attempt as open_id, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from claims a cross join connections c on c.id = a.connection
    where (c.ends_at, c.id) > (?1, ?2) and c.ends_at <= ?3
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
    order by c.ends_at, c.id limit ?8";
