//! The rules that the compiler does not check: size and header of files, the direction of imports, a
//! reason beside each dependency, and documents that name only files that exist. It reads text and
//! knows nothing of what the code does.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use keepfresh::model::code::Code;

const MOST_LINES: usize = 500;

/// Stages of `host/src`, lowest first, in the order of `host/src/lib.rs`. A stage may import only
/// the stages named before it.
#[rustfmt::skip]
const LAYERS: &[&str] = &[
    "model", "telemetry", "lifecycle",           // known to everyone
    "vault", "storage", "egress",                // what is hidden, what is kept, the way out
    "manifest", "sandbox", "catalogue",          // what the operator wants, and what runs it
    "refresher", "proxy", "scheduler", "delivery", // the work
    "operator", "control", "api", "dashboard",                // what people and programs can ask for, and from where
    "app", "cli",                                // assembly
];

/// Files of `host/src` that are no stage and see them all.
const ABOVE: &[&str] = &["lib.rs", "main.rs"];

#[test]
fn files_are_short() {
    let too_long = |file: &Source| {
        let lines = file.text.lines().count();
        (lines > MOST_LINES).then(|| format!("{} has {lines} lines; split it", file.path))
    };
    none(sources().iter().filter_map(too_long), "at most 500 lines a file");
}

#[test]
fn files_introduce_themselves() {
    let silent = |file: &&Source| !file.text.starts_with("//! ");
    let files = sources();
    let faults = files.iter().filter(silent).map(|it| it.path.clone());
    none(faults, "the first line begins with `//! `");
}

#[test]
fn imports_point_down_the_layers() {
    let host = sources_in("host/src");
    none(host.iter().flat_map(import_faults), "one `use` a stage, downwards only");
}

#[test]
fn nobody_reaches_over_two_modules() {
    none(sources().iter().flat_map(reach_faults), "import from `crate::`");
}

#[test]
fn every_stage_has_a_layer() {
    let lib = read("host/src/lib.rs");
    let declared = lib.lines().filter_map(|it| it.strip_prefix("pub mod ")?.strip_suffix(';'));
    assert_eq!(declared.collect::<Vec<_>>(), LAYERS, "host/src/lib.rs and LAYERS say the same");
}

#[test]
fn every_dependency_says_what_it_is_for() {
    none(unexplained(&read("Cargo.toml")), "a comment stands on the line above");
}

#[test]
fn documents_name_files_that_exist() {
    let mut faults = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document is text");
        let folder = document.parent().expect("a document is in a folder");
        let gone = named_files(&text).into_iter().filter(|it| !exists(it, folder));
        faults.extend(gone.map(|it| format!("{}: {it}", document.display())));
    }
    none(faults, "a document names a file that is there");
}

#[test]
fn pages_that_promise_something_name_tests_that_exist() {
    let page = read("SECURITY.md") + &read("docs/machine.md") + &read("docs/first-day.md");
    let names = page.split('`').skip(1).step_by(2).filter(|it| is_test_name(it));
    let code = sources();
    let is_there = |name: &str| {
        let definition = format!("fn {name}(");
        code.iter().any(|it| it.text.contains(&definition))
    };
    let names = names.collect::<Vec<_>>();
    assert!(names.len() > 80, "the pages name its tests: {}", names.len());
    let gone = names.into_iter().filter(|it| !is_there(it)).map(str::to_owned);
    none(gone, "a test that is named there is there");
}

#[test]
fn a_plugin_is_where_the_contributing_page_says() {
    let [short, long] = ["README.md", "plugins/README.md"].map(read);
    let lacks = |name: &str| {
        let own =
            ["Cargo.toml", "src/lib.rs", "README.md"].map(|it| format!("plugins/{name}/{it}"));
        let gone = own.into_iter().filter(|it| !root().join(it).exists());
        let lines = [
            (&short, format!("[`{name}`](plugins/{name}/README.md)")),
            (&long, format!("[`{name}`]({name}/README.md)")),
        ];
        let missing = lines.into_iter().filter(|(page, line)| !page.contains(line));
        gone.chain(missing.map(|(_, line)| line)).collect::<Vec<_>>()
    };
    none(plugins().iter().flat_map(|it| lacks(it)), "a plugin has its files and its lines");
}

