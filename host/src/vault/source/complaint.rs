//! What a command that failed says of it: the first line of its standard error, without what may be
//! secret. It is written by others, so nothing is decided by it.

use tokio::io::{AsyncRead, AsyncReadExt as _};
use zeroize::Zeroizing;

use crate::model::plain::escaped;

/// Bytes that are looked at, and characters that are shown.
const LOOKED_AT: usize = 4 * 1024;
const SHOWN: usize = 200;

/// A word of so many letters with digits among them is no word.
const LONGEST_WORD: usize = 20;

/// The shortest line of output that is looked for in the complaint.
const SHORTEST_SECRET: usize = 4;

/// What stands where something was struck out.
const STRUCK: &str = "***";

/// Reads to the end, so that the command never waits; what is behind the first few lines is thrown away.
pub(super) async fn listen(from: Option<impl AsyncRead + Unpin>, heard: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut piece = Zeroizing::new(vec![0; 1024]);
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let room = LOOKED_AT.saturating_sub(heard.len());
        heard.extend_from_slice(&piece[..read.min(room)]);
    }
}

/// The first line that says something, as a message may show it; `output` is what the command printed,
/// which is the secret or a part of it.
pub(super) fn first_line(heard: &[u8], output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(heard);
    let line = text.lines().map(str::trim).find(|it| !it.is_empty())?;
    let output = String::from_utf8_lossy(output);
    let secrets = output.lines().map(str::trim).filter(|it| it.len() >= SHORTEST_SECRET);
    let struck = secrets.fold(line.to_owned(), |line, it| line.replace(it, STRUCK));
    let words = struck.split(' ').map(|it| if may_be_secret(it) { STRUCK } else { it });
    let shown = words.collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect::<String>();
    Some(escaped(&shown).into_owned())
}

/// Whether a word looks like a key or a token, or is told to be one: `token=...`.
fn may_be_secret(word: &str) -> bool {
    let told = word.split_once(['=', ':']).is_some_and(|(name, value)| {
        let name = name.to_ascii_lowercase();
        !value.is_empty() && ["pass", "token", "secret", "key"].iter().any(|it| name.contains(it))
    });
    let long = |it: &str| {
        let has = |kind: fn(&u8) -> bool| it.bytes().any(|it| kind(&it));
        it.len() >= LONGEST_WORD && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
    };
    told || word.split(['/', '.', ':', '"', '\'', ',']).any(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(heard: &str, output: &str) -> String {
        first_line(heard.as_bytes(), output.as_bytes()).unwrap_or_default()
    }

    #[test]
    fn the_first_line_that_says_something_is_shown() {
        let said = "\nError: mail/eskiz is not in the password store.\nmore\n";
        assert_eq!(check(said, ""), "Error: mail/eskiz is not in the password store.");
        assert_eq!(
            check("gpg: decryption failed: No secret key", ""),
            "gpg: decryption failed: No secret key"
        );
        assert_eq!(first_line(b" \n", b""), None);
        assert_eq!(check(&"a ".repeat(500), "").len(), SHOWN);
        assert_eq!(check("a\u{1b}[31m", ""), "a\\u{1b}[31m");
    }

    #[test]
    fn what_may_be_a_secret_is_struck_out() {
        for (said, output) in [
            ("half of CANARY was read", "CANARY\n"),
            ("bad token=CANARY", ""),
            ("bad key:CANARY", ""),
            ("refused eyJhbGciOiJIUzI1NiJ9.CANARY", ""),
            ("refused CANARYaaaaaaaaaaaaaaaa1/x", ""),
        ] {
            let shown = check(said, output);
            assert!(!shown.contains("CANARY") && shown.contains(STRUCK), "{shown}");
        }
    }
}
