//! How much of a lifetime is used up. A share, because lifetimes run from minutes to a month.

use crate::dashboard::drawing::{Tone, picture, rectangle, scaled};

const WIDTH: u32 = 100;
const HEIGHT: u32 = 12;

/// `used` of `whole`; nothing is filled where nobody knows.
pub(in crate::dashboard) fn gauge(label: &str, used: Option<(u64, u64)>, tone: Tone) -> String {
    let (width, height) = (f64::from(WIDTH), f64::from(HEIGHT));
    let body = match used {
        None => rectangle(Tone::None.class(), [0.5, 0.5, width - 1.0, height - 1.0]),
        Some((used, whole)) => {
            let filled = scaled(used, whole, width);
            // What is used up has a notch at its end, for those who see no colour.
            let notch = if used >= whole {
                rectangle("track", [width - 6.0, 0.0, 3.0, height])
            } else {
                String::new()
            };
            rectangle("track", [0.0, 0.0, width, height])
                + &rectangle(tone.class(), [0.0, 0.0, filled, height])
                + &notch
        }
    };
    picture("gauge flow", label, (WIDTH, HEIGHT), &body)
}

/// What something is made of, part by part, each with its class.
pub(in crate::dashboard) fn split(label: &str, parts: &[(&str, u64)]) -> String {
    const LONG: u32 = 320;
    let whole = parts.iter().fold(0_u64, |sum, (_, part)| sum.saturating_add(*part));
    let (mut body, mut x) = (String::new(), 0.0);
    for (class, part) in parts {
        let width = scaled(*part, whole, f64::from(LONG));
        body.push_str(&rectangle(class, [x, 0.0, width, f64::from(HEIGHT)]));
        x += width;
    }
    picture("split flow", label, (LONG, HEIGHT), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::drawing::tests::{HOSTILE, check};

    #[test]
    fn a_share_is_drawn_whatever_the_numbers() {
        for used in [
            None,
            Some((0, 0)),
            Some((0, 9)),
            Some((9, 9)),
            Some((u64::MAX, 1)),
            Some((1, u64::MAX)),
        ] {
            check(&gauge(HOSTILE, used, Tone::Good));
        }
        assert!(gauge("", Some((1, 4)), Tone::Good).contains("width=\"25\""));
    }

    #[test]
    fn parts_stand_behind_each_other() {
        let drawn = split(HOSTILE, &[("soft", 1), ("fill", 3), ("track", 0)]);
        check(&drawn);
        assert!(drawn.contains("class=\"fill\" x=\"80\" y=\"0\" width=\"240\""), "{drawn}");
        check(&split("", &[]));
        check(&split("", &[("soft", 0), ("fill", u64::MAX), ("track", u64::MAX)]));
    }
}
