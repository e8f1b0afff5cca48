//! Many connections in few lines: what needs somebody comes first, those that fail alike share a line, and
//! the rest is counted.

use std::collections::BTreeMap;

use crate::cli::render::line::Line;
use crate::cli::render::{connection, door, tone};
use crate::model::state::State;
use crate::operator::view::ConnectionView;

/// Up to so many connections each have a line.
const FEW: usize = 30;

/// From so many on, those that fail alike share a line.
const ALIKE: usize = 4;

/// Names in a line that is shared.
const NAMED: usize = 5;

/// Connections with trouble that are held; the others are counted.
const HELD: usize = 10_000;

/// States, the worst first.
const ORDER: [State; 8] = [
    State::Misconfigured,
    State::Reconnect,
    State::Expired,
    State::Late,
    State::New,
    State::Refreshing,
    State::Paused,
    State::Fresh,
];

/// What is said of many connections.
#[derive(Default)]
pub(super) struct Overview {
    counts: BTreeMap<usize, usize>,
    troubled: Vec<ConnectionView>,
    /// The first of those without trouble: as many as are shown when there are few.
    well: Vec<ConnectionView>,
}

impl Overview {
    /// Takes more of them in.
    pub(super) fn add(&mut self, rows: Vec<ConnectionView>) {
        for row in rows {
            *self.counts.entry(place(row.state)).or_default() += 1;
            if is_trouble(&row) {
                if self.troubled.len() < HELD {
                    self.troubled.push(row);
                }
            } else if self.well.len() < FEW {
                self.well.push(row);
            }
        }
    }

    /// What is printed.
    pub(super) fn lines(mut self) -> Vec<Line> {
        self.troubled.sort_by(|one, other| cause(one).cmp(&cause(other)));
        let all = self.counts.values().sum::<usize>();
        if all <= FEW {
            self.troubled.append(&mut self.well);
            return connection::states(&self.troubled);
        }
        let mut lines = Vec::new();
        for group in groups(&self.troubled) {
            lines.extend(if group.len() < ALIKE {
                connection::states(group)
            } else {
                shared(group)
            });
        }
        lines.extend(self.counted(all).folded(door::width(), 2));
        lines
    }

    fn counted(&self, all: usize) -> Line {
        let counts = self.counts.iter().map(|(place, count)| format!("{count} {}", ORDER[*place]));
        let counts = counts.collect::<Vec<_>>().join(", ");
        format!("{all} connections: {counts}; a line for each: keepfresh status --all").into()
    }
}

fn place(state: State) -> usize {
    ORDER.iter().position(|it| *it == state).unwrap_or(ORDER.len() - 1)
}

fn is_trouble(view: &ConnectionView) -> bool {
    view.state.needs_a_person() || view.state == State::Late || view.orphaned
}

/// Those that fail alike, which stand next to each other.
fn groups(troubled: &[ConnectionView]) -> impl Iterator<Item = &[ConnectionView]> {
    troubled.chunk_by(|one, other| cause(one) == cause(other))
}

fn cause(view: &ConnectionView) -> (usize, &str, Option<&str>) {
    let failed = view.last_attempt.as_ref().and_then(|it| it.error());
    (place(view.state), &view.provider, failed.or(view.error.as_ref()).map(|it| it.code.text()))
}

/// The first one's words, and the names of a few.
fn shared(group: &[ConnectionView]) -> Vec<Line> {
    let [first, ..] = group else { return Vec::new() };
    let (state, count) = (first.state, group.len());
    let head = tone::symbol(state).then(format!(" {count} of {}  ", first.provider));
    let names = group.iter().take(NAMED).map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
    let more = match count - NAMED.min(count) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let step = format!("keepfresh status --provider {} --state {state} --all", first.provider);
    let mut lines =
        connection::saying(head.then(tone::state(state)), &first.sentence, door::width());
    lines.extend(Line::from(format!("    {names}{more}")).folded(door::width(), 4));
    lines.push(format!("    → {step}").into());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(number: usize, state: State) -> ConnectionView {
        ConnectionView {
            id: format!("x/c{number}"),
            short: format!("x/c{number}"),
            provider: "x".to_owned(),
            name: format!("c{number}"),
            state,
            sentence: "Why.".to_owned(),
            next_step: None,
            expires_at: None,
            generation: 1,
            next_refresh_at: None,
            last_attempt: None,
            labels: Vec::new(),
            changed_since_token: Vec::new(),
            orphaned: false,
            error: None,
        }
    }

    fn lines(states: &[(State, usize)]) -> Vec<String> {
        let mut overview = Overview::default();
        let each = states.iter().flat_map(|(state, count)| std::iter::repeat_n(*state, *count));
        overview.add(each.enumerate().map(|(number, state)| view(number, state)).collect());
        overview.lines().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn few_connections_have_a_line_each_with_trouble_first() {
        let lines = lines(&[(State::Fresh, 2), (State::Late, 1), (State::Misconfigured, 1)]);
        let words = lines.iter().map(|it| it.split_whitespace().nth(1).unwrap());
        assert_eq!(words.collect::<Vec<_>>(), ["x/c3", "x/c2", "x/c0", "x/c1"]);
    }

    #[test]
    fn many_that_fail_alike_share_a_line_and_the_rest_is_counted() {
        let lines = lines(&[(State::Fresh, 1_980), (State::Late, 2), (State::Expired, 18)]);
        assert_eq!(lines.len(), 6, "{lines:#?}");
        assert!(lines[0].starts_with("✕ 18 of x  expired"), "{lines:#?}");
        assert_eq!(lines[1].trim(), "c1982, c1983, c1984, c1985, c1986 and 13 more");
        assert!(lines[2].ends_with("keepfresh status --provider x --state expired --all"));
        assert!(lines[3].contains("x/c1980") && lines[4].contains("x/c1981"), "{lines:#?}");
        let counts = "2000 connections: 18 expired, 2 late, 1980 fresh; a line for each: keepfresh status --all";
        assert_eq!(lines[5], counts);
    }
}
