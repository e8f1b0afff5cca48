//! Tokens that live an hour, kept fresh: in each second as many become due as there are, over 3,600. Measured is what
//! that takes of the processor, and how late each attempt has ended.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use e2e::crowd::Behaviour;
use e2e::usage::Usage;

use crate::holding::{Held, mebibytes, stop, until};

/// Before the first that counts.
const WARM: Duration = Duration::from_secs(5);

/// After the last that counts: whoever is later than this is counted as one that never came.
const PATIENCE: Duration = Duration::from_secs(15);

/// Evenly over the hour from then on, and neighbours far from each other: the factor is a prime. Each ends a minute
/// after it is due. The pages of both indexes stay in memory meanwhile, because they are come to in no order.
const SPREAD: &str = "
    pragma cache_size = -500000;
    update connections
    set due_at = cast(?1 as integer)
                 + cast(substr(name, 2) as integer) * 611953 % cast(?2 as integer) * 3600000 / cast(?2 as integer),
        expires_at = cast(?1 as integer)
                 + cast(substr(name, 2) as integer) * 611953 % cast(?2 as integer) * 3600000 / cast(?2 as integer)
                 + cast(?3 as integer),
        due_trigger = 'expiry'";

/// When those are due that are due between two moments.
const PLANNED: &str = "
    select printf('%s %d', id, due_at) from connections
    where provider = 'rotor' and due_at >= cast(?1 as integer) and due_at < cast(?2 as integer)";

/// Attempts that have ended since a moment, in order, and when that was.
const ENDED: &str = "
    select printf('%s %d %s', connection, ended / 1000, outcome) from attempts
    where ended >= cast(?1 as integer) * 1000 order by ended";

/// Works for so long, and prints what it took.
pub(crate) fn measure(held: &Held, length: Duration) {
    // A provider somewhere near.
    held.provider.behave(Behaviour { delay_ms: (40, 60), ..Behaviour::default() });
    let first = held.retime(SPREAD, 60_000);
    let (from, to) = (first + millis(WARM), first + millis(WARM + length));
    let planned = planned(held, from, to);
    let daemon = held.home.serve();
    thread::sleep(until(from));
    let (begun, before) = (Instant::now(), Usage::of(daemon.pid()));
    thread::sleep(until(to));
    let (took, after) = (begun.elapsed(), Usage::of(daemon.pid()));
    thread::sleep(PATIENCE);
    stop(daemon);
    let cores = after.processor.saturating_sub(before.processor).div_duration_f64(took);
    println!(
        "{} that live an hour, kept fresh for {} s: {:.1} became due in a second",
        held.many,
        length.as_secs(),
        planned.len() as f64 / length.as_secs_f64()
    );
    println!("processor              {:.3} of two cores (goal: under 0.2)", cores / 2.0);
    println!(
        "memory                 {:.1} MiB, {:.1} MiB of it in no file",
        mebibytes(after.resident),
        mebibytes(after.anonymous)
    );
    judge(held, planned, first);
}

/// When each connection that counts is due.
fn planned(held: &Held, from: i64, to: i64) -> HashMap<String, i64> {
    let texts = held.database().texts(PLANNED, &[&from.to_string(), &to.to_string()]);
    let split = |it: &String| {
        let (id, due) = it.split_once(' ').unwrap();
        (id.to_owned(), due.parse().unwrap())
    };
    texts.iter().map(split).collect()
}

/// How late the first attempt of each has ended, and how.
fn judge(held: &Held, mut planned: HashMap<String, i64>, since: i64) {
    let (mut lags, mut failed) = (Vec::with_capacity(planned.len()), 0);
    for text in held.database().texts(ENDED, &[&since.to_string()]) {
        let [id, ended, outcome]: [&str; 3] =
            text.split(' ').collect::<Vec<_>>().try_into().unwrap();
        // One that is not there any more has had its first attempt.
        let Some(due) = planned.remove(id) else { continue };
        lags.push(ended.parse::<i64>().unwrap() - due);
        failed += u32::from(outcome != "success");
    }
    lags.sort_unstable();
    let at = |percent: usize| lags[(lags.len() * percent).div_ceil(100).max(1) - 1];
    println!(
        "late by                p50 {} ms, p99 {} ms, {} ms at most (goal: p99 under 5000)",
        at(50),
        at(99),
        at(100)
    );
    println!(
        "attempts               {}, {failed} failed, {} never came",
        lags.len(),
        planned.len()
    );
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap()
}
