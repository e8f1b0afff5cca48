//! The program on a terminal of a given width, as a person sees it. `script` makes the terminal, and `vt100`
//! says what is on its screen.

use std::fmt::Write as _;
use std::num::NonZeroU16;
use std::process::Stdio;

use vt100::{Color, Parser, Screen};

use crate::artifacts;
use crate::home::Home;

/// Rows of the screen: more than a test prints, so that nothing is lost above.
const ROWS: NonZeroU16 = NonZeroU16::new(200).unwrap();

/// A terminal.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Its width.
    pub columns: u16,
    /// Whether colours are wanted on it.
    pub colour: bool,
}

/// What is on it after a command.
pub struct Shown {
    /// Row by row, colours as words in braces.
    pub rows: Vec<String>,
    /// Those that the terminal has broken, wherever its last column was.
    pub broken: Vec<String>,
    /// How the command ended.
    pub code: i32,
}

impl Terminal {
    /// Runs the program in `home` on this terminal, to its end.
    ///
    /// # Panics
    /// When there is no `script` (package `bsdutils`), or the program does not start.
    pub fn run(self, home: &Home, arguments: &[&str]) -> Shown {
        let quoted = arguments.iter().map(|it| format!("'{}'", it.replace('\'', r"'\''")));
        let quoted = quoted.collect::<Vec<_>>().join(" ");
        let line = format!(
            "stty cols {} rows {ROWS}; exec {} {quoted}",
            self.columns,
            artifacts::keepfresh().display()
        );
        let mut script = home.program("script");
        script.args(["-qefc", &line, "/dev/null"]).stdin(Stdio::null());
        script.env("TERM", "xterm-256color");
        if !self.colour {
            script.env("NO_COLOR", "1");
        }
        let output = script.output().expect("`script` of the package bsdutils starts");
        let columns = NonZeroU16::new(self.columns).expect("a terminal has columns");
        let mut parser = Parser::new(ROWS, columns, 0);
        parser.process(&output.stdout);
        shown(parser.screen(), self.columns, output.status.code().unwrap_or(-1))
    }
}

fn shown(screen: &Screen, columns: u16, code: i32) -> Shown {
    let mut rows = (0..ROWS.get()).map(|it| row(screen, it, columns)).collect::<Vec<_>>();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    let broken = rows
        .iter()
        .enumerate()
        .filter(|(index, _)| u16::try_from(*index).is_ok_and(|it| screen.row_wrapped(it)));
    let broken = broken.map(|(_, it)| it.clone()).collect();
    Shown { rows, broken, code }
}

fn row(screen: &Screen, row: u16, columns: u16) -> String {
    let (mut text, mut colour) = (String::new(), Color::Default);
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column) else { break };
        if cell.has_contents() && cell.fgcolor() != colour {
            colour = cell.fgcolor();
            let _ = write!(text, "{{{}}}", name(colour));
        }
        match cell.contents() {
            "" if !cell.is_wide_continuation() => text.push(' '),
            contents => text.push_str(contents),
        }
    }
    text.trim_end().to_owned()
}

fn name(colour: Color) -> String {
    const NAMES: [&str; 8] =
        ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
    match colour {
        Color::Default => "/".to_owned(),
        Color::Idx(8) => "grey".to_owned(),
        Color::Idx(it) => NAMES.get(usize::from(it)).map_or(it.to_string(), |it| (*it).to_owned()),
        Color::Rgb(red, green, blue) => format!("{red},{green},{blue}"),
    }
}