/// Folders of `plugins/` that are one.
pub(crate) fn plugins() -> Vec<String> {
    let folders = fs::read_dir(root().join("plugins")).expect("there are plugins");
    let folders = folders.filter_map(Result::ok).filter(|it| it.path().is_dir());
    folders.filter_map(|it| it.file_name().into_string().ok()).collect()
}

/// Where subjects and fakes are registered.
const REGISTRIES: [&str; 2] = ["tests/suite/providers/subject.rs", "tests/src/provider/mod.rs"];

#[test]
fn a_subject_is_registered_once() {
    let list = read(REGISTRIES[0]);
    let names = after(&list, "$then! {").next().and_then(|it| it.split('}').next());
    let names = names.expect("each_subject! has the list").lines();
    let names = names.filter_map(|it| it.split_whitespace().next()).collect::<Vec<_>>();
    assert!(names.len() >= 9, "{names:?}");
    let code = sources_in("tests/suite").into_iter().chain(sources_in("tests/src"));
    let others = code.filter(|it| !REGISTRIES.contains(&it.path.as_str()));
    let faults = others.filter(|it| lists(&it.text, &names));
    none(faults.map(|it| it.path), "whoever wants all subjects goes through each_subject! or ALL");
}

/// Whether three of these names stand in a row, with commas between them.
fn lists(text: &str, names: &[&str]) -> bool {
    let code = text.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let in_a_row = |run: usize, word: &str| if names.contains(&word.trim()) { run + 1 } else { 0 };
    let runs = code.split([',', '{', '}', '[', ']', '(', ')']).scan(0, |run, word| {
        *run = in_a_row(*run, word);
        Some(*run)
    });
    runs.max().unwrap_or(0) >= 3
}

#[test]
fn nobody_decides_by_the_text_of_an_error_code() {
    let outside = |it: &&Source| !it.path.starts_with(CODES);
    let host = sources_in("host/src");
    let faults = host.iter().filter(outside).flat_map(code_text_faults);
    none(faults, "compare a case or an enum of model/code; its text is for people and scripts");
}

#[test]
fn only_an_engine_speaks_to_a_database() {
    let host = sources_in("host/src");
    none(host.iter().flat_map(driver_faults), "SQL and its drivers stay in their folders");
}

/// Where our own database is, and those of others that are written to.
const DATABASES: [&str; 2] = ["host/src/storage/sqlite/", "host/src/delivery/sinks/sql/"];

/// Uses of a database's driver outside of these.
fn driver_faults(file: &Source) -> Vec<String> {
    if DATABASES.iter().any(|it| file.path.starts_with(it)) {
        return Vec::new();
    }
    let speaks = |line: &str| ["sqlx::", "rusqlite::"].iter().any(|it| line.contains(it));
    // The log names the driver to quiet it.
    let faults = file.code().filter(|(_, line)| speaks(line) && !line.contains("\"sqlx"));
    faults
        .filter(|(_, line)| !line.contains("sqlx::query="))
        .map(|(number, line)| file.fault(number, line))
        .collect()
}

/// Several words with underscores between them.
fn is_test_name(text: &str) -> bool {
    let is_word = |it: &str| it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
    text.split('_').count() > 3 && text.split('_').all(|it| !it.is_empty() && is_word(it))
}

/// The tables of error codes, where their texts stand.
const CODES: &str = "host/src/model/code/";

