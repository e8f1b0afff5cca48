//! How replies look: text for people, JSON for scripts. Results go to standard output, everything
//! else to standard error.

/// Logins and additions.
mod people;

/// Bars and lines for long commands.
pub(super) mod progress;

/// Rows and columns.
mod table;

/// Colours, where a terminal wants them.
mod tone;

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::{Value, json};

use crate::catalogue::Shelf;
use crate::cli::exit::Exit;
use crate::manifest::Manifest;
use crate::manifest::diagnostic::Diagnostic;
use crate::model::attempt::Attempt;
use crate::model::clock::Clock;
use crate::model::failure::Failure;
use crate::operator::Reply;
use crate::operator::view::{ConnectionView, Details};

/// Prints a result. A reader that has gone away is no error.
fn out(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{}", text.trim_end_matches('\n'));
}

/// Prints a message.
pub(super) fn hint(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end_matches('\n'));
}

fn out_json(value: &impl Serialize) {
    out(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Prints an error and returns `exit`.
pub(super) fn fail(code: &str, message: &str, json: bool, exit: Exit) -> Exit {
    if json {
        out_json(&json!({ "error": { "code": code, "message": message } }));
    } else {
        hint(&format!("{}: {message}", tone::bad(&format!("error[{code}]"))));
    }
    exit
}

/// Prints a failure and returns what it means to a script.
pub(super) fn failure(failure: &Failure, json: bool) -> Exit {
    fail(&failure.code, &failure.message, json, Exit::of_code(&failure.code))
}

/// Prints problems of the manifest, each at its place.
pub(super) fn problems(path: &Path, problems: &[Diagnostic], json: bool) -> Exit {
    if json {
        out_json(&json!({ "problems": problems }));
        return Exit::Config;
    }
    let source = std::fs::read_to_string(path).unwrap_or_default();
    for problem in problems {
        hint(&format!("{}\n", problem.render(&source)));
    }
    let count = problems.len();
    hint(&format!("{count} problem{} in {}", if count == 1 { "" } else { "s" }, path.display()));
    Exit::Config
}

/// Prints what came of a command.
pub(super) fn reply(reply: &Reply, json: bool, header: bool) -> Exit {
    let exit = exit(reply);
    match reply {
        Reply::Token { token, token_type, expires_at, generation } if json => out_json(&json!({
            "token": token.0.expose_secret(), "token_type": token_type, "expires_at": expires_at, "generation": generation,
        })),
        Reply::Token { token, token_type, .. } => {
            let token = token.0.expose_secret();
            if io::stdout().is_terminal() {
                hint("this is a live token; mind who looks over your shoulder");
            }
            out(&if header {
                format!("Authorization: {token_type} {token}")
            } else {
                token.to_owned()
            });
        }
        _ if json => out_json(&as_json(reply)),
        _ => as_text(reply),
    }
    exit
}

fn exit(reply: &Reply) -> Exit {
    match reply {
        Reply::Connections(connections) => Exit::of_states(connections),
        Reply::Refreshed(refreshed) => Exit::of_refresh(refreshed),
        Reply::Enrolled(enrolled) if !enrolled.refused.is_empty() => Exit::Partly,
        Reply::Findings(findings) if findings.iter().any(|it| !it.ok) => Exit::Failed,
        _ => Exit::Done,
    }
}

/// The stable JSON.
fn as_json(reply: &Reply) -> Value {
    match reply {
        Reply::Done => json!({ "done": true }),
        Reply::Connections(connections) => json!({ "connections": connections }),
        Reply::Connection(details) => json!(details),
        Reply::Refreshed(refreshed) => json!(refreshed),
        Reply::Plan(planned) => json!({ "planned": planned }),
        Reply::Generation(generation) => json!({ "generation": generation }),
        Reply::Connect(step) => people::step_json(step),
        Reply::Disconnected { revoked, removed } => {
            json!({ "revoked": revoked, "removed": removed })
        }
        Reply::Enrolled(enrolled) => people::enrolled_json(enrolled),
        Reply::Attempts(attempts) => json!({ "attempts": attempts }),
        Reply::Stats(stats) => json!(stats),
        Reply::Schedules(schedules) => json!({ "schedules": schedules }),
        Reply::Plugins(plugins) => json!({ "plugins": plugins }),
        Reply::Pruned { attempts, events } => json!({ "attempts": attempts, "events": events }),
        Reply::Findings(findings) => json!({ "findings": findings }),
        Reply::Token { .. } => Value::Null,
    }
}

fn as_text(reply: &Reply) {
    match reply {
        Reply::Done => hint("done"),
        Reply::Connections(connections) => out(&status(connections)),
        Reply::Connection(details) => out(&details_text(details)),
        Reply::Refreshed(refreshed) => {
            for id in &refreshed.queued {
                out(&format!("{id} queued"));
            }
            let count = refreshed.summary;
            hint(&format!(
                "{} refreshed, {} failed, {} skipped",
                count.success, count.failed, count.skipped
            ));
            if refreshed.left > 0 {
                hint(&format!("stopped: {} are left; run it again", refreshed.left));
            }
            if !refreshed.queued.is_empty() {
                hint("the daemon refreshes them; wait for it with --sync, or see: keepfresh log");
            }
        }
        Reply::Plan(planned) => {
            let rows = planned
                .iter()
                .map(|it| vec![it.connection.to_string(), it.action.clone(), it.reason.clone()]);
            out(&table::rows(&["connection", "would", "because"], rows.collect()));
        }
        Reply::Generation(generation) => hint(&format!("stored as generation {generation}")),
        Reply::Connect(step) => people::step(step),
        Reply::Disconnected { revoked, removed } => people::disconnected(*revoked, *removed),
        Reply::Enrolled(enrolled) => people::enrolled(enrolled),
        Reply::Attempts(attempts) if attempts.is_empty() => hint("no attempts match"),
        Reply::Attempts(attempts) => out(&table::attempts(attempts)),
        Reply::Stats(stats) => out(&table::stats(stats)),
        Reply::Schedules(schedules) if schedules.is_empty() => {
            hint("no schedules: tokens are refreshed at two thirds of their lifetime");
        }
        Reply::Schedules(schedules) => out(&table::schedules(schedules, Clock::system().now())),
        Reply::Plugins(plugins) if plugins.is_empty() => {
            hint("no plugins: put a .wasm file into the plugin folder");
        }
        Reply::Plugins(plugins) => out(&table::plugins(plugins)),
        Reply::Pruned { attempts, events } => {
            hint(&format!("removed {attempts} attempts and {events} events"));
        }
        Reply::Findings(findings) => {
            for finding in findings {
                out(&format!("{} {}: {}", tone::mark(finding.ok), finding.what, finding.detail));
            }
        }
        Reply::Token { .. } => {}
    }
}

fn status(connections: &[ConnectionView]) -> String {
    if connections.is_empty() {
        return "no connections: name a provider in the manifest".to_owned();
    }
    let width = connections.iter().map(|it| it.id.to_string().len()).max().unwrap_or_default();
    let mut text = String::new();
    for it in connections {
        let (symbol, state) = (tone::symbol(it.state), tone::state(it.state));
        let _ = writeln!(text, "{symbol} {:width$}  {state}  {}", it.id.to_string(), it.sentence);
        if let Some(step) = &it.next_step {
            let _ = writeln!(text, "  {:width$}  → {step}", "");
        }
    }
    let ill = connections.iter().filter(|it| it.state.needs_a_person()).count();
    if ill > 0 {
        let _ = writeln!(text, "{ill} of {} need a person", connections.len());
    }
    text
}

fn details_text(details: &Details) -> String {
    let mut text = status(std::slice::from_ref(&details.view));
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|it| !it.is_empty()) {
            let _ = writeln!(text, "  {name:<18} {value}");
        }
    };
    let pairs = |all: &mut dyn Iterator<Item = (&String, &String)>| {
        Some(all.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", "))
    };
    line("plugin", details.plugin.clone());
    line("generation", Some(details.view.generation.to_string()));
    line(
        "token",
        details
            .fingerprint
            .clone()
            .map(|it| format!("sha256 {it}…, {}", details.token_type.clone().unwrap_or_default())),
    );
    line("stored", details.issued_at.map(|it| it.to_string()));
    line("expires", details.view.expires_at.map(|it| it.to_string()));
    line("refresh expires", details.refresh_expires_at.map(|it| it.to_string()));
    line("next refresh", details.view.next_refresh_at.map(|it| it.to_string()));
    line("labels", Some(details.labels.join(" ")));
    line("last asked for", details.active_at.map(|it| it.to_string()));
    line("scopes", Some(details.scopes.join(" ")));
    line("settings", pairs(&mut details.settings.iter()));
    line("secrets from", pairs(&mut details.secrets.iter()));
    line("facts", pairs(&mut details.metadata.iter().map(|(name, value)| (name, value))));
    line("profile", details.profile.as_ref().map(Value::to_string));
    line("failures", (details.failures > 0).then(|| details.failures.to_string()));
    let waiting = details.captured_answers;
    line(
        "captured answers",
        (waiting > 0).then(|| {
            format!(
                "{waiting}, not understood yet; see: keepfresh plugin replay {}",
                details.view.id
            )
        }),
    );
    if !details.attempts.is_empty() {
        let _ = write!(text, "\n{}", table::attempts(&details.attempts));
    }
    text
}

