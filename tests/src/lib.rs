//! What the tests of the whole stand on: fake providers that are as strict as the vendors, the real
//! program in a folder of its own, and components built from source.

#![expect(clippy::disallowed_methods, reason = "tests read the clock and spawn as they like")]

/// Providers on loopback.
pub mod provider;

/// What was built before: the program, the plugins, the guests.
pub mod artifacts;

/// The program in a folder of its own.
pub mod home;

/// The same from inside, with a clock that is moved by hand.
pub mod inside;

/// A home whose providers are fakes.
pub mod stage;

/// A browser without a window, and `connect` beside it.
pub mod visitor;

/// A browser that keeps cookies and sends forms.
pub mod surfer;

/// A running daemon.
pub mod daemon;

/// A collector of traces.
pub mod collector;

/// Server-sent events, read as they come.
pub mod events;

/// Somebody who takes what is sent to them.
pub mod receiver;

/// A caller of its HTTP API.
pub mod http;

/// Its database, from outside.
pub mod database;

/// Databases of others.
pub mod databases;

/// Many connections, and what commands cost beside them.
pub mod many;

/// A provider for as many grants as there are.
pub mod crowd;

/// What a process uses.
pub mod usage;

/// Figures over time as a picture.
pub mod plot;

/// Chance that can be repeated.
pub mod chance;

/// What commands print as JSON.
pub mod schema;

/// A terminal of a given size.
pub mod terminal;

/// Says why something is not tested here, or what a run has found.
#[expect(clippy::print_stderr, reason = "whoever runs the tests wants to know")]
pub fn say(line: &str) {
    eprintln!("{line}");
}

/// A token endpoint that answers oddly.
pub mod odd;

/// An API behind a token.
pub mod upstream;

/// Servers and a browser that others wrote.
pub mod servers;

/// A person at a real browser, step by step.
pub mod pilot;
