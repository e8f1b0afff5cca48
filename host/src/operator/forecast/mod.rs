//! What is planned for the next 24 hours, hour by hour, beside what the manifest's limits let through: so that somebody
//! sees before it happens when more is due than can be done. The next refresh of each connection is counted, as it stands
//! there now; a token that lives for less than a day is refreshed again within it.

/// Whether what is due fits.
mod fitting;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use fitting::LimitedBy;

use crate::manifest::provider::Provider;
use crate::model::clock;
use crate::model::failure::Failure;
use crate::operator::{Operator, Reply};
use crate::refresher::{host_fault, places, usual_places};
use crate::storage::{Forecast, HOURS_AHEAD};
use fitting::Limits;

/// How long a refresh takes is what it took in this time.
const DAY: Duration = Duration::from_hours(24);

/// Refreshes planned for the next 24 hours: the next one of each connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Forecast)]
pub struct ForecastView {
    /// When it was counted, which is when the first hour begins.
    pub counted_at: Timestamp,
    /// Refreshes that should have been made by now, and are not under way.
    pub overdue: u64,
    /// Those planned for the 24 hours.
    pub due: u64,
    /// The hour with most of them, the first one of several; null when none is planned.
    pub busiest: Option<HourView>,
    /// The 24 hours.
    pub hours: Vec<HourView>,
    /// Each provider for itself, by its name.
    pub providers: Vec<ProviderForecast>,
}

/// Refreshes planned for one hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ForecastHour)]
pub struct HourView {
    /// When it begins.
    pub from: Timestamp,
    /// How many.
    pub due: u64,
}

/// Refreshes planned at one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderForecast {
    /// Which.
    pub provider: String,
    /// Refreshes that should have been made by now, and are not under way.
    pub overdue: u64,
    /// Those planned for the 24 hours.
    pub due: u64,
    /// The hour with most of them, the first one of several; null when none is planned.
    pub busiest: Option<HourView>,
    /// The 24 hours.
    pub hours: Vec<HourView>,
    /// What the manifest allows; null when it does not know the provider.
    pub allowed: Option<Allowed>,
    /// The first hour in which more is due than can be done; null when everything fits, or nobody knows.
    pub too_much: Option<TooMuch>,
}

/// What the manifest allows at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Allowed {
    /// `rate`, as it is written: `50/s`; null when there is none.
    pub rate: Option<String>,
    /// How many run at once: `concurrency`, or 480 where that is more.
    pub concurrency: u32,
    /// Half of the last day's refreshes waited for the provider so many milliseconds at most; null when there were none.
    pub took_ms: Option<u64>,
    /// How many refreshes fit into an hour; null when neither a rate nor a time says.
    pub an_hour: Option<u64>,
    /// Which of the two limits that.
    pub limited_by: Option<LimitedBy>,
}

/// An hour in which more is due than can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TooMuch {
    /// When it begins.
    pub from: Timestamp,
    /// How many are due in it; those that are overdue are due in the first one.
    pub due: u64,
    /// How many fit into it.
    pub fit: u64,
    /// By when all of them are done; null when not within these 24 hours.
    pub done_by: Option<Timestamp>,
}

impl ForecastView {
    fn of(counted_at: Timestamp, providers: Vec<ProviderForecast>) -> Self {
        let mut counts = vec![0; HOURS_AHEAD];
        for it in &providers {
            for (sum, hour) in counts.iter_mut().zip(&it.hours) {
                *sum += hour.due;
            }
        }
        let hours = hours(counted_at, &counts);
        Self {
            counted_at,
            overdue: providers.iter().map(|it| it.overdue).sum(),
            due: counts.iter().sum(),
            busiest: busiest(&hours),
            hours,
            providers,
        }
    }

    /// What it says of some providers.
    #[must_use]
    pub fn only(self, wanted: impl Fn(&str) -> bool) -> Self {
        let Self { counted_at, mut providers, .. } = self;
        providers.retain(|it| wanted(&it.provider));
        Self::of(counted_at, providers)
    }
}

impl ProviderForecast {
    fn of(planned: Forecast, allowed: Option<&(Allowed, Limits)>, now: Timestamp) -> Self {
        let Forecast { provider, overdue, hours: counts } = planned;
        let too_much = allowed.and_then(|(_, limits)| limits.too_much(overdue, &counts));
        let hours = hours(now, &counts);
        Self {
            provider,
            overdue,
            due: counts.iter().sum(),
            busiest: busiest(&hours),
            hours,
            allowed: allowed.map(|(it, _)| it.clone()),
            too_much: too_much.map(|it| TooMuch {
                from: later(now, it.hour),
                due: it.due,
                fit: it.fit,
                done_by: it.done_in.map(|hour| later(now, hour + 1)),
            }),
        }
    }
}

