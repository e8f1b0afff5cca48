//! What a refresh is made of, each part by itself: together they are the least that it can take, as long as it does all
//! of them.

/// What processes have taken so far.
#[path = "../race/took.rs"]
pub(crate) mod took;

/// The durable steps of an attempt, without the attempt.
pub(crate) mod steps;

use std::time::{Duration, Instant};

use took::Took;

/// What one took, out of many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// How many there were in a second.
    pub(crate) rate: f64,
    /// Milliseconds of the processor, of all threads of this process.
    pub(crate) processor: f64,
    /// Kilobytes that were handed to the kernel to be written to files.
    pub(crate) written: f64,
}

/// Takes the time of something that is done again and again.
pub(crate) struct Watch {
    begun: Instant,
    before: Took,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self { begun: Instant::now(), before: Took::so_far(&[std::process::id()]) }
    }

    /// Whether `length` is over.
    pub(crate) fn is_over(&self, length: Duration) -> bool {
        self.begun.elapsed() >= length
    }

    /// What each of `done` took since the start.
    pub(crate) fn cost(&self, done: u64) -> Cost {
        let (took, done) = (Took::so_far(&[std::process::id()]) - self.before, done as f64);
        Cost {
            rate: done / self.begun.elapsed().as_secs_f64(),
            processor: took.processor * 1e3 / done,
            written: took.written / 1e3 / done,
        }
    }
}

/// Tells the parts, their sum, and the whole.
pub(crate) fn tell(parts: &[(&str, Cost)], whole: Cost) {
    let row = |name: &str, it: Cost| {
        println!("{name:<48} {:>7.3} ms {:>7.1} KB", it.processor, it.written);
    };
    println!("of a refresh, in time of the processor, and what is written:");
    for (name, part) in parts {
        row(name, *part);
    }
    let sum = |of: fn(&Cost) -> f64| parts.iter().map(|(_, it)| of(it)).sum::<f64>();
    let least =
        Cost { rate: 0.0, processor: sum(|it| it.processor), written: sum(|it| it.written) };
    row("together: the least that all of it takes", least);
    row("all of the protocol", whole);
    println!("over the least {:>33.2}", whole.processor / least.processor);
}
