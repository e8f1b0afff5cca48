//! What it costs to tell others: how many failures in a second become one alert, and how many durable refreshes there
//! are in a second with no sink, with one that writes a file for each connection, and with one that writes a row of a
//! table, in one run.
//!
//! `cargo bench -p e2e --bench delivery`. `KEEPFRESH_BENCH_SECONDS` sets the length of each part.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::print_stdout, reason = "figures go to standard output")]
#![expect(clippy::disallowed_methods, reason = "how long it runs is no secret")]
#![expect(clippy::cast_precision_loss, reason = "figures have three digits")]

mod rotating;

use std::time::{Duration, Instant};

use e2e::artifacts;
use e2e::database::Database;
use e2e::home::Home;
use e2e::many;
use e2e::receiver::Receiver;
use keepfresh::app::{App, Purpose};
use keepfresh::delivery::Delivery;
use keepfresh::egress::Gate;
use keepfresh::manifest;
use keepfresh::model::clock::Clock;
use keepfresh::sandbox::Compiler;
use rotating::{AT_ONCE, Provider, durable_loop, open};

/// Failures that happen at once.
const FAILURES: u32 = 10_000;

const FILE: &str = "
[[sinks]]
provider = \"rotor\"
file = \"HOME/{{ name }}.env\"
template = \"TOKEN={{ token }}\\n\"
";

const TABLE: &str = "
[[sinks]]
provider = \"rotor\"
sql = { url = { file = \"HOME/database.url\" }, table = \"tokens\", key = { name = \"{{ name }}\" }, insert = true }
on_token = { token = \"{{ token }}\", expires_at = \"{{ expires_at }}\" }
";

fn main() {
    let seconds = std::env::var("KEEPFRESH_BENCH_SECONDS").ok().and_then(|it| it.parse().ok());
    let length = Duration::from_secs(seconds.unwrap_or(5));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(length));
}

async fn run(length: Duration) {
    grouped().await;
    let provider = Provider::start();
    let mut apps = Vec::new();
    for (name, sink) in [("none", ""), ("file", FILE), ("table", TABLE)] {
        apps.push(at_work(&provider, name, sink).await);
    }
    // In turn, twice: a machine that slows down slows all.
    let mut rates = [0.0; 3];
    for _ in 0..2 {
        for (rate, (app, _)) in rates.iter_mut().zip(&apps) {
            *rate += durable_loop(app, length).await as f64 / length.as_secs_f64() / 2.0;
        }
    }
    let [none, file, table] = rates;
    println!("refreshes of {AT_ONCE}, no sink           {none:>9.0} refreshes/s");
    println!("with a file for each              {file:>9.0} refreshes/s, ratio {:.3}", file / none);
    println!(
        "with a row of SQLite for each     {table:>9.0} refreshes/s, ratio {:.3}",
        table / none
    );
}

/// An app with this sink at work.
async fn at_work(provider: &Provider, name: &str, sink: &str) -> (App, Delivery) {
    let app = open(provider, name, sink).await;
    let delivery = Delivery::start(app.delivery(&app.scheduler())).await.unwrap();
    (app, delivery)
}

/// Failures of many connections that wait to be heard, until one message tells of them all.
async fn grouped() {
    let receiver = Receiver::start();
    let home = Home::new(&format!(
        "[providers.rotor]\nsettings = {{ base_url = \"http://127.0.0.1:1\" }}\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\nconnections = []\n\n[[channels]]\nkind = \"webhook\"\nafter = \"0s\"\nurl = \"{}\"\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        receiver.url("/hook")
    ))
    .with_guest("rotor");
    // The channel has its place before they happen.
    let (app, delivery) = with_delivery(&home).await;
    app.lifecycle.stop();
    drop((app, delivery));
    let path = home.path("keepfresh.db");
    tokio::task::block_in_place(|| {
        many::fill(&home, "rotor", FAILURES);
        let database = Database::at(&path);
        database.run(FAILED);
        database.run(EVENTS);
    });
    let begun = Instant::now();
    let _working = with_delivery(&home).await;
    let told = || receiver.received().iter().any(|it| it.body.contains("\"affected\":10000"));
    while !told() {
        assert!(begun.elapsed() < Duration::from_mins(2), "{:?}", receiver.received());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let rate = f64::from(FAILURES) / begun.elapsed().as_secs_f64();
    println!("failures grouped into one alert   {rate:>9.0} events/s (goal: at least 10000)");
}

const FAILED: &str = "
    update connections set failures = 1, error_code = 'provider.unavailable', error_message = 'the provider is down'";

const EVENTS: &str = "
    insert into outbox (at, kind, connection, generation, code)
    select unixepoch() * 1000, 'failed', id, 1, 'provider.unavailable' from connections";

async fn with_delivery(home: &Home) -> (App, Delivery) {
    let manifest = manifest::load(&home.path("keepfresh.toml")).unwrap();
    let compiler = Compiler::at(artifacts::keepfresh());
    let app = App::open(manifest, Purpose::Serve, Clock::system(), Gate::system(), compiler).await;
    let app = app.unwrap();
    let delivery = Delivery::start(app.delivery(&app.scheduler())).await.unwrap();
    (app, delivery)
}
