//! Lines on their way out, so that nobody waits for whoever reads them: a log that is not read any more must
//! not stop refreshes. A thread writes; what does not fit in the queue is dropped and counted, and how much
//! it was is said once somebody reads again. What waits together is written together, and lines of a crowd wait a
//! millisecond for each other: each would wake the thread by itself.
//!
//! Not `tracing-appender`: at the end it writes to standard output, which may be the very pipe that nobody reads.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

/// Lines that wait at most: minutes of a busy daemon, and a few megabytes.
const MOST: usize = 4_096;

/// Bytes that are written at once: a pipe takes so many without those of another process in between.
const AT_ONCE: usize = 4_096;

/// How long a line waits for others when one has been written as lately as that.
const COMPANY: Duration = Duration::from_millis(1);

/// How long the end of the process waits for what was logged last.
const FLUSHED_WITHIN: Duration = Duration::from_secs(1);

/// How often the end looks whether there is room again.
const STEP: Duration = Duration::from_millis(10);

enum Item {
    Line(Vec<u8>),
    /// Everything before it was written.
    Mark(SyncSender<()>),
}

/// Takes lines and waits for nothing. A clone is cheap.
#[derive(Clone)]
pub(super) struct Queue {
    items: SyncSender<Item>,
    dropped: Arc<AtomicU64>,
}

/// Writes out what waits when it is dropped, if somebody reads it. To be held until the process ends.
#[must_use = "what is logged last is lost without it"]
pub struct Flush(Queue);

impl Queue {
    /// A queue in front of `writer`; `tell` says how many lines were dropped so far. It is called when
    /// nothing waits, so that what it says is not dropped as well.
    pub(super) fn start(
        writer: impl Write + Send + 'static,
        tell: impl Fn(u64) + Send + 'static,
    ) -> io::Result<(Self, Flush)> {
        let (items, waiting) = mpsc::sync_channel(MOST);
        let queue = Self { items, dropped: Arc::default() };
        let dropped = Arc::clone(&queue.dropped);
        let run = move || write_out(&waiting, writer, &dropped, &tell);
        thread::Builder::new().name("log".to_owned()).spawn(run)?;
        Ok((queue.clone(), Flush(queue)))
    }
}

fn write_out(
    waiting: &Receiver<Item>,
    mut writer: impl Write,
    dropped: &AtomicU64,
    tell: &impl Fn(u64),
) {
    let (mut told, mut lines) = (0, Vec::with_capacity(AT_ONCE));
    let mut written = None::<Instant>;
    let mut next = waiting.recv().ok();
    while let Some(item) = next {
        match item {
            Item::Line(line) if lines.len() + line.len() > AT_ONCE => {
                write(&mut writer, &mut lines);
                lines.extend(line);
            }
            Item::Line(line) => lines.extend(line),
            Item::Mark(done) => {
                write(&mut writer, &mut lines);
                let _ = done.send(());
            }
        }
        next = waiting.try_recv().ok();
        if next.is_none() {
            write(&mut writer, &mut lines);
            let now = dropped.load(Ordering::Relaxed);
            if now > told {
                tell(now);
                told = now;
            }
            if written.is_some_and(|it| it.elapsed() < COMPANY) {
                thread::sleep(COMPANY);
            }
            next = waiting.recv().ok();
            written = Some(Instant::now());
        }
    }
}

fn write(writer: &mut impl Write, lines: &mut Vec<u8>) {
    if !lines.is_empty() {
        // When the other end is closed, this cannot be reported.
        drop(writer.write_all(lines));
        lines.clear();
    }
}

impl Write for Queue {
    /// A whole line at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.items.try_send(Item::Line(line.to_vec())) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let begun = Instant::now();
        let (done, written) = mpsc::sync_channel(1);
        while let Err(TrySendError::Full(_)) = self.0.items.try_send(Item::Mark(done.clone())) {
            if begun.elapsed() > FLUSHED_WITHIN {
                return;
            }
            thread::sleep(STEP);
        }
        let _ = written.recv_timeout(FLUSHED_WITHIN.saturating_sub(begun.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Written to by the thread as soon as it is given leave.
    #[derive(Clone, Default)]
    struct Pipe {
        lines: Arc<Mutex<u64>>,
        read: Arc<Mutex<()>>,
    }

    impl Write for Pipe {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            drop(self.read.lock());
            *self.lines.lock().unwrap() += String::from_utf8_lossy(line).lines().count() as u64;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_nobody_reads_are_dropped_and_counted_and_never_waited_for() {
        let pipe = Pipe::default();
        let (tell, told) = mpsc::channel();
        let tell = move |count| tell.send(count).unwrap();
        let (mut queue, flush) = Queue::start(pipe.clone(), tell).unwrap();
        let unread = pipe.read.lock().unwrap();
        let sent = 3 * MOST as u64;
        for _ in 0..sent {
            assert_eq!(queue.write(b"line\n").unwrap(), 5);
        }
        drop(unread);
        let dropped = told.recv_timeout(Duration::from_secs(10)).unwrap();
        // Besides those in the queue, it holds what it writes.
        assert!(dropped >= sent - MOST as u64 - AT_ONCE as u64 / 5 - 1, "{dropped}");
        drop(flush);
        assert_eq!(*pipe.lines.lock().unwrap(), sent - dropped);
    }

    #[test]
    fn the_end_waits_for_the_last_line_and_not_for_a_reader_who_has_gone() {
        let pipe = Pipe::default();
        let (mut queue, flush) = Queue::start(pipe.clone(), |_| ()).unwrap();
        queue.write_all(b"last\n").unwrap();
        drop(flush);
        assert_eq!(*pipe.lines.lock().unwrap(), 1);
        let (mut queue, flush) = Queue::start(pipe.clone(), |_| ()).unwrap();
        let _unread = pipe.read.lock().unwrap();
        queue.write_all(b"never\n").unwrap();
        let begun = Instant::now();
        drop(flush);
        assert!(begun.elapsed() < 2 * FLUSHED_WITHIN);
    }
}
