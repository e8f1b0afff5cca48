//! What is planned for the next 24 hours, beside what the limits of each provider let through: a part of the page of
//! schedules.

use crate::dashboard::drawing::{bars, table};
use crate::dashboard::frame::Frame;
use crate::dashboard::pages::wording::clock_of;
use crate::dashboard::words::with_gaps;
use crate::operator::forecast::{
    Allowed, ForecastView, HourView, LimitedBy, ProviderForecast, TooMuch,
};

/// The next 24 hours.
pub(super) struct Ahead {
    /// Markup.
    pub(super) picture: String,
    /// Markup.
    pub(super) table: String,
    pub(super) said: String,
    /// When the most are refreshed, and how many.
    pub(super) peak: Option<(String, String)>,
    pub(super) overdue: Option<String>,
    /// Where more is due than can be done.
    pub(super) warnings: Vec<String>,
    pub(super) rows: Vec<Planned>,
}

/// One provider.
pub(super) struct Planned {
    pub(super) provider: String,
    pub(super) overdue: String,
    pub(super) due: String,
    pub(super) most: String,
    pub(super) fit: String,
}

impl Ahead {
    pub(super) fn of(frame: &Frame, all: &ForecastView) -> Self {
        let words = &frame.words;
        let said = words.count("overview-due", all.due);
        let counts = all.hours.iter().map(|it| it.due).collect::<Vec<_>>();
        let row = |it: &HourView| vec![clock_of(frame, it.from), it.due.to_string()];
        let rows = all.hours.iter().map(row).collect::<Vec<_>>();
        let head = [words.say("overview-hour"), words.say("overview-refreshes")];
        let peak = all.busiest.as_ref().map(|it| (clock_of(frame, it.from), gaps(it.due)));
        let too_much = |it: &ProviderForecast| Some(warning(frame, it, it.too_much.as_ref()?));
        Self {
            picture: bars::bars(&said, &counts),
            table: table(&words.say("word-as-table"), &head, &rows),
            peak,
            overdue: (all.overdue > 0).then(|| words.count("schedules-overdue", all.overdue)),
            warnings: all.providers.iter().filter_map(too_much).collect(),
            rows: all.providers.iter().map(|it| Planned::of(frame, it)).collect(),
            said,
        }
    }
}

impl Planned {
    fn of(frame: &Frame, it: &ProviderForecast) -> Self {
        let most = it.busiest.as_ref().map(|it| most(frame, it));
        let nobody = || frame.words.say("schedules-fit-nobody");
        Self {
            provider: it.provider.clone(),
            overdue: gaps(it.overdue),
            due: gaps(it.due),
            most: most.unwrap_or_else(|| "–".to_owned()),
            fit: it.allowed.as_ref().map_or_else(nobody, |it| fit(frame, it)),
        }
    }
}

fn gaps(count: u64) -> String {
    with_gaps(&count.to_string())
}

fn most(frame: &Frame, it: &HourView) -> String {
    let hour = clock_of(frame, it.from);
    frame.words.count_with("schedules-most-at", it.due, &[("hour", hour.as_str())])
}

/// How many fit into an hour, and why not more.
fn fit(frame: &Frame, allowed: &Allowed) -> String {
    let words = &frame.words;
    let Some(count) = allowed.an_hour else { return words.say("schedules-fit-unknown") };
    if let (Some(LimitedBy::Rate), Some(rate)) = (allowed.limited_by, &allowed.rate) {
        return words.count_with("schedules-fit-rate", count, &[("rate", rate.as_str())]);
    }
    let places = allowed.concurrency.to_string();
    let took = allowed.took_ms.map(|it| frame.took(&it)).unwrap_or_default();
    let given = [("places", places.as_str()), ("took", took.as_str())];
    words.count_with("schedules-fit-concurrency", count, &given)
}

fn warning(frame: &Frame, it: &ProviderForecast, too_much: &TooMuch) -> String {
    let words = &frame.words;
    let (hour, fit) = (clock_of(frame, too_much.from), gaps(too_much.fit));
    let given =
        [("provider", it.provider.as_str()), ("hour", hour.as_str()), ("fit", fit.as_str())];
    let crowded = words.count_with("schedules-too-much", too_much.due, &given);
    let done = match too_much.done_by {
        Some(at) => words.with("schedules-done-by", &[("hour", clock_of(frame, at).as_str())]),
        None => words.say("schedules-not-done"),
    };
    format!("{crowded} {done} {}", words.say("schedules-helps"))
}
