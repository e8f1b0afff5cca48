//! What is current, delivered to places of the operator's: real files, databases, commands and receivers.

/// Files, and what others do to them.
mod files;

/// What is delivered, and when.
mod following;

/// What holds up nobody.
mod failing;

/// Kills, at any moment.
mod kills;

/// Tokens are where they are delivered to, and nowhere else.
mod secrets;

/// Rows of tables, written past the program.
mod tables;

/// What is said when a row cannot be written.
mod refusals;

/// Tables of other systems, kept current.
mod sql;

/// Programs that read a token.
mod command;

/// Requests that carry one.
mod webhook;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use e2e::daemon::wait_until;
use e2e::home::Home;
use serde_json::Value;

use crate::people::Crowd;

/// A home with these connections, each with a token, and with these sinks.
fn crowd(names: &[&str], sinks: &str) -> Crowd {
    let crowd = Crowd::new("");
    fs::create_dir(crowd.home.path("out")).unwrap();
    crowd.file("people.csv", &crowd.roster(names, 86_400));
    let _ = crowd.import(&["people.csv"]).exits(0);
    add(&crowd.home, sinks);
    crowd
}

/// A file for each connection, with its token.
const EACH: &str = "\n[[sinks]]\nname = \"each\"\nprovider = \"rotor\"\n\
                    file = \"out/{{ name }}.env\"\ntemplate = \"T={{ token | quote }}\\n\"\n";

/// Adds to the manifest of a home.
fn add(home: &Home, text: &str) {
    let before = fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&(before + text));
}

/// The file of a connection; empty when there is none.
fn file(home: &Home, name: &str) -> String {
    fs::read_to_string(home.path(&format!("out/{name}.env"))).unwrap_or_default()
}

/// What the file of a connection should hold.
fn line(home: &Home, name: &str) -> String {
    format!("T='{}'\n", token(home, name))
}

/// The current token of a connection.
fn token(home: &Home, name: &str) -> String {
    let token = home.run(&["token", "get", &format!("rotor/{name}")]).exits(0);
    token.stdout.trim_end().to_owned()
}

/// Gives a connection this token.
fn set(home: &Home, name: &str, token: &str) {
    let set = ["token", "set", &format!("rotor/{name}")];
    let _ = home.run_with_input(&set, token).exits(0);
}

/// Waits until the file of a connection holds this.
fn holds(home: &Home, name: &str, text: &str) {
    wait_until(&format!("{name} has {text:?}"), || file(home, name) == text);
}

/// A sink as `sink list` has it.
fn sink(home: &Home, name: &str) -> Value {
    let all = home.run(&["sink", "list", "--json"]).exits(0).json();
    let all = all["sinks"].as_array().unwrap().clone();
    all.into_iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("no sink {name}"))
}

/// The mode of a file.
fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Files of the folder that sinks write to.
fn names(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.path("out")).unwrap();
    let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
    let mut names = names.collect::<Vec<_>>();
    names.sort();
    names
}
