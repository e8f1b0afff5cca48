//! When a connection is looked at next. Pure: timing, facts and `now` in, a moment and its reason out.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use jiff::Timestamp;

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

/// The least and the most that a provider's wish to slow down is given.
const RATE_LIMIT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_hours(24));

/// The pause between tries after the manifest's retries, when no schedule says otherwise.
const LONGEST_BACKOFF: Duration = Duration::from_mins(15);

/// The longest pause between retries of the manifest.
const LONGEST_RETRY: Duration = Duration::from_hours(1);

/// The longest pause between tries that bring dead tokens.
const LONGEST_MOURNING: Duration = Duration::from_hours(24);

/// A token that was stored so long after now was stored by a clock that was ahead, and its times are
/// worth nothing.
pub const AHEAD: Duration = Duration::from_mins(5);

/// What the manifest says about one connection's times.
#[derive(Clone, Copy)]
pub struct Timing<'a> {
    schedule: Option<&'a Schedule>,
    backup: Option<&'a Schedule>,
    refresh_before: Option<Duration>,
    jitter: Duration,
    retry: Retry,
    seed: u64,
}

impl<'a> Timing<'a> {
    /// The timing of `id` under `provider`; `declared` is the plugin's own schedule, for when the
    /// manifest has none.
    pub fn new(provider: &'a Provider, declared: Option<&'a Schedule>, id: &ConnectionId) -> Self {
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
    pub fn seed_of(id: &ConnectionId) -> u64 {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        hasher.finish()
    }

    /// When a token that was stored at `now` is refreshed; `None` when nobody says that it ends and
    /// there is no schedule.
    ///
    /// A tick refreshes what would not live until the tick after it plus the margin: so the last tick
    /// before that point is the one. When no tick lies there, expiry itself is the reason. What ends at
    /// no time that is known is asked for anew at each tick: a password may have been changed.
    pub fn after_success(&self, ends: Ends, now: Timestamp) -> Option<Due> {
        let access = ends.access.map(|it| clock::before(it, self.margin(between(now, it))));
        let end = access.into_iter().chain(ends.keep_alive_from(now)).min();
        let due = match (self.tick_before(ends, end, now), end) {
            (Some(tick), _) => {
                let at = clock::after(tick, self.spread());
                Due { at: end.map_or(at, |it| it.min(at)), trigger: Trigger::Scheduled }
            }
            (None, Some(end)) => Due { at: end, trigger: Trigger::Expiry },
            (None, None) => return None,
        };
        Some(Due { at: due.at.max(now + SHORTEST_PAUSE), ..due })
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
    pub fn restored(&self, token: &TokenFacts, now: Timestamp) -> Option<Due> {
        let ends = token.ends();
        let due = self.after_success(ends, token.issued_at.min(now))?;
        if token.issued_at > clock::after(now, AHEAD) {
            return Some(Due { at: clock::after(now, self.spread()), ..due });
        }
        let soonest = if ends.access.is_some() { now } else { clock::after(now, self.spread()) };
        Some(if due.at < now { Due { at: soonest, ..due } } else { due })
    }

    /// When to try again after a token came that was dead, `failures` times in a row. Each pause is twice
    /// the one before it: whoever cannot tell the time is asked a dozen times in the first day, and once
    /// a day then. Half of it is chance, as for an outage.
    pub fn after_dead_token(&self, failures: u32, now: Timestamp) -> Due {
        let at = now + self.backoff(failures, LONGEST_MOURNING);
        Due { at, trigger: Trigger::Backup }
    }

    /// The latest time that waiting after a failure, or in doubt, can end at.
    pub fn longest_wait(&self, ends: Ends, now: Timestamp) -> Timestamp {
        let slow = clock::after(now, RATE_LIMIT.1.max(LONGEST_MOURNING) + self.spread());
        [ends.access, self.next_tick(now)].into_iter().flatten().chain([slow]).max().unwrap_or(slow)
    }

    /// When to try again after the provider was down or not reached, `failures` times in a row:
    /// the manifest's retries, then the backup schedule. Where there is none, or callers are failing
    /// already, nobody waits for a tick that may be days away.
    pub fn after_outage(
        &self,
        failures: u32,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Due {
        let at = if failures < self.retry.attempts {
            now + self.backoff(failures, LONGEST_RETRY)
        } else {
            let slow = now + LONGEST_BACKOFF + self.spread();
            let works = expires_at.is_some_and(|it| it > now);
            let tick = self.next_tick(now).unwrap_or(slow);
            if works && self.backup.is_some() { tick } else { tick.min(slow) }
        };
        // The end of the token is worth one more try, whatever the schedules say.
        let last_call = expires_at.filter(|it| *it > now + SHORTEST_PAUSE);
        Due { at: last_call.map_or(at, |it| it.min(at)), trigger: Trigger::Backup }
    }

    /// When to try again after the provider asked to slow down; a tenth later by chance, so that those who
    /// were told the same do not come back together.
    pub fn after_rate_limit(&self, told: Option<Duration>, failures: u32, now: Timestamp) -> Due {
        let (least, most) = RATE_LIMIT;
        let wait = told.unwrap_or_else(|| least * 2_u32.saturating_pow(failures.saturating_sub(1)));
        let wait = wait.clamp(least, most);
        let late = share(self.seed.rotate_left(failures), wait / 10);
        Due { at: now + wait + late, trigger: Trigger::Backup }
    }

    fn next_tick(&self, now: Timestamp) -> Option<Timestamp> {
        let ticks = [self.backup, self.schedule].into_iter().flatten();
        let next = ticks.filter_map(|it| it.next_after(now)).min();
        next.map(|it| clock::after(it, self.spread()))
    }

    /// Never more than a third of the lifetime: a margin as long as the token would refresh for ever.
    fn margin(&self, lifetime: Duration) -> Duration {
        let third = lifetime / 3;
        match (self.refresh_before, self.schedule) {
            (Some(margin), _) => margin.min(third),
            (None, Some(_)) => DEFAULT_MARGIN.min(third),
            (None, None) => third,
        }
    }

    /// Doubles each time; half of it by chance, so that connections that failed together do not come
    /// back together.
    fn backoff(&self, failures: u32, most: Duration) -> Duration {
        let doubled = self.retry.backoff * 2_u32.saturating_pow(failures.saturating_sub(1).min(17));
        let capped = doubled.min(most);
        capped / 2 + share(self.seed.rotate_left(failures), capped / 2)
    }

    /// This connection's place in the window after a tick.
    fn spread(&self) -> Duration {
        share(self.seed, self.jitter)
    }
}

/// When what nobody asks for is refreshed all the same, so that its grant does not end; `None` when it
/// does not end by itself.
pub fn keep_alive(connection: &Connection, now: Timestamp) -> Option<Due> {
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
mod tests {
    use super::*;
    use crate::model::fixture;

    const DAY: Duration = Duration::from_hours(24);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn until(access: Timestamp) -> Ends {
        Ends { access: Some(access), refresh: None }
    }

    fn token(issued_at: Timestamp, ends: Ends) -> TokenFacts {
        let Ends { access: expires_at, refresh: refresh_expires_at } = ends;
        TokenFacts { issued_at, expires_at, refresh_expires_at, ..fixture::token() }
    }

    fn timing(schedule: Option<&Schedule>, margin: Option<Duration>) -> Timing<'_> {
        Timing {
            schedule,
            backup: None,
            refresh_before: margin,
            jitter: Duration::ZERO,
            retry: Retry { attempts: 3, backoff: Duration::from_mins(1) },
            seed: 7,
        }
    }

    #[test]
    fn without_a_schedule_two_thirds_of_the_lifetime_decide() {
        let now = at("2026-01-01T00:00:00Z");
        let due = timing(None, None).after_success(until(now + 3 * DAY), now).unwrap();
        assert_eq!(due, Due { at: now + 2 * DAY, trigger: Trigger::Expiry });
    }

    #[test]
    fn the_last_tick_that_is_early_enough_refreshes() {
        let ticks = Schedule::parse("0 2 */10 * *", "UTC").unwrap();
        let now = at("2026-01-01T02:00:00Z");
        let due = timing(Some(&ticks), Some(2 * DAY)).after_success(until(now + 30 * DAY), now);
        // It expires on January 31 and must be fresh by the 29th; ticks are on 1, 11, 21 and 31.
        let tick = Due { at: at("2026-01-21T02:00:00Z"), trigger: Trigger::Scheduled };
        assert_eq!(due, Some(tick));
    }

    #[test]
    fn a_token_that_no_tick_would_save_is_refreshed_for_its_expiry() {
        let ticks = Schedule::parse("0 2 */10 * *", "UTC").unwrap();
        let now = at("2026-01-11T02:00:00Z");
        // It ends three days after the tick of the 11th: the seeds' system leaves it dead for a week.
        let due = timing(Some(&ticks), Some(2 * DAY)).after_success(until(now + 6 * DAY), now);
        assert_eq!(due, Some(Due { at: now + 4 * DAY, trigger: Trigger::Expiry }));
    }

    #[test]
    fn a_margin_longer_than_the_token_does_not_spin() {
        let now = at("2026-01-01T00:00:00Z");
        let due =
            timing(None, Some(2 * DAY)).after_success(until(now + Duration::from_secs(6)), now);
        assert_eq!(due.unwrap().at, now + Duration::from_secs(4));
        let past = timing(None, None).after_success(until(now - DAY), now);
        assert_eq!(past.unwrap().at, now + SHORTEST_PAUSE);
    }

    #[test]
    fn a_token_without_an_end_is_asked_for_anew_at_each_tick() {
        let now = at("2026-01-01T03:00:00Z");
        assert_eq!(timing(None, None).after_success(Ends::default(), now), None);
        let ticks = Schedule::parse("0 2 * * *", "UTC").unwrap();
        let tick = Due { at: at("2026-01-02T02:00:00Z"), trigger: Trigger::Scheduled };
        assert_eq!(timing(Some(&ticks), None).after_success(Ends::default(), now), Some(tick));
        let stored = token(now, Ends::default());
        let later = at("2026-01-05T12:00:00Z");
        let missed = timing(Some(&ticks), None).restored(&stored, later).unwrap();
        assert_eq!(missed, Due { at: later, trigger: Trigger::Scheduled });
    }

    #[test]
    fn a_refresh_token_that_ends_first_says_when() {
        let now = at("2026-01-01T00:00:00Z");
        let ends = Ends { access: Some(now + 3 * DAY), refresh: Some(now + DAY) };
        let due = timing(None, None).after_success(ends, now).unwrap();
        assert_eq!(due, Due { at: now + Duration::from_hours(16), trigger: Trigger::Expiry });
        let ticks = Schedule::parse("0 */6 * * *", "UTC").unwrap();
        let due = timing(Some(&ticks), None).after_success(ends, now).unwrap();
        assert_eq!(due, Due { at: now + Duration::from_hours(12), trigger: Trigger::Scheduled });
        for access in [Some(now + DAY), None] {
            let dead = Ends { access, refresh: Some(now - DAY) };
            let alone = Ends { access, refresh: None };
            let timing = timing(None, None);
            assert_eq!(timing.after_success(dead, now), timing.after_success(alone, now));
        }
        let endless = Ends { access: None, refresh: Some(now + 30 * DAY) };
        assert_eq!(timing(None, None).after_success(endless, now).unwrap().at, now + 27 * DAY);
    }

    #[test]
    fn what_a_clock_that_was_ahead_has_stored_is_due_now() {
        let now = at("2026-01-01T00:00:00Z");
        let relative = token(now + 365 * DAY, until(now + 395 * DAY));
        assert_eq!(timing(None, None).restored(&relative, now).unwrap().at, now);
        let absolute = token(now + 365 * DAY, until(now + 30 * DAY));
        assert_eq!(timing(None, None).restored(&absolute, now).unwrap().at, now);
        let by_a_second = token(now + Duration::from_secs(1), until(now + 3 * DAY));
        assert_eq!(timing(None, None).restored(&by_a_second, now).unwrap().at, now + 2 * DAY);
    }

    #[test]
    fn dead_tokens_are_asked_for_a_dozen_times_in_a_day() {
        let (timing, begun) = (timing(None, None), at("2026-01-01T00:00:00Z"));
        let (mut now, mut tries) = (begun, 0);
        while now < begun + DAY {
            tries += 1;
            now = timing.after_dead_token(tries, now).at;
        }
        assert!((8..=13).contains(&tries), "{tries}");
        let last = timing.after_dead_token(1_000, now).at;
        assert!(last > now + DAY / 2 && last <= now + DAY);
    }

    #[test]
    fn retries_double_and_then_wait_for_the_backup_schedule() {
        let backup = Schedule::parse("30 6,18 * * *", "UTC").unwrap();
        let timing = Timing { backup: Some(&backup), ..timing(None, None) };
        let now = at("2026-01-01T00:00:00Z");
        let wait = |failures| between(now, timing.after_outage(failures, None, now).at).as_secs();
        assert!((30..=60).contains(&wait(1)), "{}", wait(1));
        assert!((60..=120).contains(&wait(2)), "{}", wait(2));
        let end = Some(at("2026-01-02T00:00:00Z"));
        assert_eq!(timing.after_outage(3, end, now).at, at("2026-01-01T06:30:00Z"));
    }

    #[test]
    fn callers_that_are_failing_do_not_wait_for_a_tick() {
        let ticks = Schedule::parse("0 2 */10 * *", "UTC").unwrap();
        let now = at("2026-01-01T03:00:00Z");
        for ended in [None, Some(now - DAY)] {
            let due = timing(Some(&ticks), None).after_outage(3, ended, now);
            assert_eq!(due.at, now + LONGEST_BACKOFF);
        }
    }

    #[test]
    fn the_end_of_the_token_is_worth_one_more_try() {
        let backup = Schedule::parse("30 6,18 * * *", "UTC").unwrap();
        let timing = Timing { backup: Some(&backup), ..timing(None, None) };
        let now = at("2026-01-01T00:00:00Z");
        let end = at("2026-01-01T01:00:00Z");
        assert_eq!(timing.after_outage(9, Some(end), now).at, end);
    }

    #[test]
    fn a_wish_to_slow_down_is_granted_within_reason() {
        let now = at("2026-01-01T00:00:00Z");
        let wait = |told: u64| {
            let told = Some(Duration::from_secs(told));
            between(now, timing(None, None).after_rate_limit(told, 1, now).at).as_secs()
        };
        for (told, least) in [(120, 120), (1, 30), (99_999_999, 86_400)] {
            assert!((least..=least + least / 10).contains(&wait(told)), "{told}: {}", wait(told));
        }
    }

    #[test]
    fn those_who_were_told_the_same_do_not_come_back_together() {
        let now = at("2026-01-01T00:00:00Z");
        let told = Some(Duration::from_mins(10));
        let due = |seed| Timing { seed, ..timing(None, None) }.after_rate_limit(told, 1, now).at;
        assert_ne!(due(1_000), due(2_000));
    }

    #[test]
    fn connections_of_one_tick_are_spread() {
        let ticks = Schedule::parse("0 2 * * *", "UTC").unwrap();
        let now = at("2026-01-01T03:00:00Z");
        let jitter = Duration::from_secs(30);
        let due = |seed| {
            let timing = Timing { jitter, seed, ..timing(Some(&ticks), None) };
            timing.after_success(until(now + 10 * DAY), now).unwrap().at
        };
        assert_ne!(due(1_000), due(2_000));
        assert!(due(29_999) < at("2026-01-11T02:00:30Z"));
    }
}
