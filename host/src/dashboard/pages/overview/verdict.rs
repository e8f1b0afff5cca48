//! What all connections come to: one line that says whether anybody has to do something, a line for each trouble, and
//! what comes in the next hours and days.

use std::time::Duration;

use crate::dashboard::drawing::{bars, table};
use crate::dashboard::frame::Frame;
use crate::dashboard::pages::wording::{change_word, clock_of};
use crate::dashboard::words::with_gaps;
use crate::model::alert::Cause;
use crate::model::clock;
use crate::model::id::ConnectionId;
use crate::model::state::State;
use crate::operator::overview::{ChangeView, Overview, TroubleView};

/// Lines of troubles; providers beyond are counted.
const LINES: usize = 8;

/// A count is said to be old from here on, in milliseconds.
const OLD: u64 = 10_000;

/// The first line.
pub(super) struct Verdict {
    pub(super) class: &'static str,
    pub(super) said: String,
    /// When that was counted, if it is a while ago: markup.
    pub(super) counted: Option<String>,
    /// Why the manifest was not reloaded, if it was not: text.
    pub(super) reload: Option<String>,
    /// When: markup.
    pub(super) reloaded_at: String,
}

impl Verdict {
    pub(super) fn of(frame: &Frame, all: &Overview) -> Self {
        let refused = all.reloaded.as_ref().and_then(|it| Some((it.at, it.refused.as_ref()?)));
        Self {
            class: if all.needing_a_person > 0 {
                "bad"
            } else if all.failed > 0 {
                "late"
            } else {
                "good"
            },
            said: said(frame, all),
            counted: (all.age_ms > OLD).then(|| frame.when(&all.counted_at)),
            reload: refused.map(|(_, failure)| failure.message.clone()),
            reloaded_at: refused.map(|(at, _)| frame.when(&at)).unwrap_or_default(),
        }
    }
}

fn said(frame: &Frame, all: &Overview) -> String {
    let words = &frame.words;
    let total = with_gaps(&all.connections.to_string());
    let total = [("all", total.as_str())];
    let late = all.states.get(&State::Late).copied().unwrap_or_default();
    if all.needing_a_person > 0 {
        return words.count_with("overview-need", all.needing_a_person, &total);
    }
    if late > 0 {
        return words.count_with("overview-late", late, &total);
    }
    if all.connections == 0 {
        return words.say("overview-empty");
    }
    words.count("overview-fresh", all.connections)
}

/// One line of what is wrong.
pub(super) struct Trouble {
    pub(super) class: &'static str,
    pub(super) sentence: String,
    pub(super) remedy: Option<String>,
    /// Which connections.
    pub(super) place: String,
    /// What to click, if it is about one connection alone.
    pub(super) click: Option<Click>,
}

/// What to click.
pub(super) struct Click {
    pub(super) place: String,
    pub(super) text: String,
    /// Whether that changes something, and is a form.
    pub(super) is_form: bool,
}

/// The lines, and how many more there are.
pub(super) fn troubles(frame: &Frame, all: &Overview) -> (Vec<Trouble>, Option<String>) {
    let lines = all.troubles.iter().take(LINES).map(|it| trouble(frame, it)).collect();
    let more = all.troubles.len().saturating_sub(LINES) as u64;
    (lines, (more > 0).then(|| frame.words.count("overview-more-troubles", more)))
}

fn trouble(frame: &Frame, it: &TroubleView) -> Trouble {
    let state = match it.cause {
        Cause::Reconnect => State::Reconnect,
        Cause::Misconfigured | Cause::Approval => State::Misconfigured,
        Cause::Failing if it.expired > 0 => State::Expired,
        Cause::Failing => State::Late,
    };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("provider", &it.provider).append_pair("state", state.as_str());
    Trouble {
        class: state.as_str(),
        sentence: it.sentence.clone(),
        remedy: it.remedy.clone(),
        place: format!("{}/?{}#connections", frame.base, query.finish()),
        click: click(frame, it),
    }
}

