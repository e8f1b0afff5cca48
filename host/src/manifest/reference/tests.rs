//! The reference says what the parser does, and the other way round.

use std::collections::BTreeSet;
use std::path::Path;

use toml::de::DeTable;

use crate::manifest::problems::Problems;
use crate::manifest::reference::{Key, Kind, Section, Usual, page};
use crate::manifest::{Manifest, parse};

fn read(text: &str) -> Manifest {
    parse(text, Path::new("keepfresh.toml")).unwrap_or_else(|problems| {
        let texts = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
        panic!("{text}: {}", texts.join("\n"))
    })
}

/// A manifest with one connection, in whose section the key has this value.
fn with(key: &Key, value: &str) -> String {
    let before = match key.section {
        Section::Root => String::new(),
        Section::Connection if key.name == "name" => "[[providers.x.connections]]\n".to_owned(),
        Section::Connection => "[[providers.x.connections]]\nname = \"a\"\n".to_owned(),
        Section::Tls => {
            let other = if key.name == "key" { "certificate" } else { "key" };
            format!("[server.tls]\n{other} = \"a.pem\"\n")
        }
        Section::Oidc => with_others("[dashboard.oidc]\n", key.name, OIDC),
        Section::Proxy if key.name == "to" => "[providers.x.proxy]\n".to_owned(),
        Section::Proxy => {
            let header = if key.name == "prefix" { "header = \"a\"\n" } else { "" };
            format!("[providers.x.proxy]\nto = [\"https://a.example/\"]\n{header}")
        }
        Section::Channel => channel(key.name),
        Section::Sink => sink(key.name),
        Section::SinkWebhook => {
            with_others("[[sinks]]\nlabel = \"a\"\n[sinks.webhook]\n", key.name, WEBHOOK)
        }
        Section::SinkSql => {
            let head = "[[sinks]]\nlabel = \"a\"\nset = { b = \"b\" }\n[sinks.sql]\n";
            with_others(head, key.name, SQL)
        }
        Section::Heartbeat if key.name == "url" => "[heartbeat]\n".to_owned(),
        Section::Heartbeat => "[heartbeat]\nurl = \"https://a.example\"\n".to_owned(),
        section => section.heading().replace("NAME", "x") + "\n",
    };
    format!("{before}{} = {value}\n", key.name)
}

/// A channel that has this key, without it.
fn channel(key: &str) -> String {
    let lines = match key {
        "smtp" | "password" | "from" | "to" | "notify_person" => &[
            "kind = \"email\"",
            "smtp = \"smtp://a.example\"",
            "from = \"a@b.example\"",
            "to = [\"c@d.example\"]",
        ][..],
        "kind" => &["url = \"https://a.example\""],
        "title" | "text" => &["kind = \"slack\"", "url = \"https://a.example\""],
        _ => &["kind = \"webhook\"", "url = \"https://a.example\""],
    };
    let others = lines.iter().filter(|it| !it.starts_with(&format!("{key} =")));
    let others = others.copied().collect::<Vec<_>>().join("\n");
    format!("[[channels]]\n{others}\n")
}

const OIDC: &[&str] =
    &["issuer = \"https://a.example\"", "client_id = \"a\"", "operators = [\"a\"]"];
const WEBHOOK: &[&str] = &["url = \"https://a.example\""];
const SQL: &[&str] = &["url = \"sqlite:a\"", "table = \"a\"", "key = { a = \"b\" }"];

/// A sink that has this key, without it.
fn sink(key: &str) -> String {
    let lines = match key {
        "command" => &["connection = \"a\""][..],
        "timeout" => &["connection = \"a\"", "command = [\"a\"]"],
        "webhook" => &["connection = \"a\""],
        "sql" => &["connection = \"a\"", "set = { a = \"b\" }"],
        "set" | "on_token" | "on_failure" | "on_reconnect" | "on_removed" | "on_attempt" => &[
            "connection = \"a\"",
            "sql = { url = \"sqlite:a\", table = \"a\", key = { a = \"b\" } }",
        ],
        "provider" | "label" => &["command = [\"a\"]"],
        "connection" => &["file = \"a\"", "template = \"b\""],
        _ => &["connection = \"a\"", "file = \"a\"", "template = \"b\""],
    };
    with_others("[[sinks]]\n", key, lines)
}