/// What can be done with a text to decide by it.
const DECIDES: &[&str] = &[
    "==",
    "!=",
    "{",
    ".eq(",
    ".ne(",
    ".starts_with(",
    ".ends_with(",
    ".contains(",
    ".split",
    ".strip_",
    ".find(",
    ".matches(",
    ".rsplit",
    ".cmp(",
    ".as_bytes(",
    ".parse",
];

/// Texts of codes that are written out, in whole or by their area, and texts that decide.
fn code_text_faults(file: &Source) -> Vec<String> {
    let code = file.without_tests();
    let known = Code::all().map(|it| it.text().to_owned()).collect::<HashSet<_>>();
    let areas = known.iter().filter_map(|it| it.split_once('.')).map(|it| it.0);
    let areas = areas.collect::<HashSet<_>>();
    let is_written = |text: &str| {
        let by_area = text.split_once('.').filter(|it| it.1.is_empty() || it.1.starts_with('{'));
        known.contains(text) || by_area.is_some_and(|it| areas.contains(it.0))
    };
    // Each quotation mark is tried, because it may be an opening one.
    let quoted = after(&code, "\"").filter_map(|it| it.split('"').next());
    let written = quoted.filter(|it| is_written(it)).map(str::to_owned);
    // SQL quotes otherwise, and nobody has put what it writes into the table.
    let is_code = |text: &str| text.split_once('.').is_some_and(|it| areas.contains(it.0));
    let in_sql = after(&code, "'").filter_map(|it| it.split('\'').next());
    let written = written.chain(in_sql.filter(|it| is_code(it)).map(str::to_owned));
    let texts = ["code.text()", "code().text()", "code.to_string()", "code().to_string()"];
    let deciding = texts.iter().flat_map(|text| {
        let follows = after(&code, text);
        follows.filter(|it| DECIDES.iter().any(|how| it.starts_with(how)))
    });
    let deciding = deciding.map(|it| it.chars().take(40).collect());
    written.chain(deciding).map(|what| format!("{}: {what}", file.path)).collect()
}

/// Fails with every fault at once.
fn none(faults: impl IntoIterator<Item = String>, rule: &str) {
    let faults = faults.into_iter().collect::<Vec<_>>();
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

/// A file of code, by its path from the root of the project.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The layer that it belongs to: `host/src/vault/key.rs` to `vault`.
    fn stage(&self) -> Option<&str> {
        let name = self.path.strip_prefix("host/src/")?.split('/').next()?;
        (!ABOVE.contains(&name)).then(|| name.trim_end_matches(".rs"))
    }

    /// Whether `super` is the root of the crate.
    fn is_top(&self) -> bool {
        let inner = self.path.strip_prefix("host/src/").unwrap_or_default();
        !inner.contains('/') || (inner.ends_with("/mod.rs") && inner.matches('/').count() == 1)
    }

    /// Lines of code with their numbers, comments cut off.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = |line| str::split(line, "//").next().unwrap_or_default();
        self.text.lines().map(code).enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Code without its tests and without white space, so that no line end hides anything.
    fn without_tests(&self) -> String {
        if self.path.ends_with("/tests.rs") || self.path.contains("/tests/") {
            return String::new();
        }
        let lines = self.code().map(|it| it.1).take_while(|it| it.trim() != "mod tests {");
        lines.flat_map(str::chars).filter(|it| !it.is_whitespace()).collect()
    }

    fn fault(&self, number: usize, line: &str) -> String {
        format!("{}:{number}: {}", self.path, line.trim())
    }
}

/// Imports of a stage that does not stand below, and imports that hide what they import.
fn import_faults(file: &Source) -> Vec<String> {
    let Some(stage) = file.stage() else { return Vec::new() };
    let Some(here) = rank(stage) else {
        return vec![format!("{}: `{stage}` is not in LAYERS", file.path)];
    };
    let upwards = |name: &str| rank(name).is_some_and(|there| here < there);
    let wrong = |line: &str| {
        let from_root = after(line, "crate::").any(|it| it.starts_with('{') || upwards(word(it)));
        from_root || (file.is_top() && after(line, "super::").any(|it| upwards(word(it))))
    };
    let faults = file.code().filter(|(_, line)| wrong(line));
    faults.map(|(number, line)| file.fault(number, line)).collect()
}

