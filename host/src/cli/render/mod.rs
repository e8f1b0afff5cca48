//! How replies look: text for people, JSON for scripts. Results go to standard output, everything
//! else to standard error.

/// The one way out, and what becomes of it.
pub(super) mod door;

/// A line that is fit for a terminal.
mod line;

/// Lists that come in pages.
pub(super) mod pages;

/// Logins and additions.
pub(super) mod people;

/// What became of connections that were added.
pub(super) mod enrolled;

/// What has gone out.
mod exported;

/// Error codes.
pub(super) mod codes;

/// Keys, and who did what.
pub(super) mod access;

/// People who use the dashboard.
pub(super) mod account;

/// Channels.
mod channel;

/// Sinks.
mod sink;

/// Connections.
mod connection;

/// Many connections in few lines.
mod overview;

/// A manifest that is in order.
pub(super) mod check;

/// A plugin file.
mod file;

/// Bars and lines for long commands.
pub(super) mod progress;

/// Failures of many, by cause.
mod causes;

/// What came of a refresh.
mod refreshed;

/// Rows and columns.
mod table;

/// Attempts, and how they went.
mod log;

/// What is planned.
mod forecast;

/// Colours, where a terminal wants them.
mod tone;

use std::borrow::Borrow;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::{Value, json};

use crate::catalogue::Candidate;
use crate::cli::exit::Exit;
use crate::manifest::diagnostic::Diagnostic;
use crate::model::clock::Clock;
use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::plain::escaped_json;
use crate::model::said;
use crate::model::token::token_type;
use crate::operator::sinks::SinkRun;
use crate::operator::{Readiness, Reply};
use line::Line;

pub(super) use exported::exported;

/// Prints a result.
fn out(line: impl Into<Line>) {
    raw(format!("{}\n", line.into()).as_bytes());
}

/// Prints a document as it is: a program reads it, and all of it is ours.
pub(super) fn raw(document: &[u8]) {
    door::print(document);
}

/// Prints lines that are ours in their layout, and in what they hold perhaps not.
pub(super) fn document(text: &str) {
    text.lines().for_each(out);
}

fn out_all(lines: Vec<Line>) {
    lines.into_iter().for_each(out);
}

/// Prints a message, as wide as the terminal.
pub(super) fn hint(line: impl Into<Line>) {
    line.into().folded(door::width_of_messages(), 2).into_iter().for_each(hint_line);
}

/// Prints a line of a message that has its own layout.
fn hint_line(line: impl Borrow<Line>) {
    door::tell(line.borrow());
}

pub(super) fn out_json(value: &impl Serialize) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    raw(format!("{}\n", escaped_json(&text)).as_bytes());
}

/// Prints an error and returns what its code means to a script.
pub(super) fn fail(code: impl Into<Code>, message: &str, json: bool) -> Exit {
    let code = code.into();
    tell(&code, message, json);
    code.exit()
}

fn tell(code: &Code, message: &str, json: bool) {
    if json {
        out_json(&json!({ "error": error_json(code, message) }));
    } else {
        hint(tone::bad(&format!("error[{code}]")).then(format!(": {message}")));
    }
}

/// An error as every command has it.
fn error_json(code: &Code, message: &str) -> Value {
    json!({ "code": code, "message": message, "remedy": code.remedy() })
}

/// Prints a failure and returns what it means to a script.
pub(super) fn failure(failure: &Failure, json: bool) -> Exit {
    fail(failure.code.clone(), &failure.message, json)
}

/// Prints problems of the manifest, each at its place.
pub(super) fn problems(path: &Path, problems: &[Diagnostic], json: bool) -> Exit {
    let code = Code::from(code::Manifest::Invalid);
    let count = said::count(problems.len() as u64, "problem");
    let message = format!("{count} in {}", path.display());
    if json {
        out_json(&json!({ "error": error_json(&code, &message), "problems": problems }));
        return code.exit();
    }
    let source = std::fs::read_to_string(path).unwrap_or_default();
    for problem in problems {
        problem.render(&source).lines().flat_map(of_problem).for_each(hint_line);
        hint_line(Line::default());
    }
    hint(message);
    code.exit()
}

