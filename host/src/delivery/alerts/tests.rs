//! What is told of one trouble, case by case.

use std::time::Duration;

use jiff::Timestamp;

use crate::delivery::alerts::{Alert, Look, Rules, Tell};
use crate::model::alert::AlertKind;
use crate::model::fixture::at;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

pub(super) fn rules() -> Rules {
    Rules { on: AlertKind::ALL.iter().copied().collect(), after: Duration::from_mins(1) }
}

/// Looks at each of those seconds, and says what was told at which.
fn told(alert: &mut Alert, rules: &Rules, looks: &[(i64, Option<AlertKind>)]) -> Vec<(i64, Tell)> {
    let look = |(second, kind): &(i64, Option<AlertKind>)| {
        let telling = alert.looked(Look { kind: *kind, now: at(*second) }, rules)?;
        Some((*second, telling.tell))
    };
    looks.iter().filter_map(look).collect()
}

const ILL: Option<AlertKind> = Some(AlertKind::Failed);
const WELL: Option<AlertKind> = None;

#[test]
fn what_lasts_is_told_once_and_its_end_with_it() {
    let looks = [(0, ILL), (30, ILL), (60, ILL), (90, ILL), (600, ILL), (900, WELL), (960, WELL)];
    let mut alert = Alert::default();
    assert_eq!(told(&mut alert, &rules(), &looks), [(60, Tell::Began), (900, Tell::Recovered)]);
    assert!(!alert.is_over(), "what was told lately is remembered");
    let _ = alert.looked(Look { kind: None, now: at(900 + HOUR) }, &rules());
    assert!(alert.is_over());
}

#[test]
fn what_is_over_at_once_is_not_told() {
    let looks = [(0, ILL), (30, ILL), (59, WELL), (100, ILL), (159, ILL), (159, WELL)];
    assert_eq!(told(&mut Alert::default(), &rules(), &looks), []);
}

#[test]
fn reminders_come_ever_more_seldom() {
    let looks = (0..40 * DAY / HOUR).map(|it| (it * HOUR, ILL)).collect::<Vec<_>>();
    let told = told(&mut Alert::default(), &rules(), &looks);
    let hours = told.iter().map(|(second, _)| second / HOUR).collect::<Vec<_>>();
    assert_eq!(hours, [1, 2, 6, 18, 42, 90, 186, 354, 522, 690, 858]);
    assert!(told[1..].iter().all(|(_, tell)| *tell == Tell::Reminder));
}

#[test]
fn what_becomes_worse_is_told_at_once() {
    let (critical, expired) = (Some(AlertKind::Critical), Some(AlertKind::Expired));
    let looks = [(0, ILL), (60, ILL), (70, critical), (80, ILL), (90, expired), (99, critical)];
    let told = told(&mut Alert::default(), &rules(), &looks);
    assert_eq!(told, [(60, Tell::Began), (70, Tell::Worse), (90, Tell::Worse)]);
}

#[test]
fn a_channel_hears_of_what_it_wants_and_of_the_end_of_that() {
    let on = [AlertKind::Expired, AlertKind::Recovered].into();
    let rules = Rules { on, ..rules() };
    let expired = Some(AlertKind::Expired);
    let looks = [(0, ILL), (HOUR, ILL), (2 * HOUR, WELL)];
    assert_eq!(told(&mut Alert::default(), &rules, &looks), []);
    let looks = [(0, ILL), (HOUR, ILL), (HOUR + 1, expired), (2 * HOUR, WELL)];
    let expected = [(HOUR + 1, Tell::Began), (2 * HOUR, Tell::Recovered)];
    assert_eq!(told(&mut Alert::default(), &rules, &looks), expected);
}

#[test]
fn an_end_that_nobody_wants_to_hear_of_is_an_end_all_the_same() {
    let rules = Rules { on: [AlertKind::Failed].into(), ..rules() };
    let looks = [(0, ILL), (60, ILL), (90, WELL), (100, ILL), (160, ILL)];
    let told = told(&mut Alert::default(), &rules, &looks);
    assert_eq!(told, [(60, Tell::Began), (160, Tell::Began)]);
}

#[test]
fn what_comes_and_goes_is_told_as_that_and_then_once_it_is_stable() {
    let mut looks = Vec::new();
    for round in 0..20 {
        let start = round * 5 * MINUTE;
        looks.extend([(start, ILL), (start + 2 * MINUTE, ILL), (start + 3 * MINUTE, WELL)]);
    }
    let end = 20 * 5 * MINUTE;
    looks.extend([(end, WELL), (end + 30 * MINUTE, WELL), (end + 2 * HOUR, WELL)]);
    let told = told(&mut Alert::default(), &rules(), &looks);
    let tells = told.iter().map(|(_, tell)| tell.clone()).collect::<Vec<_>>();
    let (began, over) = (Tell::Began, Tell::Recovered);
    let expected = [began.clone(), over.clone(), began, over.clone(), Tell::Flapping, over];
    assert_eq!(tells, expected, "{told:?}");
}

