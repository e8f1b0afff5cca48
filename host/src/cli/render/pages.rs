//! Lists that come in pages: each page is printed and forgotten. For scripts they are one JSON document,
//! as if it had been written at once; one that is not closed was cut short, and is no JSON.

use serde::Serialize;
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::render::log::Columns;
use crate::cli::render::overview::Overview;
use crate::cli::render::{connection, door, hint, out, out_all, raw, tone};
use crate::model::attempt::Attempt;
use crate::model::failure::Failure;
use crate::model::plain::escaped_json;
use crate::model::state::State;
use crate::operator::view::ConnectionView;

/// Rows that cannot be read and are named; the others are counted.
const NAMED: usize = 100;

/// What a status says where no daemon runs.
const UNATTENDED: &str =
    "no daemon is running: nothing is refreshed automatically; start it with: keepfresh serve";

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
    /// Whether a daemon refreshes what is due; `None` where nobody asks.
    daemon: Option<bool>,
    /// Whether there is anything to refresh, shown or not.
    any: bool,
    /// Those of attempts.
    columns: Columns,
}

impl Listing {
    /// Nothing is printed yet.
    pub(in crate::cli) fn new(name: &'static str, json: bool) -> Self {
        let (unreadable, exit, states) = (Vec::new(), Exit::Done, Vec::new());
        Self {
            name,
            json,
            rows: 0,
            ill: 0,
            unreadable,
            exit,
            states,
            overview: None,
            daemon: None,
            any: false,
            columns: Columns::new(),
        }
    }

    /// The same with connections in these states alone; `in_short` sums them up when they are many.
    pub(in crate::cli) fn of_states(self, states: Vec<State>, in_short: bool) -> Self {
        Self { states, overview: in_short.then(Overview::default), ..self }
    }

    /// The same with what it means that a daemon runs, or none.
    pub(in crate::cli) fn beside_daemon(self, daemon: bool) -> Self {
        Self { daemon: Some(daemon), ..self }
    }

    /// Whether something was printed.
    pub(in crate::cli) fn has_begun(&self) -> bool {
        self.rows > 0
    }

    /// Prints a page of connections.
    pub(in crate::cli) fn connections(&mut self, mut rows: Vec<ConnectionView>) {
        self.any |= !rows.is_empty();
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
        self.rows += rows.len();
        if !rows.is_empty() {
            out_all(self.columns.rows(rows));
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
            if self.is_unattended() {
                let line = tone::mark(false).then(format!(" {UNATTENDED}"));
                line.folded(door::width(), 2).into_iter().for_each(out);
            }
        }
        let unreadable = if self.unreadable.is_empty() { Exit::Done } else { Exit::Partly };
        let unattended = if self.is_unattended() { Exit::NoDaemon } else { Exit::Done };
        // What is late counts more: whoever refreshes now and then, without a daemon, asks for that.
        self.exit.or_worse(unreadable).or_worse(unattended)
    }

    /// Whether there is something to refresh and nobody who does it.
    fn is_unattended(&self) -> bool {
        self.any && self.daemon == Some(false)
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
        if let Some(daemon) = self.daemon {
            text += ",\n  \"daemon\": ";
            text += &daemon.to_string();
        }
        print(&(text + "\n}\n"));
    }
}

/// Attempts as they are printed while they end: the columns of the log for people, a line of JSON each for
/// scripts.
pub(in crate::cli) struct Following {
    json: bool,
    columns: Columns,
}

impl Following {
    /// Nothing is printed yet.
    pub(in crate::cli) fn new(json: bool) -> Self {
        Self { json, columns: Columns::for_a_stream() }
    }

    /// Prints the next ones.
    pub(in crate::cli) fn attempts(&mut self, rows: &[Attempt]) {
        if !self.json {
            if !rows.is_empty() {
                out_all(self.columns.rows(rows));
            }
            return;
        }
        for row in rows {
            print(&(serde_json::to_string(row).unwrap_or_default() + "\n"));
        }
    }
}

/// Line ends are those of the layout: in texts they are escaped.
fn indented(value: &impl Serialize, line: &str) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default().replace('\n', line)
}

fn print(text: &str) {
    raw(escaped_json(text).as_bytes());
}
