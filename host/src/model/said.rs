//! How moments, durations, digests and words of a command are written for people: one way for each, in every command.
//! JSON has RFC 3339 and milliseconds instead.

use jiff::Timestamp;

/// A moment, with its zone beside it, because whoever reads it may be anywhere.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How long something took: three digits are enough.
pub fn took(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{}m {}s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// A SHA-256, as every command writes and takes it.
pub fn digest(hex: &str) -> String {
    format!("sha256:{hex}")
}

/// A word as a shell reads it: a file may have any name, and the line is there to be copied.
pub fn for_a_shell(word: &str) -> String {
    let is_usual = |it: char| it.is_ascii_alphanumeric() || "._@+:/-".contains(it);
    if word.chars().all(is_usual) && !word.starts_with('-') && !word.is_empty() {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// `count` of something, in the plural where it is not one.
pub fn count(count: u64, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_its_zone_and_no_fractions() {
        let at: Timestamp = "2026-03-01T04:05:06.789123456Z".parse().unwrap();
        assert_eq!(moment(at), "2026-03-01 04:05:06 UTC");
    }

    #[test]
    fn a_duration_has_as_many_digits_as_somebody_reads() {
        for (ms, said) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1.0 s"),
            (59_999, "59.9 s"),
            (60_000, "1m 0s"),
            (3_723_456, "62m 3s"),
        ] {
            assert_eq!(took(ms), said);
        }
    }
}