fn allowed(provider: &Provider, took_ms: Option<u64>) -> (Allowed, Limits) {
    let Provider { rate, concurrency, .. } = *provider;
    let limits = Limits { rate, places: usual_places(concurrency), took_ms };
    let (an_hour, limited_by) = limits.an_hour().unzip();
    let rate = rate.map(|it| it.to_string());
    let concurrency = places(concurrency);
    (Allowed { rate, concurrency, took_ms, an_hour, limited_by }, limits)
}

fn hours(from: Timestamp, counts: &[u64]) -> Vec<HourView> {
    let hour = |(place, due): (usize, &u64)| HourView { from: later(from, place), due: *due };
    counts.iter().enumerate().map(hour).collect()
}

fn busiest(hours: &[HourView]) -> Option<HourView> {
    let most = hours.iter().map(|it| it.due).max().filter(|it| *it > 0)?;
    hours.iter().find(|it| it.due == most).cloned()
}

/// So many hours later.
fn later(from: Timestamp, hours: usize) -> Timestamp {
    clock::after(from, Duration::from_hours(hours as u64))
}

impl Operator {
    /// What is planned for the next 24 hours.
    pub(super) async fn forecast(&self) -> Result<Reply, Failure> {
        let (now, storage, manifest) = (self.now(), &self.0.storage, self.manifest());
        let planned = storage.forecast(now).await.map_err(|it| host_fault(&it))?;
        let day = storage.statistics(None, clock::before(now, DAY)).await;
        let day = day.map_err(|it| host_fault(&it))?.providers;
        let view = |it: Forecast| {
            let took_ms = day.get(&it.provider).and_then(|it| it.p50_ms);
            let provider = manifest.providers.get(&it.provider);
            let allowed = provider.map(|it| allowed(it, took_ms));
            ProviderForecast::of(it, allowed.as_ref(), now)
        };
        let providers = planned.into_iter().map(view).collect();
        Ok(Reply::Forecast(Box::new(ForecastView::of(now, providers))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    /// A provider with these hours, then none, and that line in its section.
    fn planned(name: &str, overdue: u64, first: &[u64], line: &str) -> ProviderForecast {
        let text = format!("[providers.{name}]\n{line}");
        let manifest = crate::manifest::parse(&text, std::path::Path::new("keepfresh.toml"));
        let allowed = allowed(&manifest.unwrap().providers[name], None);
        let mut hours = first.to_vec();
        hours.resize(HOURS_AHEAD, 0);
        let planned = Forecast { provider: name.to_owned(), overdue, hours };
        ProviderForecast::of(planned, Some(&allowed), at(60))
    }

    #[test]
    fn the_sum_of_all_has_the_busiest_hour_and_so_has_each() {
        let all = vec![planned("a", 1, &[5, 0, 2], ""), planned("b", 2, &[0, 4, 4], "")];
        let all = ForecastView::of(at(60), all);
        assert_eq!((all.overdue, all.due, all.hours.len()), (3, 15, HOURS_AHEAD));
        assert_eq!(all.busiest, Some(HourView { from: at(60 + 2 * 3_600), due: 6 }));
        assert_eq!(all.providers[0].busiest, Some(HourView { from: at(60), due: 5 }));
        assert_eq!(all.providers[1].busiest, Some(HourView { from: at(3_660), due: 4 }));
    }

    #[test]
    fn who_asks_for_some_gets_the_sum_of_those() {
        let all = vec![planned("a", 1, &[5], ""), planned("b", 2, &[0, 4], "")];
        let some = ForecastView::of(at(60), all).only(|it| it == "b");
        assert_eq!((some.overdue, some.due, some.providers.len()), (2, 4, 1));
        let none = some.only(|_| false);
        assert_eq!((none.due, none.busiest, none.hours.len()), (0, None, HOURS_AHEAD));
    }

    #[test]
    fn an_hour_with_more_than_the_rate_lets_through_is_told() {
        let planned = planned("a", 0, &[0, 150], "rate = \"100/h\"");
        let allowed = planned.allowed.unwrap();
        assert_eq!((allowed.rate.as_deref(), allowed.an_hour), (Some("100/h"), Some(100)));
        assert_eq!((allowed.limited_by, allowed.concurrency), (Some(LimitedBy::Rate), 8));
        let done_by = Some(at(60 + 3 * 3_600));
        let expected = TooMuch { from: at(3_660), due: 150, fit: 100, done_by };
        assert_eq!(planned.too_much, Some(expected));
    }

    #[test]
    fn without_a_rate_and_without_a_time_nobody_knows_how_many_fit() {
        let planned = planned("a", 0, &[1_000_000], "");
        let allowed = planned.allowed.unwrap();
        assert_eq!((allowed.an_hour, allowed.limited_by, planned.too_much), (None, None, None));
    }
}
