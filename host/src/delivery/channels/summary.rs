//! How things are, once a day at a wanted time.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::delivery::channels::Parts;
use crate::delivery::channels::looking::Sight;
use crate::delivery::channels::notice::{Notice, ProviderFacts, SummaryFacts};
use crate::model::alert::Cause;
use crate::model::clock;
use crate::storage::StorageError;

/// The time that it counts.
const DAY: Duration = Duration::from_hours(24);

/// When the next summary is due after `last`. A time that a day does not have, because clocks are put forward, comes
/// with the time after it.
pub(super) fn next_after(last: Timestamp, at: Time, zone: &TimeZone) -> Timestamp {
    let today = last.to_zoned(zone.clone()).date();
    let days = (0..3).filter_map(|it| today.checked_add(it.days()).ok());
    let moments = days.filter_map(|it| it.to_datetime(at).to_zoned(zone.clone()).ok());
    let next = moments.map(|it| it.timestamp()).find(|it| *it > last);
    next.unwrap_or_else(|| clock::after(last, DAY))
}

/// How things are.
pub(super) async fn notice(
    parts: &Parts,
    sight: &Sight,
    now: Timestamp,
) -> Result<Notice, StorageError> {
    let counted = parts.storage.counted().await?;
    let providers = counted.into_iter().map(|it| {
        let (provider, connections) = (it.provider.clone(), it.connections);
        (it.provider, ProviderFacts { provider, connections, ..ProviderFacts::default() })
    });
    let mut providers = providers.collect::<BTreeMap<_, _>>();
    for (subject, seen) in sight {
        let Some(facts) = providers.get_mut(&subject.provider) else { continue };
        match subject.cause {
            Cause::Failing => facts.failing = seen.affected(),
            Cause::Reconnect => facts.reconnect = seen.affected(),
            Cause::Misconfigured => facts.misconfigured = seen.affected(),
            Cause::Approval => {}
        }
    }
    let day = parts.storage.statistics(None, clock::before(now, DAY)).await?;
    let (refreshed, failed) = (day.all.success, day.all.failed);
    let providers = providers.into_values().collect();
    Ok(Notice::Summary(SummaryFacts { at: now, providers, refreshed, failed }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schedule::time_zone;

    #[test]
    fn a_summary_comes_once_for_each_local_day() {
        let zone = time_zone("Europe/Berlin").unwrap();
        let at = Time::constant(2, 30, 0, 0);
        let next = |last: &str| next_after(last.parse().unwrap(), at, &zone).to_string();
        assert_eq!(next("2026-03-27T12:00:00Z"), "2026-03-28T01:30:00Z");
        assert_eq!(next("2026-03-28T01:29:59Z"), "2026-03-28T01:30:00Z");
        // On the 29th there is no half past two.
        assert_eq!(next("2026-03-28T01:30:00Z"), "2026-03-29T01:30:00Z");
        assert_eq!(next("2026-03-29T01:30:00Z"), "2026-03-30T00:30:00Z");
        // On the 25th of October there are two.
        assert_eq!(next("2026-10-24T00:30:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(next("2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
    }
}
