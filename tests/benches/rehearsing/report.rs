//! What a rehearsal looked like, as text: a line for each five minutes of the clock, what failed and why, and what the
//! providers say of it.

use std::time::Duration;

use crate::rehearsing::parts::PARTS;
use crate::rehearsing::sampling::Sample;
use crate::rehearsing::staging::Stage;
use crate::rehearsing::{HOUR, mebibytes, per};

/// What one line of the table is about, in seconds of the clock.
const WINDOW: u64 = 300;

/// Why attempts have failed.
const CAUSES: &str = "
    select printf('%-10s %8d  %s', provider, sum(count), code) from hours
    where outcome = 'failed'
    group by provider, code
    order by provider, code";

/// Whom a person has to help, and whose token has ended at a moment.
const LEFT: &str = "
    select printf('%d need a person, %d have a token that has ended',
                  (select count(*) from connections where problem is not null),
                  (select count(*) from connections where expires_at <= cast(?1 as integer)))";

/// Prints all of it.
pub(crate) fn print(stage: &Stage, samples: &[Sample]) {
    table(samples);
    totals(samples);
    for cause in stage.database().texts(CAUSES, &[]) {
        println!("failed     {cause}");
    }
    for (part, provider) in PARTS.iter().zip(&stage.providers) {
        let counts = provider.counts();
        println!(
            "{:<10} {:>8} renewed, {} answered 503, {} answered 429",
            part.name, counts.renewed, counts.failed, counts.limited
        );
    }
    let end = (stage.start + HOUR).as_millisecond().to_string();
    for left in stage.database().texts(LEFT, &[&end]) {
        println!("at the end {left}");
    }
}

/// A line for each window, with the most lag in it and rates of real time.
fn table(samples: &[Sample]) {
    println!(
        "{:>6} {:>8} {:>12} {:>9} {:>9}",
        "minute", "lag", "refreshes/s", "errors/s", "memory"
    );
    let window = |it: &Sample| it.clock.as_secs() / WINDOW;
    let mut before = samples[0];
    for some in samples.chunk_by(|a, b| window(a) == window(b)) {
        let last = some[some.len() - 1];
        let lag = some.iter().map(|it| it.lag).max().unwrap_or_default();
        let real = last.real.saturating_sub(before.real);
        println!(
            "{:>6} {:>6.1} s {:>12.0} {:>9.1} {:>5.0} MiB",
            last.clock.as_secs() / 60,
            lag.as_secs_f64(),
            per(last.refreshed - before.refreshed, real),
            per(last.failed - before.failed, real),
            mebibytes(last.resident)
        );
        before = last;
    }
}

fn totals(samples: &[Sample]) {
    let last = samples[samples.len() - 1];
    let mut lags = samples.iter().map(|it| it.lag).collect::<Vec<_>>();
    lags.sort_unstable();
    let at = |percent: usize| seconds(lags[(lags.len() * percent).div_ceil(100) - 1]);
    let most = samples.iter().map(|it| it.resident).max().unwrap_or_default();
    println!(
        "an hour in {:.0} s: {} refreshed, {} failed, {:.0} refreshes/s, {:.0} MiB at most",
        last.real.as_secs_f64(),
        last.refreshed,
        last.failed,
        per(last.refreshed, last.real),
        mebibytes(most)
    );
    println!(
        "the first that was due had waited, by the clock: p50 {}, p99 {}, {} at most, in {} looks",
        at(50),
        at(99),
        at(100),
        lags.len()
    );
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
