//! The claim of this process on a connection, and what one means that is there already. An attempt that is
//! open is the claim (decision 0026).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::Instrument as _;

use crate::lifecycle;
use crate::model::attempt::Trigger;
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::rotation::Rotation;
use crate::model::said::moment;
use crate::refresher::fault;
use crate::refresher::running::Running;
use crate::storage::{Begin, Begun, Captured, Loaded, OpenAttempt, Renewal, Storage, StorageError};
use crate::telemetry::spans;

/// How long a claim holds, and how often it is renewed while its attempt goes on.
#[derive(Clone, Copy, Debug)]
struct Lease {
    /// On a shared database, other processes wait this long for one that has died.
    lasts: Duration,
    renewed_every: Duration,
}

/// Two renewals may fail before a claim is lost.
const LEASE: Lease =
    Lease { lasts: Duration::from_secs(90), renewed_every: Duration::from_secs(30) };

/// Claims connections for this process.
#[derive(Clone)]
pub(super) struct Claims {
    storage: Storage,
    clock: Clock,
    /// This process, as it signs its claims.
    owner: Arc<str>,
    lease: Lease,
}

impl Claims {
    pub(super) fn new(storage: &Storage, clock: &Clock) -> Self {
        let owner = lifecycle::instance().into();
        Self { storage: storage.clone(), clock: clock.clone(), owner, lease: LEASE }
    }

    /// Fails if another live process works on `loaded`. Any other claim is this process's own, or dead.
    pub(super) fn check(&self, loaded: &Loaded, now: Timestamp) -> Result<(), Failure> {
        match loaded.open.as_ref().filter(|it| self.is_elsewhere(it, now)) {
            Some(open) => Err(held(open)),
            None => Ok(()),
        }
    }

    /// Whether another live process works on that attempt.
    pub(super) fn is_elsewhere(&self, open: &OpenAttempt, now: Timestamp) -> bool {
        is_elsewhere(open, &self.owner, self.storage.is_shared(), now)
    }

    /// The durable intent. Nothing is sent without it. False if somebody was faster.
    pub(super) async fn begin(
        &self,
        running: &Running,
        captured: Captured,
    ) -> Result<bool, Failure> {
        self.begin_as(running, captured, running.plugin.rotation()).await
    }

    /// The same for what a person consents to: no refresh token of ours is sent.
    pub(super) async fn begin_consent(&self, running: &Running) -> Result<bool, Failure> {
        self.begin_as(running, Captured::Stay, Rotation::None).await
    }

    async fn begin_as(
        &self,
        running: &Running,
        captured: Captured,
        rotation: Rotation,
    ) -> Result<bool, Failure> {
        let plugin = &running.plugin;
        let begin = Begin {
            rotation,
            digest: plugin.digest().to_owned(),
            lease_until: self.clock.now() + self.lease.lasts,
            captured,
            ..self.intent(running.id, &running.loaded, running.trigger(), running.started)
        };
        let not_sent = |error: StorageError| {
            let message = format!("{error}; no request was sent");
            Failure::new(Case::HostFault, error.code(), message)
        };
        let begun = self.storage.begin(begin).instrument(spans::claim()).await.map_err(not_sent)?;
        Ok(begun == Begun::Yes)
    }

