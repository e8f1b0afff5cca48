//! A daemon beside connections that are all due in weeks: how long a start takes, what it holds, what it does.

use std::thread;
use std::time::{Duration, Instant};

use e2e::daemon::Daemon;
use e2e::http::{Http, Place};
use e2e::usage::Usage;

use crate::holding::{Held, STARTING, mebibytes, stop};

/// The median of so many counts.
const STARTS: usize = 11;

/// How long it is watched: ten milliseconds, which is as fine as the kernel counts, are a thirtieth of a percent of it.
const REST: Duration = Duration::from_secs(30);

/// Starts a daemon several times, and watches the last one.
pub(crate) fn measure(held: &Held) {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let (daemon, took) = start(held);
        starts.push(took.as_secs_f64() * 1e3);
        stop(daemon);
    }
    starts.sort_by(f64::total_cmp);
    println!(
        "start, to an answer    median {:.0} ms, {:.0} to {:.0} (goal: 1000)",
        starts[STARTS / 2],
        starts[0],
        starts[STARTS - 1]
    );
    let (daemon, _) = start(held);
    thread::sleep(STARTING);
    let (before, begun) = (Usage::of(daemon.pid()), Instant::now());
    thread::sleep(REST);
    let (after, took) = (Usage::of(daemon.pid()), begun.elapsed());
    stop(daemon);
    println!(
        "memory at rest         {:.1} MiB, {:.1} MiB of it in no file (goal: 64)",
        mebibytes(after.resident),
        mebibytes(after.anonymous)
    );
    let share = after.processor.saturating_sub(before.processor).div_duration_f64(took);
    println!("processor at rest      {:.2} % of a core (goal: 0.2)", share * 100.0);
}

/// From `exec` until both sockets are there and one has answered.
fn start(held: &Held) -> (Daemon, Duration) {
    let begun = Instant::now();
    let daemon = held.home.serve();
    let caller = Http::at(Place::Socket(held.home.path("keepfresh.http.sock")));
    caller.get("/healthz").is(200);
    (daemon, begun.elapsed())
}
