//! What values of arguments are: pairs, lengths of time, digests.

use jiff::SignedDuration;

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A day in seconds.
const DAY: u64 = 86_400;

/// No length of time is longer: a hundred years, which every calendar holds beside today.
const LONGEST_DAYS: u64 = 36_500;

/// Seconds of a duration as people write it: `90s`, `5m`, `24h`, `30d`.
pub(super) fn duration(text: &str) -> Result<u64, String> {
    match seconds(text) {
        None => Err(format!("`{text}` is not a duration; write 90s, 5m, 24h or 30d")),
        Some(it) if it > LONGEST_DAYS * DAY => {
            Err(format!("`{text}` is too long; {LONGEST_DAYS}d is the longest"))
        }
        Some(it) => Ok(it),
    }
}

fn seconds(text: &str) -> Option<u64> {
    let days = text.strip_suffix('d').and_then(|it| it.parse::<u64>().ok());
    let parsed = || u64::try_from(text.parse::<SignedDuration>().ok()?.as_secs()).ok();
    days.map(|it| it.saturating_mul(DAY)).or_else(parsed)
}

/// The hex digits of a SHA-256, whole or its beginning, as `plugin inspect` shows them.
pub(super) fn digest(text: &str) -> Result<String, String> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    let fits = (SHORTEST_DIGEST..=64).contains(&hex.len());
    if fits && hex.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Ok(hex.to_ascii_lowercase());
    }
    Err(format!("not a SHA-256 digest, nor at least its first {SHORTEST_DIGEST} hex digits"))
}

/// Fewer hex digits are too easy to make another file for.
const SHORTEST_DIGEST: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_write_them() {
        assert_eq!(duration("30d"), Ok(2_592_000));
        assert_eq!(duration("5m"), Ok(300));
        assert_eq!(duration("1h 30m"), Ok(5_400));
        assert!(duration("soon").is_err());
        assert!(duration("-5m").is_err());
    }

    #[test]
    fn a_time_has_an_end() {
        assert_eq!(duration("36500d"), Ok(LONGEST_DAYS * DAY));
        for long in ["36501d", "300000000d", "99999999999999d", "876001h", "9223372036854775807s"] {
            assert_eq!(duration(long), Err(format!("`{long}` is too long; 36500d is the longest")));
        }
        // More than any type holds.
        assert!(duration("99999999999999999999d").is_err());
        assert!(duration("18446744073709551616s").is_err());
    }

    #[test]
    fn a_digest_is_given_whole_or_by_its_beginning() {
        let whole = "0123456789abcdef".repeat(4);
        assert_eq!(digest(&format!("sha256:{}", whole.to_uppercase())), Ok(whole.clone()));
        assert_eq!(digest(&whole[..12]), Ok(whole[..12].to_owned()));
        for wrong in ["", "sha256:", &whole[..11], "0123456789xy", &format!("{whole}0")] {
            assert!(digest(wrong).is_err(), "{wrong}");
        }
    }
}
