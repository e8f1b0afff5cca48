//! The state of one fake behind one lock. The lock is never held across a wait.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::Instant,
};

use crate::provider::{
    Kind, clock::Clock, journal::Journal, ledger::Handed, script::Script, service::Service,
    wire::Receipt,
};

pub(crate) struct Shared {
    pub(crate) started: Instant,
    /// Connections that were made to it.
    pub(crate) accepted: Arc<AtomicU64>,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) script: Script,
    pub(crate) journal: Journal,
    pub(crate) service: Box<dyn Service>,
}

impl Shared {
    pub(crate) fn new(kind: Kind, base: &str) -> Self {
        let state = State {
            clock: Clock::default(),
            script: Script::default(),
            journal: Journal::new(),
            service: kind.service(base),
        };
        Self { started: Instant::now(), accepted: Arc::default(), state: Mutex::new(state) }
    }

    /// A panic of one request must not take the fake down: the state is whole between statements.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes that an answer left, and the generation in it.
pub(crate) struct Note {
    pub(crate) shared: Arc<Shared>,
    pub(crate) sequence: u64,
    pub(crate) handed: Option<Handed>,
}

impl Receipt for Note {
    fn around(&self, write: &mut dyn FnMut() -> bool) {
        let mut state = self.shared.state();
        if write() {
            state.delivered(self.sequence, self.handed);
        }
    }
}

impl State {
    fn delivered(&mut self, sequence: u64, handed: Option<Handed>) {
        self.journal.delivered(sequence);
        if let (Some(handed), Some(ledger)) = (handed, self.service.ledger()) {
            ledger.delivered(handed);
        }
    }
}
