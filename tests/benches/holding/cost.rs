//! What one refresh costs when everything is due at once, with few connections in the database and with many.
//!
//! The scheduler takes what is due in the order of its times, and these are chance here. So refreshes come to rows all
//! over the database, each on a page of its own, as they do when connections were made over years. `refresh --all`
//! would go by names, from one row to its neighbour, and at a million find nearly every page where it left it.

use std::ops::AddAssign;
use std::thread;
use std::time::{Duration, Instant};

use e2e::daemon::wait_until;
use e2e::usage::Usage;

use crate::holding::{Held, stop};

/// Refreshes before the first that counts: plugins are loaded, caches are filled, and pools are full.
const WARM: u32 = 1_000;

/// More than this machine refreshes in a second, so that some are left when time is up.
const FASTEST: u64 = 6_000;

/// Those that are chosen are due within a second from then on, by chance, as are those that were chosen before and may
/// be due by now. A day is longer than a token lives, and shorter than what was imported.
const CHOOSE: &str = "
    update connections
    set due_at = cast(?1 as integer) + abs(random()) % 1000, due_trigger = 'expiry'
    where due_at < cast(?1 as integer) + 86400000
       or abs(random()) % cast(?2 as integer) < cast(?3 as integer)";

/// Refreshes, and what they took.
#[derive(Clone, Copy, Default)]
struct Work {
    refreshes: u64,
    processor: Duration,
    written: u64,
    took: Duration,
}

/// Measures both in turn, twice: a machine that slows down slows both. Returns how many of the many are refreshed in
/// a second.
pub(crate) fn compare(small: &Held, large: &Held, length: Duration) -> f64 {
    let mut works = [Work::default(); 2];
    for _ in 0..2 {
        for (work, held) in works.iter_mut().zip([small, large]) {
            *work += measure(held, length);
        }
    }
    let [few, many] = works;
    few.print(small);
    many.print(large);
    println!(
        "many over few          {:.3} of the processor (goal: at most 1.25), {:.3} of what is written",
        many.milliseconds() / few.milliseconds(),
        many.kilobytes() / few.kilobytes()
    );
    many.rate()
}

/// Until time is up, or until few are left to do.
fn measure(held: &Held, length: Duration) -> Work {
    let chosen = (length.as_secs() * FASTEST).min(held.many.into());
    held.retime(CHOOSE, chosen);
    let first = held.refreshed();
    let daemon = held.home.serve();
    let done = || held.refreshed() - first;
    let warm = u64::from(WARM.min(held.many / 10));
    wait_until("it refreshes", || done() >= warm);
    let (begun, before, start) = (Instant::now(), Usage::of(daemon.pid()), done());
    while begun.elapsed() < length && done() < chosen * 9 / 10 {
        thread::sleep(Duration::from_millis(50));
    }
    let (took, after, end) = (begun.elapsed(), Usage::of(daemon.pid()), done());
    stop(daemon);
    Work {
        refreshes: end - start,
        processor: after.processor.saturating_sub(before.processor),
        written: after.written - before.written,
        took,
    }
}

impl Work {
    /// Of the processor, for each.
    fn milliseconds(&self) -> f64 {
        self.processor.as_secs_f64() * 1e3 / self.refreshes as f64
    }

    /// Written for each.
    fn kilobytes(&self) -> f64 {
        self.written as f64 / 1e3 / self.refreshes as f64
    }

    /// In a second.
    fn rate(&self) -> f64 {
        self.refreshes as f64 / self.took.as_secs_f64()
    }

    fn print(&self, held: &Held) {
        println!(
            "a refresh among {:<7} {:.3} ms of the processor, {:.1} KB written, {:.0} refreshes/s ({} of them)",
            held.many,
            self.milliseconds(),
            self.kilobytes(),
            self.rate(),
            self.refreshes
        );
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.refreshes += other.refreshes;
        self.processor += other.processor;
        self.written += other.written;
        self.took += other.took;
    }
}