/// Prints attempts as they come: a line each.
pub(super) fn followed(attempts: &[Attempt], json: bool) {
    for attempt in attempts {
        if json {
            out(&serde_json::to_string(attempt).unwrap_or_default());
        } else {
            out(&progress::line(attempt));
        }
    }
}

/// Prints that the manifest is in order, and when everything would run.
pub(super) fn checked(manifest: &Manifest, shelf: &Shelf, now: Timestamp, json: bool) {
    let tick = |it: &crate::manifest::provider::Provider| {
        let declared =
            shelf.providers.get(&it.name).and_then(|it| it.as_ref().ok()).and_then(|plugin| {
                let expression = plugin.descriptor().schedule.as_deref()?;
                crate::model::schedule::Schedule::new(expression, it.timezone.clone()).ok()
            });
        it.schedule.as_ref().or(declared.as_ref()).and_then(|it| it.next_after(now))
    };
    if json {
        let one = |it| json!({ "name": it, "next_run_at": tick(&manifest.providers[it]) });
        let providers = manifest.providers.keys().map(one).collect::<Vec<_>>();
        return out_json(&json!({ "problems": [], "providers": providers }));
    }
    for provider in manifest.providers.values() {
        let when = tick(provider).map_or_else(
            || "at two thirds of the token's lifetime".to_owned(),
            |it| format!("next tick {}", it.to_zoned(provider.timezone.clone())),
        );
        out(&format!("{} {}: {when}", tone::mark(true), provider.name));
    }
    hint(&format!("{} is in order", manifest.path.display()));
}

/// Prints what a plugin file asks for.
pub(super) fn inspected(report: &Value, json: bool) {
    if json {
        return out_json(report);
    }
    let mut text = format!(
        "{} {}: {}\n",
        word(report, "name"),
        word(report, "version"),
        word(report, "about")
    );
    let _ = writeln!(text, "  digest    {}", word(report, "digest"));
    for list in ["access", "imports", "exports"] {
        for (index, item) in report[list].as_array().into_iter().flatten().enumerate() {
            let name = if index == 0 { list } else { "" };
            let _ = writeln!(text, "  {name:<9} {}", item.as_str().unwrap_or_default());
        }
    }
    for list in ["settings", "secrets"] {
        for (index, field) in report[list].as_array().into_iter().flatten().enumerate() {
            let name = if index == 0 { list } else { "" };
            let default =
                field["default"].as_str().map(|it| format!(" (default {it})")).unwrap_or_default();
            let _ = writeln!(
                text,
                "  {name:<9} {}: {}{default}",
                word(field, "name"),
                word(field, "help")
            );
        }
    }
    out(&text);
}

fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}
