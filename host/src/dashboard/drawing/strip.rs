//! The last tries, one beside the other, the newest at the end: a success is a whole bar, a failure half of one with a
//! notch, what sent nothing a line.

use crate::dashboard::drawing::{Tone, picture, rectangle, shape, stepped};
use crate::model::attempt::Outcome;

const STEP: u32 = 5;
const WIDE: f64 = 4.0;
const HEIGHT: u32 = 20;

/// The last `places` of them, oldest first; places without a try are hollow.
pub(in crate::dashboard) fn strip(label: &str, tries: &[Outcome], places: usize) -> String {
    let tries = &tries[tries.len().saturating_sub(places)..];
    let empty = places - tries.len();
    let mut body = String::new();
    for place in 0..places {
        let x = stepped(place, f64::from(STEP));
        let mark = place.checked_sub(empty).and_then(|it| tries.get(it));
        body.push_str(&mark.map_or_else(|| hollow(x), |it| drawn(*it, x)));
    }
    let width = STEP * u32::try_from(places).unwrap_or(u32::MAX / STEP);
    picture("strip flow", label, (width, HEIGHT), &body)
}

fn hollow(x: f64) -> String {
    rectangle("none", [x + 0.5, f64::from(HEIGHT) - 4.5, WIDE - 1.0, 4.0])
}

fn drawn(outcome: Outcome, x: f64) -> String {
    let height = f64::from(HEIGHT);
    match outcome {
        Outcome::Success => rectangle(Tone::Good.class(), [x, 0.0, WIDE, height]),
        Outcome::Failed => {
            let (top, middle) = (height / 2.0, x + WIDE / 2.0);
            let points =
                [(x, top), (middle, top + 3.0), (x + WIDE, top), (x + WIDE, height), (x, height)];
            shape(Tone::Bad.class(), &points)
        }
        Outcome::Skipped => rectangle("track", [x, height - 3.0, WIDE, 3.0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::drawing::tests::{HOSTILE, check};

    #[test]
    fn each_outcome_has_a_shape_and_the_newest_is_last() {
        let all = [Outcome::Success, Outcome::Failed, Outcome::Skipped];
        let strip = strip("", &all, 4);
        check(&strip);
        assert_eq!(
            (strip.matches("class=\"none\"").count(), strip.matches("<polygon").count()),
            (1, 1)
        );
        assert!(strip.contains("class=\"track\" x=\"15\""), "{strip}");
    }

    #[test]
    fn there_may_be_none_one_or_too_many() {
        check(&strip(HOSTILE, &[], 0));
        check(&strip(HOSTILE, &[], 30));
        check(&strip(HOSTILE, &[Outcome::Failed], 1));
        let many = strip("", &[Outcome::Success; 500], 30);
        assert_eq!(many.matches("<rect").count(), 30);
    }
}
