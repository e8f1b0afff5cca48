//! What a process uses, as the kernel counts it: time of the processor, bytes written, memory.

use std::fs;
use std::time::Duration;

/// How far the kernel's count of a process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// On all processors together, to ten milliseconds.
    pub processor: Duration,
    /// Bytes that it has handed to the kernel to be written, to whatever file.
    pub written: u64,
    /// Kibibytes that it holds.
    pub resident: u64,
    /// Those among them that are in no file.
    pub anonymous: u64,
}

impl Usage {
    /// That of a process now.
    ///
    /// # Panics
    /// When there is no such process, or it is another user's.
    pub fn of(process: u32) -> Self {
        let read = |name: &str| {
            let path = format!("/proc/{process}/{name}");
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        let status = read("status");
        Self {
            processor: processor(&read("stat")).expect("the kernel counts ticks"),
            written: field(&read("io"), "wchar").expect("the kernel counts bytes"),
            resident: field(&status, "VmRSS").expect("the kernel counts memory"),
            anonymous: field(&status, "RssAnon").expect("the kernel counts memory"),
        }
    }
}

/// A tick is a hundredth of a second on every Linux that this runs on.
const TICK: u64 = 10;

/// The time in user mode and in the kernel. The name of the process, in brackets, may have anything in it.
fn processor(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * TICK))
}

/// The first number of the line that begins with `name` and a colon.
fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|it| it.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 8 0 1 2 3";
        assert_eq!(processor(stat), Some(Duration::from_secs(3)));
        assert_eq!(processor("7 (a) S 1"), None);
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let status = "VmRSSX:\t1 kB\nVmRSS:\t   2048 kB\nRssAnon:\t 12 kB\n";
        assert_eq!((field(status, "VmRSS"), field(status, "RssAnon")), (Some(2_048), Some(12)));
        assert_eq!((field("rchar: 1\nwchar: 5\n", "wchar"), field("", "wchar")), (Some(5), None));
    }

    #[test]
    fn this_process_uses_something() {
        let usage = Usage::of(std::process::id());
        assert!(usage.resident > 0 && usage.anonymous > 0 && usage.resident >= usage.anonymous);
    }
}
