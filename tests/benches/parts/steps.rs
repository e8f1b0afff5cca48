//! What an attempt asks of the vault and of the database, step by step, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use keepfresh::app::App;
use keepfresh::model::attempt::{Spent, Trigger};
use keepfresh::model::clock::{Clock, after};
use keepfresh::model::connection::Due;
use keepfresh::model::exchange::Exchange;
use keepfresh::model::id::{AttemptId, ConnectionId};
use keepfresh::model::rotation::Rotation;
use keepfresh::model::token::TokenSet;
use keepfresh::storage::{Begin, Begun, Capture, Captured, Departed, Storage, Succeeded};
use keepfresh::vault::Vault;
use keepfresh::vault::key::MasterKey;
use keepfresh::vault::keyring::Keyring;
use keepfresh::vault::place::{Place, Purpose};
use keepfresh::vault::tokens::{open_tokens, seal_tokens};

use crate::parts::{Cost, Watch};
use crate::rotating::ids;

/// An answer of a token endpoint.
const ANSWER: &str = r#"{"access_token":"at-0123456789012345678901234567890123456789","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-0123456789012345678901234567890123456789","scope":"read write"}"#;

/// Loads, begins, captures and succeeds, so many at once, each with what is sealed and opened for it: all that a refresh
/// asks of the vault and of the database, and nothing else.
pub(crate) async fn durable(app: &App, at_once: usize, length: Duration) -> Cost {
    let (watch, done) = (Arc::new(Watch::start()), Arc::new(AtomicU64::new(0)));
    let vault = vault();
    let all = ids().into_iter().take(at_once).map(|id| {
        let one = One {
            id,
            vault: vault.clone(),
            storage: app.storage.clone(),
            clock: app.clock.clone(),
        };
        let (watch, done) = (Arc::clone(&watch), Arc::clone(&done));
        tokio::spawn(async move {
            while !watch.is_over(length) {
                one.refresh().await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    for ended in join_all(all).await {
        ended.unwrap();
    }
    watch.cost(done.load(Ordering::Relaxed))
}

fn vault() -> Vault {
    let folder = tempfile::tempdir().unwrap();
    let master = MasterKey::generate_file(&folder.path().join("key")).unwrap();
    Vault::new(Keyring::create(&master).unwrap().0, "bench".to_owned())
}

/// A connection that is refreshed without asking anybody.
struct One {
    id: ConnectionId,
    vault: Vault,
    storage: Storage,
    clock: Clock,
}

impl One {
    async fn refresh(&self) {
        let generation = self.storage.load(&self.id).await.unwrap().unwrap().connection.generation;
        let attempt = AttemptId::generate();
        assert_eq!(self.storage.begin(self.begin(attempt, generation)).await.unwrap(), Begun::Yes);
        self.storage.capture(self.capture(attempt, generation)).await.unwrap();
        let succeeded = self.succeeded(attempt, generation);
        assert_eq!(self.storage.succeed(succeeded).await.unwrap(), Begun::Yes);
    }

    fn begin(&self, attempt: AttemptId, generation: u64) -> Begin {
        let at = self.clock.now();
        Begin {
            attempt,
            connection: self.id.clone(),
            trigger: Trigger::Forced,
            generation,
            rotation: Rotation::Strict,
            digest: "0".repeat(64),
            owner: "a benchmark".to_owned(),
            at,
            lease_until: after(at, Duration::from_mins(2)),
            adopts: None,
            captured: Captured::Stay,
            doubt_since: None,
        }
    }

    fn capture(&self, attempt: AttemptId, generation: u64) -> Capture {
        let place = Place { table: "captures", column: "sealed", row: self.id.full(), generation };
        let sealed = self.vault.seal(Purpose::Capture, &place, ANSWER.as_bytes()).unwrap();
        let of = Departed {
            connection: self.id.clone(),
            generation,
            attempt,
            seq: 0,
            request: "POST https://id.example/oauth/token".to_owned(),
            at: self.clock.now(),
        };
        Capture { of, sealed, readings: 1 }
    }

    fn succeeded(&self, attempt: AttemptId, generation: u64) -> Succeeded {
        let (at, token) = (self.clock.now(), self.token());
        let (row, next) = (self.id.full(), generation + 1);
        let place = Place { table: "generations", column: "sealed", row, generation: next };
        let sealed = seal_tokens(&self.vault, &place, &token).unwrap();
        // Every refresh opens the set that it goes out from.
        open_tokens(&self.vault, &place, &sealed).unwrap();
        // As due as any other within the hour: in the order of times it has neighbours of its own.
        let spread =
            Duration::from_millis(u64::from(at.subsec_nanosecond().unsigned_abs()) % 3_600_000);
        Succeeded {
            attempt,
            connection: self.id.clone(),
            generation,
            reason: None,
            token,
            sealed,
            config: Some(vec![0; 64]),
            dead: None,
            agreed: None,
            may_be_another: false,
            due: Some(Due { at: after(at, spread), trigger: Trigger::Expiry }),
            events: Vec::new(),
            at,
            duration_ms: 5,
            spent: Spent { waited_ms: Some(0), provider_ms: Some(5) },
            exchanges: vec![exchange()],
        }
    }

    fn token(&self) -> TokenSet {
        TokenSet {
            access_token: "at-0123456789012345678901234567890123456789".into(),
            token_type: "Bearer".to_owned(),
            expires_at: Some(after(self.clock.now(), Duration::from_hours(1))),
            refresh_token: Some("rt-0123456789012345678901234567890123456789".into()),
            refresh_expires_at: None,
            scopes: vec!["read".to_owned(), "write".to_owned()],
            extra: Vec::new(),
            metadata: Vec::new(),
            made_of: BTreeMap::new(),
        }
    }
}

fn exchange() -> Exchange {
    Exchange {
        method: "POST".to_owned(),
        address: "https://id.example/oauth/token".to_owned(),
        status: Some(200),
        sent_bytes: 80,
        received_bytes: ANSWER.len() as u64,
        took_ms: 5,
    }
}