/// A line of a problem. What shows a place in the file keeps its layout.
fn of_problem(line: &str) -> Vec<Line> {
    let is_text = line.starts_with("error") || line.trim_start().starts_with("= ");
    let columns = door::width_of_messages().filter(|_| is_text);
    Line::from(line).folded(columns, 4)
}

/// Warns of problems that a running daemon passes over, because it has read the manifest before them.
pub(super) fn passed_over(problems: &[Diagnostic]) {
    let Some(first) = problems.first() else { return };
    let more = match problems.len() {
        1 => String::new(),
        count => format!(" (the first of {count} problems)"),
    };
    hint(tone::bad("warning").then(format!(
        ": {first}{more}; the daemon still uses the manifest as it was before; see: keepfresh check"
    )));
}

/// Prints what came of a command.
pub(super) fn reply(reply: &Reply, json: bool, header: bool) -> Exit {
    let exit = exit(reply);
    match reply {
        Reply::Token { token, token_type, expires_at, generation, short } if json => {
            out_json(&json!({
                "token": token.0.expose_secret(), "token_type": token_type, "expires_at": expires_at, "generation": generation, "too_short": short,
            }));
        }
        Reply::Token { token, token_type: word, short, .. } => {
            let token = token.0.expose_secret();
            if !is_printable(token, header.then_some(word.as_str())) {
                return failure(&unprintable(), json);
            }
            if io::stdout().is_terminal() {
                hint("this is a live token: anyone who sees it can use it");
            }
            if let Some(short) = short {
                hint(&short.reason);
            }
            out(if header { format!("Authorization: {word} {token}") } else { token.to_owned() });
        }
        _ if json => out_json(&as_json(reply)),
        _ => as_text(reply),
    }
    exit
}

/// The last look, at what an older Keepfresh or a plugin may have stored: the token is one line, and the
/// word before it in a header is one.
fn is_printable(token: &str, word: Option<&str>) -> bool {
    let is_line = |it: u8| it.is_ascii_graphic() || it == b' ';
    let fits = !token.is_empty() && token.bytes().all(is_line);
    fits && word.is_none_or(|it| token_type(it).is_some())
}

fn unprintable() -> Failure {
    let message = "the token or its type is not one line of visible ASCII, so it is not printed; store another one, or read it with --json";
    Failure::new(Case::Unexpected, code::Token::Unprintable, message)
}

fn exit(reply: &Reply) -> Exit {
    match reply {
        Reply::Connections(connections) => Exit::of_states(connections),
        Reply::ConnectionPage(page) => Exit::of_states(&page.rows),
        Reply::Refreshed(refreshed) => Exit::of_refresh(refreshed),
        Reply::SinkRan(ran) => Exit::of_sink(ran),
        Reply::Enrolled(enrolled) if !enrolled.refused.is_empty() => Exit::Partly,
        Reply::Findings(findings) if findings.iter().any(|it| !it.ok) => Exit::Failed,
        _ => Exit::Done,
    }
}