    /// Does `work` of an attempt, and renews its claim for as long as it takes: a provider may be slow, and an
    /// answer held until a disk takes it.
    pub(super) async fn hold<T>(
        &self,
        attempt: AttemptId,
        connection: &ConnectionId,
        work: impl Future<Output = T>,
    ) -> T {
        let _under_way = self.storage.under_way();
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(self.lease.renewed_every) => {
                    self.renew(attempt, connection).await;
                }
            }
        }
    }

    async fn renew(&self, attempt: AttemptId, connection: &ConnectionId) {
        let lease_until = self.clock.now() + self.lease.lasts;
        let renewal = Renewal { attempt, connection: connection.clone(), lease_until };
        // A claim that is lost, or cannot be renewed, is found out at the attempt's end.
        let _ = self.storage.renew(renewal).await;
    }

    /// This process, as it signs its claims.
    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    /// The same for an attempt that ends before anything could be sent.
    pub(super) async fn begin_unsent(
        &self,
        attempt: AttemptId,
        loaded: &Loaded,
        trigger: Trigger,
        now: Timestamp,
    ) -> Result<(), Failure> {
        fault::written(self.storage.begin(self.intent(attempt, loaded, trigger, now)).await)
    }

    /// An intent that is over at once, and sends nothing.
    fn intent(
        &self,
        attempt: AttemptId,
        loaded: &Loaded,
        trigger: Trigger,
        at: Timestamp,
    ) -> Begin {
        let open = loaded.open.as_ref();
        Begin {
            attempt,
            connection: loaded.connection.id.clone(),
            trigger,
            generation: loaded.connection.generation,
            rotation: open.map_or(Rotation::Unknown, |it| it.rotation),
            digest: String::new(),
            owner: self.owner.to_string(),
            at,
            lease_until: at,
            adopts: open.map(|it| it.id),
            captured: Captured::Stay,
            doubt_since: loaded.doubt_since(),
        }
    }
}

/// Whether somebody else works on an open attempt. Where the storage is not shared, the instance lock says
/// that nobody does; where it is, a claim holds as long as its lease.
fn is_elsewhere(open: &OpenAttempt, owner: &str, shared: bool, now: Timestamp) -> bool {
    shared && open.owner != owner && open.lease_until > now
}

fn held(open: &OpenAttempt) -> Failure {
    let message = format!(
        "claimed by {} since {}; the claim expires at {}",
        open.owner,
        moment(open.started_at),
        moment(open.lease_until)
    );
    Failure::new(Case::HostFault, code::Refresh::Held, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;
    use crate::storage::Reconcile;

    #[tokio::test]
    async fn a_claim_is_renewed_for_as_long_as_its_attempt_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(&folder.path().join("keepfresh.db")).await.unwrap();
        let id: ConnectionId = "x".parse().unwrap();
        let new =
            Reconcile { id: id.clone(), due: None, forgive: false, probe_at: None, at: at(0) };
        storage.reconcile(new).await.unwrap();
        let often = Duration::from_millis(5);
        let lease = Lease { renewed_every: often, ..LEASE };
        let claims = Claims { lease, ..Claims::new(&storage, &Clock::system()) };
        let (loaded, attempt) = (storage.load(&id).await.unwrap().unwrap(), AttemptId::generate());
        let short =
            Begin { lease_until: at(1), ..claims.intent(attempt, &loaded, Trigger::Manual, at(0)) };
        storage.begin(short).await.unwrap();
        let until = async || storage.load(&id).await.unwrap().unwrap().open.unwrap().lease_until;
        let outlasts_two_renewals = async {
            let mut renewed = at(1);
            for _ in 0..2 {
                while until().await <= renewed {
                    tokio::time::sleep(often).await;
                }
                renewed = until().await;
            }
        };
        claims.hold(attempt, &id, outlasts_two_renewals).await;
    }

    #[test]
    fn a_claim_holds_for_another_process_on_a_shared_storage_until_its_lease_is_over() {
        let open = OpenAttempt {
            id: AttemptId::generate(),
            owner: "one".to_owned(),
            lease_until: at(60),
            started_at: at(0),
            rotation: Rotation::Strict,
        };
        for (who, shared, now, holds) in [
            ("other", true, 59, true),
            ("other", true, 60, false),
            ("other", false, 59, false),
            ("other", false, 60, false),
            ("one", true, 59, false),
            ("one", true, 60, false),
            ("one", false, 59, false),
            ("one", false, 60, false),
        ] {
            let found = is_elsewhere(&open, who, shared, at(now));
            assert_eq!(found, holds, "{who}, shared: {shared}, at {now}");
        }
        assert_eq!(held(&open).code, code::Refresh::Held);
    }
}
