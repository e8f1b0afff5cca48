//! What is planned for the next 24 hours, as people read it: in sum, by provider beside what its limits let through,
//! where that is too much, and by the hour.

use jiff::Timestamp;

use crate::cli::render::line::Line;
use crate::cli::render::{door, table, tone};
use crate::model::said;
use crate::model::state::State;
use crate::operator::forecast::{
    Allowed, ForecastView, HourView, LimitedBy, ProviderForecast, TooMuch,
};

/// Providers that are named of an hour.
const NAMED: usize = 3;

/// What is not counted.
const ONCE: &str = "This is the next refresh of each connection. A token that lives for less than 24 hours is refreshed again within them.";

/// What helps where more is due than can be done.
const HELPS: &str = "what helps: a longer `refresh_before`, over a quarter of which expiries are spread, a longer `jitter`, over which ticks are, or a higher limit";

/// All of it.
pub(super) fn lines(forecast: &ForecastView) -> Vec<Line> {
    let mut lines = folded(sum(forecast));
    lines.push(Line::default());
    let head = ["provider", "overdue", "planned", "most in an hour", "fit into an hour"];
    lines.extend(table::rows(&head, forecast.providers.iter().map(provider).collect()));
    let too_much = |it: &ProviderForecast| Some(warning(it, it.too_much.as_ref()?));
    lines.extend(forecast.providers.iter().filter_map(too_much).flatten());
    let hours = forecast.hours.iter().enumerate().filter(|(_, it)| it.due > 0);
    let hours = hours.map(|(place, it)| hour(forecast, place, it)).collect::<Vec<_>>();
    if !hours.is_empty() {
        lines.push(Line::default());
        lines.extend(table::rows(&["hour", "planned", "of"], hours));
    }
    lines.push(Line::default());
    lines.extend(folded(ONCE.into()));
    lines
}

fn folded(line: Line) -> Vec<Line> {
    line.folded(door::width(), 2)
}

fn sum(forecast: &ForecastView) -> Line {
    let from = said::moment(forecast.counted_at);
    let planned = refreshes(forecast.due);
    format!("{planned} planned in the 24 hours from {from}; overdue: {}", forecast.overdue).into()
}

fn refreshes(count: u64) -> String {
    if count == 1 { "1 refresh is".to_owned() } else { format!("{count} refreshes are") }
}

/// The time of day: all of it is within one.
fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M UTC").to_string()
}

fn provider(it: &ProviderForecast) -> Vec<String> {
    let most = it.busiest.as_ref().map(|it| format!("{} from {}", it.due, clock(it.from)));
    vec![
        it.provider.clone(),
        it.overdue.to_string(),
        it.due.to_string(),
        most.unwrap_or_else(|| "-".to_owned()),
        it.allowed.as_ref().map_or_else(|| "the manifest has no such provider".to_owned(), fit),
    ]
}

fn fit(allowed: &Allowed) -> String {
    match allowed.an_hour {
        Some(count) => format!("{count}: {}", limit(allowed)),
        None => {
            "not known: there is no rate, and none was refreshed in the last 24 hours".to_owned()
        }
    }
}

/// Which limit it is.
fn limit(allowed: &Allowed) -> String {
    let Allowed { rate, concurrency, took_ms, limited_by, .. } = allowed;
    match (limited_by, rate, took_ms) {
        (Some(LimitedBy::Rate), Some(rate), _) => format!("rate = \"{rate}\""),
        (_, _, Some(took)) => {
            format!("concurrency = {concurrency}, and half take {} at most", said::took(*took))
        }
        _ => format!("concurrency = {concurrency}"),
    }
}

fn warning(it: &ProviderForecast, too_much: &TooMuch) -> Vec<Line> {
    let TooMuch { from, due, fit, done_by } = too_much;
    let limit = it.allowed.as_ref().map(|it| format!(" ({})", limit(it))).unwrap_or_default();
    let done = done_by.map_or_else(
        || "the rest is not done within these 24 hours".to_owned(),
        |at| format!("the rest is done by {}", clock(at)),
    );
    folded(tone::symbol(State::Late).then(format!(
        " {}: {} due in the hour from {}, and {fit} fit into it{limit}; {done}; {HELPS}",
        it.provider,
        refreshes(*due),
        clock(*from)
    )))
}

/// An hour, with the providers that most of it is of.
fn hour(forecast: &ForecastView, place: usize, it: &HourView) -> Vec<String> {
    let due = |it: &ProviderForecast| it.hours.get(place).map_or(0, |it| it.due);
    let mut of = forecast.providers.iter().filter(|it| due(it) > 0).collect::<Vec<_>>();
    of.sort_by_key(|it| std::cmp::Reverse(due(it)));
    let named = of.iter().take(NAMED).map(|it| format!("{} {}", it.provider, due(it)));
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match of.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    vec![clock(it.from), it.due.to_string(), named + &more]
}
