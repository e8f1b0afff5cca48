//! What to tell of one trouble, and when: once when it has lasted for a while, again when it gets worse, reminders at
//! growing intervals, and once when it is over. Pure: events and looks in, what to tell out. It knows neither how
//! many channels there are nor what a message says.
//!
//! A look says how many are affected now, so that nothing depends on having seen each change: what is missed between
//! two looks was over before anybody had to know, and a channel that is new finds what is wrong already.

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::alert::AlertKind;
use crate::model::clock;

/// Waits between messages of a trouble that lasts; the last one again and again.
const REMINDERS: [Duration; 7] = [
    Duration::from_hours(1),
    Duration::from_hours(4),
    Duration::from_hours(12),
    Duration::from_hours(24),
    Duration::from_hours(48),
    Duration::from_hours(96),
    Duration::from_hours(168),
];

/// So many beginnings and ends within [`FLAPPING_WITHIN`] are told one by one.
const MOST_CHANGES: usize = 4;

/// See [`MOST_CHANGES`]; and what has stayed as it is for so long is stable.
const FLAPPING_WITHIN: Duration = Duration::from_hours(1);

/// What a channel wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The kinds that it is told of.
    pub on: BTreeSet<AlertKind>,
    /// How long something must have been wrong before it is told.
    pub after: Duration,
}

/// What is known of one trouble, and was told of it. Kept as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    phase: Phase,
    /// When beginnings and ends were told lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Timestamp>,
}

/// How far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Phase {
    /// Nothing is wrong.
    #[default]
    Well,
    /// Something is wrong, and nobody was told.
    Pending { since: Timestamp, kind: AlertKind },
    /// It was told.
    Open { since: Timestamp, kind: AlertKind, told: Told },
    /// It comes and goes, which was told; `steady` is since when it is as it is.
    Flapping { since: Timestamp, kind: AlertKind, told: Told, steady: Timestamp, ill: bool },
}

/// What was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    kind: AlertKind,
    at: Timestamp,
    reminders: u32,
}

/// What to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tell {
    /// It is wrong.
    Began,
    /// It has become worse.
    Worse,
    /// It is still wrong.
    Reminder,
    /// It comes and goes; no more is said until it is stable.
    Flapping,
    /// It is over.
    Recovered,
}

/// What is told, of what and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// What.
    pub tell: Tell,
    /// Of what; of a recovery, how bad it was.
    pub kind: AlertKind,
    /// Since when it was wrong.
    pub since: Timestamp,
}

/// How things are at a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// How bad it is; `None` when nothing is wrong.
    pub kind: Option<AlertKind>,
    /// Now.
    pub now: Timestamp,
}

impl Alert {
    /// Something of `kind` has happened at `at`.
    pub fn happened(&mut self, kind: AlertKind, at: Timestamp) {
        match &mut self.phase {
            Phase::Well => self.phase = Phase::Pending { since: at, kind },
            Phase::Pending { kind: worst, .. } | Phase::Open { kind: worst, .. } => {
                *worst = kind.max(*worst);
            }
            Phase::Flapping { kind: worst, steady, ill, .. } => {
                *worst = kind.max(*worst);
                if !*ill {
                    (*steady, *ill) = (at, true);
                }
            }
        }
    }

    /// What is to be told at a look. What is returned counts as told.
    pub fn looked(&mut self, look: Look, rules: &Rules) -> Option<Telling> {
        if let Some(kind) = look.kind {
            self.happened(kind, look.now);
        }
        self.pull_down(look.now);
        self.changes.retain(|it| clock::after(*it, FLAPPING_WITHIN) > look.now);
        let (next, tell) = match self.phase.clone() {
            Phase::Well => (Phase::Well, None),
            Phase::Pending { since, kind } => self.pending(since, kind, look, rules),
            Phase::Open { since, kind, told } => self.open(since, kind, told, look, rules),
            Phase::Flapping { since, kind, told, steady, ill } => {
                let is_ill = look.kind.is_some();
                let steady = if ill == is_ill { steady } else { look.now };
                let phase = Phase::Flapping { since, kind, told, steady, ill: is_ill };
                flapping(phase, look, rules)
            }
        };
        let telling = tell.and_then(|tell| self.telling(tell));
        self.phase = next;
        telling.filter(|it| it.tell != Tell::Recovered || rules.on.contains(&AlertKind::Recovered))
    }

