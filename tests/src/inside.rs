//! Keepfresh from inside: the same parts as the program's, with a clock that a test moves by hand. The
//! fake providers' clocks move with it.

use std::time::Duration;

use jiff::Timestamp;
use keepfresh::app::{App, Purpose};
use keepfresh::egress::Gate;
use keepfresh::manifest;
use keepfresh::model::attempt::Attempt;
use keepfresh::model::clock::Clock;
use keepfresh::model::connection::Connection;
use keepfresh::model::id::ConnectionId;
use keepfresh::sandbox::Compiler;
use keepfresh::storage::LogFilter;

use crate::artifacts;
use crate::home::Home;
use crate::provider::FakeProvider;

/// An open app over the files of a [`Home`].
pub struct Inside {
    /// The app itself.
    pub app: App,
}

impl Inside {
    /// Opens the app over `home`, at the current time, which then stands still.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open(home: &Home) -> Self {
        Self::open_with(home, Gate::system()).await
    }

    /// The same with another way out.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open_with(home: &Home, gate: Gate) -> Self {
        let manifest = manifest::load(&home.path("keepfresh.toml")).expect("the manifest is good");
        let clock = Clock::manual(Timestamp::now());
        let compiler = Compiler::at(artifacts::keepfresh());
        let app = App::open(manifest, Purpose::Serve, clock, gate, compiler).await;
        Self { app: app.unwrap_or_else(|error| panic!("{error}")) }
    }

    /// Moves the time, here and at the providers.
    pub fn advance(&self, by: Duration, providers: &[&FakeProvider]) {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        for provider in providers {
            provider.control().advance(seconds);
        }
        self.app.clock.advance(by);
    }

    /// Moves the time to `time`.
    pub fn advance_to(&self, time: Timestamp, providers: &[&FakeProvider]) {
        let by = time.duration_since(self.app.clock.now());
        self.advance(Duration::try_from(by).unwrap_or_default(), providers);
    }

    /// What is known of a connection.
    ///
    /// # Panics
    /// When there is none.
    pub async fn connection(&self, id: &str) -> Connection {
        let id: ConnectionId = id.parse().expect("an id");
        let loaded = self.app.storage.load(&id).await.expect("the database can be read");
        loaded.expect("the connection is there").connection
    }

    /// Its attempts, oldest first.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn attempts(&self, id: &str) -> Vec<Attempt> {
        let connection = Some(id.parse().expect("an id"));
        let filter = LogFilter { connection, limit: 1_000, ..LogFilter::default() };
        let mut attempts = self.app.storage.log(&filter).await.expect("the log can be read");
        attempts.reverse();
        attempts
    }

    /// Waits until a connection has so many finished attempts and nothing is due.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn settles(&self, id: &str, attempts: usize) -> Connection {
        let begun = std::time::Instant::now();
        loop {
            let all = self.attempts(id).await;
            let connection = self.connection(id).await;
            let idle = connection.due.is_none_or(|it| it.at > self.app.clock.now());
            if idle && all.len() == attempts && all.iter().all(|it| it.outcome().is_some()) {
                return connection;
            }
            assert!(all.len() <= attempts, "too many attempts: {all:#?}");
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "not settled: {all:#?} {connection:#?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
