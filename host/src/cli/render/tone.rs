//! Colours, where a terminal wants them; shapes and words always, so that nothing depends on colour.

use std::io::IsTerminal as _;
use std::sync::LazyLock;

use crate::cli::render::line::Line;
use crate::model::state::State;
use crate::vault::source;

/// Colour on a terminal, unless `NO_COLOR` or a dumb terminal says otherwise.
static COLOUR: LazyLock<bool> = LazyLock::new(|| {
    let refused = source::variable("NO_COLOR").is_some_and(|it| !it.is_empty());
    let dumb = source::variable("TERM").is_some_and(|it| it == "dumb");
    std::io::stdout().is_terminal() && std::io::stderr().is_terminal() && !refused && !dumb
});

fn paint(code: u8, text: &str) -> Line {
    if *COLOUR { Line::painted(code, text) } else { text.into() }
}

/// Something wrong.
pub(super) fn bad(text: &str) -> Line {
    paint(31, text)
}

/// Something fine.
pub(super) fn good(text: &str) -> Line {
    paint(32, text)
}

/// A tick or a cross.
pub(super) fn mark(ok: bool) -> Line {
    if ok { good("✓") } else { bad("✕") }
}

/// The shape of a state.
pub(super) fn symbol(state: State) -> Line {
    let shape = match state {
        State::New => "○",
        State::Fresh => "✓",
        State::Refreshing => "…",
        State::Late => "!",
        State::Expired | State::Reconnect | State::Misconfigured => "✕",
        State::Paused => "‖",
    };
    paint(colour(state), shape)
}

/// The word of a state, as wide as the longest.
pub(super) fn state(state: State) -> Line {
    paint(colour(state), &format!("{state:13}"))
}

fn colour(state: State) -> u8 {
    match state {
        State::New | State::Paused => 90,
        State::Fresh => 32,
        State::Refreshing => 34,
        State::Late => 33,
        State::Expired | State::Reconnect => 31,
        State::Misconfigured => 35,
    }
}
