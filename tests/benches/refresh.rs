//! How fast, in one run on one machine: what the sandbox costs a call, and how many durable refreshes
//! of a rotating provider there are in a second, beside a bare HTTP loop that stores nothing. Ratios
//! are what counts; machines differ. At the end each part of a refresh by itself, and what they come to.
//!
//! `cargo bench -p e2e` (or `./dev bench`). `KEEPFRESH_BENCH_SECONDS` sets the length of each part.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::print_stdout, reason = "figures go to standard output")]
#![expect(clippy::disallowed_methods, reason = "the bare loop is bare")]
#![expect(clippy::cast_precision_loss, reason = "figures have three digits")]

mod parts;
mod rotating;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use keepfresh::app::App;
use keepfresh::catalogue::Own;
use keepfresh::sandbox::NoJournal;
use parts::{Cost, Watch};
use rotating::{AT_ONCE, Provider, durable_loop, ids, open};
use serde_json::Value;

fn main() {
    let seconds = std::env::var("KEEPFRESH_BENCH_SECONDS").ok().and_then(|it| it.parse().ok());
    let length = Duration::from_secs(seconds.unwrap_or(5));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(length));
}

async fn run(length: Duration) {
    let provider = Provider::start();
    let app = open(&provider, "durable", "").await;
    let stored = open(&provider, "stored", "").await;
    // In turn, three times: a machine that slows down slows all.
    let rounds = [0, 1, 2];
    let (mut pooled, mut fresh, mut durable) = (Vec::new(), Vec::new(), Vec::new());
    let (mut called, mut steps) = (Vec::new(), Vec::new());
    for round in rounds {
        pooled.push(bare_loop(&provider, &format!("pooled-{round}"), true, length).await);
        fresh.push(bare_loop(&provider, &format!("fresh-{round}"), false, length).await);
        let watch = Watch::start();
        let done = durable_loop(&app, length).await;
        durable.push(watch.cost(done));
        called.push(sandbox(&app, length).await);
        steps.push(parts::steps::durable(&stored, AT_ONCE, length).await);
    }
    let [pooled, fresh, durable, called, steps] =
        [pooled, fresh, durable, called, steps].map(|it| median(&it));
    println!("bare loop, pooled connections    {:>9.0} refreshes/s", pooled.rate);
    println!("bare loop, one for each request  {:>9.0} refreshes/s", fresh.rate);
    println!("durable refreshes, all protocol  {:>9.0} refreshes/s", durable.rate);
    println!(
        "ratio to the pooled loop         {:>9.3} (goal: at least 0.2)",
        durable.rate / pooled.rate
    );
    println!(
        "ratio to the loop that dials     {:>9.3} (as egress does)",
        durable.rate / fresh.rate
    );
    let parts = [
        ("a request on a connection of its own", fresh),
        ("a call of a plugin that comes straight back", called),
        ("what is stored, sealed, and read", steps),
    ];
    parts::tell(&parts, durable);
}

/// The figures of the round that is in the middle.
fn median(rounds: &[Cost]) -> Cost {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    rounds[rounds.len() / 2]
}

/// A fresh store, an instance, one call of an export that comes straight back.
async fn sandbox(app: &App, length: Duration) -> Cost {
    let plugin = app.catalogue.plugin("rotor").unwrap();
    let id = &ids()[0];
    let mut took = Vec::new();
    let watch = Watch::start();
    while !watch.is_over(length) {
        let input = plugin
            .input(id, Own::default(), None, Arc::new(NoJournal), app.clock.now())
            .await
            .unwrap();
        let start = Instant::now();
        assert!(plugin.program().login(&input).await.is_err());
        took.push(start.elapsed());
    }
    let cost = watch.cost(took.len() as u64);
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1e6;
    println!(
        "sandbox: instantiate and call    p50 {:.1} us, p99 {:.1} us, {} calls (goal: p50 under 50 us)",
        at(50),
        at(99),
        took.len()
    );
    cost
}

/// What a script without any storage would do: one client, the next token from the last answer.
/// Connections are pooled, or dialled for each request as egress does it.
async fn bare_loop(provider: &Provider, name: &str, pooled: bool, length: Duration) -> Cost {
    let pairs = provider.issue(name).await;
    let idle = if pooled { usize::MAX } else { 0 };
    let client = reqwest::Client::builder().pool_max_idle_per_host(idle).build().unwrap();
    let url = format!("{}/token", provider.base_url);
    let done = AtomicU64::new(0);
    let watch = Watch::start();
    let one = |pair: Value| {
        let (client, url, done, watch) = (&client, &url, &done, &watch);
        async move {
            let mut refresh = pair["refresh_token"].as_str().unwrap().to_owned();
            while !watch.is_over(length) {
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
    watch.cost(done.load(Ordering::Relaxed))
}
