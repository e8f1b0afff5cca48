//! One attempt from the decision to the stored outcome: intent, call, capture, commit. Whatever ends
//! it, what is stored says what happened.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use crate::catalogue::Plugin;
use crate::model::attempt::{Attempt, Outcome, Trigger};
use crate::model::code;
use crate::model::connection::{Connection, Due};
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::token::TokenSet;
use crate::refresher::ask::Ask;
use crate::refresher::breaker::Lesson;
use crate::refresher::decide::{self, Decision, Facts, decide};
use crate::refresher::journal::{AttemptJournal, can_open, unopenable};
use crate::refresher::plan::keep_alive;
use crate::refresher::running::Running;
use crate::refresher::{Refresher, host_fault};
use crate::storage::{Begin, Begun, Captured, Loaded, Pausing, Skipped, StorageError};

/// Time beyond the call itself in which an attempt of a live process is surely over: sealing, two
/// commits, a busy disk.
pub const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// How often a lost race is looked at again before giving up.
const LOOKS: u32 = 3;

impl Refresher {
    /// Runs one attempt; the caller sees to it that there is only one for each connection here.
    pub(super) async fn attempt(&self, id: &ConnectionId, ask: Ask) -> Result<Attempt, Failure> {
        for _ in 0..LOOKS {
            if let Some(attempt) = self.try_attempt(id, ask).await? {
                return Ok(attempt);
            }
        }
        let message = format!("another process keeps refreshing {id}; try again in a minute");
        Err(Failure::new(Case::HostFault, code::Refresh::Held, message))
    }

    /// `None` if somebody was faster and the facts have to be read again.
    async fn try_attempt(&self, id: &ConnectionId, ask: Ask) -> Result<Option<Attempt>, Failure> {
        self.held.settle(id).await?;
        let now = self.clock.now();
        let loaded = self.wake_up(self.load(id).await?, now).await?;
        if let Some(held) = self.held(&loaded, now) {
            return Err(held);
        }
        let plugin = match self.catalogue.plugin(id.provider()) {
            Ok(plugin) => plugin,
            Err(failure) => return self.refuse(&loaded, ask, failure).await.map(Some),
        };
        let facts = self.facts(&plugin, &loaded, now)?;
        let decision = decide(&loaded.connection, ask, &facts);
        let running = Running {
            id: AttemptId::generate(),
            connection: id.clone(),
            ask,
            plugin,
            loaded,
            heard: Arc::default(),
            started: now,
            config: OnceLock::new(),
        };
        match decision {
            Decision::Skip(reason) => self.skip(&running, reason).await.map(Some),
            Decision::WaitUntil(at) => self.wait(&running, at).await.map(Some),
            Decision::Rest => self.rest(&running).await.map(Some),
            Decision::Unopenable => {
                self.refuse(&running.loaded, ask, unopenable(id)).await.map(Some)
            }
            Decision::NeedsPerson => {
                let message = format!(
                    "{id} has no token and its plugin cannot log in by itself; {}",
                    how_to_give(&running)
                );
                let failure = Failure::new(Case::GrantExpired, code::Refresh::NeedsPerson, message);
                self.refuse(&running.loaded, ask, failure).await.map(Some)
            }
            way @ (Decision::Login | Decision::Refresh | Decision::Replay) => {
                self.send(running, &way).await
            }
        }
    }

    /// What the decision about a connection rests on, besides the connection.
    pub fn facts(
        &self,
        plugin: &Plugin,
        loaded: &Loaded,
        now: Timestamp,
    ) -> Result<Facts, Failure> {
        let open = loaded.open.as_ref();
        Ok(Facts {
            rotation: open.map_or_else(|| plugin.rotation(), |it| it.rotation),
            unattended: self.logs_in(plugin, loaded)?,
            interrupted: open.map(|it| it.started_at),
            captured: self.captured(loaded),
            given: loaded.given,
            unanswered: loaded.unanswered,
            idle: is_idle(loaded, plugin.provider().active_within, now),
            now,
        })
    }

    /// What can be done with the answers that wait.
    fn captured(&self, loaded: &Loaded) -> Option<decide::Captured> {
        let readings = loaded.captures.iter().map(|it| it.readings).max()?;
        if !can_open(&self.vault, &loaded.captures) {
            return Some(decide::Captured::Unopenable);
        }
        Some(decide::Captured::Readable { readings })
    }

    /// What this way does with captured answers: sending anew gives them up. A login reads what an
    /// interrupted one has captured, but not what failed twice.
    fn use_of_captures(&self, loaded: &Loaded, way: &Decision) -> Captured {
        let reads = match (self.captured(loaded), way) {
            (None, _) => return Captured::Stay,
            (Some(decide::Captured::Unopenable), _) => false,
            (Some(decide::Captured::Readable { readings }), Decision::Login) => {
                readings < 2 || loaded.open.is_some()
            }
            (Some(_), way) => *way == Decision::Replay,
        };
        if reads { Captured::AreRead } else { Captured::AreGivenUp }
    }

