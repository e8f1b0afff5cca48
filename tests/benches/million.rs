//! What 1,000,000 connections cost on two cores: to import them, to start and to rest beside them, to refresh one of
//! them, and to keep all of them fresh when each lives an hour. The provider is strict, and a process of its own.
//!
//! `cargo bench -p e2e --bench million` with the release binary in `KEEPFRESH_BIN`. `KEEPFRESH_MANY` sets another
//! number of connections, `KEEPFRESH_BENCH_SECONDS` how long refreshes are measured each time, and
//! `KEEPFRESH_HOLD_SECONDS` how long all are kept fresh. A million needs some 5 GiB in `TMPDIR`, and a quarter of
//! an hour.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::print_stdout, reason = "figures go to standard output")]
#![expect(clippy::disallowed_methods, reason = "connections are due by the clock of the daemon")]
#![expect(clippy::cast_precision_loss, reason = "figures have three digits")]

mod holding;

use std::time::Duration;

use e2e::chance::from_environment;
use e2e::crowd;
use holding::{Held, cost, hour, idle};

/// What the cost of a refresh is compared with.
const FEW: u32 = 10_000;

fn main() {
    if crowd::serves() {
        return;
    }
    let many = from_environment("KEEPFRESH_MANY", 1_000_000);
    let length = Duration::from_secs(from_environment("KEEPFRESH_BENCH_SECONDS", 10));
    let hold = Duration::from_secs(from_environment("KEEPFRESH_HOLD_SECONDS", 120));
    let large = Held::import(many);
    let small = Held::import(FEW.min(many));
    idle::measure(&large);
    let rate = cost::compare(&small, &large, length);
    hour::measure(&large, hold);
    // Not measured: at that rate every connection comes to its turn once an hour, and both cores do nothing else. The
    // provider is on them, too.
    println!("derived: two cores hold at most {:.1} million that live an hour", rate * 3.6e-3);
    for held in [small, large] {
        held.loses_no_grant();
    }
}
