//! A load rehearsal: an hour of 1,000,000 connections of four providers, faster than real time. The parts of the daemon
//! work in this process, by a clock that is moved along with real time, ten times as fast. Lives of tokens are spread
//! from half an hour to a month; providers take 50 to 300 ms, fail two of a hundred requests, and one of them has a
//! limit. What it looked like is printed, and drawn.
//!
//! `cargo bench -p e2e --bench rehearsal` with the release binary in `KEEPFRESH_BIN`, which imports and compiles.
//! `KEEPFRESH_MANY` sets another number of connections, `KEEPFRESH_SPEED` another pace; `KEEPFRESH_PICTURES=write` puts
//! the picture among those of the documentation, and not into `target`.
//!
//! What is real all the same: answers of providers, limits, commits. So a second of the clock has a tenth of the time
//! for its work, and what takes a tenth of a second is late by a second of the clock. Memory is that of the system's
//! allocator, which this process has, and the program has not.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::print_stdout, reason = "figures go to standard output")]
#![expect(
    clippy::disallowed_methods,
    reason = "an hour begins now, and a picture goes where one says"
)]
#![expect(clippy::cast_precision_loss, reason = "figures have three digits")]

mod rehearsing;

use std::time::{Duration, Instant};

use e2e::artifacts;
use e2e::chance::from_environment;
use e2e::crowd;
use keepfresh::app::{App, Purpose};
use keepfresh::delivery::Delivery;
use keepfresh::egress::Gate;
use keepfresh::lifecycle::limits;
use keepfresh::manifest;
use keepfresh::model::clock::Clock;
use keepfresh::sandbox::Compiler;
use rehearsing::sampling::{Sample, Sampler};
use rehearsing::staging::Stage;
use rehearsing::{HOUR, drawing, report};

/// How often the clock is moved: ten times as fast, it goes on by a fifth of a second each time.
const STEP: Duration = Duration::from_millis(20);

fn main() {
    if crowd::serves() {
        return;
    }
    limits::raise();
    let many = from_environment("KEEPFRESH_MANY", 1_000_000);
    let speed = from_environment("KEEPFRESH_SPEED", 10);
    let stage = Stage::set(many, speed);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let samples = runtime.block_on(perform(&stage, speed));
    report::print(&stage, &samples);
    let path = drawing::draw(&samples, many, speed);
    println!("picture                {}", path.display());
    stage.loses_no_grant();
}

/// Works for an hour of the clock, and is looked at each second.
async fn perform(stage: &Stage, speed: u32) -> Vec<Sample> {
    let app = open(stage).await;
    let scheduler = app.scheduler();
    let delivery = Delivery::start(app.delivery(&scheduler)).await.unwrap();
    let sampler = Sampler::start(stage.home.path("keepfresh.db"), app.clock.clone());
    scheduler.start();
    pass_an_hour(&app.clock, speed).await;
    let samples = tokio::task::block_in_place(|| sampler.stop());
    let drained = app.lifecycle.drain(app.longest_attempt()).await;
    assert!(drained, "something goes on");
    drop(delivery);
    app.storage.close().await;
    samples
}

/// As the daemon does it, but for sockets and signals.
async fn open(stage: &Stage) -> App {
    let manifest = manifest::load(&stage.home.path("keepfresh.toml")).unwrap();
    let compiler = Compiler::at(artifacts::keepfresh());
    let clock = Clock::manual(stage.start);
    App::open(manifest, Purpose::Serve, clock, Gate::system(), compiler).await.unwrap()
}

async fn pass_an_hour(clock: &Clock, speed: u32) {
    let (begun, mut passed) = (Instant::now(), Duration::ZERO);
    while passed < HOUR {
        tokio::time::sleep(STEP).await;
        // From real time each time: a step that came late is caught up with.
        let now = (begun.elapsed() * speed).min(HOUR);
        clock.advance(now.saturating_sub(passed));
        passed = now;
    }
}
