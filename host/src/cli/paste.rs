//! Takes from standard input what a browser on another machine cannot bring here: the person pastes the address
//! that it ended at, where nothing could be shown. Knows nothing of what the address says.

use std::io::{self, BufRead as _};

use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use crate::cli::callback::{Page, Visit};
use crate::cli::render;

/// What a person does.
pub(super) const TO_DO: &str = "when the browser ends at an address that it cannot open, paste that whole address \
                                here and press Enter:";

/// Hands in what is pasted, line by line. A thread: reading a terminal cannot be cancelled, and a thread does not
/// keep the process from ending.
pub(super) fn follow(door: mpsc::Sender<Visit>) {
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok).map(Zeroizing::new) {
            match query_of(&line) {
                Some(query) => hand_in(&door, query),
                None if line.trim().is_empty() => {}
                None => render::hint(
                    "that is not the address: it has `code=` and `state=` in it; copy all of it from \
                     the browser's address bar",
                ),
            }
        }
    });
}

fn hand_in(door: &mpsc::Sender<Visit>, query: &str) {
    let (page, shown) = oneshot::channel();
    if door.blocking_send((SecretString::from(query), page)).is_err() {
        return;
    }
    if let Ok(Page::Failed(why)) = shown.blocking_recv() {
        render::hint(why);
    }
}

/// The query of an address, or the query alone.
fn query_of(line: &str) -> Option<&str> {
    let line = line.trim().trim_matches(['"', '\'', '<', '>']);
    let line = line.split('#').next().unwrap_or_default();
    let query = line.split_once('?').map_or(line, |(_, query)| query);
    let has = |name: &str| query.split('&').any(|it| it.starts_with(name));
    ((has("code=") || has("error=")) && has("state=")).then_some(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_however_it_was_copied() {
        for line in [
            "http://127.0.0.1:7/callback?code=c&state=s",
            "  'http://127.0.0.1:7/callback?code=c&state=s'\r",
            "<http://127.0.0.1:7/callback?code=c&state=s#_=_>",
            "127.0.0.1:7/callback?code=c&state=s#",
            "code=c&state=s",
        ] {
            assert_eq!(query_of(line), Some("code=c&state=s"), "{line}");
        }
        assert_eq!(query_of("http://a/?error=x&state=s"), Some("error=x&state=s"));
        for line in
            ["", "4/0AbCd", "http://127.0.0.1:7/callback", "https://id.example/auth?state=s"]
        {
            assert_eq!(query_of(line), None, "{line}");
        }
    }
}
