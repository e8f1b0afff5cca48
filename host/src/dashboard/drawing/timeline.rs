//! The life of a token: when it came, when it is refreshed, when it ends, where we are, and what was tried meanwhile.

use crate::dashboard::drawing::{Tone, line, picture, rectangle, scaled, shape, text};
use crate::model::attempt::Outcome;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 78;
const EDGE: f64 = 8.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 46.0;

/// Moments in milliseconds, with their names.
#[derive(Clone, Debug, Default)]
pub(in crate::dashboard) struct Life<'a> {
    /// When the token came.
    pub(in crate::dashboard) issued: Option<(i64, &'a str)>,
    /// When it is refreshed.
    pub(in crate::dashboard) refresh: Option<(i64, &'a str)>,
    /// When it ends.
    pub(in crate::dashboard) expires: Option<(i64, &'a str)>,
    /// Now.
    pub(in crate::dashboard) now: (i64, &'a str),
    /// What was tried, and when.
    pub(in crate::dashboard) tries: Vec<(i64, Outcome)>,
}

/// A picture of that life.
pub(in crate::dashboard) fn timeline(label: &str, life: &Life<'_>) -> String {
    let moments = [life.issued, life.refresh, life.expires, Some(life.now)];
    let moments = moments.iter().flatten().map(|it| it.0).collect::<Vec<_>>();
    let first = moments.iter().copied().min().unwrap_or_default();
    let last = moments.iter().copied().max().unwrap_or_default();
    let whole = last.abs_diff(first).max(1);
    let room = f64::from(WIDTH) - 2.0 * EDGE;
    let x = |at: i64| EDGE + scaled(at.max(first).abs_diff(first), whole, room);
    let mut body = rectangle("track", [EDGE, TOP, room, BOTTOM - TOP]);
    if let Some((issued, _)) = life.issued {
        let end = life.expires.map_or(last, |it| it.0);
        let (from, to) = (x(issued), x(end));
        let tone = if end > life.now.0 { Tone::Good } else { Tone::Bad };
        body += &rectangle("soft", [from, TOP, (to - from).max(0.0), BOTTOM - TOP]);
        let used = (x(life.now.0.min(end)) - from).max(0.0);
        body += &rectangle(tone.class(), [from, TOP + 6.0, used, BOTTOM - TOP - 12.0]);
    }
    for (at, outcome) in life.tries.iter().filter(|(at, _)| (first..=last).contains(at)) {
        body += &tried(*outcome, x(*at));
    }
    // Names above and below by turns, so that they do not stand on each other.
    for (named, y) in
        [(life.issued, 70.0), (life.refresh, 14.0), (life.expires, 70.0), (Some(life.now), 14.0)]
    {
        let Some((at, name)) = named else { continue };
        let x = x(at);
        body += &line("rule", (x, TOP - 6.0), (x, BOTTOM + 8.0));
        body += &text(anchor(x), (x, y), name);
    }
    picture("timeline", label, (WIDTH, HEIGHT), &body)
}

/// A success is a triangle on its foot, a failure one on its head.
fn tried(outcome: Outcome, x: f64) -> String {
    let (low, high) = (BOTTOM + 8.0, BOTTOM);
    match outcome {
        Outcome::Success => shape("good", &[(x - 4.0, low), (x + 4.0, low), (x, high)]),
        Outcome::Failed => shape("bad", &[(x - 4.0, high), (x + 4.0, high), (x, low)]),
        Outcome::Skipped => rectangle("track", [x - 1.0, high, 2.0, 8.0]),
    }
}

/// A name stays inside of the picture.
fn anchor(x: f64) -> &'static str {
    let width = f64::from(WIDTH);
    if x < width / 5.0 {
        "start"
    } else if x > width * 4.0 / 5.0 {
        "end"
    } else {
        "middle"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::drawing::tests::{HOSTILE, check};

    #[test]
    fn a_token_that_works_is_good_up_to_now() {
        let life = Life {
            issued: Some((0, "came")),
            refresh: Some((600, "refresh")),
            expires: Some((1_000, "ends")),
            now: (500, "now"),
            tries: vec![(0, Outcome::Success), (400, Outcome::Failed), (5_000, Outcome::Failed)],
        };
        let drawn = timeline("", &life);
        check(&drawn);
        assert!(drawn.contains("class=\"good\" x=\"8\" y=\"30\" width=\"312\""), "{drawn}");
        assert_eq!(drawn.matches("class=\"bad\"").count(), 1, "what lies outside is not drawn");
        let over = Life { now: (2_000, "now"), ..life };
        assert!(timeline("", &over).contains("class=\"bad\" x=\"8\" y=\"30\" width=\"312\""));
    }

    #[test]
    fn any_moment_may_be_missing_or_far_away() {
        check(&timeline(HOSTILE, &Life { now: (0, HOSTILE), ..Life::default() }));
        let far = Life {
            issued: Some((i64::MIN, HOSTILE)),
            expires: Some((i64::MAX, HOSTILE)),
            tries: vec![(0, Outcome::Skipped), (i64::MIN, Outcome::Success)],
            ..Life::default()
        };
        check(&timeline(HOSTILE, &far));
        let backwards = Life { issued: Some((9, "")), expires: Some((1, "")), ..Life::default() };
        check(&timeline("", &backwards));
    }
}
