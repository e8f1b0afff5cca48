//! Server-sent events, read one by one, with the care of a browser: what is not understood is passed over,
//! and the last id is remembered whether it came with data or not.

use std::io::{self, BufRead as _, BufReader, Read, Write};

use serde_json::Value;

use crate::schema;

/// Both ends of a connection.
pub trait Duplex: Read + Write + Send {}

impl<T: Read + Write + Send> Duplex for T {}

/// A stream of events.
pub struct Events {
    from: BufReader<Chunks>,
    /// The place to come back to.
    pub last_id: String,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number.
    pub id: String,
    /// What happened.
    pub kind: String,
    /// All of it.
    pub data: Value,
}

impl Events {
    /// Sends the request and reads what comes up to the first place.
    pub(crate) fn begin(mut stream: Box<dyn Duplex>, request: &str) -> Self {
        stream.write_all(request.as_bytes()).expect("it can be asked");
        let mut from = BufReader::with_capacity(1, stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(from.read_line(&mut head).expect("an answer") > 0, "it ended: {head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let small = head.to_ascii_lowercase();
        for line in ["content-type: text/event-stream", "transfer-encoding: chunked", "no-store"] {
            assert!(small.contains(line), "{line}: {head}");
        }
        let chunks = Chunks { from, left: 0 };
        let mut events = Self { from: BufReader::new(chunks), last_id: String::new() };
        assert!(events.block().expect("its place comes first").is_none());
        events
    }

    /// The next event; `None` when the stream has ended.
    ///
    /// # Panics
    /// When nothing comes, or what comes is not what its schema says.
    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            match self.block() {
                Ok(None) => {}
                Ok(Some(event)) => {
                    schema::fits("event", &event.data);
                    return Some(event);
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
                Err(error) => panic!("no event came: {error}"),
            }
        }
    }

    /// So many events.
    ///
    /// # Panics
    /// When the stream ends before.
    pub fn take(&mut self, count: usize) -> Vec<Event> {
        (0..count).map(|_| self.next_event().expect("one more event")).collect()
    }

    /// What comes up to an empty line: an event, or a remark.
    fn block(&mut self) -> io::Result<Option<Event>> {
        let (mut kind, mut data) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if self.from.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end_matches('\n');
            let (field, value) = line.split_once(": ").unwrap_or((line, ""));
            match field {
                "" if line.is_empty() => break,
                "id" => value.clone_into(&mut self.last_id),
                "event" => value.clone_into(&mut kind),
                "data" => data += value,
                _ => {}
            }
        }
        let event = || Event {
            id: self.last_id.clone(),
            kind,
            data: serde_json::from_str(&data).expect("data is JSON"),
        };
        Ok((!data.is_empty()).then(event))
    }
}

/// A body in chunks, without their lengths.
struct Chunks {
    from: BufReader<Box<dyn Duplex>>,
    left: usize,
}

impl Read for Chunks {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let mut line = String::new();
            while line.trim().is_empty() {
                line.clear();
                if self.from.read_line(&mut line)? == 0 {
                    return Ok(0);
                }
            }
            self.left = usize::from_str_radix(line.trim(), 16).expect("the length of a chunk");
        }
        if self.left == 0 {
            return Ok(0);
        }
        let most = out.len().min(self.left);
        let read = self.from.read(&mut out[..most])?;
        self.left -= read;
        Ok(read)
    }
}
