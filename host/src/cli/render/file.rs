//! How `plugin inspect` shows a plugin file, and the command that approves it.

use serde_json::Value;

use crate::cli::render::line::Line;

/// What a file asks for, by its report.
pub(super) fn inspected(report: &Value) -> Vec<Line> {
    let (name, version, about) =
        (word(report, "name"), word(report, "version"), word(report, "about"));
    let mut lines = vec![Line::from(format!("{name} {version}: {about}"))];
    lines.push(format!("  digest    {}", word(report, "digest")).into());
    lines.extend(entries(report, "access", |it| it.as_str().unwrap_or_default().to_owned()));
    lines.extend(entries(report, "sends", |it| word(it, "sentence").to_owned()));
    lines.extend(reads(report));
    for list in ["signs", "sealed", "imports", "exports"] {
        lines.extend(entries(report, list, |it| it.as_str().unwrap_or_default().to_owned()));
    }
    for list in ["settings", "secrets"] {
        lines.extend(entries(report, list, field));
    }
    lines.extend(report["approve"].as_str().map(|it| Line::from(format!("  approve   {it}"))));
    lines
}

/// The entries of a list, the first with its name before it.
fn entries(report: &Value, list: &str, entry: impl Fn(&Value) -> String) -> Vec<Line> {
    let all = report[list].as_array().into_iter().flatten().enumerate();
    let line = |(index, item)| {
        let name = if index == 0 { list } else { "" };
        // What is carried where begins with the word for it.
        let name = if list == "sends" { "" } else { name };
        Line::from(format!("  {name:<9} {}", entry(item)))
    };
    all.map(line).collect()
}

/// What is read of answers, a line for each kind.
fn reads(report: &Value) -> Vec<Line> {
    let all = report["reads"].as_array().into_iter().flatten().collect::<Vec<_>>();
    let mut kinds = Vec::new();
    for kind in all.iter().map(|it| word(it, "kind")) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let mut lines = Vec::new();
    for (index, kind) in kinds.into_iter().enumerate() {
        let name = if index == 0 { "reads" } else { "" };
        let of_kind = all.iter().filter(|it| word(it, "kind") == kind).map(|it| place(it));
        let places = of_kind.collect::<Vec<_>>().join(", ");
        lines.push(Line::from(format!("  {name:<9} {kind}: {places}")));
    }
    lines
}

fn place(read: &Value) -> &str {
    match word(read, "place") {
        "" => "a body that is text",
        place => place,
    }
}

fn field(field: &Value) -> String {
    let default = field["default"].as_str();
    let default = default.map(|it| format!(" (default {it})")).unwrap_or_default();
    format!("{}: {}{default}", word(field, "name"), word(field, "help"))
}

fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}