    /// Ends a pause whose time is over.
    async fn wake_up(&self, mut loaded: Loaded, now: Timestamp) -> Result<Loaded, Failure> {
        if self.end_pause(&mut loaded, now) {
            let Connection { id, due, .. } = loaded.connection.clone();
            let resume = Pausing { id, pause: None, due, at: now };
            self.storage.set_pause(resume).await.map_err(|it| host_fault(&it))?;
        }
        Ok(loaded)
    }

    /// The claim of another live process.
    pub(super) fn held(&self, loaded: &Loaded, now: Timestamp) -> Option<Failure> {
        let open = loaded.open.as_ref()?;
        let dead = self.alone || open.lease_until <= now;
        if open.owner == self.owner || dead {
            return None;
        }
        let message = format!(
            "held by {} since {}; its claim ends at {}",
            open.owner, open.started_at, open.lease_until
        );
        Some(Failure::new(Case::HostFault, code::Refresh::Held, message))
    }

    async fn send(&self, mut running: Running, way: &Decision) -> Result<Option<Attempt>, Failure> {
        let (provider, ask) = (running.connection.provider().to_owned(), running.ask);
        // Who would be turned away at the end of the line need not stand in it.
        let waits = way.sends() && !ask.insists();
        if let Some(wait) = self.wait_for(&provider).filter(|_| waits) {
            return self.turn_away(&running, wait).await.map(Some);
        }
        let Some(_slot) = self.throttle.enter(running.plugin.provider(), &self.lifecycle).await
        else {
            return Err(stopping(&running.connection));
        };
        let captured = self.use_of_captures(&running.loaded, way);
        let turn = match self.turn(&provider, ask, way) {
            Ok(turn) => turn,
            Err(wait) => return self.turn_away(&running, wait).await.map(Some),
        };
        if !self.begin(&running, captured).await? {
            return Ok(None);
        }
        if captured == Captured::AreGivenUp {
            running.loaded.captures.clear();
        }
        let called = self.call(&running, way).await;
        turn.learn(Lesson::of(&called, &running.heard), self.clock.now());
        let finished = match called {
            Ok((token, reason)) => self.commit(&running, token, reason).await,
            Err(failure) => Err(failure),
        };
        match finished {
            Ok(attempt) => Ok(Some(attempt)),
            Err(failure) => {
                let ended = self.conclude(&running, failure).await;
                if ended.is_err() {
                    self.held.look_again(&running.connection);
                }
                ended.map(Some)
            }
        }
    }

    /// The durable intent. Nothing is sent without it.
    pub(super) async fn begin(
        &self,
        running: &Running,
        captured: Captured,
    ) -> Result<bool, Failure> {
        let loaded = &running.loaded;
        let adopts = loaded.open.as_ref().map(|it| it.id);
        let begin = Begin {
            attempt: running.id,
            connection: running.connection.clone(),
            trigger: running.trigger(),
            generation: loaded.connection.generation,
            rotation: running.plugin.rotation(),
            digest: running.plugin.digest().to_owned(),
            owner: self.owner.clone(),
            at: running.started,
            lease_until: self.clock.now() + running.plugin.provider().timeout * 2 + LEASE_MARGIN,
            adopts,
            captured,
            doubt_since: running.doubt_since(),
        };
        let not_sent = |error: StorageError| {
            let message = format!("{error}; no request was sent");
            Failure::new(Case::HostFault, error.code(), message)
        };
        let begun = self.storage.begin(begin).await.map_err(not_sent)?;
        Ok(begun == Begun::Yes)
    }

    /// Calls the plugin: `refresh`, then `login` if the grant is dead and nobody need be present.
    async fn call(
        &self,
        running: &Running,
        way: &Decision,
    ) -> Result<(TokenSet, Option<String>), Failure> {
        let current = self.current(&running.loaded)?;
        let unattended = running.plugin.descriptor().unattended;
        let journal = self.journal(running);
        let now = journal.replay_time().unwrap_or_else(|| self.clock.now());
        let replays = journal.replay_time().is_some();
        let journal = Arc::new(journal);
        let program = running.plugin.program();
        let own = self.own(&running.loaded)?;
        let plugin = &running.plugin;
        let brings_secrets = !own.secrets.is_empty();
        let mut input = plugin.input(&running.connection, own, current, journal, now).await?;
        input.heard = Arc::clone(&running.heard);
        self.note_config(running, &input, brings_secrets);
        if *way == Decision::Login {
            return program.login(&input).await.map(|it| (it, Some("logged in".to_owned())));
        }
        match program.refresh(&input).await {
            Ok(token) => Ok((self.keep_refresh_token(running, token)?, replays.then(recovered))),
            Err(failure) if is_dead(&failure) && unattended => {
                input.current = None;
                input.now = self.clock.now();
                match program.login(&input).await {
                    Ok(token) => Ok((token, Some(format!("logged in again: {failure}")))),
                    // Nobody can log in either: why the grant died is what a person must know.
                    Err(also) if is_dead(&also) => Err(failure),
                    Err(worse) => Err(worse),
                }
            }
            Err(failure) => Err(failure),
        }
    }