fn click(frame: &Frame, it: &TroubleView) -> Option<Click> {
    let name = it.names.first().filter(|_| it.connections == 1)?;
    let id = ConnectionId::new(&it.provider, name).ok()?;
    let place = frame.connection(&id);
    let words = &frame.words;
    let (text, is_form, place) = match it.cause {
        Cause::Reconnect => {
            let place = format!("{}/connect/{}", frame.base, frame.address(&id));
            (words.say("connection-reconnect"), false, place)
        }
        Cause::Failing => (words.say("connection-refresh"), true, format!("{place}/refresh")),
        Cause::Misconfigured | Cause::Approval => (words.say("overview-why"), false, place),
    };
    Some(Click { place, text, is_form }).filter(|it| frame.may_change() || !it.is_form)
}

/// Tokens that end then.
pub(super) struct Bucket {
    pub(super) place: String,
    pub(super) text: String,
    pub(super) count: String,
}

/// All of them, each a link to those connections.
pub(super) fn buckets(frame: &Frame, all: &Overview) -> Vec<Bucket> {
    let (words, ends) = (&frame.words, &all.ends);
    let buckets = [
        ("past", words.say("ends-past"), ends.past),
        ("hour", words.say("ends-hour"), ends.hour),
        ("day", words.say("ends-day"), ends.day),
        ("week", words.say("ends-week"), ends.week),
        ("month", words.say("ends-month"), ends.month),
        ("later", words.say("ends-later"), ends.later),
        ("unknown", words.say("ends-unknown"), ends.unknown),
    ];
    let bucket = |(word, text, count): (&str, String, u64)| Bucket {
        place: format!("{}/?ends={word}#connections", frame.base),
        text,
        count: with_gaps(&count.to_string()),
    };
    buckets.into_iter().map(bucket).collect()
}

/// The next 24 hours.
pub(super) struct Due {
    /// Markup.
    pub(super) picture: String,
    /// Markup.
    pub(super) table: String,
    pub(super) said: String,
    /// When the most are refreshed: markup.
    pub(super) peak: Option<(String, String)>,
    /// When the next one is: markup.
    pub(super) next: Option<String>,
}

impl Due {
    pub(super) fn of(frame: &Frame, all: &Overview) -> Self {
        let (words, due) = (&frame.words, &all.due);
        let said = words.count("overview-due", due.total());
        let hour = |place: usize| clock::after(due.from, Duration::from_hours(place as u64));
        let row =
            |(place, count): (usize, &u64)| vec![clock_of(frame, hour(place)), count.to_string()];
        let rows = due.hours.iter().enumerate().map(row).collect::<Vec<_>>();
        let head = [words.say("overview-hour"), words.say("overview-refreshes")];
        let peak =
            due.peak().map(|(at, count)| (clock_of(frame, at), with_gaps(&count.to_string())));
        Self {
            picture: bars::bars(&said, &due.hours),
            table: table(&words.say("word-as-table"), &head, &rows),
            peak,
            next: due.next_at.map(|it| frame.when(&it)),
            said,
        }
    }
}

/// The last 24 hours.
pub(super) struct Day {
    pub(super) rate: Option<String>,
    pub(super) p50: Option<String>,
    pub(super) p95: Option<String>,
}

impl Day {
    pub(super) fn of(frame: &Frame, all: &Overview) -> Self {
        Self {
            rate: all.day.success_rate.map(|it| format!("{:.1} %", it * 100.0)),
            p50: all.day.p50_ms.map(|it| frame.took(&it)),
            p95: all.day.p95_ms.map(|it| frame.took(&it)),
        }
    }
}

/// What has changed.
pub(super) struct Changed {
    /// When: markup.
    pub(super) at: String,
    pub(super) place: String,
    pub(super) connection: String,
    pub(super) text: String,
    pub(super) class: &'static str,
    pub(super) code: Option<String>,
}

impl Changed {
    pub(super) fn of(frame: &Frame, it: &ChangeView) -> Self {
        let (text, class) = change_word(&frame.words, it.kind);
        Self {
            at: frame.when(&it.at),
            place: frame.connection(&it.connection),
            connection: it.connection.to_string(),
            text,
            class,
            code: it.code.as_ref().map(|it| it.text().to_owned()),
        }
    }
}
