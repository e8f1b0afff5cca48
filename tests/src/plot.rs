//! Figures over time as a picture: charts one below the other over the same axis, made here as SVG. It needs neither a
//! library nor a script, is read on a light and on a dark page, and says in words what it shows; lines differ by their
//! strokes and not by colour alone. Pure: figures in, markup out.

use std::fmt::Write as _;

/// A picture.
#[derive(Clone, Debug)]
pub struct Plot<'a> {
    /// What it shows, in a line.
    pub title: &'a str,
    /// What can be seen in it, for whoever cannot see it.
    pub description: &'a str,
    /// What the axis at the bottom counts.
    pub across: &'a str,
    /// From top to bottom.
    pub charts: Vec<Chart<'a>>,
}

/// One chart of it, with an axis of its own upwards.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// What is counted, with its unit.
    pub title: &'a str,
    /// At most three.
    pub lines: Vec<Line<'a>>,
}

/// One line of a chart.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// What it is called beside the others.
    pub name: &'a str,
    /// Places across, in order, with their values.
    pub points: Vec<(f64, f64)>,
}

/// How wide it is. A page of documentation is a little wider.
const WIDTH: f64 = 760.0;

/// Where charts begin and end across: beside them is room for numbers.
const SIDES: (f64, f64) = (64.0, 736.0);

/// Above the first chart, for the title.
const HEAD: f64 = 40.0;

/// Of a chart with its title above it and its numbers below.
const STEP: f64 = 168.0;

/// Below the last chart, for what the axis counts.
const FOOT: f64 = 28.0;

/// Where the drawing of a chart begins and ends, below its top.
const INNER: (f64, f64) = (28.0, 138.0);