/// Uses of `super::super`, which say neither where from nor how far.
fn reach_faults(file: &Source) -> Vec<String> {
    let path = ["super", "super"].join("::");
    let faults = file.code().filter(|(_, line)| line.contains(&path));
    faults.map(|(number, line)| file.fault(number, line)).collect()
}

fn rank(stage: &str) -> Option<usize> {
    LAYERS.iter().position(|it| *it == stage)
}

/// What follows each `mark` in the line.
fn after<'a>(line: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(mark).map(move |(at, _)| &line[at + mark.len()..])
}

/// The identifier that `text` begins with.
fn word(text: &str) -> &str {
    let end = text.find(|it: char| !it.is_alphanumeric() && it != '_');
    &text[..end.unwrap_or(text.len())]
}

/// Dependencies of the workspace without a comment directly above them.
fn unexplained(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().collect::<Vec<_>>();
    let start = lines.iter().position(|it| *it == "[workspace.dependencies]");
    let start = start.expect("the manifest lists the dependencies of the workspace") + 1;
    let entries = lines[start..].iter().take_while(|it| !it.starts_with('[')).enumerate();
    // A value that goes on over several lines is indented or ends in a bracket of its own.
    let named = entries.filter(|(_, it)| it.starts_with(|it: char| it.is_ascii_alphanumeric()));
    let silent = named.filter(|(index, _)| !lines[start + index - 1].starts_with("# "));
    silent.map(|(index, line)| format!("Cargo.toml:{}: {line}", start + index + 1)).collect()
}

/// What the reader of a document may want to open: paths between backticks, and targets of links.
fn named_files(document: &str) -> Vec<&str> {
    let quoted = document.split('`').skip(1).step_by(2).filter(|it| {
        let kinds = ["rs", "sql", "wit"];
        let kind = Path::new(it).extension().and_then(|it| it.to_str());
        kind.is_some_and(|it| kinds.contains(&it)) && it.contains('/') && !it.contains([' ', '*'])
    });
    let linked = after(document, "](").filter_map(|it| it.split([')', '#']).next());
    let local = linked.filter(|it| !it.is_empty() && !it.contains("://"));
    quoted.chain(local).collect()
}

/// Beside the document, at the root of the project, or a file of the host by its stage.
fn exists(name: &str, folder: &Path) -> bool {
    [folder.to_owned(), root(), root().join("host/src")].iter().any(|it| it.join(name).exists())
}

/// The pages at the root and everything in `docs`.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root().join("docs"), &mut found);
    let top = fs::read_dir(root()).expect("the root is a folder");
    found.extend(top.filter_map(Result::ok).map(|it| it.path()));
    found.retain(|it| it.extension().is_some_and(|it| it == "md"));
    found
}

/// Every file of code that the project's style holds for.
fn sources() -> Vec<Source> {
    let plugins = plugins().into_iter().map(|it| format!("plugins/{it}/src"));
    let others = ["host/src", "sdk/src", "times/src", "times/tests", "tests/src", "tests/suite"]
        .map(str::to_owned);
    let folders = others.into_iter().chain(plugins).filter(|it| root().join(it).is_dir());
    folders.flat_map(|it| sources_in(&it)).collect()
}

fn sources_in(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.retain(|it| it.extension().is_some_and(|it| it == "rs"));
    assert!(!paths.is_empty(), "{folder} has no code: this test would find nothing");
    paths.sort();
    let source = |path: &PathBuf| {
        let path = path.strip_prefix(root()).expect("it was found below the root");
        let path = path.to_str().expect("names of our files are text").to_owned();
        Source { text: read(&path), path }
    };
    paths.iter().map(source).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("this package lies in the project").to_owned()
}

mod rules;
