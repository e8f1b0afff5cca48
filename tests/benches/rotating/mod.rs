//! Many connections of a rotating provider, refreshed as fast as they can be.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use e2e::artifacts;
use e2e::home::Home;
use futures_util::future::join_all;
use keepfresh::app::{App, Purpose};
use keepfresh::egress::Gate;
use keepfresh::manifest;
use keepfresh::model::attempt::{Outcome, Trigger};
use keepfresh::model::clock::Clock;
use keepfresh::model::id::ConnectionId;
use keepfresh::refresher::{Ask, ManualToken};
use keepfresh::sandbox::Compiler;
use secrecy::SecretString;
use serde_json::Value;

/// Refreshes under way at once.
pub(crate) const AT_ONCE: usize = 512;

/// The fake provider as a process of its own, strict about reuse.
pub(crate) struct Provider {
    child: Child,
    /// Where it listens.
    pub(crate) base_url: String,
}

impl Provider {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let bin = artifacts::fake_provider();
        let mut command = Command::new(bin);
        command.args(["rotor", "--class", "strict", "--journal", "0"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base_url = line.trim().trim_start_matches("listening on ").to_owned();
        Self { child, base_url }
    }

    /// First pairs of so many families, as token endpoints answer them.
    pub(crate) async fn issue(&self, name: &str) -> Vec<Value> {
        let url = format!("{}/__control/issue", self.base_url);
        let body = serde_json::json!({ "name": name, "count": AT_ONCE }).to_string();
        let client = reqwest::Client::new();
        let request = client.post(url).header("content-type", "application/json").body(body);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Its connections.
pub(crate) fn ids() -> Vec<ConnectionId> {
    (0..AT_ONCE).map(|it| format!("rotor/c{it}").parse().unwrap()).collect()
}

/// An app with these connections, each with a first pair of families of that name, whose manifest has `more` at its
/// end. `HOME` in it is the folder of the manifest.
pub(crate) async fn open(provider: &Provider, name: &str, more: &str) -> App {
    let ids = ids();
    let connections =
        ids.iter().map(|it| format!("[[providers.rotor.connections]]\nname = \"{}\"\n", it.name()));
    let home = Home::new(&format!(
        "[providers.rotor]\nconcurrency = {AT_ONCE}\nrotation = \"strict\"\nsettings = {{ base_url = \"{}\" }}\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n{}{more}",
        provider.base_url,
        connections.collect::<String>()
    ))
    .with_guest("rotor");
    let text = std::fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&text.replace("HOME", &home.path("").to_string_lossy()));
    let manifest = manifest::load(&home.path("keepfresh.toml")).unwrap();
    let compiler = Compiler::at(artifacts::keepfresh());
    let app = App::open(manifest, Purpose::Serve, Clock::system(), Gate::system(), compiler).await;
    let app = app.unwrap();
    let now = app.clock.now();
    for (id, pair) in ids.iter().zip(provider.issue(name).await) {
        let token = ManualToken::parse(&SecretString::from(pair.to_string()), now).unwrap();
        app.refresher.enrolling.set_token(id, token).await.unwrap();
    }
    // Open files keep working; the folder is removed when the process ends.
    std::mem::forget(home);
    app
}

/// Claim, intent, sandbox, egress, capture, commit: all of it, for each. How many there were.
pub(crate) async fn durable_loop(app: &App, length: Duration) -> u64 {
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    let one = |id: ConnectionId| {
        let done = &done;
        async move {
            while begun.elapsed() < length {
                let attempt =
                    app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await.unwrap();
                assert_eq!(attempt.outcome(), Some(Outcome::Success), "{attempt:?}");
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let tasks = ids().into_iter().map(one);
    join_all(tasks).await;
    done.load(Ordering::Relaxed)
}