#[test]
fn what_comes_and_goes_and_then_stays_is_told_again() {
    let mut alert = Alert::default();
    let mut looks = Vec::new();
    for round in 0..3 {
        let start = round * 5 * MINUTE;
        looks.extend([(start, ILL), (start + 2 * MINUTE, ILL), (start + 3 * MINUTE, WELL)]);
    }
    looks.extend([(20 * MINUTE, ILL), (80 * MINUTE, ILL), (90 * MINUTE, Some(AlertKind::Expired))]);
    let told = told(&mut alert, &rules(), &looks);
    let last = &told[told.len() - 3..];
    let expected =
        [(12 * MINUTE, Tell::Flapping), (80 * MINUTE, Tell::Reminder), (90 * MINUTE, Tell::Worse)];
    assert_eq!(last, expected);
}

#[test]
fn since_when_is_when_it_happened_and_not_when_it_was_looked_at() {
    let mut alert = Alert::default();
    alert.happened(AlertKind::Failed, at(10));
    let telling = alert.looked(Look { kind: ILL, now: at(75) }, &rules()).unwrap();
    assert_eq!((telling.since, telling.kind), (at(10), AlertKind::Failed));
    let over = alert.looked(Look { kind: WELL, now: at(100) }, &rules()).unwrap();
    assert_eq!((over.tell, over.since), (Tell::Recovered, at(10)));
}

#[test]
fn a_clock_that_is_set_back_tells_nothing_twice_and_goes_on_from_there() {
    let mut alert = Alert::default();
    let looks = [
        (5 * DAY, ILL),
        (5 * DAY + 60, ILL),
        (0, ILL),
        (HOUR - 1, ILL),
        (HOUR, ILL),
        (2 * HOUR, WELL),
    ];
    let expected =
        [(5 * DAY + 60, Tell::Began), (HOUR, Tell::Reminder), (2 * HOUR, Tell::Recovered)];
    assert_eq!(told(&mut alert, &rules(), &looks), expected);
}

#[test]
fn what_a_clock_that_was_ahead_has_begun_is_told_as_soon_as_anything_else() {
    let year = 365 * DAY;
    let looks = [(year, ILL), (0, ILL), (59, ILL), (60, ILL), (90, WELL)];
    let expected = [(60, Tell::Began), (90, Tell::Recovered)];
    assert_eq!(told(&mut Alert::default(), &rules(), &looks), expected);
    let mut alert = Alert::default();
    alert.happened(AlertKind::Failed, at(year));
    let since = [0, 60].map(|it| alert.looked(Look { kind: ILL, now: at(it) }, &rules()));
    assert_eq!(since.map(|it| it.map(|it| it.since)), [None, Some(at(0))]);
}

#[test]
fn what_came_and_went_on_a_clock_that_was_ahead_is_stable_an_hour_later() {
    let (year, mut alert) = (365 * DAY, Alert::default());
    let mut looks = Vec::new();
    for round in 0..3 {
        let start = year + round * 5 * MINUTE;
        looks.extend([(start, ILL), (start + 2 * MINUTE, ILL), (start + 3 * MINUTE, WELL)]);
    }
    let before = told(&mut alert, &rules(), &looks);
    assert_eq!(before.last().unwrap().1, Tell::Flapping);
    let after = told(&mut alert, &rules(), &[(0, WELL), (HOUR - 1, WELL), (HOUR, WELL)]);
    assert_eq!(after, [(HOUR, Tell::Recovered)]);
    let _ = alert.looked(Look { kind: WELL, now: at(2 * HOUR) }, &rules());
    assert!(alert.is_over(), "nothing is left of the time that was ahead: {alert:?}");
}

#[test]
fn what_is_kept_is_read_back() {
    let mut alert = Alert::default();
    for (second, kind) in [(0, ILL), (60, ILL), (100, WELL), (120, ILL)] {
        let _ = alert.looked(Look { kind, now: at(second) }, &rules());
        let text = serde_json::to_string(&alert).unwrap();
        assert_eq!(serde_json::from_str::<Alert>(&text).unwrap(), alert, "{text}");
    }
    let never = Timestamp::MIN;
    assert!(Alert::default().is_over() && never < at(0));
}
