//! Every time zone against a slow and obvious reference: each minute that passes is looked at, with what a clock
//! on the wall shows then, and the rule in plain words. A few zones in a normal run; all zones and ten thousand
//! expressions with `KEEPFRESH_ZONES=all`.

/// Expressions by chance, and what they match.
mod chance;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use self::chance::{Chance, Expression};
use crate::model::fixture::schedule;
use crate::model::schedule::time_zone;

/// Zones that have what is rare: half hours, changes at midnight, in the week of a fast, and of a whole day.
const FEW: [&str; 10] = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Tashkent",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "UTC",
];

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// So long before a change of the clocks and after it is walked.
const AROUND: SignedDuration = SignedDuration::from_hours(36);

#[expect(clippy::disallowed_methods, reason = "how long a test runs is no secret")]
fn all() -> bool {
    std::env::var("KEEPFRESH_ZONES").is_ok_and(|it| it == "all")
}

#[test]
#[expect(clippy::print_stdout, reason = "figures for whoever runs all of it")]
fn each_tick_comes_once_in_every_time_zone() {
    let known = || jiff::tz::db().available().map(|it| it.to_string()).collect();
    let names: Vec<String> = if all() { known() } else { FEW.map(str::to_owned).into() };
    let (count, years) = if all() { (10_000, (2000, 2038)) } else { (200, (2022, 2030)) };
    let mut chance = Chance::new(3);
    let expressions: Vec<Expression> = (0..count).map(|_| chance.expression()).collect();
    let mut turn = expressions.iter().cycle();
    let (mut walks, mut ticks) = (0, 0);
    for name in &names {
        for walk in walks_of(name, years) {
            for expression in turn.by_ref().take(2) {
                ticks += compare(name, &walk, expression);
                walks += 1;
            }
        }
    }
    println!("{} zones, {count} expressions, {walks} walks, {ticks} ticks", names.len());
    assert!(walks >= count, "not every expression had a turn: {walks}");
}

#[test]
fn days_are_those_of_cronie() {
    let count = if all() { 10_000 } else { 200 };
    let mut chance = Chance::new(4);
    let begin: DateTime = "2027-01-01T00:00".parse().unwrap();
    for _ in 0..count {
        let expression = chance.expression().at_noon();
        let days = (0..500).map(|it| begin + SignedDuration::from_hours(12 + 24 * it));
        let expected: Vec<DateTime> = days.filter(|it| expression.matches(*it)).collect();
        let Ok(schedule) = schedule(&expression.text, "UTC") else {
            assert_eq!(expected, [], "{} was refused", expression.text);
            continue;
        };
        let mut at = begin.to_zoned(TimeZone::UTC).unwrap().timestamp();
        for day in expected {
            at = schedule.next_after(at).unwrap();
            assert_eq!(TimeZone::UTC.to_datetime(at), day, "{}", expression.text);
        }
    }
}

/// Minutes that pass, each with what a clock shows.
type Walk = Vec<(Timestamp, DateTime)>;

/// A walk around each change of the clocks in many years, or one where there is none.
fn walks_of(name: &str, (from, to): (i16, i16)) -> Vec<Walk> {
    let zone = time_zone(name).unwrap();
    let year = |year| jiff::civil::date(year, 1, 1).to_zoned(zone.clone()).unwrap().timestamp();
    let (begin, end) = (year(from), year(to));
    let changes: Vec<Timestamp> =
        zone.following(begin).map(|it| it.timestamp()).take_while(|it| *it < end).collect();
    let middles = if changes.is_empty() { vec![begin] } else { changes };
    let walk = |middle: Timestamp| {
        let mut walk = Walk::new();
        let mut at = middle - AROUND;
        while at < middle + AROUND {
            walk.push((at, zone.to_datetime(at)));
            at += MINUTE;
        }
        walk
    };
    middles.into_iter().map(walk).collect()
}

/// When `expression` fires on the way: at each local time once, where that is shown first or would have been.
/// One for every hour fires in each hour that passes.
fn ticks(walk: &Walk, expression: &Expression) -> Vec<Timestamp> {
    let mut ticks = Vec::new();
    let mut latest = walk[0].1;
    for (at, shown) in &walk[1..] {
        let mut skipped = latest + MINUTE;
        let mut due = expression.matches(*shown) && (*shown > latest || expression.every_hour);
        while skipped < *shown {
            due |= expression.matches(skipped);
            skipped += MINUTE;
        }
        if due {
            ticks.push(*at);
        }
        latest = latest.max(*shown);
    }
    ticks
}

/// Looks ahead from tick to tick, and back from just before each. How many there were.
fn compare(zone: &str, walk: &Walk, expression: &Expression) -> usize {
    let expected = ticks(walk, expression);
    let Ok(schedule) = schedule(&expression.text, zone) else {
        assert_eq!(expected, [], "{} was refused", expression.text);
        return 0;
    };
    let (begin, end) = (walk[0].0, walk[walk.len() - 1].0);
    let ahead = std::iter::successors(schedule.next_after(begin), |it| schedule.next_after(*it));
    let found: Vec<Timestamp> = ahead.take_while(|it| *it <= end).collect();
    assert_eq!(found, expected, "{} in {zone} from {begin}", expression.text);
    for pair in expected.windows(2) {
        let just_before = pair[1] - SignedDuration::from_nanos(1);
        for (at, last) in [(pair[0], pair[0]), (just_before, pair[0]), (pair[1], pair[1])] {
            let found = schedule.last_at_or_before(at);
            assert_eq!(found, Some(last), "{} in {zone} back from {at}", expression.text);
        }
    }
    expected.len()
}
