//! How connections look: a line each with the step that helps, or everything about one.

use crate::cli::render::line::Line;
use crate::cli::render::{door, log, tone};
use crate::model::said;
use crate::operator::view::{ConnectionView, Details};

/// With less room than this beside id and state, a sentence stands below them.
const ROOM: usize = 28;

/// States, each with a sentence and the command that helps, and how many need a person.
pub(super) fn status(connections: &[ConnectionView]) -> Vec<Line> {
    let lines = states(connections);
    lines.into_iter().chain(summary(connections.len(), ill(connections))).collect()
}

/// How many need a person.
pub(super) fn ill(connections: &[ConnectionView]) -> usize {
    connections.iter().filter(|it| it.state.needs_a_person()).count()
}

/// The line below a list, if there is one.
pub(super) fn summary(all: usize, ill: usize) -> Option<Line> {
    match (all, ill) {
        (0, _) => Some("no connections: name a provider in the manifest".into()),
        (_, 0) => None,
        _ => Some(format!("{ill} of {all} need a person").into()),
    }
}

/// States, each with a sentence and the command that helps.
pub(super) fn states(connections: &[ConnectionView]) -> Vec<Line> {
    let width = connections.iter().map(|it| it.short.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for it in connections {
        let head = tone::symbol(it.state).then(format!(" {:width$}  ", it.short));
        let head = head.then(tone::state(it.state));
        lines.extend(saying(head, &it.sentence, door::width()));
        lines.extend(it.next_step.as_ref().map(|it| step(it, width, door::width())));
    }
    lines
}

/// What helps, below the sentence; further to the left where it would be broken there.
fn step(step: &str, width: usize, columns: Option<usize>) -> Line {
    let line = Line::from(format!("  {:width$}  → {step}", ""));
    let fits = columns.is_none_or(|it| line.width() <= it);
    if fits { line } else { Line::from(format!("    → {step}")) }
}

/// A sentence beside what it is about, or below it where there is no room.
pub(super) fn saying(head: Line, sentence: &str, columns: Option<usize>) -> Vec<Line> {
    let indent = head.width() + 2;
    if columns.is_none_or(|it| it >= indent + ROOM) {
        return head.then("  ").then(sentence).folded(columns, indent);
    }
    let sentence = Line::from(format!("    {sentence}")).folded(columns, 4);
    std::iter::once(head).chain(sentence).collect()
}

/// Everything about one, but its secrets.
pub(super) fn details(details: &Details) -> Vec<Line> {
    let mut lines = status(std::slice::from_ref(&details.view));
    let facts = times(details).into_iter().chain(facts(details));
    let told = facts.filter_map(|(name, value)| Some((name, value.filter(|it| !it.is_empty())?)));
    let line = |(name, value)| Line::from(format!("  {name:<18} {value}"));
    lines.extend(told.flat_map(|it| line(it).folded(door::width(), 21)));
    if !details.attempts.is_empty() {
        lines.push(Line::default());
        lines.extend(log::attempts(&details.attempts));
    }
    lines
}

type Fact = (&'static str, Option<String>);

fn times(details: &Details) -> Vec<Fact> {
    let view = &details.view;
    let presented = details.token_type.clone().unwrap_or_default();
    let token = details.fingerprint.as_ref().map(|it| format!("{it}…, {presented}"));
    vec![
        ("plugin", details.plugin.clone()),
        ("generation", Some(view.generation.to_string())),
        ("token", token),
        ("stored", details.issued_at.map(said::moment)),
        ("expires", view.expires_at.map(said::moment)),
        ("refresh expires", details.refresh_expires_at.map(said::moment)),
        ("next refresh", view.next_refresh_at.map(said::moment)),
    ]
}

fn facts(details: &Details) -> Vec<Fact> {
    let waiting = details.captured_answers;
    let captured = (waiting > 0).then(|| {
        let id = &details.view.short;
        format!("{waiting}, not understood yet; see: keepfresh plugin replay {id}")
    });
    vec![
        ("labels", Some(details.view.labels.join(" "))),
        ("last requested", details.active_at.map(said::moment)),
        ("scopes", Some(details.scopes.join(" "))),
        ("scopes missing", Some(details.missing_scopes.join(" "))),
        ("settings", Some(pairs(details.settings.iter()))),
        ("secrets from", Some(pairs(details.secrets.iter()))),
        ("facts", Some(pairs(details.metadata.iter().map(|(name, value)| (name, value))))),
        ("profile", details.profile.as_ref().map(ToString::to_string)),
        ("failures", (details.failures > 0).then(|| details.failures.to_string())),
        ("captured answers", captured),
    ]
}

fn pairs<'a>(all: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    all.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}
