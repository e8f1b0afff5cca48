//! When a connection is looked at after a failure: each pause is longer than the one before, and partly chance.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::attempt::Trigger;
use crate::model::clock;
use crate::model::connection::Due;
use crate::model::ends::Ends;
use crate::model::schedule::Schedule;
use crate::refresher::plan::{SHORTEST_PAUSE, Timing, share};

/// The least and the most that a provider's wish to slow down is given.
const RATE_LIMIT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_hours(24));

/// The pause between tries after the manifest's retries, when no schedule says otherwise.
pub(super) const LONGEST_BACKOFF: Duration = Duration::from_mins(15);

/// The longest pause between retries of the manifest.
const LONGEST_RETRY: Duration = Duration::from_hours(1);

/// The longest pause between tries that bring dead tokens.
const LONGEST_MOURNING: Duration = Duration::from_hours(24);

impl Timing<'_> {
    /// When to try again after a token came that was dead, `failures` times in a row. Each pause is twice
    /// the one before it: whoever cannot tell the time is asked a dozen times in the first day, and once
    /// a day then. Half of it is chance, as for an outage.
    pub(in crate::refresher) fn after_dead_token(&self, failures: u32, now: Timestamp) -> Due {
        let at = now + self.backoff(failures, LONGEST_MOURNING);
        Due { at, trigger: Trigger::Retry }
    }

    /// The latest time that waiting after a failure, or in doubt, can end at.
    pub(in crate::refresher) fn longest_wait(&self, ends: Ends, now: Timestamp) -> Timestamp {
        let slow = clock::after(now, RATE_LIMIT.1.max(LONGEST_MOURNING) + self.spread());
        let tick = self.next_tick(now).map(|it| it.at);
        [ends.access, tick].into_iter().flatten().chain([slow]).max().unwrap_or(slow)
    }

    /// When to try again after the provider was down or not reached, `failures` times in a row:
    /// the manifest's retries, then the backup schedule. Where there is none, or callers are failing
    /// already, nobody waits for a tick that may be days away.
    pub(in crate::refresher) fn after_outage(
        &self,
        failures: u32,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Due {
        let retry = |at| Due { at, trigger: Trigger::Retry };
        let due = if failures < self.retry.attempts {
            retry(now + self.backoff(failures, LONGEST_RETRY))
        } else {
            let slow = retry(now + LONGEST_BACKOFF + self.spread());
            let waits = self.backup.is_some() && expires_at.is_some_and(|it| it > now);
            self.next_tick(now).filter(|it| waits || it.at < slow.at).unwrap_or(slow)
        };
        // The end of the token is worth one more try, whatever the schedules say.
        let last_call = expires_at.filter(|it| *it > now + SHORTEST_PAUSE && *it < due.at);
        last_call.map_or(due, retry)
    }

    /// When to try again after the provider asked to slow down; a tenth later by chance, so that those who
    /// were told the same do not come back together.
    pub(in crate::refresher) fn after_rate_limit(
        &self,
        told: Option<Duration>,
        failures: u32,
        now: Timestamp,
    ) -> Due {
        let (least, most) = RATE_LIMIT;
        let wait = told.unwrap_or_else(|| least * 2_u32.saturating_pow(failures.saturating_sub(1)));
        let wait = wait.clamp(least, most);
        let late = share(self.seed.rotate_left(failures), wait / 10);
        Due { at: now + wait + late, trigger: Trigger::Retry }
    }

    fn next_tick(&self, now: Timestamp) -> Option<Due> {
        let ticks = [(self.backup, Trigger::Backup), (self.schedule, Trigger::Scheduled)];
        let next = |(schedule, trigger): (Option<&Schedule>, _)| {
            let at = clock::after(schedule?.next_after(now)?, self.spread());
            Some(Due { at, trigger })
        };
        ticks.into_iter().filter_map(next).min_by_key(|it| it.at)
    }

    /// Doubles each time; half of it by chance, so that connections that failed together do not come
    /// back together.
    fn backoff(&self, failures: u32, most: Duration) -> Duration {
        let doubled = self.retry.backoff * 2_u32.saturating_pow(failures.saturating_sub(1).min(17));
        let capped = doubled.min(most);
        capped / 2 + share(self.seed.rotate_left(failures), capped / 2)
    }
}
