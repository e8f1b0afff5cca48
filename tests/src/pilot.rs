//! A person at a real browser, step by step: `tests/servers/oidc/pilot.mjs` in Chromium. Knows nothing of what the
//! pages are about.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::servers::{chromium, installed};

/// A browser with one page. Ends when it is dropped.
pub struct Pilot {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

impl Pilot {
    /// A browser; nothing if none is installed.
    pub fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// One that runs no scripts.
    pub fn without_scripts() -> Option<Self> {
        Self::with(&["--no-js"])
    }

    fn with(arguments: &[&str]) -> Option<Self> {
        let home = installed("oidc")?;
        let chromium = chromium()?;
        let folder = tempfile::tempdir().expect("a folder for the browser's profile");
        let mut command = Command::new("node");
        command.arg(home.join("pilot.mjs")).args(arguments);
        command.env("CHROMIUM", chromium).env("TMPDIR", folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("node starts");
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut pilot = Self { child, to, from, _folder: folder };
        pilot.answer();
        Some(pilot)
    }

    /// One step.
    ///
    /// # Panics
    /// When it cannot be taken.
    pub fn step(&mut self, name: &str, mut with: Value) -> Value {
        with["do"] = name.into();
        let to = self.to.as_mut().expect("it runs");
        writeln!(to, "{with}").expect("the browser listens");
        let said = self.answer();
        assert!(said.get("error").is_none(), "{with}: {said}");
        said["ok"].clone()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("the browser answers");
        serde_json::from_str(&line).expect("an answer is a line of JSON")
    }

    /// Opens an address; gives the status.
    pub fn go(&mut self, url: &str) -> u64 {
        self.step("go", json!({ "url": url })).as_u64().unwrap_or_default()
    }

    /// Presses what is there.
    pub fn click(&mut self, at: &str) {
        self.step("click", json!({ "at": at }));
    }

    /// Types into a field.
    pub fn fill(&mut self, at: &str, text: &str) {
        self.step("fill", json!({ "at": at, "text": text }));
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str) {
        self.step("press", json!({ "key": key }));
    }

    /// What can be read there.
    pub fn text(&mut self, at: &str) -> String {
        self.step("text", json!({ "at": at })).as_str().unwrap_or_default().to_owned()
    }

    /// How many of these there are.
    pub fn count(&mut self, at: &str) -> u64 {
        self.step("count", json!({ "at": at })).as_u64().unwrap_or_default()
    }

    /// Where it is.
    pub fn url(&mut self) -> String {
        self.step("url", json!({})).as_str().unwrap_or_default().to_owned()
    }

    /// What a script says.
    pub fn ask(&mut self, script: &str) -> Value {
        self.step("ask", json!({ "script": script }))
    }

    /// Waits until a script says true.
    pub fn until(&mut self, script: &str) {
        self.step("until", json!({ "script": script }));
    }

    /// Makes the window so large.
    pub fn size(&mut self, width: u32, height: u32) {
        self.step("size", json!({ "width": width, "height": height }));
    }

    /// Light or dark, as the system says.
    pub fn dark(&mut self, dark: bool) {
        self.step("dark", json!({ "dark": dark }));
    }

    /// What axe-core finds on the page.
    pub fn axe(&mut self) -> Vec<String> {
        texts(&self.step("axe", json!({})))
    }

    /// What pages should not do: messages on the console, errors, requests to elsewhere; since it was asked last.
    pub fn noise(&mut self) -> Vec<String> {
        texts(&self.step("noise", json!({})))
    }

    /// A picture of the whole page.
    pub fn shot(&mut self, path: &Path) {
        self.step("shot", json!({ "path": path }));
    }
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(|it| it.as_str()).map(str::to_owned).collect()
}

impl Drop for Pilot {
    fn drop(&mut self) {
        // It closes when nothing more can come.
        drop(self.to.take());
        let _ = self.child.wait();
    }
}
