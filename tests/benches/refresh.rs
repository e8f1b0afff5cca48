//! How fast, in one run on one machine: what the sandbox costs a call, and how many durable refreshes
//! of a rotating provider there are in a second, beside a bare HTTP loop that stores nothing. Ratios
//! are what counts; machines differ.
//!
//! `cargo bench -p e2e` (or `./dev bench`). `KEEPFRESH_BENCH_SECONDS` sets the length of each part.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::print_stdout, reason = "figures go to standard output")]
#![expect(clippy::disallowed_methods, reason = "the bare loop is bare")]
#![expect(clippy::cast_precision_loss, reason = "figures have three digits")]

use std::io::{BufRead as _, BufReader};

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use e2e::artifacts;
use e2e::home::Home;
use futures_util::future::join_all;
use keepfresh::app::{App, Purpose};
use keepfresh::catalogue::Own;
use keepfresh::egress::Gate;
use keepfresh::manifest;
use keepfresh::model::attempt::{Outcome, Trigger};
use keepfresh::model::clock::Clock;
use keepfresh::model::id::ConnectionId;
use keepfresh::refresher::{Ask, ManualToken};
use keepfresh::sandbox::{Compiler, NoJournal};
use secrecy::SecretString;
use serde_json::Value;

/// Refreshes under way at once, on both sides.
const AT_ONCE: usize = 512;

fn main() {
    let seconds = std::env::var("KEEPFRESH_BENCH_SECONDS").ok().and_then(|it| it.parse().ok());
    let length = Duration::from_secs(seconds.unwrap_or(5));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(length));
}

async fn run(length: Duration) {
    let provider = Provider::start();
    let app = open(&provider).await;
    sandbox(&app, length).await;
    // In turn, twice: a machine that slows down slows both.
    let (mut pooled, mut fresh, mut durable) = (0.0, 0.0, 0.0);
    for round in 0..2 {
        pooled += bare_loop(&provider, &format!("pooled-{round}"), true, length).await / 2.0;
        fresh += bare_loop(&provider, &format!("fresh-{round}"), false, length).await / 2.0;
        durable += durable_loop(&app, length).await / 2.0;
    }
    println!("bare loop, pooled connections    {pooled:>9.0} refreshes/s");
    println!("bare loop, one for each request  {fresh:>9.0} refreshes/s");
    println!("durable refreshes, all protocol  {durable:>9.0} refreshes/s");
    println!("ratio to the pooled loop         {:>9.3} (goal: at least 0.2)", durable / pooled);
    println!("ratio to the loop that dials     {:>9.3} (as egress does)", durable / fresh);
}

/// The fake provider as a process of its own, strict about reuse.
struct Provider {
    child: Child,
    base_url: String,
}

impl Provider {
    fn start() -> Self {
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
    async fn issue(&self, name: &str) -> Vec<Value> {
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

fn ids() -> Vec<ConnectionId> {
    (0..AT_ONCE).map(|it| format!("rotor/c{it}").parse().unwrap()).collect()
}

async fn open(provider: &Provider) -> App {
    let ids = ids();
    let connections =
        ids.iter().map(|it| format!("[[providers.rotor.connections]]\nname = \"{}\"\n", it.name()));
    let home = Home::new(&format!(
        "[providers.rotor]\nconcurrency = {AT_ONCE}\nrotation = \"strict\"\nsettings = {{ base_url = \"{}\" }}\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n{}",
        provider.base_url,
        connections.collect::<String>()
    ))
    .with_guest("rotor");
    let manifest = manifest::load(&home.path("keepfresh.toml")).unwrap();
    let compiler = Compiler::at(artifacts::keepfresh());
    let app = App::open(manifest, Purpose::Serve, Clock::system(), Gate::system(), compiler).await;
    let app = app.unwrap();
    let now = app.clock.now();
    for (id, pair) in ids.iter().zip(provider.issue("durable").await) {
        let token = ManualToken::parse(&SecretString::from(pair.to_string()), now).unwrap();
        app.refresher.enrolling.set_token(id, token).await.unwrap();
    }
    // Open files keep working; the folder is removed when the process ends.
    std::mem::forget(home);
    app
}

/// A fresh store, an instance, one call of an export that comes straight back.
async fn sandbox(app: &App, length: Duration) {
    let plugin = app.catalogue.plugin("rotor").unwrap();
    let id = &ids()[0];
    let mut took = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < length {
        let input = plugin
            .input(id, Own::default(), None, Arc::new(NoJournal), app.clock.now())
            .await
            .unwrap();
        let start = Instant::now();
        assert!(plugin.program().login(&input).await.is_err());
        took.push(start.elapsed());
    }
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1e6;
    println!(
        "sandbox: instantiate and call    p50 {:.1} us, p99 {:.1} us, {} calls (goal: p50 under 50 us)",
        at(50),
        at(99),
        took.len()
    );
}

/// What a script without any storage would do: one client, the next token from the last answer.
/// Connections are pooled, or dialled for each request as egress does it.
async fn bare_loop(provider: &Provider, name: &str, pooled: bool, length: Duration) -> f64 {
    let pairs = provider.issue(name).await;
    let idle = if pooled { usize::MAX } else { 0 };
    let client = reqwest::Client::builder().pool_max_idle_per_host(idle).build().unwrap();
    let url = format!("{}/token", provider.base_url);
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    let one = |pair: Value| {
        let (client, url, done) = (&client, &url, &done);
        async move {
            let mut refresh = pair["refresh_token"].as_str().unwrap().to_owned();
            while begun.elapsed() < length {
                let body = format!("grant_type=refresh_token&refresh_token={refresh}");
                let kind = "application/x-www-form-urlencoded";
                let request = client.post(url).header("content-type", kind).body(body);
                let text = request.send().await.unwrap().text().await.unwrap();
                let answer: Value = serde_json::from_str(&text).unwrap();
                answer["refresh_token"].as_str().unwrap().clone_into(&mut refresh);
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    join_all(pairs.into_iter().map(one)).await;
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

/// Claim, intent, sandbox, egress, capture, commit: all of it, for each.
async fn durable_loop(app: &App, length: Duration) -> f64 {
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
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}
