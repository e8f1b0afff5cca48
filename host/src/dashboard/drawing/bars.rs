//! A number for each hour, from nothing up; the highest bar stands out.

use crate::dashboard::drawing::{picture, rectangle, scaled, stepped};

const STEP: u32 = 14;
const WIDE: f64 = 11.0;
const HEIGHT: u32 = 48;

/// One bar for each number; an hour without any is a line at the bottom.
pub(in crate::dashboard) fn bars(label: &str, counts: &[u64]) -> String {
    let (most, height) = (counts.iter().copied().max().unwrap_or_default(), f64::from(HEIGHT));
    let mut body = String::new();
    for (place, count) in counts.iter().enumerate() {
        let tall = scaled(*count, most, height).max(if *count > 0 { 3.0 } else { 1.0 });
        let class = match *count {
            0 => "track",
            it if it == most => "fill",
            _ => "soft",
        };
        let x = stepped(place, f64::from(STEP));
        body.push_str(&rectangle(class, [x, height - tall, WIDE, tall]));
    }
    let width = STEP * u32::try_from(counts.len().max(1)).unwrap_or(1);
    picture("bars flow", label, (width, HEIGHT), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::drawing::tests::{HOSTILE, check};

    #[test]
    fn the_highest_bar_fills_the_picture() {
        let bars = bars("", &[0, 1, 10, 5]);
        check(&bars);
        assert!(
            bars.contains("class=\"fill\" x=\"28\" y=\"0\" width=\"11\" height=\"48\""),
            "{bars}"
        );
        assert!(bars.contains("class=\"track\""), "{bars}");
    }

    #[test]
    fn there_may_be_none_one_or_huge_ones() {
        for counts in [&[][..], &[0], &[7], &[0; 24], &[u64::MAX, 1, 0]] {
            check(&bars(HOSTILE, counts));
        }
    }
}
