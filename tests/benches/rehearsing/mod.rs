//! What a rehearsal is made of: providers and their connections, looks at what goes on, and what is told of it.

/// Four providers, and how much is asked of each.
pub(crate) mod parts;

/// The home, filled.
pub(crate) mod staging;

/// A look each second.
pub(crate) mod sampling;

/// Figures as text.
pub(crate) mod report;

/// Figures as a picture.
pub(crate) mod drawing;

use std::time::Duration;

/// What passes by the clock.
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// A fraction of both, where there is one.
fn per(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
