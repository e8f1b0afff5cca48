//! What every engine must do, as tests that run on each engine that is given. What is special to one, its
//! statements and its damaged rows, is tested beside it.

mod steps;

mod claims;

mod answers;

mod attempts;
mod outcomes;

mod consents;
mod enrolling;
mod generations;
mod manifest;
mod pauses;

mod mending;
mod times;

mod access;
mod accounts;
pub(in crate::storage) mod events;
mod identity;
mod log;
mod outlets;
mod pages;
mod sinks;

mod random;
mod sequence;

mod model;
mod seen;

use jiff::Timestamp;
use tempfile::TempDir;

use crate::model::attempt::{Spent, Trigger};
use crate::model::code::Code;
use crate::model::connection::Problem;
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::rotation::Rotation;
use crate::model::token::TokenSet;
use crate::storage::{Begin, Capture, Captured, Departed, Failed, Reconcile, Storage, Succeeded};
use crate::vault::Sealed;

/// An engine's database, new and empty.
pub(in crate::storage) struct Fresh {
    pub(in crate::storage) storage: Storage,
    /// Where it is.
    pub(in crate::storage) dir: TempDir,
}

/// Runs each test on each engine.
macro_rules! on_every_engine {
    ($($test:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::storage::contract::sqlite().await).await;
            })*
        }
    };
}
use on_every_engine;

/// A new database of SQLite.
pub(in crate::storage) async fn sqlite() -> Fresh {
    let dir = tempfile::tempdir().unwrap();
    let storage = Storage::open(&dir.path().join("keepfresh.db")).await.unwrap();
    Fresh { storage, dir }
}

impl Fresh {
    /// The same database, opened once more: as the next process does it.
    pub(in crate::storage) async fn again(&self) -> Storage {
        Storage::open(&self.dir.path().join("keepfresh.db")).await.unwrap()
    }

    /// Another one like it, while nobody writes: bringing a new one up to date takes longer.
    async fn copy(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["keepfresh.db", "keepfresh.db-wal"] {
            std::fs::copy(self.dir.path().join(name), dir.path().join(name)).unwrap();
        }
        let storage = Storage::open(&dir.path().join("keepfresh.db")).await.unwrap();
        Self { storage, dir }
    }

    /// The same with so many connections.
    pub(in crate::storage) async fn with(self, connections: usize) -> Self {
        for number in 0..connections {
            let (id, due, at) = (id(number), None, at(0));
            let new = Reconcile { id, due, forgive: false, probe_at: None, at };
            self.storage.reconcile(new).await.unwrap();
        }
        self
    }
}

pub(in crate::storage) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(in crate::storage) fn id(number: usize) -> ConnectionId {
    format!("x/c{number}").parse().unwrap()
}

pub(in crate::storage) fn begin(number: usize, adopts: Option<AttemptId>) -> Begin {
    Begin {
        attempt: AttemptId::generate(),
        connection: id(number),
        trigger: Trigger::Expiry,
        generation: 0,
        rotation: Rotation::Strict,
        digest: String::new(),
        owner: "a test".to_owned(),
        at: at(1),
        lease_until: at(60),
        adopts,
        captured: Captured::Stay,
        doubt_since: None,
    }
}

pub(in crate::storage) fn succeeded(attempt: AttemptId, generation: u64) -> Succeeded {
    let token = TokenSet {
        access_token: "t".into(),
        token_type: "Bearer".to_owned(),
        expires_at: None,
        refresh_token: None,
        refresh_expires_at: None,
        scopes: Vec::new(),
        extra: Vec::new(),
        metadata: Vec::new(),
        made_of: std::collections::BTreeMap::new(),
    };
    Succeeded {
        attempt,
        connection: id(0),
        generation,
        reason: None,
        token,
        sealed: Sealed::from_bytes(vec![1]),
        config: None,
        dead: None,
        agreed: None,
        may_be_another: false,
        due: None,
        events: Vec::new(),
        at: at(2),
        duration_ms: 1,
        spent: Spent::default(),
        exchanges: Vec::new(),
    }
}

pub(in crate::storage) fn failed(attempt: AttemptId, generation: u64) -> Failed {
    Failed {
        attempt,
        connection: id(0),
        generation,
        failure: Failure::new(Case::GrantExpired, Code::read("x.y"), "why"),
        problem: Some(Problem::Reconnect),
        config: None,
        doubt_since: None,
        keep_captures: false,
        due: None,
        events: Vec::new(),
        at: at(2),
        duration_ms: 1,
        spent: Spent::default(),
        exchanges: Vec::new(),
    }
}

pub(in crate::storage) fn capture(number: usize) -> Capture {
    let of = Departed {
        connection: id(number),
        generation: 0,
        seq: 0,
        attempt: AttemptId::generate(),
        request: "POST /token".to_owned(),
        at: at(1),
    };
    Capture { of, sealed: Sealed::from_bytes(vec![1]), readings: 1 }
}
