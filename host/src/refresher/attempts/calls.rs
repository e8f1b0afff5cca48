//! The call within an attempt: `refresh` or `login`, with a journal that keeps what comes.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use crate::egress::SENT_AGAIN_WITHIN;
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::token::TokenSet;
use crate::refresher::decide::Way;
use crate::refresher::held::HeldAnswers;
use crate::refresher::journal::AttemptJournal;
use crate::refresher::running::Running;
use crate::refresher::secrets;
use crate::sandbox::CallInput;
use crate::storage::{Loaded, Storage};
use crate::telemetry::spans;
use crate::vault::Vault;

/// Calls plugins.
pub(in crate::refresher) struct Calls {
    storage: Storage,
    vault: Vault,
    clock: Clock,
    held: Arc<HeldAnswers>,
}

/// What a call brings.
pub(super) struct Brought {
    pub(super) token: TokenSet,
    /// How it came about, when that is worth a word.
    pub(super) reason: Option<String>,
}

impl Calls {
    pub(in crate::refresher) fn new(
        storage: &Storage,
        vault: &Vault,
        clock: &Clock,
        held: &Arc<HeldAnswers>,
    ) -> Self {
        let (storage, vault, clock) = (storage.clone(), vault.clone(), clock.clone());
        Self { storage, vault, clock, held: Arc::clone(held) }
    }

    /// Calls the plugin: for `refresh`, `login` follows if the grant is dead and nobody need be present.
    pub(super) async fn call(&self, running: &Running, way: Way) -> Result<Brought, Failure> {
        let current = secrets::current(&self.vault, &running.loaded)?;
        let journal = self.journal(running);
        let replayed_at = journal.replay_time();
        let now = replayed_at.unwrap_or_else(|| self.clock.now());
        let (plugin, loaded, journal) = (&running.plugin, &running.loaded, Arc::new(journal));
        let mut input = secrets::input(&self.vault, plugin, loaded, current, journal, now).await?;
        input.heard = Arc::clone(&running.heard);
        running.note_config(&self.vault, &input);
        if way == Way::Refresh && running.loaded.connection.is_last() {
            return Err(nothing_renews(&running.connection));
        }
        if way == Way::Login {
            let token = spans::call("login", plugin.program().login(&input)).await?;
            return Ok(Brought { token, reason: Some("logged in".to_owned()) });
        }
        match spans::call("refresh", plugin.program().refresh(&input)).await {
            Ok(token) => Ok(Brought {
                token: self.keep_refresh_token(loaded, token)?,
                reason: replayed_at
                    .map(|_| "recovered the answer of an earlier attempt".to_owned()),
            }),
            Err(failure) if is_dead(&failure) && plugin.descriptor().unattended => {
                self.log_in_again(running, input, failure).await
            }
            Err(failure) => Err(failure),
        }
    }

    async fn log_in_again(
        &self,
        running: &Running,
        input: CallInput,
        dead: Failure,
    ) -> Result<Brought, Failure> {
        let input = CallInput { current: None, now: self.clock.now(), ..input };
        match spans::call("login", running.plugin.program().login(&input)).await {
            Ok(token) => Ok(Brought { token, reason: Some(format!("logged in again: {dead}")) }),
            // Nobody can log in either: why the grant died is what a person must know.
            Err(also) if is_dead(&also) => Err(dead),
            Err(worse) => Err(worse),
        }
    }

    /// A refresh that is answered without a refresh token keeps the old one.
    fn keep_refresh_token(
        &self,
        loaded: &Loaded,
        mut token: TokenSet,
    ) -> Result<TokenSet, Failure> {
        if token.refresh_token.is_none()
            && let Some(old) = secrets::current(&self.vault, loaded)?
        {
            token.keep_refresh_token_of(old);
        }
        Ok(token)
    }

    fn journal(&self, running: &Running) -> AttemptJournal {
        let (captures, rotation) = (&running.loaded.captures, running.plugin.rotation());
        AttemptJournal {
            storage: self.storage.clone(),
            held: Arc::clone(&self.held),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            connection: running.connection.clone(),
            generation: running.loaded.connection.generation,
            attempt: running.id,
            durable: rotation.needs_capture(),
            forgiven: rotation.forgives_after(SENT_AGAIN_WITHIN),
            unspent: Mutex::new(captures.clone()),
            answered: AtomicBool::new(!captures.is_empty()),
        }
    }
}

/// Nothing is sent for it: the plugin would ask with a refresh token, and there is none.
fn nothing_renews(id: &ConnectionId) -> Failure {
    let message = format!(
        "the provider gave no refresh token when {id} was connected, so that only a person can renew it: keepfresh connect {id}"
    );
    Failure::new(Case::GrantExpired, code::Provider::GrantExpired, message)
}

fn is_dead(failure: &Failure) -> bool {
    matches!(failure.case, Case::GrantExpired | Case::TokenRejected)
}
