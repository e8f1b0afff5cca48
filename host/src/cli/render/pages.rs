//! Lists that come in pages: each page is printed and forgotten. For scripts they are one JSON document,
//! as if it had been written at once; one that is not closed was cut short, and is no JSON.

use serde::Serialize;
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::render::overview::Overview;
use crate::cli::render::{connection, hint, out, out_all, raw, table, tone};
use crate::model::attempt::Attempt;
use crate::model::failure::Failure;
use crate::model::plain::escaped_json;
use crate::model::state::State;
use crate::operator::view::ConnectionView;

/// Rows that cannot be read and are named; the others are counted.
const NAMED: usize = 100;

/// A list as it is printed.
pub(in crate::cli) struct Listing {
    /// What it is called in JSON.
    name: &'static str,
    json: bool,
    rows: usize,
    ill: usize,
    unreadable: Vec<Failure>,
    exit: Exit,
    /// States that are shown; all when there are none.
    states: Vec<State>,
    /// What is said of connections that do not each have a line.
    overview: Option<Overview>,
}

impl Listing {
    /// Nothing is printed yet.
    pub(in crate::cli) fn new(name: &'static str, json: bool) -> Self {
        let (unreadable, exit, states) = (Vec::new(), Exit::Done, Vec::new());
        Self { name, json, rows: 0, ill: 0, unreadable, exit, states, overview: None }
    }

    /// The same with connections in these states alone; `in_short` sums them up when they are many.
    pub(in crate::cli) fn of_states(self, states: Vec<State>, in_short: bool) -> Self {
        Self { states, overview: in_short.then(Overview::default), ..self }
    }

    /// Whether something was printed.
    pub(in crate::cli) fn has_begun(&self) -> bool {
        self.rows > 0
    }

    /// Prints a page of connections.
    pub(in crate::cli) fn connections(&mut self, mut rows: Vec<ConnectionView>) {
        rows.retain(|it| self.states.is_empty() || self.states.contains(&it.state));
        self.exit = self.exit.or_worse(Exit::of_states(&rows));
        self.ill += connection::ill(&rows);
        if self.json {
            return self.elements(&rows);
        }
        self.rows += rows.len();
        match &mut self.overview {
            Some(overview) => overview.add(rows),
            None => out_all(connection::states(&rows)),
        }
    }

    /// Prints a page of attempts.
    pub(in crate::cli) fn attempts(&mut self, rows: &[Attempt]) {
        if self.json {
            return self.elements(rows);
        }
        // One heading is enough.
        let heading = usize::from(self.rows > 0);
        self.rows += rows.len();
        if !rows.is_empty() {
            out_all(table::attempts(rows).into_iter().skip(heading).collect());
        }
    }

    /// Notes what has no row here because it cannot be read.
    pub(in crate::cli) fn unreadable(&mut self, errors: Vec<Failure>) {
        let room = NAMED.saturating_sub(self.unreadable.len());
        self.unreadable.extend(errors.into_iter().take(room));
    }

    /// Prints what stands below the list.
    pub(in crate::cli) fn end(mut self) -> Exit {
        if let Some(overview) = self.overview.take() {
            out_all(overview.lines());
        }
        if self.json {
            self.close();
        } else {
            for error in &self.unreadable {
                hint(tone::mark(false).then(format!(" [{}] {}", error.code, error.message)));
            }
            match self.name {
                "connections" => connection::summary(self.rows, self.ill).into_iter().for_each(out),
                _ if self.rows == 0 => hint("no attempts match"),
                _ => {}
            }
        }
        let unreadable = if self.unreadable.is_empty() { Exit::Done } else { Exit::Partly };
        self.exit.or_worse(unreadable)
    }

    fn elements(&mut self, rows: &[impl Serialize]) {
        let mut text = String::new();
        for row in rows {
            text += &if self.rows == 0 { self.heading() } else { ",\n    ".to_owned() };
            text += &indented(row, "\n    ");
            self.rows += 1;
        }
        print(&text);
    }

    fn heading(&self) -> String {
        format!("{{\n  \"{}\": [\n    ", self.name)
    }

    fn close(&self) {
        let mut text = match self.rows {
            0 => format!("{{\n  \"{}\": []", self.name),
            _ => "\n  ]".to_owned(),
        };
        if !self.unreadable.is_empty() {
            text += ",\n  \"unreadable\": ";
            text += &indented(&json!(self.unreadable), "\n  ");
        }
        print(&(text + "\n}\n"));
    }
}

/// Line ends are those of the layout: in texts they are escaped.
fn indented(value: &impl Serialize, line: &str) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default().replace('\n', line)
}

fn print(text: &str) {
    raw(escaped_json(text).as_bytes());
}
