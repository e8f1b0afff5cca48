//! What is wrong now, counted by provider and by who can help; and the ends of tokens, told of once each.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::connection::Problem;
use crate::model::event::EventKind;
use crate::storage::{Storage, StorageError};

/// A provider that is not asked now, and until when: what is due there waits.
pub type Held = (String, Timestamp);

/// Connections of one provider that are in the same kind of trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Whose.
    pub provider: String,
    /// What only a person can solve; `None` where refreshing fails and is tried again.
    pub problem: Option<Problem>,
    /// How many.
    pub affected: u64,
    /// How many of them have a token that ends soon.
    pub ending: u64,
    /// How many of them have a token that has ended.
    pub expired: u64,
}

/// Some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examples {
    /// Names of connections.
    pub names: Vec<String>,
    /// Error codes, the most frequent first, with how many there are and what one of them says.
    pub causes: Vec<(String, u64, String)>,
}

/// Which ends are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Now.
    pub now: Timestamp,
    /// What ends by then ends soon.
    pub soon: Timestamp,
    /// Providers that are not asked now.
    pub held: Vec<Held>,
    /// Whether somebody wants to hear of those that end soon.
    pub ending: bool,
    /// Whether somebody wants to hear of those that have ended.
    pub expired: bool,
}

/// Rows that one write tells of, so that nobody waits long for it.
pub(super) const ENDS_AT_ONCE: u32 = 500;

impl Storage {
    /// Writes an event for each token that ends within `within`, or has ended, while refreshing it fails: one of
    /// each kind for each generation, and only what somebody listens to. How many that were.
    pub async fn note_ends(
        &self,
        now: Timestamp,
        within: Duration,
        held: &[Held],
    ) -> Result<u64, StorageError> {
        let hears = |kind| self.heard.borrow().kinds.contains(&kind);
        let (ending, expired) = (hears(EventKind::Ending), hears(EventKind::Expired));
        if !ending && !expired {
            return Ok(0);
        }
        let soon = crate::model::clock::after(now, within);
        let ends = Ends { now, soon, held: held.to_vec(), ending, expired };
        let mut told = 0;
        loop {
            let some = self.engine.note_ends(ends.clone()).await?;
            told += some;
            if some == 0 {
                return Ok(told);
            }
            self.wake_listeners(&[EventKind::Ending, EventKind::Expired]);
        }
    }
}
