//! Numbers as pictures, made here as SVG: they need no script, follow the colours of the page, and say in words what
//! they show. Pure: numbers and texts in, markup out. No text gets into it but escaped, and no number that is none.
//!
//! Each picture has a table beside it that says the same; shape and height say what colour says.

/// How much of a lifetime is used up.
pub(super) mod gauge;

/// The last tries, one beside the other.
pub(super) mod strip;

/// A number for each hour.
pub(super) mod bars;

/// A mark for each day.
pub(super) mod calendar;

/// Durations, day by day.
pub(super) mod spread;

/// The life of a token, with what was tried meanwhile.
pub(super) mod timeline;

use std::fmt::Write as _;

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// Soon to be looked at.
    Wait,
    /// It failed.
    Bad,
    /// Neither.
    None,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Wait => "wait",
            Self::Bad => "bad",
            Self::None => "none",
        }
    }
}

/// A picture of that size, which says `label`.
fn picture(class: &str, label: &str, (width, height): (u32, u32), body: &str) -> String {
    format!(
        "<svg class=\"{class}\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">{body}</svg>",
        escaped(label)
    )
}

/// What a picture shows, as a table behind a line that opens it.
pub(super) fn table(summary: &str, head: &[String], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for name in head {
        let _ = write!(text, "<th scope=\"col\">{}</th>", escaped(name));
    }
    let mut body = String::new();
    for row in rows {
        body.push_str("<tr>");
        for (cell, name) in row.iter().zip(head) {
            let (cell, name) = (escaped(cell), escaped(name));
            let _ = write!(body, "<td data-name=\"{name}\">{cell}</td>");
        }
        body.push_str("</tr>");
    }
    let summary = escaped(summary);
    format!(
        "<details class=\"chart\"><summary>{summary}</summary><div class=\"wide\"><table><thead><tr>{text}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )
}

/// A text as markup may have it, in content and in attributes alike.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A rectangle.
fn rectangle(class: &str, [x, y, width, height]: [f64; 4]) -> String {
    let [x, y, width, height] = [x, y, width, height].map(number);
    format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>")
}

/// A line from one point to another.
fn line(class: &str, (x, y): (f64, f64), (to_x, to_y): (f64, f64)) -> String {
    let [x, y, to_x, to_y] = [x, y, to_x, to_y].map(number);
    format!("<line class=\"{class}\" x1=\"{x}\" y1=\"{y}\" x2=\"{to_x}\" y2=\"{to_y}\"/>")
}

/// What tells whoever points at it what it is.
fn titled(said: &str, body: &str) -> String {
    format!("<g><title>{}</title>{body}</g>", escaped(said))
}

/// A closed shape.
fn shape(class: &str, points: &[(f64, f64)]) -> String {
    format!("<polygon class=\"{class}\" points=\"{}\"/>", points_of(points))
}

fn points_of(points: &[(f64, f64)]) -> String {
    let point = |(x, y): &(f64, f64)| format!("{},{}", number(*x), number(*y));
    points.iter().map(point).collect::<Vec<_>>().join(" ")
}

/// A text at a place; `anchor` is `start`, `middle` or `end`.
fn text(anchor: &str, (x, y): (f64, f64), said: &str) -> String {
    let (x, y) = (number(x), number(y));
    format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>", escaped(said))
}

/// A coordinate with one digit behind the point. What is no number is nowhere in particular.
fn number(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// How long `part` is where `whole` is `length`; between nothing and all of it.
#[expect(clippy::cast_precision_loss, reason = "a picture is a few hundred points wide")]
fn scaled(part: u64, whole: u64, length: f64) -> f64 {
    if whole == 0 { 0.0 } else { (part.min(whole) as f64 / whole as f64) * length }
}

/// The place of the one with that number, in steps of `step`.
fn stepped(place: usize, step: f64) -> f64 {
    f64::from(u32::try_from(place).unwrap_or(u32::MAX)) * step
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::dashboard::drawing) const HOSTILE: &str =
        "\"><script>alert(1)</script>&'\u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd}";

    /// What holds for every picture.
    pub(in crate::dashboard::drawing) fn check(markup: &str) {
        assert_eq!(markup.find("<svg "), Some(0), "{markup}");
        assert!(markup.strip_suffix("</svg>").is_some(), "{markup}");
        assert!(markup.contains("role=\"img\" aria-label=\""), "{markup}");
        for bad in ["NaN", "inf", "<script", "=\"-", "style="] {
            assert!(!markup.contains(bad), "{bad} in {markup}");
        }
        let tags = markup.matches('<').count();
        assert_eq!(tags, markup.matches('>').count(), "{markup}");
        assert_eq!(markup.matches('"').count() % 2, 0, "{markup}");
    }

    #[test]
    fn a_table_is_text_and_nothing_else() {
        let hostile = HOSTILE.to_owned();
        let table =
            table(HOSTILE, &[hostile.clone(), "b".to_owned()], &[vec![hostile, String::new()]]);
        assert!(!table.contains("<script") && table.contains("&lt;script&gt;"), "{table}");
        assert!(table.contains("\u{5e9}"), "whatever way it is written: {table}");
        assert_eq!(table.matches("<td").count(), 2);
    }

    #[test]
    fn a_number_that_is_none_is_nowhere() {
        assert_eq!((number(f64::NAN), number(f64::INFINITY)), ("0".to_owned(), "0".to_owned()));
        assert_eq!(
            (number(1.04), number(1.25), number(3.0)),
            ("1".into(), "1.2".into(), "3".into())
        );
        assert_eq!((scaled(1, 0, 9.0), scaled(5, 2, 9.0), scaled(1, 2, 9.0)), (0.0, 9.0, 4.5));
        assert!(scaled(u64::MAX, u64::MAX, 9.0) <= 9.0);
    }
}
