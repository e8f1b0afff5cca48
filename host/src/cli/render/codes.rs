//! Error codes for people, for scripts, and as the page `docs/errors.md`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::exit::Exit;
use crate::cli::render::line::Line;
use crate::cli::render::{door, out, out_all, out_json, table};
use crate::model::code::{Actor, Code, Entry};

/// One of them.
pub(in crate::cli) fn explained(entry: &Entry, json: bool) {
    if json {
        return out_json(&as_json(entry));
    }
    out(entry.text);
    for (name, value) in [
        ("meaning", entry.meaning),
        ("what helps", entry.remedy),
        ("who acts", who(entry.acts)),
        ("retry", again(entry)),
    ] {
        out_all(Line::from(format!("  {name:<10}  {value}")).folded(door::width(), 14));
    }
    out(format!("  {:<10}  {} ({})", "exit code", entry.exit.number(), in_words(entry.exit)));
}

/// All of them.
pub(in crate::cli) fn list(json: bool) {
    let entries = Code::all().filter_map(|it| it.entry());
    if json {
        let codes = entries.map(|it| as_json(&it)).collect::<Vec<_>>();
        return out_json(&json!({ "codes": codes }));
    }
    let row = |it: Entry| vec![it.text.to_owned(), it.meaning.to_owned()];
    out_all(table::rows(&["code", "meaning"], entries.map(row).collect()));
}

/// All of them, as a page.
pub(in crate::cli) fn markdown() {
    page().lines().for_each(out);
}

fn as_json(entry: &Entry) -> Value {
    json!({
        "code": entry.text,
        "area": entry.area(),
        "meaning": entry.meaning,
        "remedy": entry.remedy,
        "exit": entry.exit.number(),
        "retryable": entry.retryable,
        "acts": entry.acts.as_str(),
    })
}

fn who(acts: Actor) -> &'static str {
    match acts {
        Actor::Operator => "the operator, who runs keepfresh",
        Actor::Person => "the person who owns the account, or typed the command",
        Actor::Provider => "the provider",
        Actor::PluginAuthor => "the plugin's author",
        Actor::Nobody => "nobody: it resolves itself",
    }
}

fn again(entry: &Entry) -> &'static str {
    if entry.retryable { "may help" } else { "does not help unless something else changes" }
}

fn in_words(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "success",
        Exit::Failed => "failed",
        Exit::Usage => "wrong usage",
        Exit::Partly => "partly failed, or something is late",
        Exit::Person => "a person is needed",
        Exit::NoDaemon => "the daemon cannot be reached",
        Exit::Busy => "another process is using the database",
        Exit::Config => "the manifest or the key is wrong",
        Exit::Other(_) => "that of another process",
    }
}

const HEAD: &str = "# Error codes

Every error has a code, the same in messages, JSON, logs and attempts. A code never changes its meaning, and a removed
code is never reused. `keepfresh explain CODE` prints the same text. The exit code is that of a command that fails with
this error, whichever command it is; a `refresh` of several connections exits with 3 if some were refreshed, and with 4 if a
person is needed.

Who acts: the operator runs Keepfresh; the person owns the account or typed the command.

<!-- Made by `cargo run --bin keepfresh -- explain --markdown > docs/errors.md`; change host/src/model/code instead. -->
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut area = "";
    for (about, entries) in Code::tables() {
        let own = entries.first().map_or("", Entry::area);
        if own != area {
            let _ = write!(page, "\n## {own}\n");
            area = own;
        }
        let _ = write!(page, "\n{about}\n\n");
        page.push_str("| code | meaning | what helps | exit | retry | who acts |\n");
        page.push_str("|---|---|---|---|---|---|\n");
        for it in &entries {
            let Entry { text, meaning, remedy, .. } = it;
            let (exit, retry) = (it.exit.number(), if it.retryable { "yes" } else { "no" });
            let acts = it.acts.as_str();
            let _ =
                writeln!(page, "| `{text}` | {meaning} | {remedy} | {exit} | {retry} | {acts} |");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_error_codes_is_up_to_date() {
        let stored = include_str!("../../../../docs/errors.md");
        assert!(
            stored == page(),
            "docs/errors.md is out of date; generate it again: cargo run --bin keepfresh -- explain --markdown > docs/errors.md"
        );
    }

    #[test]
    fn every_code_is_on_the_page_once() {
        let page = page();
        for entry in Code::all().filter_map(|it| it.entry()) {
            let row = format!("| `{}` | {} | {} |", entry.text, entry.meaning, entry.remedy);
            assert_eq!(page.matches(&row).count(), 1, "{}", entry.text);
        }
        // A bar would end a cell.
        let cells = |line: &str| line.matches('|').count();
        let rows = page.lines().filter(|it| it.starts_with("| `"));
        assert!(rows.clone().all(|it| cells(it) == 7), "{:?}", rows.map(cells).max());
    }
}
