//! The home of a rehearsal: providers that run, and connections that are imported as a person imports them. Their
//! times are moved past the program then, because an import of minutes is no part of the hour.

use std::time::Duration;

use e2e::crowd::{self, Provider, Row};
use e2e::database::Database;
use e2e::home::Home;
use e2e::many;
use jiff::Timestamp;

use crate::rehearsing::mebibytes;
use crate::rehearsing::parts::{PARTS, Part};

/// Added to each end of a token in the file, so that none has ended before it is imported.
const AHEAD: Duration = Duration::from_hours(24);

/// Everything is as if it had been stored when the hour begins, and is due at two thirds of what is left, which is what
/// the program says of it, too. The pages of indexes stay in memory meanwhile, because they are come to in no order.
const BEGIN: &str = "
    pragma cache_size = -500000;
    update connections
    set issued_at = cast(?1 as integer),
        due_at = cast(?1 as integer) + (expires_at - cast(?2 as integer)) * 2 / 3,
        expires_at = cast(?1 as integer) + expires_at - cast(?2 as integer)";

/// All that a rehearsal needs.
pub(crate) struct Stage {
    /// The folder of the manifest and the database.
    pub(crate) home: Home,
    /// When the hour begins.
    pub(crate) start: Timestamp,
    /// In the order of the parts.
    pub(crate) providers: Vec<Provider>,
}

impl Stage {
    /// Starts the providers and imports so many connections. Says what that took.
    pub(crate) fn set(many: u64, speed: u32) -> Self {
        let providers = PARTS.map(|_| Provider::start());
        let mut manifest = String::new();
        for (part, provider) in PARTS.iter().zip(&providers) {
            provider.behave(part.behaviour(many, speed));
            manifest.push_str(&part.section(provider, many, speed));
        }
        let home = Home::new(&manifest).with_guest("rotor");
        let end = Timestamp::now() + AHEAD;
        for part in PARTS {
            import(&home, part, part.count(many), end);
        }
        let start = begin(&home, end);
        Self { home, start, providers: providers.into() }
    }

    /// Its database, past the program.
    pub(crate) fn database(&self) -> Database {
        Database::at(&self.home.path("keepfresh.db"))
    }

    /// No refresh token was used twice, and none was refused.
    pub(crate) fn loses_no_grant(&self) {
        for counts in self.providers.iter().map(Provider::counts) {
            assert_eq!((counts.reused, counts.refused), (0, 0), "{counts:?}");
        }
    }
}

/// Connections whose tokens end after `end`, as much later as they live.
fn import(home: &Home, part: Part, count: u64, end: Timestamp) {
    let row = |grant| {
        let (claim, left) = part.grant(grant);
        Row { claim, expires_at: end + left }
    };
    let grants = 0..u32::try_from(count).unwrap();
    let file = format!("{}.csv", part.name);
    crowd::write(&home.path(&file), grants.map(row)).unwrap();
    let cost = many::cost(home.command(&["connection", "import", part.name, &file]));
    std::fs::remove_file(home.path(&file)).unwrap();
    println!(
        "{:<10} {count:>8} imported in {:.1} s, {:.0} MiB at most",
        part.name,
        cost.time.as_secs_f64(),
        mebibytes(cost.memory)
    );
}

/// Moves the times of all of them; returns when the hour begins.
fn begin(home: &Home, end: Timestamp) -> Timestamp {
    let database = Database::at(&home.path("keepfresh.db"));
    let start = Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap();
    let arguments = [start.as_millisecond(), end.as_second() * 1_000].map(|it| it.to_string());
    let _ = database.texts(BEGIN, &arguments.each_ref().map(String::as_str));
    start
}