/// The stable JSON.
fn as_json(reply: &Reply) -> Value {
    match reply {
        Reply::Done(id) => done(id, json!({})),
        Reply::Connections(connections) => json!({ "connections": connections }),
        Reply::ConnectionPage(page) => json!({ "connections": page.rows }),
        Reply::Connection(details) => json!(details),
        Reply::Refreshed(refreshed) => json!(refreshed),
        Reply::Plan(planned) => json!({ "planned": planned }),
        Reply::Stored { id, generation } => done(id, json!({ "generation": generation })),
        Reply::Connect(step) => people::step_json(step),
        Reply::Disconnected { id, revoked, removed } => {
            done(id, json!({ "revoked": revoked, "removed": removed }))
        }
        Reply::Enrolled(enrolled) => enrolled::json(enrolled),
        Reply::Attempts(attempts) => json!({ "attempts": attempts }),
        Reply::AttemptPage(page) => json!({ "attempts": page.rows }),
        Reply::Attempt(details) => log::attempt_json(details),
        Reply::Stats(stats) => json!(stats),
        Reply::Schedules(schedules) => json!({ "schedules": schedules }),
        Reply::Forecast(forecast) => json!(forecast),
        Reply::Plugins(plugins) => json!({ "plugins": plugins }),
        Reply::Pruned { attempts, events } => {
            json!({ "done": true, "attempts": attempts, "events": events })
        }
        Reply::Findings(findings) => json!({ "findings": findings }),
        Reply::Readiness(readiness) => json!(readiness),
        Reply::NewKey(new) => access::done_json(&new.key, Some(&new.secret)),
        Reply::Revoked(key) => access::done_json(key, None),
        Reply::ApiKeys(keys) => json!({ "keys": keys }),
        Reply::Accounts(accounts) => json!({ "accounts": accounts }),
        Reply::Account(it) => account::done_json(it, None),
        Reply::AccountLink(new) => account::done_json(&new.account, Some(new)),
        Reply::Channels(channels) => json!({ "channels": channels }),
        Reply::ChannelTested(name) => json!({ "done": true, "channel": name }),
        Reply::Sinks(sinks) => json!({ "sinks": sinks }),
        Reply::SinkRan(ran) => json!(ran),
        Reply::Audit(page) => json!({ "entries": page.rows }),
        // Only those who ask for them by themselves get them.
        Reply::Exported(_)
        | Reply::Followed(_)
        | Reply::Overview(_)
        | Reply::Urgent(_)
        | Reply::History(_)
        | Reply::Token { .. }
        | Reply::Plugin(_)
        | Reply::Form(_)
        | Reply::System(_) => Value::Null,
    }
}

/// The reply to a command that did something with one connection: which, and what is to be known of it.
fn done(id: &ConnectionId, more: Value) -> Value {
    let mut reply = json!({ "done": true, "id": id, "short": id.to_string() });
    if let (Some(reply), Value::Object(more)) = (reply.as_object_mut(), more) {
        reply.extend(more);
    }
    reply
}

/// What is said of a list that has nothing in it.
fn nothing(reply: &Reply) -> Option<&'static str> {
    let (is_empty, said) = match reply {
        Reply::Attempts(all) => (all.is_empty(), "no attempts match"),
        Reply::Schedules(all) => (
            all.is_empty(),
            "no schedules, neither in the manifest nor of a plugin: tokens are refreshed at about two thirds of their lifetime",
        ),
        Reply::Forecast(all) => (all.providers.is_empty(), "no connections: nothing is planned"),
        Reply::Plugins(all) => {
            (all.is_empty(), "no plugins: put a .wasm file into the plugin folder")
        }
        Reply::ApiKeys(all) => (
            all.is_empty(),
            "no API keys; make one: keepfresh api-key create NAME --scope token:read",
        ),
        Reply::Accounts(all) => (
            all.is_empty(),
            "no accounts: nobody can log in to the dashboard; make one: keepfresh account add NAME --role operator",
        ),
        Reply::Channels(all) => (
            all.is_empty(),
            "no channels: nobody is told of problems; add [[channels]] to the manifest",
        ),
        Reply::Sinks(all) => (
            all.is_empty(),
            "no sinks: tokens are delivered nowhere; add [[sinks]] to the manifest",
        ),
        Reply::Audit(page) => (page.rows.is_empty(), "no entries match"),
        _ => return None,
    };
    is_empty.then_some(said)
}

