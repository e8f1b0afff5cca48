//! Keepfresh beside what people write by hand: how many refreshes there are in a second, what each takes of the processor
//! and of the disk, and how much memory that wants. A service in Node, one in Python with aiohttp, and Keepfresh refresh the
//! same connections at the same strict provider, in turn, with and without TLS. After each it is checked that no token
//! was lost.
//!
//! `cargo bench -p e2e --bench race`, with the release binary in `KEEPFRESH_BIN`; `./dev bench` installs the packages of the
//! others. `KEEPFRESH_BENCH_SECONDS` sets how long each races in a round, `KEEPFRESH_RACE_ROUNDS` how many rounds there are,
//! `KEEPFRESH_MANY` how many connections, `TMPDIR` on which disk. With `KEEPFRESH_RACE_CALLS=1` and `strace`, calls of the
//! kernel are counted in a shorter round of its own.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::print_stdout, reason = "figures go to standard output")]
#![expect(clippy::disallowed_methods, reason = "the fake provider is no part of the program")]
#![expect(clippy::cast_precision_loss, reason = "figures have three digits")]

/// Who is raced.
mod entrants;

/// One race, measured.
mod heat;

/// What a race needs of those who take part.
mod racer;

/// Those in Node and Python.
mod script;

/// Keepfresh.
mod keepfresh;

/// Whom they all ask.
mod provider;

/// How TLS is made there.
mod certificate;

/// What processes have taken.
mod took;

/// What they asked of the kernel.
mod calls;

/// How it is told.
mod table;

use std::time::Duration;

use e2e::chance::from_environment;

use entrants::ALL;
use heat::{Course, Figures};

fn main() {
    let arguments = std::env::args().collect::<Vec<_>>();
    match arguments.get(1).map(String::as_str) {
        Some(provider::ARGUMENT) => provider::serving::serve(&arguments[2..]),
        _ => race(),
    }
}

fn race() {
    let many = from_environment("KEEPFRESH_MANY", 20_000);
    let length = Duration::from_secs(from_environment("KEEPFRESH_BENCH_SECONDS", 6));
    let rounds = from_environment("KEEPFRESH_RACE_ROUNDS", 2);
    let course = Course::new(many, length);
    println!("{many} connections; rounds: {rounds}, of {} s each", length.as_secs());
    table::head();
    let mut all = ALL.map(|it| (it, Vec::new()));
    // In turn: a machine that slows down slows all.
    for _ in 0..rounds {
        for (entrant, figures) in &mut all {
            if let Some(it) = course.measure(*entrant) {
                table::row(*entrant, &it);
                figures.push(it);
            }
        }
    }
    let raced = all.into_iter().filter(|(_, figures)| !figures.is_empty());
    let medians = raced.map(|(it, figures)| (it, Figures::median(&figures))).collect::<Vec<_>>();
    table::medians(&medians);
    table::ratios(&medians);
    if from_environment("KEEPFRESH_RACE_CALLS", 0) > 0 {
        table::calls(medians.iter().map(|(it, _)| (*it, course.count_calls(*it))));
    }
}
