//! A mark for each day, week by week: a whole square where everything went well, half of one with a notch where
//! something failed, a small one where only tries were left out, a hollow one where nothing was tried.

use crate::dashboard::drawing::{Tone, picture, rectangle, shape, stepped};

const STEP: u32 = 13;
const WIDE: f64 = 11.0;
const WEEK: usize = 7;

/// One day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::dashboard) struct Day {
    /// What went well.
    pub(in crate::dashboard) success: u64,
    /// What failed.
    pub(in crate::dashboard) failed: u64,
    /// What sent nothing.
    pub(in crate::dashboard) skipped: u64,
}

/// The days, oldest first; the first is the day of a week with that number, Monday being 0.
pub(in crate::dashboard) fn calendar(label: &str, first: usize, days: &[Day]) -> String {
    let mut body = String::new();
    for (place, day) in days.iter().enumerate() {
        let (week, weekday) = ((place + first % WEEK) / WEEK, (place + first) % WEEK);
        let (x, y) = (stepped(week, f64::from(STEP)), stepped(weekday, f64::from(STEP)));
        body.push_str(&mark(*day, x, y));
    }
    let weeks = (days.len() + first % WEEK).div_ceil(WEEK).max(1);
    let size = |count: usize| STEP * u32::try_from(count).unwrap_or(1);
    picture("calendar flow", label, (size(weeks), size(WEEK)), &body)
}

fn mark(day: Day, x: f64, y: f64) -> String {
    match day {
        Day { failed: 1.., success, .. } => {
            let (top, middle) = (y + WIDE / 2.0, x + WIDE / 2.0);
            let (right, bottom) = (x + WIDE, y + WIDE);
            let points =
                [(x, top), (middle, top + 3.0), (right, top), (right, bottom), (x, bottom)];
            let tone = if success > 0 { Tone::Wait } else { Tone::Bad };
            shape(tone.class(), &points)
        }
        Day { success: 1.., .. } => rectangle(Tone::Good.class(), [x, y, WIDE, WIDE]),
        Day { skipped: 1.., .. } => rectangle("track", [x + 3.0, y + 3.0, WIDE - 6.0, WIDE - 6.0]),
        _ => rectangle("none", [x + 0.5, y + 0.5, WIDE - 1.0, WIDE - 1.0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::drawing::tests::{HOSTILE, check};

    #[test]
    fn days_stand_below_each_other_and_weeks_side_by_side() {
        let good = Day { success: 1, ..Day::default() };
        let bad = Day { failed: 2, ..Day::default() };
        let calendar = calendar("", 6, &[good, bad]);
        check(&calendar);
        assert!(calendar.contains("class=\"good\" x=\"0\" y=\"78\""), "a Sunday: {calendar}");
        assert!(calendar.contains("class=\"bad\" points=\"13,5.5 "), "a Monday: {calendar}");
    }

    #[test]
    fn there_may_be_none_one_or_huge_ones() {
        check(&calendar(HOSTILE, 0, &[]));
        check(&calendar(HOSTILE, 99, &[Day::default()]));
        let huge = Day { success: u64::MAX, failed: u64::MAX, skipped: u64::MAX };
        check(&calendar(HOSTILE, 3, &[huge; 90]));
    }
}
