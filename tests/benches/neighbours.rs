//! What ill-behaved plugins cost the others: how long refreshes of a well-behaved provider take, alone and
//! while eight guests misbehave as fast as they can, and what memory is left afterwards.
//!
//! `cargo bench -p e2e --bench neighbours`. `KEEPFRESH_BENCH_SECONDS` sets the length of each part.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::print_stdout, reason = "figures go to standard output")]
#![expect(clippy::disallowed_methods, reason = "how long it runs is no secret")]
#![expect(clippy::cast_precision_loss, reason = "figures have three digits")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use e2e::home::Home;
use e2e::provider::script::{Fate, Scenario};
use e2e::provider::{FakeProvider, Kind, eskiz, rotor};
use keepfresh::control::{Client, ask};
use keepfresh::operator::{Command, Reply, Selection};
use tokio::sync::mpsc;

/// One of each way to misbehave: time, memory, stack, handles, what crosses, what is logged, what is sent.
const GUESTS: [&str; 8] = [
    "spins-forever",
    "eats-memory",
    "recurses",
    "leaks-handles",
    "huge-log",
    "floods-log",
    "big-body",
    "sets-host-header",
];

/// What a provider far away takes to answer, in milliseconds.
const DISTANCE: u64 = 200;

/// Connections that are refreshed at once.
const CONNECTIONS: usize = 20;

#[tokio::main]
async fn main() {
    let seconds = std::env::var("KEEPFRESH_BENCH_SECONDS").ok().and_then(|it| it.parse().ok());
    let length = Duration::from_secs(seconds.unwrap_or(15));
    let eskiz = FakeProvider::start(Kind::Eskiz(eskiz::Settings::default())).unwrap();
    let rotor = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
    eskiz.control().script(Scenario::from(Fate::Act).delay_before(DISTANCE).always());
    eskiz.control().limit_journal(100);
    rotor.control().limit_journal(100);
    let home = home(&eskiz.base_url(), &rotor.base_url());
    let daemon = home.serve();
    let database = home.path("keepfresh.db");
    // Everything is loaded and has run once before anything is measured.
    let _ = misbehave_once(&database).await;
    let _ = refreshes(&database, length / 4).await;
    let (alone, memory) = (refreshes(&database, length).await, resident(daemon.pid()));
    let (together, calls) = with_guests(&database, length).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (after, left) = (refreshes(&database, length).await, resident(daemon.pid()));
    print("alone", &alone);
    print("beside eight that misbehave", &together);
    print("alone again", &after);
    let (before, beside) = (percentile(&alone, 99), percentile(&together, 99));
    println!("calls of ill-behaved guests       {calls:>7} in {} s", length.as_secs());
    println!("p99 beside them, over p99 alone   {:>7.3} (goal: under 1.1)", beside / before);
    println!("memory before and after           {memory:>7.1} {left:.1} MiB");
    println!("memory after, over before         {:>7.3} (goal: under 1.2)", left / memory);
}

fn home(eskiz: &str, rotor: &str) -> Home {
    let local = "egress = { networks = [\"127.0.0.0/8\"], plaintext = true }";
    let mut manifest = format!(
        "[providers.eskiz]\nsettings = {{ base_url = \"{eskiz}\" }}\n{local}\nconcurrency = {CONNECTIONS}\nsecrets = {{ email = {{ env = \"EMAIL\" }}, password = {{ env = \"PASSWORD\" }} }}\n"
    );
    for number in 0..CONNECTIONS {
        let _ = writeln!(manifest, "[[providers.eskiz.connections]]\nname = \"c{number}\"");
    }
    for guest in GUESTS {
        let _ = writeln!(
            manifest,
            "[providers.{guest}]\nsettings = {{ base_url = \"{rotor}\" }}\n{local}\nsecrets = {{ key = {{ env = \"KEY\" }} }}"
        );
    }
    let settings = eskiz::Settings::default();
    let home = Home::new(&manifest).with_plugin("eskiz");
    let home = GUESTS.iter().fold(home, |home, guest| home.with_guest(guest));
    home.with_env("EMAIL", &settings.email)
        .with_env("PASSWORD", &settings.password)
        .with_env("KEY", &rotor::Settings::default().key)
        .with_env("KEEPFRESH_LOG", "error")
}

/// Refreshes all of eskiz, again and again, and tells how long each attempt took, in milliseconds.
async fn refreshes(database: &Path, length: Duration) -> Vec<f64> {
    let (begun, mut all) = (Instant::now(), Vec::new());
    while begun.elapsed() < length {
        let Some(Reply::Refreshed(done)) = refresh(database, "eskiz").await else { continue };
        all.extend(done.attempts.iter().filter_map(|it| it.duration_ms).map(|it| it as f64));
    }
    all.sort_by(f64::total_cmp);
    all
}

/// The same while every guest is called again as soon as it was stopped.
async fn with_guests(database: &Path, length: Duration) -> (Vec<f64>, u64) {
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let loops = GUESTS.map(|guest| {
        let (database, stop, calls) = (database.to_owned(), Arc::clone(&stop), Arc::clone(&calls));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let _ = refresh(&database, guest).await;
                calls.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let all = refreshes(database, length).await;
    stop.store(true, Ordering::Relaxed);
    for guest in loops {
        guest.await.unwrap();
    }
    (all, calls.load(Ordering::Relaxed))
}

async fn misbehave_once(database: &Path) -> Vec<Option<Reply>> {
    let mut all = Vec::new();
    for guest in GUESTS {
        all.push(refresh(database, guest).await);
    }
    all
}

async fn refresh(database: &Path, provider: &str) -> Option<Reply> {
    let client = Client::connect(database).await.ok()??;
    let selection = Selection { provider: Some(provider.to_owned()), ..Selection::default() };
    let command = Command::Refresh { selection, force: true, dry_run: false, wait: true };
    let (progress, _none) = mpsc::unbounded_channel();
    ask(client, &command, &progress).await.ok()
}

/// Resident memory of a process, in mebibytes.
fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap() / 1024.0
}

fn percentile(sorted: &[f64], of: usize) -> f64 {
    sorted.get((sorted.len() * of / 100).min(sorted.len().saturating_sub(1))).copied().unwrap()
}

fn print(what: &str, sorted: &[f64]) {
    println!(
        "{what:<33} {:>7} refreshes, p50 {:.0} ms, p99 {:.0} ms",
        sorted.len(),
        percentile(sorted, 50),
        percentile(sorted, 99)
    );
}
