//! Logs a hundred thousand lines, then logs in properly: a flood must not end a refresh. Some
//! lines are half a mebibyte; all try to forge a second line and to colour the terminal.

use guests::log::{Level, log};
use sdk::{Context, Flow, Tokens};

fn flood(_: &Context) -> Flow<Tokens> {
    for line in 0..100_000 {
        let tail = if line % 40_000 == 0 { "x".repeat(1 << 19) } else { String::new() };
        let forged = "\u{1b}[31mERROR\u{1b}[0m forged\r\nlevel=error forged=true";
        log(Level::Warn, &format!("line {line} {forged} {tail}"));
    }
    guests::tokens()
}

guests::guest!("floods-log", flood);
