//! Durations, day by day, from nothing up: the one in the middle as a line, a long one as the edge of a band above it,
//! and a broken rule on each day on which something changed that may be the reason.

use crate::dashboard::drawing::{line, picture, points_of, rectangle, scaled, shape, text, titled};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 110;
/// Room for what stands beside the picture.
const LEFT: f64 = 44.0;
const BELOW: f64 = 16.0;
const ABOVE: f64 = 12.0;

/// The durations of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dashboard) struct Point {
    /// Which day, counted from the first.
    pub(in crate::dashboard) day: u64,
    /// Half of them took so long at most, in milliseconds.
    pub(in crate::dashboard) p50: u64,
    /// 95 of a hundred took so long at most.
    pub(in crate::dashboard) p95: u64,
}

/// Something that changed on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dashboard) struct Change<'a> {
    /// Which day, counted from the first.
    pub(in crate::dashboard) day: u64,
    /// What it was.
    pub(in crate::dashboard) said: &'a str,
}

/// What stands at the axes.
#[derive(Clone, Copy, Debug)]
pub(in crate::dashboard) struct Axes<'a> {
    /// The longest duration.
    pub(in crate::dashboard) most: &'a str,
    /// None at all.
    pub(in crate::dashboard) zero: &'a str,
    /// The first day.
    pub(in crate::dashboard) from: &'a str,
    /// The last one.
    pub(in crate::dashboard) to: &'a str,
}

/// The longest of all.
pub(in crate::dashboard) fn most(points: &[Point]) -> u64 {
    points.iter().map(|it| it.p95.max(it.p50)).max().unwrap_or_default()
}

/// The points, in the order of days, of so many days; with what changed meanwhile.
pub(in crate::dashboard) fn spread(
    label: &str,
    points: &[Point],
    changes: &[Change<'_>],
    days: u64,
    axes: Axes<'_>,
) -> String {
    let (right, bottom) = (f64::from(WIDTH) - 4.0, f64::from(HEIGHT) - BELOW);
    let most = most(points).max(1);
    let x = |day: u64| LEFT + scaled(day, days.saturating_sub(1), right - LEFT);
    let y = |ms: u64| bottom - scaled(ms, most, bottom - ABOVE);
    let middle = points.iter().map(|it| (x(it.day), y(it.p50))).collect::<Vec<_>>();
    let long = points.iter().map(|it| (x(it.day), y(it.p95.max(it.p50))));
    let mut body = line("rule", (LEFT, bottom), (right, bottom));
    if let [only] = points {
        let (x, top) = (x(only.day), y(only.p95.max(only.p50)));
        body +=
            &shape("soft", &[(x - 3.0, top), (x + 3.0, top), (x + 3.0, bottom), (x - 3.0, bottom)]);
        body += &line("line", (x - 3.0, y(only.p50)), (x + 3.0, y(only.p50)));
    } else if !points.is_empty() {
        let band = long.chain(middle.iter().rev().copied()).collect::<Vec<_>>();
        body += &shape("soft", &band);
        let points = points_of(&middle);
        body.extend(["<polyline class=\"line\" points=\"", &points, "\"/>"]);
    }
    body.extend(changes.iter().map(|it| changed(x(it.day), bottom, it.said)));
    body += &text("end", (LEFT - 4.0, ABOVE + 4.0), axes.most);
    body += &text("end", (LEFT - 4.0, bottom), axes.zero);
    body += &text("start", (LEFT, f64::from(HEIGHT) - 3.0), axes.from);
    body += &text("end", (right, f64::from(HEIGHT) - 3.0), axes.to);
    picture("spread", label, (WIDTH, HEIGHT), &body)
}

/// A rule from top to bottom. It is thin, so that what can be pointed at is wider than what is seen.
fn changed(x: f64, bottom: f64, said: &str) -> String {
    let aim = rectangle("aim", [x - 4.0, ABOVE, 8.0, bottom - ABOVE]);
    titled(said, &(line("change", (x, ABOVE), (x, bottom)) + &aim))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::drawing::tests::{HOSTILE, check};

    fn drawn(points: &[Point], days: u64) -> String {
        with(points, &[], days)
    }

    fn with(points: &[Point], changes: &[Change<'_>], days: u64) -> String {
        let axes = Axes { most: HOSTILE, zero: HOSTILE, from: HOSTILE, to: HOSTILE };
        let drawn = spread(HOSTILE, points, changes, days, axes);
        check(&drawn);
        drawn
    }

    fn point(day: u64, p50: u64, p95: u64) -> Point {
        Point { day, p50, p95 }
    }

    #[test]
    fn the_axis_begins_with_nothing() {
        let drawn = drawn(&[point(0, 0, 100), point(9, 50, 100)], 10);
        assert!(drawn.contains("<polyline class=\"line\" points=\"44,94 316,53\"/>"), "{drawn}");
    }

    #[test]
    fn a_change_is_a_rule_on_its_day_that_says_what_it_was() {
        let change = Change { day: 9, said: "1.2.0 → 1.3.0" };
        let drawn = with(&[point(0, 0, 100), point(9, 50, 100)], &[change], 10);
        let rule = "<line class=\"change\" x1=\"316\" y1=\"12\" x2=\"316\" y2=\"94\"/>";
        let titled = format!("<g><title>1.2.0 → 1.3.0</title>{rule}");
        assert!(drawn.contains(&titled), "{drawn}");
        let far = Change { day: u64::MAX, said: HOSTILE };
        let drawn = with(&[], &[Change { day: 0, said: HOSTILE }, far], 0);
        assert_eq!(drawn.matches("class=\"change\"").count(), 2);
    }

    #[test]
    fn there_may_be_none_one_or_huge_ones() {
        drawn(&[], 0);
        drawn(&[], 90);
        drawn(&[point(0, 0, 0)], 1);
        drawn(&[point(3, 5, 9)], 0);
        drawn(&[point(u64::MAX, u64::MAX, 0), point(0, 1, u64::MAX)], 2);
    }
}
