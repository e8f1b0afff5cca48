//! What one call may cost this machine outside of its own memory: bytes that the host holds for it, and
//! time that the host works for it. Checked before anything is allocated.

use std::time::{Duration, Instant};

use crate::sandbox::machine::limits::{MAX_CPU_MS, MAX_HOST_MEMORY, Stopped};
use crate::sandbox::machine::ticker::TICK;

/// How long a guest may run before it has to make room: a Rust plugin takes less than a millisecond, a
/// Python plugin ten.
const LONG: Duration = Duration::from_millis(50);

/// The budget of one call.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Budget {
    held: usize,
    worked: Duration,
    ticks: u32,
}

impl Budget {
    /// Counts `bytes` that the host is about to hold, or says that it is too much.
    pub(in crate::sandbox) fn hold(&mut self, bytes: usize) -> Result<(), Stopped> {
        let held = self.held.saturating_add(bytes);
        if held > MAX_HOST_MEMORY {
            return Err(Stopped::HostMemory { asked: held });
        }
        self.held = held;
        Ok(())
    }

    /// Counts `bytes` that the host no longer holds.
    pub(in crate::sandbox) fn release(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// Counts the work since `start`, or says that it was too much.
    pub(in crate::sandbox) fn work(&mut self, start: Instant) -> Result<(), Stopped> {
        self.worked += start.elapsed();
        self.check()
    }

    /// How long the host may still work for it.
    pub(in crate::sandbox) fn left(&self) -> Duration {
        Duration::from_millis(MAX_CPU_MS).saturating_sub(self.used())
    }

    /// Counts a tick of the guest's own running.
    pub(in crate::sandbox) fn tick(&mut self) -> Result<(), Stopped> {
        self.ticks += 1;
        self.check()
    }

    /// Whether the guest has run for much longer than any refresh takes.
    pub(in crate::sandbox) fn is_long(&self) -> bool {
        TICK * self.ticks > LONG
    }

    fn used(&self) -> Duration {
        self.worked + TICK * self.ticks
    }

    fn check(&self) -> Result<(), Stopped> {
        if self.used() > Duration::from_millis(MAX_CPU_MS) { Err(Stopped::Cpu) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_released_can_be_held_again() {
        let mut budget = Budget::default();
        for _ in 0..10 {
            assert_eq!(budget.hold(MAX_HOST_MEMORY), Ok(()));
            let asked = MAX_HOST_MEMORY + 1;
            assert_eq!(budget.hold(1), Err(Stopped::HostMemory { asked }));
            budget.release(MAX_HOST_MEMORY);
        }
    }

    #[test]
    fn the_guests_time_and_the_hosts_count_together() {
        let mut budget = Budget::default();
        let start = Instant::now().checked_sub(Duration::from_millis(MAX_CPU_MS - 100)).unwrap();
        assert_eq!(budget.work(start), Ok(()));
        assert!((0..100).any(|_| budget.tick() == Err(Stopped::Cpu)));
    }
}
