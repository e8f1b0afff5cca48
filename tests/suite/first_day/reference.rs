//! The manifest reference: for people, for editors, and for what holds here and now.

use std::fs;
use std::path::Path;

use e2e::home::Home;
use e2e::stage::{self, Stage};
use keepfresh::manifest::reference::Section;
use serde_json::Value;

use crate::first_day::truths::examples;

#[test]
fn the_reference_is_printed_without_a_manifest_and_is_the_page() {
    let home = Home::new("");
    fs::remove_file(home.path("keepfresh.toml")).unwrap();
    let printed = home.run(&["manifest", "reference"]).exits(0).stdout;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    assert_eq!(printed, fs::read_to_string(root.join("docs/manifest.md")).unwrap());
    let json = home.run(&["manifest", "reference", "--json"]).exits(0).json();
    let keys = json["keys"].as_array().unwrap();
    let known = Section::ALL.iter().flat_map(|it| it.keys()).count();
    assert_eq!(keys.len(), known);
    for key in keys {
        for part in ["table", "key", "type", "meaning", "example"] {
            assert!(key[part].as_str().is_some_and(|it| !it.is_empty()), "{part}: {key}");
        }
    }
}

/// The value of a key and where it comes from.
fn held(keys: &Value, key: &str) -> (String, String, Option<u64>) {
    let found = keys.as_array().unwrap().iter().find(|it| it["key"] == key);
    let found = found.unwrap_or_else(|| panic!("{key} is told: {keys:#}"));
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("value"), text("from"), found["line"].as_u64())
}

#[test]
fn what_holds_is_told_with_where_each_value_comes_from() {
    let more = "retry = { attempts = 5 }\n[[providers.eskiz.connections]]\nname = \"one\"\n\
                [[providers.eskiz.connections]]\nname = \"two\"\nsecrets = { email = { env = \"OTHER\" } }";
    let mut stage = Stage::eskiz(more);
    stage.home.set_env("OTHER", "canary");
    let told = stage.home.run(&["check", "--effective", "--json"]).exits(0).json();
    let provider = &told["effective"]["providers"][0];
    let keys = &provider["keys"];
    let own = |value: &str, line: u64| (value.to_owned(), "manifest".to_owned(), Some(line));
    let of = |value: &str, from: &str| (value.to_owned(), from.to_owned(), None);
    assert_eq!(held(keys, "retry.attempts"), own("5", 5));
    assert_eq!(held(keys, "egress.plaintext"), own("true", 3));
    assert_eq!(held(keys, "retry.backoff"), of("\"60s\"", "default"));
    assert_eq!(held(keys, "schedule"), of("\"0 2 */10 * *\"", "plugin"));
    assert_eq!(held(keys, "timezone"), of("\"UTC\"", "default"));
    assert_eq!(held(keys, "rotation").1, "plugin");
    assert_eq!(held(keys, "probe"), of("never", "default"));
    let [one, two] = [0, 1].map(|it| &provider["connections"][it]["keys"]);
    assert_eq!(held(one, "secrets.email"), own("{ env = \"ESKIZ_EMAIL\" }", 2));
    assert_eq!(held(two, "secrets.email"), own("{ env = \"OTHER\" }", 10));
    assert_eq!(held(one, "settings.base_url").2, Some(4));
    let globals = &told["effective"]["manifest"];
    assert_eq!(held(globals, "storage.url"), of("\"sqlite:./keepfresh.db\"", "default"));
    let text = stage.home.run(&["check", "--effective"]).exits(0);
    for words in ["provider eskiz", "connection eskiz/two", "line 5", "the plugin", "default"] {
        assert!(text.stdout.contains(words), "{words}: {}", text.stdout);
    }
    assert!(!format!("{text:?}{told}").contains("canary"), "never a secret");
}

#[test]
fn what_a_command_that_prints_a_secret_is_given_is_not_told() {
    let stage = Stage::eskiz("");
    let section = stage::eskiz_section(&stage.fake, "");
    let exec = "{ exec = [\"sh\", \"-c\", \"echo canary\"] }";
    stage.home.write_manifest(&section.replace("{ env = \"ESKIZ_EMAIL\" }", exec));
    let text = stage.home.run(&["check", "--effective"]).exits(0).stdout;
    assert!(text.contains("{ exec = [\"sh\", ...] }") && !text.contains("canary"), "{text}");
}

#[test]
fn the_schema_is_printed_without_a_manifest() {
    let home = Home::new("");
    fs::remove_file(home.path("keepfresh.toml")).unwrap();
    let schema = home.run(&["manifest", "schema"]).exits(0).json();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(
        schema["properties"]["storage"]["properties"]["url"]["default"],
        "sqlite:keepfresh.db"
    );
    assert_eq!(schema["additionalProperties"], false);
}

/// Whether the schema takes a manifest; `None` for what is no TOML.
fn takes(schema: &Value, text: &str) -> Option<bool> {
    let manifest: toml::Table = toml::from_str(text).ok()?;
    let manifest = serde_json::to_value(manifest).unwrap();
    let (mut compiler, mut schemas) = (boon::Compiler::new(), boon::Schemas::new());
    let place = "https://keepfresh.invalid/manifest-schema";
    compiler.add_resource(place, schema.clone()).unwrap();
    let index = compiler.compile(place, &mut schemas).unwrap();
    Some(schemas.validate(&manifest, index).is_ok())
}

/// Broken manifests in which nothing is wrong that a schema could tell: days, zones, names that are used twice.
const BEYOND: &[&str] = &["03-minute-out-of-range", "04-never-fires", "05-time-zone"];

#[test]
fn the_schema_takes_every_example_and_refuses_what_is_broken_where_it_can_tell() {
    let schema = Home::new("").run(&["manifest", "schema"]).exits(0).json();
    for (name, text) in examples() {
        assert_eq!(takes(&schema, &text), Some(true), "{name}: {text}");
    }
    for path in e2e::artifacts::broken_manifests() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let taken = takes(&schema, &fs::read_to_string(&path).unwrap());
        let is_toml = !["10-unclosed-string", "12-twice-and-unknown"].contains(&name.as_str());
        assert_eq!(taken, is_toml.then_some(BEYOND.contains(&name.as_str())), "{name}");
    }
}
