//! Keeps what is in memory in memory: no core dumps, no reading by other processes of the same
//! user, no panic message with a secret in it. Nothing here is fatal: a system that refuses is
//! named in the log.

use std::io::Write;
use std::panic::{self, Location};

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::model::code;

/// First thing in `main`: no core dumps, panics that say where and never what, and files for their owner alone.
pub fn at_start() {
    panic::set_hook(Box::new(|info| report(info.location())));
    // Whatever the caller's is: what others may read says so where it is made.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps could not be turned off");
    }
}

/// Makes the memory unreadable for other processes of the same user, debuggers included. To be
/// called after the sandbox's engine is made: from here on `/proc/self` belongs to root, and an
/// engine that cannot open `/proc/self/pagemap` clears memory the slow way.
#[cfg(target_os = "linux")]
pub fn hide_memory() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the memory could not be hidden from other processes");
    }
}

/// Other systems than Linux have no such switch.
#[cfg(not(target_os = "linux"))]
pub fn hide_memory() {}

/// The payload is left out: `expect` and indexing put values into it.
fn report(location: Option<&Location<'_>>) {
    let text = sentence(location);
    if tracing::dispatcher::has_been_set() {
        tracing::error!(error.code = code::Internal::Panic.text(), "{text}");
    } else {
        // When stderr is closed, this cannot be reported.
        let _ = writeln!(std::io::stderr(), "internal.panic: {text}");
    }
}

fn sentence(location: Option<&Location<'_>>) -> String {
    let place = location.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!(
        "a bug in keepfresh was hit at {place}; please report it with this line and the version"
    )
}

#[cfg(test)]
mod tests {
    use rustix::process::getrlimit;

    use super::*;

    #[test]
    fn a_panic_tells_its_place() {
        let text = sentence(Some(Location::caller()));
        assert!(text.contains("hardening.rs:"), "{text}");
    }

    /// Changes the test process for good, which no other test minds.
    #[test]
    fn nothing_of_the_memory_reaches_a_file() {
        let before = panic::take_hook();
        at_start();
        panic::set_hook(before);
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_can_be_hidden() {
        use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};

        hide_memory();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
    }
}