fn as_text(reply: &Reply) {
    if let Some(said) = nothing(reply) {
        return hint(said);
    }
    match reply {
        Reply::Done(id) => hint(format!("done: {id}")),
        Reply::Connections(connections) => out_all(connection::status(connections)),
        Reply::ConnectionPage(page) => out_all(connection::status(&page.rows)),
        Reply::Connection(details) => out_all(connection::details(details)),
        Reply::Refreshed(refreshed) => refreshed::text(refreshed),
        Reply::Plan(planned) => out_all(table::planned(planned)),
        Reply::Stored { generation, .. } => hint(format!("stored as generation {generation}")),
        Reply::Connect(step) => people::step(step),
        Reply::Disconnected { revoked, removed, .. } => people::disconnected(*revoked, *removed),
        Reply::Enrolled(enrolled) => enrolled::text(enrolled),
        Reply::Attempts(attempts) => out_all(log::attempts(attempts)),
        Reply::AttemptPage(page) => out_all(log::attempts(&page.rows)),
        Reply::Attempt(details) => out_all(log::attempt(details)),
        Reply::Stats(stats) => out_all(log::stats(stats)),
        Reply::Schedules(schedules) => out_all(table::schedules(schedules, Clock::system().now())),
        Reply::Forecast(forecast) => out_all(forecast::lines(forecast)),
        Reply::Plugins(plugins) => out_all(table::plugins(plugins)),
        Reply::Pruned { attempts, events } => {
            hint(format!("removed {attempts} attempts and {events} events"));
        }
        Reply::Findings(findings) => {
            for finding in findings {
                let line = format!(" {}: {}", finding.what, finding.detail);
                out_all(tone::mark(finding.ok).then(line).folded(door::width(), 2));
            }
        }
        Reply::Readiness(it) => hint(access::ready(it)),
        Reply::NewKey(new) => access::new_key(new),
        Reply::Revoked(key) => hint(format!("revoked {} ({})", key.name, key.id)),
        Reply::ApiKeys(keys) => out_all(access::keys(keys)),
        Reply::Accounts(accounts) => out_all(account::list(accounts)),
        Reply::Account(it) => hint(format!("done: {} ({})", it.name, it.role)),
        Reply::AccountLink(new) => account::new_link(new),
        Reply::Channels(channels) => out_all(channel::list(channels)),
        Reply::ChannelTested(name) => hint(format!("a test message to {name} has arrived")),
        Reply::Sinks(sinks) => out_all(sink::list(sinks)),
        Reply::SinkRan(ran) => sink_ran(ran),
        Reply::Audit(page) => out_all(access::entries(&page.rows)),
        Reply::Exported(_)
        | Reply::Followed(_)
        | Reply::Overview(_)
        | Reply::Urgent(_)
        | Reply::History(_)
        | Reply::Token { .. }
        | Reply::Plugin(_)
        | Reply::Form(_)
        | Reply::System(_) => {}
    }
}

fn sink_ran(ran: &SinkRun) {
    if !ran.failures.is_empty() {
        out_all(sink::failures(ran));
    }
    hint(sink::summary(ran));
}

/// Prints whether the daemon can do its work.
pub(super) fn readiness(readiness: &Readiness, json: bool) -> Exit {
    if json {
        out_json(readiness);
    } else {
        out(access::ready(readiness));
    }
    if readiness.ready { Exit::Done } else { Exit::Failed }
}

/// Prints which files there are now, and which of them were made.
pub(super) fn made(files: &[(&'static str, &Path, bool)], json: bool) {
    if json {
        let one = |(what, path, made): &(&'static str, &Path, bool)| {
            ((*what).to_owned(), json!({ "path": path, "created": made }))
        };
        let files = files.iter().map(one).collect::<serde_json::Map<_, _>>();
        let mut reply = json!({ "done": true, "manifest": null, "key": null });
        if let Some(reply) = reply.as_object_mut() {
            reply.extend(files);
        }
        return out_json(&reply);
    }
    for (_, path, made) in files {
        hint(format!("{} {}", if *made { "wrote" } else { "kept" }, path.display()));
    }
}

/// Prints that a plugin file was approved, and whether a daemon has taken it.
pub(super) fn approved(file: &str, candidate: &Candidate, taken: bool, json: bool) -> Exit {
    let digest = said::digest(candidate.digest());
    if json {
        out_json(&json!({ "done": true, "file": file, "digest": digest, "taken": taken }));
        return Exit::Done;
    }
    let then =
        if taken { "the daemon uses it now" } else { "no daemon is running: the next one uses it" };
    let version = &candidate.program().descriptor().version;
    hint(format!("approved {file} {version} ({digest}); {then}"));
    Exit::Done
}

/// Prints what a plugin file asks for.
pub(super) fn inspected(report: &Value, json: bool) {
    if json {
        return out_json(report);
    }
    out_all(file::inspected(report));
}

#[cfg(test)]
mod tests;