    /// Nothing has happened later than `now`: what a clock that was ahead has noted would silence the alert until that
    /// time comes again.
    fn pull_down(&mut self, now: Timestamp) {
        self.changes.iter_mut().for_each(|it| *it = now.min(*it));
        match &mut self.phase {
            Phase::Well => {}
            Phase::Pending { since, .. } => *since = now.min(*since),
            Phase::Open { since, told, .. } => {
                (*since, told.at) = (now.min(*since), now.min(told.at));
            }
            Phase::Flapping { since, told, steady, .. } => {
                (*since, told.at, *steady) = (now.min(*since), now.min(told.at), now.min(*steady));
            }
        }
    }

    /// Whether nothing is left to be known of it.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Well && self.changes.is_empty()
    }

    /// Whether something is wrong, as far as was told.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. } | Phase::Flapping { .. })
    }

    /// When it is to be told at the earliest, where it was not told yet.
    pub fn told_at(&self, rules: &Rules) -> Option<Timestamp> {
        match self.phase {
            Phase::Pending { since, kind } if rules.on.contains(&kind) => {
                Some(clock::after(since, rules.after))
            }
            _ => None,
        }
    }

    fn telling(&self, tell: Tell) -> Option<Telling> {
        match self.phase {
            Phase::Well => None,
            Phase::Pending { since, kind }
            | Phase::Open { since, kind, .. }
            | Phase::Flapping { since, kind, .. } => Some(Telling { tell, kind, since }),
        }
    }

    fn pending(
        &mut self,
        since: Timestamp,
        kind: AlertKind,
        look: Look,
        rules: &Rules,
    ) -> (Phase, Option<Tell>) {
        let now = look.now;
        if look.kind.is_none() {
            return (Phase::Well, None);
        }
        if now < clock::after(since, rules.after) || !rules.on.contains(&kind) {
            return (Phase::Pending { since, kind }, None);
        }
        let told = Told { kind, at: now, reminders: 0 };
        if self.changes.len() >= MOST_CHANGES {
            let phase = Phase::Flapping { since, kind, told, steady: now, ill: true };
            return (phase, Some(Tell::Flapping));
        }
        self.changes.push(now);
        (Phase::Open { since, kind, told }, Some(Tell::Began))
    }

    fn open(
        &mut self,
        since: Timestamp,
        kind: AlertKind,
        told: Told,
        look: Look,
        rules: &Rules,
    ) -> (Phase, Option<Tell>) {
        let now = look.now;
        if look.kind.is_none() {
            self.changes.push(now);
            return (Phase::Well, Some(Tell::Recovered));
        }
        if kind > told.kind && rules.on.contains(&kind) {
            let told = Told { kind, at: now, ..told };
            return (Phase::Open { since, kind, told }, Some(Tell::Worse));
        }
        if now >= clock::after(told.at, wait(told.reminders)) {
            let told = Told { at: now, reminders: told.reminders.saturating_add(1), ..told };
            return (Phase::Open { since, kind, told }, Some(Tell::Reminder));
        }
        (Phase::Open { since, kind, told }, None)
    }
}

/// What comes and goes is told of again when it has become worse than ever, or has been stable for a while.
fn flapping(phase: Phase, look: Look, rules: &Rules) -> (Phase, Option<Tell>) {
    let Phase::Flapping { since, kind, told, steady, ill } = phase else { return (phase, None) };
    let now = look.now;
    if ill && kind > told.kind && rules.on.contains(&kind) {
        let told = Told { kind, at: now, ..told };
        return (Phase::Flapping { since, kind, told, steady, ill }, Some(Tell::Worse));
    }
    if now < clock::after(steady, FLAPPING_WITHIN) {
        return (Phase::Flapping { since, kind, told, steady, ill }, None);
    }
    if !ill {
        return (Phase::Well, Some(Tell::Recovered));
    }
    let told = Told { at: now, reminders: 1, ..told };
    (Phase::Open { since, kind, told }, Some(Tell::Reminder))
}

/// The wait before a reminder.
fn wait(reminders: u32) -> Duration {
    let last = REMINDERS.len() - 1;
    REMINDERS[usize::try_from(reminders).unwrap_or(last).min(last)]
}
