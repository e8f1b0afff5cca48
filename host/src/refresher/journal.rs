//! The journal of one attempt: answers are sealed and durable before the plugin sees them, and those
//! of an interrupted attempt are given back instead of sending again.

use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tracing::warn;

use crate::egress::Response;
use crate::model::clock::Clock;
use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::sandbox::Journal;
use crate::storage::{Capture, Storage};
use crate::vault::Vault;
use crate::vault::place::{Place, Purpose};

/// Answers of one connection and generation.
pub(super) struct AttemptJournal {
    pub(super) storage: Storage,
    pub(super) vault: Vault,
    pub(super) clock: Clock,
    pub(super) connection: ConnectionId,
    pub(super) generation: u64,
    pub(super) attempt: AttemptId,
    /// Whether answers are kept: not for a provider that never rotates.
    pub(super) durable: bool,
    /// Answers of an earlier attempt that nobody has spent, in order.
    pub(super) unspent: Mutex<Vec<Capture>>,
    /// Numbers after all that are stored already.
    pub(super) first: u32,
}

impl Journal for AttemptJournal {
    fn recall(&self, _seq: u32, request: &str) -> Option<Response> {
        let mut unspent = self.unspent.lock().unwrap_or_else(PoisonError::into_inner);
        let found = unspent.iter().position(|it| it.request == request)?;
        let capture = unspent.remove(found);
        self.open(&capture)
    }

    fn capture<'a>(
        &'a self,
        seq: u32,
        request: &'a str,
        response: &'a Response,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            if !self.durable {
                return Ok(());
            }
            let capture = self.seal(self.first + seq, request, response)?;
            self.storage.capture(capture).await.map_err(|error| {
                let message = format!("the provider's answer could not be stored: {error}");
                Failure::new(Case::HostFault, error.code(), message)
            })
        })
    }
}

impl AttemptJournal {
    /// A captured answer is read at the time it came: "expires in an hour" counts from then.
    pub(super) fn replay_time(&self) -> Option<Timestamp> {
        let unspent = self.unspent.lock().unwrap_or_else(PoisonError::into_inner);
        unspent.first().map(|it| it.at)
    }

    fn seal(&self, seq: u32, request: &str, response: &Response) -> Result<Capture, Failure> {
        let fault = |code: Code, message: String| Failure::new(Case::HostFault, code, message);
        let plain = serde_json::to_vec(response).map(zeroize::Zeroizing::new);
        let plain = plain.map_err(|it| fault(code::Internal::Serialise.into(), it.to_string()))?;
        let row = row(&self.connection, seq);
        let place = place(&row, self.generation);
        let sealed = self.vault.seal(Purpose::Capture, &place, &plain);
        Ok(Capture {
            connection: self.connection.clone(),
            generation: self.generation,
            seq,
            attempt: self.attempt,
            request: request.to_owned(),
            sealed: sealed.map_err(|it| fault(it.code(), it.to_string()))?,
            at: self.clock.now(),
        })
    }

    fn open(&self, capture: &Capture) -> Option<Response> {
        let row = row(&capture.connection, capture.seq);
        let place = place(&row, capture.generation);
        let opened = self.vault.open(Purpose::Capture, &place, &capture.sealed);
        let plain = opened.inspect_err(|error| {
            let connection = &capture.connection;
            warn!(
                code = error.code().text(),
                "a captured answer of {connection} cannot be opened: {error}"
            );
        });
        serde_json::from_slice(&plain.ok()?).ok()
    }
}

fn row(connection: &ConnectionId, seq: u32) -> String {
    format!("{}/{}#{seq}", connection.provider(), connection.name())
}

fn place(row: &str, generation: u64) -> Place<'_> {
    Place { table: "captures", column: "sealed", row, generation }
}
