//! What processes have taken so far, as the kernel counts it.

use std::fs;
use std::ops::Sub;

/// What `/proc` counts in, on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Of some processes together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    /// Seconds of a processor.
    pub(crate) processor: f64,
    /// Bytes that were handed to the kernel with calls that write: to files, and with some runtimes to sockets.
    pub(crate) written: f64,
}

impl Took {
    /// Also of one that has ended, as long as nobody has waited for it.
    pub(crate) fn so_far(processes: &[u32]) -> Self {
        let processor = processes.iter().map(|it| processor(*it).unwrap_or_default()).sum();
        let written = processes.iter().map(|it| written(*it).unwrap_or_default()).sum();
        Self { processor, written }
    }
}

impl Sub for Took {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            processor: self.processor - before.processor,
            written: self.written - before.written,
        }
    }
}

/// Its own time and that which the kernel worked for it.
fn processor(process: u32) -> Option<f64> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before it may have spaces.
    let mut fields = line.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

fn written(process: u32) -> Option<f64> {
    let counters = fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    counters.lines().find_map(|it| it.strip_prefix("wchar: "))?.parse().ok()
}
