//! A home with many connections of one strict provider, imported as a person imports them. Their times are changed past
//! the program afterwards: what it costs to bring them in is measured once, and they would live on for two months.

/// A start, and a daemon that has nothing to do.
pub(crate) mod idle;

/// One refresh beside few and beside many.
pub(crate) mod cost;

/// An hour's tokens, kept fresh.
pub(crate) mod hour;

use std::thread;
use std::time::Duration;

use e2e::crowd::{self, Claim, Provider, Row};
use e2e::daemon::Daemon;
use e2e::database::Database;
use e2e::home::Home;
use e2e::many;
use jiff::Timestamp;

/// Until the ends of what is imported, so that nothing is due before it is made due.
const FAR: Duration = Duration::from_hours(60 * 24);

/// What the provider says a token lives.
const LIFE: u32 = 3_600;

/// In so long, a daemon has started and has looked at all that it looks at once.
const STARTING: Duration = Duration::from_secs(10);

/// What changing the times of one row takes, with some to spare.
const OF_A_ROW: Duration = Duration::from_micros(50);

/// Connections, and whose they are.
pub(crate) struct Held {
    many: u32,
    home: Home,
    provider: Provider,
}

impl Held {
    /// Imports so many, and says what that took.
    pub(crate) fn import(many: u32) -> Self {
        let provider = Provider::start();
        let home = Home::new(&manifest(&provider)).with_guest("rotor");
        let expires_at = Timestamp::now() + FAR;
        let row = |grant| Row { claim: Claim::first(grant, LIFE), expires_at };
        crowd::write(&home.path("many.csv"), (0..many).map(row)).unwrap();
        let cost = many::cost(home.command(&["connection", "import", "rotor", "many.csv"]));
        std::fs::remove_file(home.path("many.csv")).unwrap();
        let held = Self { many, home, provider };
        assert_eq!(held.database().number("select count(*) from connections"), i64::from(many));
        let size = std::fs::metadata(held.home.path("keepfresh.db")).unwrap().len() >> 20;
        let (seconds, memory) = (cost.time.as_secs_f64(), mebibytes(cost.memory));
        println!(
            "{many} imported in {seconds:.1} s, {memory:.0} MiB at most; the database has {size} MiB"
        );
        held
    }

    /// No refresh token was used twice, and none was refused.
    pub(crate) fn loses_no_grant(&self) {
        let counts = self.provider.counts();
        assert_eq!((counts.reused, counts.refused), (0, 0), "{counts:?}");
    }

    /// Changes times by a statement, whose arguments are the moment from which connections are due, in milliseconds,
    /// how many there are, and one more. Returns that moment when a daemon has just enough time to start before it.
    fn retime(&self, statement: &'static str, more: u64) -> i64 {
        let mut lead = STARTING + OF_A_ROW * self.many;
        loop {
            let from = now() + i64::try_from(lead.as_millis()).unwrap();
            let arguments = [from.to_string(), self.many.to_string(), more.to_string()];
            let _ = self.database().texts(statement, &arguments.each_ref().map(String::as_str));
            if let Some(left) = until(from).checked_sub(STARTING) {
                thread::sleep(left);
                return from;
            }
            // The machine is slower than thought.
            lead *= 2;
        }
    }

    fn database(&self) -> Database {
        Database::at(&self.home.path("keepfresh.db"))
    }

    /// How many were refreshed so far.
    fn refreshed(&self) -> u64 {
        self.provider.counts().renewed
    }
}

/// With the usual third of its life as a margin, a token of an hour is refreshed every forty minutes. The margin of a
/// minute makes it once an hour, as the goal has it; the load of an hour is half as much again without it.
fn manifest(provider: &Provider) -> String {
    format!(
        "[providers.rotor]\nconnections = []\nrotation = \"strict\"\nconcurrency = 256\nrefresh_before = \"1m\"\n\
         settings = {{ base_url = \"{}\" }}\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        provider.base_url()
    )
}

/// Stops it as a service manager does, so that nothing is left open.
fn stop(daemon: Daemon) {
    let ended = daemon.stop();
    assert!(ended.success(), "{ended}");
}

/// By the clock that the daemon reads.
fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn until(time: i64) -> Duration {
    Duration::from_millis(u64::try_from(time - now()).unwrap_or_default())
}

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