    fn journal(&self, running: &Running) -> AttemptJournal {
        let captures = &running.loaded.captures;
        AttemptJournal {
            storage: self.storage.clone(),
            held: Arc::clone(&self.held),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            connection: running.connection.clone(),
            generation: running.loaded.connection.generation,
            attempt: running.id,
            durable: running.plugin.rotation().needs_capture(),
            unspent: Mutex::new(captures.clone()),
            answered: AtomicBool::new(!captures.is_empty()),
        }
    }

    /// A refresh that is answered without a refresh token keeps the old one.
    fn keep_refresh_token(
        &self,
        running: &Running,
        mut token: TokenSet,
    ) -> Result<TokenSet, Failure> {
        if token.refresh_token.is_none()
            && let Some(old) = self.current(&running.loaded)?
        {
            token.refresh_token = old.refresh_token;
            token.made_of.extend(old.made_of.into_iter().filter(|(of, _)| of == "refresh_token"));
            token.refresh_expires_at = token.refresh_expires_at.or(old.refresh_expires_at);
        }
        Ok(token)
    }

    /// Records that nothing was sent, when a person asked; a tick that finds nothing to do is silent.
    pub(super) async fn skip(&self, running: &Running, reason: String) -> Result<Attempt, Failure> {
        let now = self.clock.now();
        let mut attempt = running.report(Outcome::Skipped, now);
        attempt.reason = Some(reason.clone());
        if matches!(running.ask.trigger, Trigger::Manual | Trigger::Forced) {
            let skipped = Skipped {
                attempt: running.id,
                connection: running.connection.clone(),
                trigger: running.ask.trigger,
                reason,
                generation: attempt.generation,
                at: now,
            };
            self.storage.skip(skipped).await.map_err(|it| host_fault(&it))?;
        }
        Ok(attempt)
    }

    /// Looks at a connection again only when a caller asks for its token, or its refresh token is about
    /// to end.
    async fn rest(&self, running: &Running) -> Result<Attempt, Failure> {
        let due = keep_alive(&running.loaded.connection, self.clock.now());
        self.storage.set_due(&running.connection, due).await.map_err(|it| host_fault(&it))?;
        self.skip(running, "nobody has asked for its token for a long time".to_owned()).await
    }

    /// Closes an interrupted attempt as unknown, and waits for the end of the token it still serves.
    async fn wait(&self, running: &Running, at: Timestamp) -> Result<Attempt, Failure> {
        if running.loaded.open.is_some() {
            if !self.begin(running, Captured::Stay).await? {
                return Err(Failure::new(
                    Case::HostFault,
                    code::Refresh::Held,
                    "another process was faster",
                ));
            }
            let message = format!(
                "an earlier refresh was interrupted and its outcome is unknown; the current token is served until {at}, then the refresh is tried once"
            );
            return self
                .conclude(
                    running,
                    Failure::new(Case::InDoubt, code::Refresh::OutcomeUnknown, message),
                )
                .await;
        }
        let due = Due { at, trigger: Trigger::Recovery };
        self.storage.set_due(&running.connection, Some(due)).await.map_err(|it| host_fault(&it))?;
        let id = &running.connection;
        let reason = format!(
            "the outcome of an earlier refresh is unknown; it is tried once at {at}, or now if you name it: keepfresh refresh {id} --force, which ends the grant if the provider has acted on the earlier one"
        );
        self.skip(running, reason).await
    }
}

/// Whether no caller has asked for its token within what the manifest says.
fn is_idle(loaded: &Loaded, within: Option<Duration>, now: Timestamp) -> bool {
    let asked = loaded.connection.active_at;
    within.is_some_and(|within| asked.is_none_or(|it| it + within < now))
}

/// The command that a person gives a first token with.
fn how_to_give(running: &Running) -> String {
    let id = &running.connection;
    if running.plugin.program().has_authorization() {
        return format!("connect it: keepfresh connect {id}");
    }
    format!("give it one: keepfresh token set {id}")
}

fn is_dead(failure: &Failure) -> bool {
    matches!(failure.case, Case::GrantExpired | Case::TokenRejected)
}

/// It was not its turn before the end: it is as due as it was.
fn stopping(id: &ConnectionId) -> Failure {
    let message =
        format!("keepfresh was told to stop before it was the turn of {id}; nothing was sent");
    Failure::new(Case::HostFault, code::Internal::Stopping, message)
}

fn recovered() -> String {
    "recovered the answer of an earlier attempt".to_owned()
}
