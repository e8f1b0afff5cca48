//! Sinks: how far each has got, what it has delivered of which connection, and what waits to be tried again. What is
//! delivered is not known here, only a keyed digest of it.

use jiff::Timestamp;
use tokio::sync::watch;

use crate::model::code::Code;
use crate::model::id::ConnectionId;
use crate::storage::Storage;

/// A sink that is to be at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `sink:NAME`.
    pub name: String,
    /// Digest of its section. When it changes, everything is looked at again and delivered anew.
    pub config: Vec<u8>,
    /// Whether it follows attempts, and not connections.
    pub of_attempts: bool,
    /// Whether everything is looked at again whatever has changed.
    pub sweeps: bool,
}

/// How far a sink has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkState {
    /// It has noted every change up to this one.
    pub seen: i64,
    /// The same of attempts, in the order in which they end.
    pub ended: Option<i64>,
    /// While everything is looked at: up to which connection it was.
    pub swept: Option<String>,
    /// Whether the other side wants nothing any more.
    pub disabled: bool,
    /// Whether something waits because the sink as a whole could not deliver.
    pub down: bool,
    /// Some of what waits and is to be tried, the longest waiting first.
    pub due: Vec<String>,
    /// When the first of all that waits is to be tried.
    pub next: Option<Timestamp>,
}

/// Which connections a sink is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected {
    /// This one.
    One(ConnectionId),
    /// Those of a provider.
    Provider(String),
    /// Those with a label.
    Label(String),
}

/// Everything that a sink looks at, from some place on.
#[derive(Clone, Copy, Debug)]
pub struct Sweep<'a> {
    /// Whose.
    pub sink: &'a str,
    /// Which connections.
    pub of: &'a Selected,
    /// Behind this one.
    pub after: &'a str,
}

/// One connection, or one attempt, at a sink.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Which sink.
    pub sink: &'a str,
    /// Which connection or attempt, by its key.
    pub subject: &'a str,
    /// The file that it is to be delivered to.
    pub place: Option<&'a str>,
}

/// Connections that a sink has to look at, by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToLookAt {
    /// Which.
    pub connections: Vec<String>,
    /// How far it has got with them; `None` if there are no changes behind the last.
    pub seen: Option<i64>,
}

/// What is known of one connection at one sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// What was delivered, if something was.
    pub delivered: Option<Delivered>,
    /// When.
    pub delivered_at: Option<Timestamp>,
    /// How often it failed since then.
    pub tries: u32,
    /// Another connection that is delivered to the same file.
    pub taken_by: Option<String>,
}

/// What was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Keyed digest of it; `None` if it is to be delivered anew.
    pub digest: Option<Vec<u8>>,
    /// The file, if it is one.
    pub place: Option<String>,
}

/// What a sink has done, in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Whose.
    pub sink: String,
    /// Up to this change it has noted everything.
    pub seen: Option<i64>,
    /// The same of attempts.
    pub ended: Option<i64>,
    /// How far it has looked at everything.
    pub swept: Option<Swept>,
    /// What came of which connection or attempt.
    pub came: Vec<(String, Came)>,
    /// Whether what waits for the sink as a whole is tried at once.
    pub releases: bool,
    /// Now.
    pub at: Timestamp,
}

/// How far a sink has looked at everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Up to this connection.
    To(String),
    /// To the end.
    End,
}

/// What came of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It was delivered.
    Delivered(Delivered),
    /// What was delivered is what is current.
    Same,
    /// It is not there any more, and nothing is left to do for it.
    Gone,
    /// It was not delivered.
    Failed {
        /// When it is tried again.
        next: Timestamp,
        /// Why.
        code: Code,
        /// The same in words.
        message: String,
        /// Whether the sink as a whole could not.
        of_all: bool,
        /// Whether it was tried; if not, it waits with the others.
        tried: bool,
    },
    /// The other side wants nothing any more.
    Disabled(Code, String),
}

impl Storage {
    /// Changes whenever a connection may have, in this process.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.engine.changes()
    }
}
