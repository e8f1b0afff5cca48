//! Colours, where a terminal wants them; shapes and words always, so that nothing depends on colour.

use std::io::IsTerminal as _;
use std::sync::LazyLock;

use crate::model::state::State;
use crate::vault::source;

/// Colour on a terminal, unless `NO_COLOR` or a dumb terminal says otherwise.
static COLOUR: LazyLock<bool> = LazyLock::new(|| {
    let refused = source::variable("NO_COLOR").is_some_and(|it| !it.is_empty());
    let dumb = source::variable("TERM").is_some_and(|it| it == "dumb");
    std::io::stdout().is_terminal() && std::io::stderr().is_terminal() && !refused && !dumb
});

fn paint(code: u8, text: &str) -> String {
    if *COLOUR { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Something wrong.
pub(super) fn bad(text: &str) -> String {
    paint(31, text)
}

/// Something fine.
pub(super) fn good(text: &str) -> String {
    paint(32, text)
}

/// A tick or a cross.
pub(super) fn mark(ok: bool) -> String {
    if ok { good("✓") } else { bad("✕") }
}

/// The shape of a state.
pub(super) fn symbol(state: State) -> String {
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
pub(super) fn state(state: State) -> String {
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
