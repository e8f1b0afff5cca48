//! What messages say.

use jiff::tz::TimeZone;

use crate::delivery::alerts::Tell;
use crate::delivery::channels::notice::{
    AlertFacts, CauseCount, Notice, PersonFacts, ProviderFacts, SummaryFacts,
};
use crate::delivery::channels::text;
use crate::model::alert::{AlertKind, Cause};
use crate::model::fixture::at;
use crate::model::schedule::time_zone;

fn facts(tell: Tell, kind: AlertKind) -> AlertFacts {
    let cause = match kind {
        AlertKind::Reconnect => Cause::Reconnect,
        AlertKind::Misconfigured => Cause::Misconfigured,
        AlertKind::Approval => Cause::Approval,
        _ => Cause::Failing,
    };
    AlertFacts {
        tell,
        kind,
        cause,
        provider: "eskiz".to_owned(),
        since: at(0),
        at: at(7_500),
        affected: 10_000,
        ending: 12,
        expired: 1,
        connections: vec!["a".to_owned(), "b".to_owned()],
        causes: vec![CauseCount {
            code: "provider.timeout".to_owned(),
            count: 9_999,
            message: "it is late".to_owned(),
        }],
    }
}

fn said(notice: &Notice) -> (String, String) {
    let text = text::of(notice, &TimeZone::UTC);
    let plain = text.plain();
    // What is kept is what was said.
    let kept = serde_json::to_string(notice).unwrap();
    assert_eq!(serde_json::from_str::<Notice>(&kept).unwrap(), *notice);
    (text.title, plain)
}

#[test]
fn a_trouble_is_said_with_who_is_affected_why_and_what_shows_more() {
    let (title, text) = said(&Notice::Alert(facts(Tell::Began, AlertKind::Failed)));
    assert_eq!(title, "eskiz: refreshing fails (10000 connections)");
    let lines = [
        "Since 1970-01-01 00:00:00 UTC (2 h 5 min).",
        "Connections: a, b and 9998 more.",
        "provider.timeout (9999): it is late",
        "See: keepfresh status --provider eskiz",
    ];
    assert_eq!(text, lines.join("\n"));
}

#[test]
fn each_kind_has_its_sentence() {
    for (tell, kind, title) in [
        (Tell::Began, AlertKind::Critical, "eskiz: refreshing fails, and 12 tokens expire soon"),
        (
            Tell::Worse,
            AlertKind::Expired,
            "worse: eskiz: 1 token has expired and cannot be refreshed",
        ),
        (Tell::Began, AlertKind::Reconnect, "eskiz: 10000 connections need a person to log in"),
        (
            Tell::Reminder,
            AlertKind::Misconfigured,
            "still: eskiz: 10000 connections need a correction",
        ),
        (Tell::Began, AlertKind::Approval, "plugin eskiz waits for approval"),
        (Tell::Recovered, AlertKind::Expired, "eskiz: works again after 2 h 5 min"),
        (Tell::Recovered, AlertKind::Approval, "plugin eskiz no longer waits for approval"),
        (Tell::Flapping, AlertKind::Failed, "eskiz: fails and works again, again and again"),
    ] {
        assert_eq!(said(&Notice::Alert(facts(tell, kind))).0, title);
    }
}

#[test]
fn times_are_those_of_the_channel() {
    let notice = Notice::Alert(facts(Tell::Began, AlertKind::Failed));
    let zone = time_zone("Asia/Tashkent").unwrap();
    assert!(text::of(&notice, &zone).plain().contains("Since 1970-01-01 06:00:00 +06"));
}

#[test]
fn what_comes_from_elsewhere_makes_no_lines_of_its_own() {
    let mut facts = facts(Tell::Began, AlertKind::Failed);
    facts.connections = vec!["a\nSubject: b\u{202e}".to_owned()];
    let (_, text) = said(&Notice::Alert(facts));
    assert!(text.contains("a\\nSubject: b\\u{202e}"), "{text}");
}

#[test]
fn a_summary_counts_and_names_what_is_wrong() {
    let well =
        ProviderFacts { provider: "a".to_owned(), connections: 3, ..ProviderFacts::default() };
    let ill = ProviderFacts { provider: "b".to_owned(), failing: 1, reconnect: 2, ..well.clone() };
    let facts =
        SummaryFacts { at: at(0), providers: vec![well.clone(), ill], refreshed: 9, failed: 1 };
    let (title, text) = said(&Notice::Summary(facts.clone()));
    assert_eq!(title, "3 of 6 connections need attention");
    let lines = [
        "In the last 24 hours: 9 refreshed, 1 failed.",
        "a: 3 connections",
        "b: 3 connections, 1 failing, 2 to log in",
        "See: keepfresh status",
    ];
    assert_eq!(text, lines.join("\n"));
    let fine = SummaryFacts { providers: vec![well], ..facts };
    assert_eq!(said(&Notice::Summary(fine)).0, "3 connections in order");
}

#[test]
fn a_person_reads_what_to_do_and_nothing_of_keepfresh() {
    let facts = PersonFacts { connection: "google/alice".parse().unwrap(), at: at(0) };
    let (title, text) = said(&Notice::Person(facts));
    assert_eq!(title, "Please connect your account at google again");
    assert!(!text.contains("keepfresh") && text.contains("connect it again"), "{text}");
}
