//! Messages in words: every text that a channel sends is made here, of facts alone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::delivery::alerts::Tell;
use crate::delivery::channels::notice::{
    AlertFacts, Notice, PersonFacts, ProviderFacts, SummaryFacts, TestFacts,
};
use crate::model::alert::{AlertKind, Cause};
use crate::model::plain::escaped;
use crate::model::said::count;

/// A message in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// What has happened, on one line.
    pub(super) title: String,
    /// More of it, line by line.
    pub(super) lines: Vec<String>,
    /// The command that shows more, if there is one.
    pub(super) command: Option<String>,
}

impl Text {
    /// All of it as plain text.
    pub(super) fn plain(&self) -> String {
        let command = self.command.iter().map(|it| format!("See: {it}"));
        let all = self.lines.iter().cloned().chain(command).collect::<Vec<_>>();
        all.join("\n")
    }
}

/// The words for `notice`, with times in `zone`.
pub(super) fn of(notice: &Notice, zone: &TimeZone) -> Text {
    let text = match notice {
        Notice::Alert(facts) => alert(facts, zone),
        Notice::Summary(facts) => summary(facts),
        Notice::Person(facts) => person(facts),
        Notice::Test(facts) => test(facts, zone),
    };
    let clean = |it: String| escaped(&it).into_owned();
    Text {
        title: clean(text.title),
        lines: text.lines.into_iter().map(clean).collect(),
        command: text.command.map(clean),
    }
}

fn alert(facts: &AlertFacts, zone: &TimeZone) -> Text {
    let AlertFacts { tell, provider, since, at, .. } = facts;
    let lasted = span(*since, *at);
    let what = what(facts);
    let title = match (tell, facts.cause) {
        (Tell::Recovered, Cause::Approval) => {
            format!("plugin {provider} no longer waits for approval")
        }
        (Tell::Recovered, _) => format!("{provider}: works again after {lasted}"),
        (Tell::Began, _) => what,
        (Tell::Worse, _) => format!("worse: {what}"),
        (Tell::Reminder, _) => format!("still: {what}"),
        (Tell::Flapping, _) => format!("{provider}: fails and works again, again and again"),
    };
    let mut lines = vec![match tell {
        Tell::Recovered => format!("It began at {} and lasted {lasted}.", moment(*since, zone)),
        _ => format!("Since {} ({lasted}).", moment(*since, zone)),
    }];
    if *tell == Tell::Flapping {
        lines.push(format!("Now: {}.", self::what(facts)));
        lines.push(
            "You hear of it again when it gets worse, or has been stable for an hour.".to_owned(),
        );
    }
    lines.extend(named(facts));
    lines.extend(facts.causes.iter().filter(|it| !it.code.is_empty()).map(|it| {
        let message =
            if it.message.is_empty() { String::new() } else { format!(": {}", it.message) };
        format!("{} ({}){message}", it.code, it.count)
    }));
    Text { title, lines, command: Some(command(facts)) }
}

/// What is wrong, in one sentence without its full stop.
fn what(facts: &AlertFacts) -> String {
    let AlertFacts { provider, affected, ending, expired, .. } = facts;
    let (connections, verb) =
        (count(*affected, "connection"), if *affected == 1 { "needs" } else { "need" });
    match facts.kind {
        AlertKind::Reconnect => format!("{provider}: {connections} {verb} a person to log in"),
        AlertKind::Misconfigured => format!("{provider}: {connections} {verb} a correction"),
        AlertKind::Approval => format!("plugin {provider} waits for approval"),
        AlertKind::Expired if *expired > 0 => {
            let has = if *expired == 1 { "has" } else { "have" };
            format!(
                "{provider}: {} {has} expired and cannot be refreshed",
                count(*expired, "token")
            )
        }
        AlertKind::Critical if *ending > 0 => {
            let expires = if *ending == 1 { "expires" } else { "expire" };
            format!("{provider}: refreshing fails, and {} {expires} soon", count(*ending, "token"))
        }
        _ => format!("{provider}: refreshing fails ({connections})"),
    }
}

/// Some of those that are affected, and how many more.
fn named(facts: &AlertFacts) -> Option<String> {
    if facts.connections.is_empty() {
        return None;
    }
    let names = facts.connections.join(", ");
    let more = match facts.affected.saturating_sub(facts.connections.len() as u64) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!("Connections: {names}{more}."))
}

fn command(facts: &AlertFacts) -> String {
    let AlertFacts { cause, provider, .. } = facts;
    match cause {
        Cause::Approval => format!("keepfresh plugin inspect {provider}"),
        Cause::Failing | Cause::Reconnect | Cause::Misconfigured => {
            format!("keepfresh status --provider {provider}")
        }
    }
}

fn summary(facts: &SummaryFacts) -> Text {
    let all = facts.providers.iter().map(|it| it.connections).sum::<u64>();
    let ill = facts.providers.iter().map(ProviderFacts::ill).sum::<u64>();
    let title = match ill {
        0 => format!("{} in order", count(all, "connection")),
        1 => format!("1 of {} needs attention", count(all, "connection")),
        _ => format!("{ill} of {} need attention", count(all, "connection")),
    };
    let mut lines = vec![format!(
        "In the last 24 hours: {} refreshed, {} failed.",
        facts.refreshed, facts.failed
    )];
    lines.extend(facts.providers.iter().map(|it| {
        let ill = [
            (it.failing, "failing"),
            (it.reconnect, "to log in"),
            (it.misconfigured, "to correct"),
        ];
        let ill = ill.iter().filter(|(count, _)| *count > 0);
        let ill = ill.map(|(count, word)| format!(", {count} {word}")).collect::<Vec<_>>().concat();
        format!("{}: {}{ill}", it.provider, count(it.connections, "connection"))
    }));
    Text { title, lines, command: Some("keepfresh status".to_owned()) }
}

/// For somebody who need not know what Keepfresh is.
fn person(facts: &PersonFacts) -> Text {
    let provider = facts.connection.provider();
    let lines = vec![
        format!(
            "Your account at {provider} is no longer connected: {provider} does not accept the old login any more."
        ),
        "Please connect it again where you connected it before.".to_owned(),
    ];
    Text { title: format!("Please connect your account at {provider} again"), lines, command: None }
}

fn test(facts: &TestFacts, zone: &TimeZone) -> Text {
    let line =
        format!("Sent at {} by: keepfresh channel test {}", moment(facts.at, zone), facts.channel);
    Text {
        title: "a test: messages of this channel arrive".to_owned(),
        lines: vec![line],
        command: None,
    }
}

/// A moment, with its zone beside it.
fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// A length of time with its two largest units.
pub(super) fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}
