//! Every secret of these tests carries a mark, and the mark must be nowhere but where it belongs: not
//! in a file, not in a log at its loudest, not in the output of a command, not in a plugin's memory.
//!
//! Not covered, said plainly: the memory of the daemon itself and its core dumps; the environment of a
//! process, where an operator may put secrets; a message of a panic inside the host, which cannot be
//! caused from outside; a secret that a provider echoes in a spelling that `host/src/sandbox/spelling.rs`
//! does not undo (backwards, say) and that a plugin then repeats; parts of a secret; a network that
//! listens.

/// A secret in every spelling that gives it away.
mod forms;

/// Whatever a provider echoes.
mod echoes;

/// Files and outputs of a whole life.
mod life;

/// The same in short for each of the eight plugins.
mod everyone;

/// What a plugin can see, and say.
mod plugins;

/// Tokens that look like anything.
mod opaque;

/// Mistakes of operators.
mod mistakes;

use std::fs;
use std::path::Path;

use e2e::home::{Home, Run};
use forms::Scanner;

/// What every secret begins with.
const MARK: &str = "CANARY_";

/// The secrets of one test.
struct Canaries {
    all: Vec<String>,
}

impl Canaries {
    fn new() -> Self {
        Self { all: vec![MARK.to_owned()] }
    }

    /// A new secret, with characters that forms, JSON and URLs spell otherwise.
    fn hatch(&mut self, id: &str) -> String {
        self.keep(&format!("{MARK}{id}_{}&/+\"=% x", random()))
    }

    /// A new secret that a header can carry.
    fn hatch_plain(&mut self, id: &str) -> String {
        self.keep(&format!("{MARK}{id}_{}", random()))
    }

    /// A new JWT whose claims carry one more.
    fn hatch_jwt(&mut self, id: &str) -> String {
        let inner = self.hatch_plain("claim");
        let claims =
            format!(r#"{{"sub":"VISIBLE_{id}","exp":4102444800,"refreshToken":"{inner}"}}"#);
        let head = forms::base64_url(br#"{"alg":"HS256"}"#);
        self.keep(&format!(
            "{head}.{}.{MARK}{id}_{}",
            forms::base64_url(claims.as_bytes()),
            random()
        ))
    }

    /// A secret that somebody else made.
    fn keep(&mut self, secret: &str) -> String {
        self.all.push(secret.to_owned());
        secret.to_owned()
    }

    /// Fails if a command said one of them.
    fn not_said_by(&self, run: &Run, arguments: &[&str]) {
        let scanner = Scanner::new(&self.all);
        let said = format!("{}\n{}", run.stdout, run.stderr);
        if let Some(found) = scanner.find(said.as_bytes()) {
            panic!("keepfresh {} said {found}:\n{said}", arguments.join(" "));
        }
    }

    /// Fails if a text holds one of them.
    fn not_in(&self, what: &str, text: &[u8]) {
        if let Some(found) = Scanner::new(&self.all).find(text) {
            panic!("{what} holds {found}:\n{}", String::from_utf8_lossy(text));
        }
    }

    /// Fails if any file of the home holds one of them, but for those in which the operator put them.
    /// Gives the names of those that were read.
    fn not_in_files(&self, home: &Home) -> Vec<String> {
        let scanner = Scanner::new(&self.all);
        let mut seen = Vec::new();
        for path in files(&home.path("")) {
            let name = path.strip_prefix(home.path("")).unwrap().display().to_string();
            if name == "keepfresh.key" || name.starts_with("secrets/") {
                continue;
            }
            // A file that is gone again, such as a journal, holds nothing.
            let Ok(bytes) = fs::read(&path) else { continue };
            if let Some(found) = scanner.find(&bytes) {
                panic!("the file {name} holds {found}");
            }
            seen.push(name);
        }
        seen
    }
}

/// Plain files below `folder`.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() => found.extend(files(&path)),
            Ok(about) if about.is_file() => found.push(path),
            _ => {}
        }
    }
    found
}

/// Differs between tests and between runs.
fn random() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("{:016x}", RandomState::new().hash_one(0))
}
