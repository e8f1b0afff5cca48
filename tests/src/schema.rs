//! What `--json` prints is what `docs/schemas` says: every command of every test is held to it. Which schema
//! is a command's follows from its words: `connection show` has `docs/schemas/connection-show.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use crate::home::Run;

/// Commands that print no JSON, or a line of it at a time.
const OTHERS: &[&str] = &["serve", "completions", "help", "--help", "--follow", "--markdown"];

/// Where the schemas are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas")
}

/// Their names, without `.json`.
///
/// # Panics
/// When the folder cannot be read.
pub fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).expect("the schemas are there").filter_map(Result::ok);
    let name = |it: fs::DirEntry| it.file_name().to_str()?.strip_suffix(".json").map(str::to_owned);
    let mut names = files.filter_map(name).collect::<Vec<_>>();
    names.sort_unstable();
    names
}

/// Holds what a command has printed to the schema of its reply, or of an error.
///
/// # Panics
/// When it does not fit.
pub fn hold(arguments: &[&str], run: &Run) {
    let speaks = arguments.contains(&"--json") && !arguments.iter().any(|it| OTHERS.contains(it));
    // A list that was cut short is no JSON, and says so by its exit code.
    let Ok(value) = serde_json::from_str::<Value>(&run.stdout) else {
        let silent = run.stdout.is_empty() || run.code != 0;
        assert!(!speaks || silent, "{arguments:?} prints no JSON: {run:?}");
        return;
    };
    if speaks {
        let is_error = value.get("error").is_some() && value.get("state").is_none();
        let name = if is_error { "error".to_owned() } else { name_of(arguments) };
        fits(&name, &value);
        assert!(!is_error || run.code != 0, "an error that is none to a script: {run:?}");
    }
}

/// The schema of a command: that of its first two words, or of the first one.
fn name_of(arguments: &[&str]) -> String {
    let valued = |it: &str| ["--config"].contains(&it);
    let mut words = arguments.iter().scan(false, |skip, it| {
        let is_value = std::mem::replace(skip, valued(it));
        Some((!is_value && !it.starts_with('-')).then_some(*it))
    });
    let mut words = words.by_ref().flatten();
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let both = format!("{first}-{second}");
    if compiled().1.contains_key(&both) { both } else { first.to_owned() }
}

/// Checks a document against a schema by its name.
///
/// # Panics
/// When it does not fit, or there is no such schema.
pub fn fits(name: &str, value: &Value) {
    let (schemas, known) = compiled();
    let Some(schema) = known.get(name) else { panic!("docs/schemas/{name}.json is missing") };
    if let Err(error) = schemas.validate(value, *schema) {
        panic!("this is not what docs/schemas/{name}.json says: {error}\n{value:#}");
    }
}

fn compiled() -> &'static (Schemas, BTreeMap<String, SchemaIndex>) {
    static COMPILED: OnceLock<(Schemas, BTreeMap<String, SchemaIndex>)> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.enable_format_assertions();
        let place = |name: &str| format!("https://keepfresh.invalid/{name}.json");
        for name in names() {
            let text = fs::read(folder().join(format!("{name}.json"))).expect("it can be read");
            let mut schema: Value = serde_json::from_slice(&text).expect("a schema is JSON");
            schema["$id"] = place(&name).into();
            compiler.add_resource(&place(&name), schema).expect("a schema is one");
        }
        let compile = |name: String| {
            let index = compiler.compile(&place(&name), &mut schemas);
            (name, index.unwrap_or_else(|error| panic!("{error:#}")))
        };
        let known = names().into_iter().map(compile).collect();
        (schemas, known)
    })
}
