//! A look each second at what goes on, from a thread and a connection to the database of its own. Each question costs
//! what is under way, and not what is stored.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use e2e::database::Database;
use e2e::usage::Usage;
use jiff::Timestamp;
use keepfresh::model::clock::Clock;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);

/// When what is next, or late, was or is due: of each provider of the parts the first by its index, past those that are
/// under way. And how many attempts have ended well or badly, which is counted by the hour.
const LOOK: &str = "
    with providers (name) as (values ('large'), ('middle'), ('limited'), ('small')),
         firsts (due_at) as (
             select (select due_at from connections indexed by connections_due_provider
                     where provider = providers.name and due_at is not null
                       and not exists (select 1 from claims where connection = connections.id)
                     order by due_at limit 1)
             from providers)
    select printf('%d %d %d', coalesce((select min(due_at) from firsts), 9000000000000),
                  coalesce((select sum(count) from hours where outcome = 'success'), 0),
                  coalesce((select sum(count) from hours where outcome = 'failed'), 0))";

/// What a look has seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Since the beginning, by the clock.
    pub(crate) clock: Duration,
    /// The same in real time.
    pub(crate) real: Duration,
    /// How long the first of what is due has waited, by the clock.
    pub(crate) lag: Duration,
    /// Refreshes so far.
    pub(crate) refreshed: u64,
    /// Attempts so far that have failed.
    pub(crate) failed: u64,
    /// Kibibytes that this process holds.
    pub(crate) resident: u64,
}

/// Looks until it is stopped.
pub(crate) struct Sampler {
    stop: Sender<()>,
    thread: JoinHandle<Vec<Sample>>,
}

impl Sampler {
    /// Begins to look.
    pub(crate) fn start(database: PathBuf, clock: Clock) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let looker = Looker::new(&database, clock);
            let mut samples = vec![looker.look()];
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                samples.push(looker.look());
            }
            samples.push(looker.look());
            samples
        });
        Self { stop, thread }
    }

    /// What was seen, in order.
    pub(crate) fn stop(self) -> Vec<Sample> {
        drop(self.stop);
        self.thread.join().unwrap()
    }
}

struct Looker {
    database: Database,
    clock: Clock,
    start: Timestamp,
    begun: Instant,
}

impl Looker {
    fn new(database: &Path, clock: Clock) -> Self {
        let (database, start) = (Database::at(database), clock.now());
        Self { database, clock, start, begun: Instant::now() }
    }

    fn look(&self) -> Sample {
        let now = self.clock.now();
        let texts = self.database.texts(LOOK, &[]);
        let numbers = texts[0].split(' ').map(|it| it.parse().unwrap()).collect::<Vec<i64>>();
        let milliseconds = |it: i64| Duration::from_millis(u64::try_from(it).unwrap_or_default());
        Sample {
            clock: milliseconds(now.as_millisecond() - self.start.as_millisecond()),
            real: self.begun.elapsed(),
            lag: milliseconds(now.as_millisecond() - numbers[0]),
            refreshed: numbers[1].unsigned_abs(),
            failed: numbers[2].unsigned_abs(),
            resident: Usage::of(std::process::id()).resident,
        }
    }
}
