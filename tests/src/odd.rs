//! A token endpoint that answers byte by byte as a test says, however odd that is. Which answer it gives
//! depends on the refresh token that it is sent, and it counts how often it was sent each.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The endpoint. It answers until the test ends.
pub struct OddServer {
    port: u16,
    uses: Arc<Mutex<HashMap<usize, u32>>>,
}

impl OddServer {
    /// Answers the refresh token `rt-7` with the seventh of `answers`, and closes the connection.
    ///
    /// # Panics
    /// When it cannot listen.
    pub fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let uses = Arc::<Mutex<HashMap<usize, u32>>>::default();
        let (answers, counts) = (Arc::new(answers), Arc::clone(&uses));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, counts) = (Arc::clone(&answers), Arc::clone(&counts));
                thread::spawn(move || answer(stream, &answers, &counts));
            }
        });
        Self { port, uses }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/token", self.port)
    }

    /// How often it was sent the refresh token of that number.
    pub fn uses(&self, number: usize) -> u32 {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.get(&number).copied().unwrap_or_default()
    }
}

fn answer(mut stream: TcpStream, answers: &[Vec<u8>], uses: &Mutex<HashMap<usize, u32>>) {
    let Some(number) = asked_for(&mut stream) else { return };
    *uses.lock().unwrap_or_else(PoisonError::into_inner).entry(number).or_default() += 1;
    // Who is asked may have gone: that is for the test to see.
    let _ = stream.write_all(answers.get(number).map_or(b"".as_slice(), Vec::as_slice));
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read(&mut [0; 64]);
}

/// The number of the refresh token in a request.
fn asked_for(stream: &mut TcpStream) -> Option<usize> {
    let (mut seen, mut piece) = (String::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut piece).ok().filter(|it| *it > 0)?;
        seen.push_str(&String::from_utf8_lossy(&piece[..read]));
        let Some((_, rest)) = seen.split_once("rt-") else { continue };
        let digits = rest.find(|it: char| !it.is_ascii_digit()).map_or(rest, |at| &rest[..at]);
        // The token ends where something follows, or with the body.
        if digits.len() < rest.len() || is_whole(&seen) {
            return digits.parse().ok();
        }
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|it| body.len() >= it)
}