fn with_others(head: &str, key: &str, lines: &[&str]) -> String {
    let others = lines.iter().filter(|it| !it.starts_with(&format!("{key} =")));
    format!("{head}{}\n", others.copied().collect::<Vec<_>>().join("\n"))
}

fn all() -> impl Iterator<Item = &'static Key> {
    Section::ALL.iter().flat_map(|it| it.keys())
}

#[test]
fn every_key_that_is_parsed_is_documented_and_every_documented_key_is_parsed() {
    let text = "[[providers.x.connections]]\nname = \"a\"\n\
                [[channels]]\nkind = \"webhook\"\n[[channels]]\nkind = \"email\"\n\
                [[sinks]]\nfile = \"a\"\n[[sinks]]\ncommand = [\"a\"]\n\
                [[sinks]]\nwebhook = {}\n[[sinks]]\nsql = {}\n";
    let problems = Problems::new(text, Path::new("keepfresh.toml"));
    let (root, _) = DeTable::parse_recoverable(text);
    let _ = crate::manifest::read(root.get_ref(), Path::new("keepfresh.toml"), &problems);
    let documented = all().map(|it| (it.section, it.name.to_owned())).collect::<BTreeSet<_>>();
    assert_eq!(problems.asked(), documented);
    assert_eq!(documented.len(), all().count(), "each key is there once");
}

#[test]
fn an_example_is_taken_and_a_default_that_is_written_out_changes_nothing() {
    for key in all() {
        let _ = read(&with(key, key.example));
        let Usual::Value(usual) = key.usual else { continue };
        let bare = with(key, usual);
        let without = bare.lines().filter(|it| !it.starts_with(&format!("{} =", key.name)));
        let without = without.collect::<Vec<_>>().join("\n");
        let (mut given, usual) = (read(&bare), read(&without));
        given.places = usual.places.clone();
        assert_eq!(given, usual, "{}", key.name);
    }
}

#[test]
fn bounds_are_those_of_the_page() {
    for key in all() {
        let refused = |value: String| parse(&with(key, &value), Path::new("x")).is_err();
        match key.kind {
            Kind::Time(least, most) => {
                assert!(least == 0 || refused(format!("\"{}s\"", least - 1)), "{}", key.name);
                assert!(refused(format!("\"{}s\"", most + 1)), "{}", key.name);
                let _ = (
                    read(&with(key, &format!("\"{least}s\""))),
                    read(&with(key, &format!("\"{most}s\""))),
                );
            }
            Kind::Count(least, most, _) => {
                assert!(least == 0 || refused((least - 1).to_string()), "{}", key.name);
                assert!(refused((most + 1).to_string()), "{}", key.name);
                let _ = (read(&with(key, &least.to_string())), read(&with(key, &most.to_string())));
            }
            _ => {}
        }
    }
}

#[test]
fn the_page_of_the_manifest_is_up_to_date() {
    let stored = include_str!("../../../../docs/manifest.md");
    assert!(
        stored == page(),
        "docs/manifest.md is out of date; generate it again: cargo run --bin keepfresh -- manifest reference > docs/manifest.md"
    );
}

#[test]
fn each_key_is_on_the_page_with_its_example() {
    let page = page();
    for key in all() {
        assert!(page.contains(&format!("`{} = {}`", key.name, key.example)), "{}", key.name);
    }
    // A bar would end a cell.
    let cells = |line: &str| line.matches('|').count();
    let keys = page.split("## Types").next().unwrap_or_default();
    assert!(keys.lines().filter(|it| it.starts_with("| `")).all(|it| cells(it) == 7));
}