/// As the colours of a page, and those of one that is dark.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}\
    .title{font-size:15px;font-weight:600}.ground{fill:#fff}.grid{stroke:#d1d9e0}.axis{stroke:#59636e}\
    .line{fill:none;stroke-width:1.6;stroke-linejoin:round}.first{stroke:#0969da}\
    .second{stroke:#cf222e;stroke-dasharray:6 3}.third{stroke:#8250df;stroke-dasharray:2 2}\
    @media (prefers-color-scheme:dark){text{fill:#f0f6fc}.ground{fill:#0d1117}.grid{stroke:#3d444d}\
    .axis{stroke:#9198a1}.first{stroke:#4493f8}.second{stroke:#f85149}.third{stroke:#ab7df8}}";

/// Lines in the order in which they are named.
const CLASSES: [&str; 3] = ["first", "second", "third"];

/// More points than there are places for are drawn by nobody.
const MOST_POINTS: usize = 700;

/// The picture as a document of its own.
pub fn svg(plot: &Plot<'_>) -> String {
    let mut body = text_at("title", "start", (SIDES.0, 24.0), plot.title);
    let right = plot.right_end();
    match right {
        Some(right) => {
            for (place, chart) in plot.charts.iter().enumerate() {
                body.push_str(&chart.drawn(HEAD + stepped(place), right));
            }
        }
        None => body.push_str(&text_at("note", "start", (SIDES.0, 64.0), NOTHING)),
    }
    let height = HEAD + right.map_or(STEP, |_| stepped(plot.charts.len())) + FOOT;
    let middle = f64::midpoint(SIDES.0, SIDES.1);
    body.push_str(&text_at("note", "middle", (middle, height - 10.0), plot.across));
    let said = if right.is_some() { plot.description } else { NOTHING };
    framed(plot.title, said, height, &body)
}

/// What a picture of nothing says.
const NOTHING: &str = "Nothing was measured.";

fn framed(title: &str, description: &str, height: f64, body: &str) -> String {
    let (title, description) = (escaped(title), escaped(description));
    let (width, height) = (number(WIDTH), number(height));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"title desc\" \
         viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <title id=\"title\">{title}</title>\n<desc id=\"desc\">{description}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n\
         {body}</svg>\n"
    )
}

impl Plot<'_> {
    /// The last place across; none when there is not one point.
    fn right_end(&self) -> Option<f64> {
        let lines = self.charts.iter().flat_map(|it| &it.lines);
        lines.flat_map(Line::known).map(|it| it.0).max_by(f64::total_cmp)
    }
}

impl Chart<'_> {
    fn drawn(&self, top: f64, right: f64) -> String {
        let values = self.lines.iter().flat_map(Line::known).map(|it| it.1);
        let scale = Scale {
            bottom: top + INNER.1,
            height: INNER.1 - INNER.0,
            right: if right > 0.0 { right } else { 1.0 },
            most: rounded_up(values.fold(0.0, f64::max)),
        };
        let mut text = text_at("", "start", (SIDES.0, top + 16.0), self.title);
        text.push_str(&scale.grid());
        for (line, class) in self.lines.iter().zip(CLASSES) {
            text.push_str(&line.drawn(class, &scale));
        }
        if self.lines.len() > 1 {
            text.push_str(&self.legend(top));
        }
        text
    }

    /// Names of lines from right to left, each behind a piece of its stroke.
    fn legend(&self, top: f64) -> String {
        let mut text = String::new();
        let mut right = SIDES.1;
        for (line, class) in self.lines.iter().zip(CLASSES).rev() {
            text.push_str(&text_at("", "end", (right, top + 16.0), line.name));
            // As wide as letters of this size are at most.
            let width = f64::from(u32::try_from(line.name.chars().count()).unwrap_or(0)) * 7.0;
            let (from, to, y) = (right - width - 30.0, right - width - 6.0, top + 12.0);
            text.push_str(&stroke(&format!("line {class}"), (from, y), (to, y)));
            right = from - 14.0;
        }
        text
    }
}

impl Line<'_> {
    fn drawn(&self, class: &str, scale: &Scale) -> String {
        let place = |it: (f64, f64)| format!("{},{}", number(scale.x(it.0)), number(scale.y(it.1)));
        let points = self.thinned().into_iter().map(place).collect::<Vec<_>>().join(" ");
        let name = escaped(self.name);
        format!(
            "<polyline class=\"line {class}\" points=\"{points}\"><title>{name}</title></polyline>\n"
        )
    }

    fn known(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().copied().filter(|it| it.0.is_finite() && it.1.is_finite())
    }

    /// Of neighbours that share a place, the highest: a peak must not get lost.
    fn thinned(&self) -> Vec<(f64, f64)> {
        let known = self.known().collect::<Vec<_>>();
        let together = known.len().div_ceil(MOST_POINTS).max(1);
        let highest = |it: &[(f64, f64)]| it.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        known.chunks(together).filter_map(highest).collect()
    }
}

/// From values to places of one chart.
struct Scale {
    bottom: f64,
    height: f64,
    /// The last value across.
    right: f64,
    /// The highest value.
    most: f64,
}

impl Scale {
    fn x(&self, value: f64) -> f64 {
        SIDES.0 + (SIDES.1 - SIDES.0) * (value / self.right).clamp(0.0, 1.0)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - self.height * (value / self.most).clamp(0.0, 1.0)
    }

    /// Lines across at nothing, a half and all, with their numbers, and numbers along the axis.
    fn grid(&self) -> String {
        let mut text = String::new();
        for (share, class) in [(0.0, "axis"), (0.5, "grid"), (1.0, "grid")] {
            let y = self.y(self.most * share);
            text.push_str(&stroke(class, (SIDES.0, y), (SIDES.1, y)));
            text.push_str(&text_at("", "end", (SIDES.0 - 8.0, y + 4.0), &label(self.most * share)));
        }
        let step = rounded_up(self.right / 6.0);
        let marks = (0..=12).map(|it| f64::from(it) * step);
        for value in marks.take_while(|it| *it <= self.right * 1.001) {
            let x = self.x(value);
            text.push_str(&stroke("axis", (x, self.bottom), (x, self.bottom + 4.0)));
            text.push_str(&text_at("", "middle", (x, self.bottom + 18.0), &label(value)));
        }
        text
    }
}

/// The next number that is easy to read: 1, 2 or 5 and zeros.
fn rounded_up(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = 10.0_f64.powf(value.log10().floor());
    let easy = [1.0, 2.0, 5.0].into_iter().map(|it| it * power).find(|it| *it >= value);
    easy.unwrap_or(10.0 * power)
}

fn stroke(class: &str, (x, y): (f64, f64), (to_x, to_y): (f64, f64)) -> String {
    let [x, y, to_x, to_y] = [x, y, to_x, to_y].map(number);
    format!("<line class=\"{class}\" x1=\"{x}\" y1=\"{y}\" x2=\"{to_x}\" y2=\"{to_y}\"/>\n")
}

/// A text at a place; `anchor` is `start`, `middle` or `end`.
fn text_at(class: &str, anchor: &str, (x, y): (f64, f64), said: &str) -> String {
    let (x, y) = (number(x), number(y));
    let mut text = String::from("<text");
    if !class.is_empty() {
        let _ = write!(text, " class=\"{class}\"");
    }
    let _ =
        writeln!(text, " x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>", escaped(said));
    text
}

fn stepped(place: usize) -> f64 {
    f64::from(u32::try_from(place).unwrap_or(u32::MAX)) * STEP
}

/// A coordinate with one digit behind the point.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A number at an axis, with two digits behind the point where they say something.
fn label(value: f64) -> String {
    format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line<'a>(name: &'a str, points: &[(f64, f64)]) -> Line<'a> {
        Line { name, points: points.to_vec() }
    }

    fn plot(charts: Vec<Chart<'_>>) -> String {
        let (title, description) = ("An hour <of \"work\">", "It is done & over.");
        svg(&Plot { title, description, across: "minutes", charts })
    }

    fn two_charts() -> Vec<Chart<'static>> {
        let both = vec![
            line("refreshes", &[(0.0, 0.0), (30.0, 1_100.0), (60.0, 1_050.0)]),
            line("errors", &[(0.0, 0.0), (60.0, 23.0)]),
        ];
        let lag = vec![line("lag", &[(0.0, 0.2), (60.0, 3.4)])];
        vec![
            Chart { title: "Lag, in seconds", lines: lag },
            Chart { title: "In a second", lines: both },
        ]
    }

    /// Every element that begins ends, in order, and no coordinate is something else.
    fn check(svg: &str) {
        let mut open = Vec::new();
        for piece in svg.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').expect("a tag ends");
            assert!(!text.contains('>'), "{piece}");
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{svg}");
            } else if !tag.ends_with('/') {
                open.push(tag.split(' ').next().unwrap_or_default());
            }
        }
        assert!(open.is_empty(), "{open:?}");
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{svg}");
        for bad in ["NaN", "inf", "<script", "=\"-"] {
            assert!(!svg.contains(bad), "{bad} in {svg}");
        }
    }

    #[test]
    fn each_line_is_drawn_and_named() {
        let svg = plot(two_charts());
        check(&svg);
        assert_eq!(svg.matches("<polyline").count(), 3, "{svg}");
        for said in ["Lag, in seconds", "In a second", "refreshes", "errors", "lag", "minutes"] {
            assert!(svg.contains(&format!(">{said}</")), "{said} in {svg}");
        }
        assert!(svg.contains("class=\"line second\" points=\""), "{svg}");
    }

    #[test]
    fn it_says_in_words_what_it_shows_and_follows_the_page() {
        let svg = plot(two_charts());
        assert!(svg.contains("<title id=\"title\">An hour &lt;of &quot;work&quot;&gt;</title>"));
        assert!(svg.contains("<desc id=\"desc\">It is done &amp; over.</desc>"), "{svg}");
        assert!(svg.contains("prefers-color-scheme:dark"), "{svg}");
    }

    #[test]
    fn where_nothing_was_measured_that_is_said() {
        let empty = Chart { title: "Lag", lines: vec![line("lag", &[])] };
        for charts in [Vec::new(), vec![empty]] {
            let svg = plot(charts);
            check(&svg);
            assert!(svg.contains(">Nothing was measured.</text>"), "{svg}");
            assert!(svg.contains(">Nothing was measured.</desc>"), "{svg}");
            assert!(!svg.contains("<polyline"), "{svg}");
        }
    }

    #[test]
    fn a_chart_without_points_stands_beside_one_that_has_some() {
        let mut charts = two_charts();
        charts[0].lines[0].points.clear();
        let svg = plot(charts);
        check(&svg);
        assert_eq!(svg.matches("<polyline").count(), 3, "{svg}");
    }

    #[test]
    fn what_is_no_number_is_left_out_and_one_point_is_enough() {
        let odd = [(0.0, f64::NAN), (1.0, 5.0), (2.0, f64::INFINITY)];
        check(&plot(vec![Chart { title: "Odd", lines: vec![line("odd", &odd)] }]));
        check(&plot(vec![Chart { title: "One", lines: vec![line("one", &[(0.0, 0.0)])] }]));
    }

    #[test]
    fn a_peak_among_many_points_is_kept() {
        let mut points = (0..10_000).map(|it| (f64::from(it), 1.0)).collect::<Vec<_>>();
        points[7_777].1 = 50.0;
        let thinned = line("many", &points).thinned();
        assert!(thinned.len() <= MOST_POINTS, "{}", thinned.len());
        assert!(thinned.iter().any(|it| it.1 > 49.0));
    }

    #[test]
    fn axes_end_at_numbers_that_are_easy_to_read() {
        let texts = [0.0, 0.03, 1.0, 1.1, 23.0, 1_100.0, 5_001.0].map(|it| label(rounded_up(it)));
        assert_eq!(texts, ["1", "0.05", "1", "2", "50", "2000", "10000"]);
        assert_eq!([0.0, 0.5, 12.25, 100.0].map(label), ["0", "0.5", "12.25", "100"]);
    }
}
