//! Durations, day by day, from nothing up: the one in the middle as a line, a long one as the edge of a band above it.

use crate::dashboard::drawing::{line, picture, points_of, scaled, shape, text};

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

/// The points, in the order of days, of so many days.
pub(in crate::dashboard) fn spread(
    label: &str,
    points: &[Point],
    days: u64,
    axes: Axes<'_>,
) -> String {
    let (right, bottom) = (f64::from(WIDTH) - 4.0, f64::from(HEIGHT) - BELOW);
    let most = most(points).max(1);
    let x = |it: &Point| LEFT + scaled(it.day, days.saturating_sub(1), right - LEFT);
    let y = |ms: u64| bottom - scaled(ms, most, bottom - ABOVE);
    let middle = points.iter().map(|it| (x(it), y(it.p50))).collect::<Vec<_>>();
    let long = points.iter().map(|it| (x(it), y(it.p95.max(it.p50))));
    let mut body = line("rule", (LEFT, bottom), (right, bottom));
    if let [only] = points {
        let (x, top) = (x(only), y(only.p95.max(only.p50)));
        body +=
            &shape("soft", &[(x - 3.0, top), (x + 3.0, top), (x + 3.0, bottom), (x - 3.0, bottom)]);
        body += &line("line", (x - 3.0, y(only.p50)), (x + 3.0, y(only.p50)));
    } else if !points.is_empty() {
        let band = long.chain(middle.iter().rev().copied()).collect::<Vec<_>>();
        body += &shape("soft", &band);
        let points = points_of(&middle);
        body.extend(["<polyline class=\"line\" points=\"", &points, "\"/>"]);
    }
    body += &text("end", (LEFT - 4.0, ABOVE + 4.0), axes.most);
    body += &text("end", (LEFT - 4.0, bottom), axes.zero);
    body += &text("start", (LEFT, f64::from(HEIGHT) - 3.0), axes.from);
    body += &text("end", (right, f64::from(HEIGHT) - 3.0), axes.to);
    picture("spread", label, (WIDTH, HEIGHT), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::drawing::tests::{HOSTILE, check};

    fn drawn(points: &[Point], days: u64) -> String {
        let axes = Axes { most: HOSTILE, zero: HOSTILE, from: HOSTILE, to: HOSTILE };
        let drawn = spread(HOSTILE, points, days, axes);
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
    fn there_may_be_none_one_or_huge_ones() {
        drawn(&[], 0);
        drawn(&[], 90);
        drawn(&[point(0, 0, 0)], 1);
        drawn(&[point(3, 5, 9)], 0);
        drawn(&[point(u64::MAX, u64::MAX, 0), point(0, 1, u64::MAX)], 2);
    }
}
