//! What an outage or a limit of one provider means for all of its connections: what hits one hits them
//! all, and asking a thousand times does not end it sooner. Whoever wants something sent comes through
//! here, whatever its trigger. Pure but for the map; only what the provider did teaches it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::clock;
use crate::model::failure::{Case, Failure};
use crate::sandbox::Heard;

/// Outages in a row that open it.
const THRESHOLD: u32 = 5;

/// How long it stays open at first, and at most. A limit of one account is no reason to leave the
/// others for a day: after the longest pause one of them finds out.
const PAUSE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(10));

/// The shortest wait that a provider is granted for all of its connections.
const LEAST: Duration = Duration::from_secs(1);

/// What an attempt says about the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lesson {
    /// Nothing, for nothing was sent.
    Unsent,
    /// Nothing, for this machine or the plugin is to blame.
    Nothing,
    /// It answered.
    Up,
    /// It did not, or it said that it cannot; perhaps it said until when.
    Down(Option<Duration>),
    /// It is asked too often; perhaps it said for how long to stop.
    Slow(Option<Duration>),
}

impl Lesson {
    /// What the end of an attempt says about the provider.
    pub(super) fn of<T>(ended: &Result<T, Failure>, heard: &Heard) -> Self {
        if !heard.tried() {
            return Self::Unsent;
        }
        let Err(failure) = ended else { return Self::Up };
        match failure.case {
            Case::RateLimited(told) => Self::Slow(told.or(heard.wait())),
            Case::Unavailable | Case::InDoubt => Self::Down(heard.wait()),
            Case::HostFault | Case::PluginFault => Self::Nothing,
            // The provider answered; whatever it said, it is not down.
            _ => Self::Up,
        }
    }
}

/// Who may ask a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everybody.
    All,
    /// One, to find out whether it is over.
    One,
    /// Nobody for now.
    Wait(Wait),
    /// Nobody else: one is finding out, and it may be over in a moment.
    Asked(Wait),
}

/// Until when a provider is not asked, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub why: Why,
}

/// Why a provider is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// So many asked in a row, and it did not answer.
    Outage(u32),
    /// It wants to be asked less.
    Limit,
}

/// One provider's.
#[derive(Clone, Copy, Debug, Default)]
struct Breaker {
    /// Outages in a row.
    outages: u32,
    open: Option<Wait>,
    /// Whether one is finding out.
    asked: bool,
}

/// A turn that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It was closed, or somebody insisted.
    Usual,
    /// To find out whether it is over.
    Probe,
}

impl Breaker {
    fn verdict(&self, now: Timestamp) -> Verdict {
        match self.open {
            None => Verdict::All,
            // What lies further ahead was reckoned by a clock that has been set back since.
            Some(wait) if wait.until > now && wait.until <= clock::after(now, PAUSE.1) => {
                if self.asked { Verdict::Asked(wait) } else { Verdict::Wait(wait) }
            }
            Some(_) => Verdict::One,
        }
    }

    /// A turn to ask. Whoever gets the one that finds out makes the others wait as if it had failed: one
    /// that hangs is no reason to send another sooner.
    fn enter(&mut self, now: Timestamp) -> Result<Turn, Wait> {
        match (self.verdict(now), &mut self.open) {
            (Verdict::Wait(wait) | Verdict::Asked(wait), _) => Err(wait),
            (Verdict::One, Some(wait)) => {
                self.outages = self.outages.saturating_add(1);
                self.asked = true;
                wait.until = clock::after(now, pause(self.outages));
                Ok(Turn::Probe)
            }
            _ => Ok(Turn::Usual),
        }
    }

    fn learn(&mut self, turn: Turn, lesson: Lesson, now: Timestamp) {
        // What was on its way when a limit came does not lift it.
        let limited = turn == Turn::Usual && self.is_limited(now);
        self.asked &= turn == Turn::Usual;
        match lesson {
            Lesson::Unsent => self.give_back(turn, now),
            Lesson::Nothing => {}
            Lesson::Up if limited => {}
            Lesson::Up => *self = Self::default(),
            Lesson::Down(told) => {
                let until = self.count(turn, 1, told, now);
                let why = if limited { Why::Limit } else { Why::Outage(self.outages) };
                self.open = until.map(|until| Wait { until, why }).or(self.open);
            }
            // One is enough: it is no accident.
            Lesson::Slow(told) => {
                let until = self.count(turn, THRESHOLD, told, now);
                self.open = until.map(|until| Wait { until, why: Why::Limit }).or(self.open);
            }
        }
    }

    /// Counts one more, and says until when to wait, if that changes. Those that were on their way when
    /// it opened say nothing new, unless the provider names a time.
    fn count(
        &mut self,
        turn: Turn,
        least: u32,
        told: Option<Duration>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let first = self.open.is_none();
        if first {
            self.outages = self.outages.saturating_add(1).max(least);
        }
        let news = if first { self.outages >= THRESHOLD } else { turn == Turn::Probe };
        let told = told.map(|it| it.clamp(LEAST, PAUSE.1));
        let own = news.then(|| pause(self.outages));
        let until = clock::after(now, told.or(own)?);
        let open = self.open.filter(|_| turn == Turn::Usual).map(|it| it.until);
        Some(open.map_or(until, |it| it.max(until)))
    }

    fn is_limited(&self, now: Timestamp) -> bool {
        self.open.is_some_and(|it| it.why == Why::Limit && it.until > now)
    }

    /// The one that was to find out has not asked: the next one may.
    fn give_back(&mut self, turn: Turn, now: Timestamp) {
        if let (Turn::Probe, Some(wait)) = (turn, &mut self.open) {
            self.outages = self.outages.saturating_sub(1);
            wait.until = wait.until.min(now);
        }
    }
}

/// Doubles with each outage from the threshold on.
fn pause(outages: u32) -> Duration {
    let (least, most) = PAUSE;
    (least * 2_u32.saturating_pow(outages.saturating_sub(THRESHOLD).min(10))).min(most)
}

/// All of them, by provider. A clone means the same ones.
#[derive(Clone, Default)]
pub(super) struct Breakers(Arc<Mutex<HashMap<String, Breaker>>>);

impl Breakers {
    /// Who may ask `provider`. Spends nothing.
    pub(super) fn verdict(&self, provider: &str, now: Timestamp) -> Verdict {
        self.with(provider, |it| it.verdict(now))
    }

    /// Until when `provider` is not asked, if it is not.
    pub(super) fn wait(&self, provider: &str, now: Timestamp) -> Option<Wait> {
        match self.verdict(provider, now) {
            Verdict::Wait(wait) | Verdict::Asked(wait) => Some(wait),
            Verdict::All | Verdict::One => None,
        }
    }

    /// A turn to ask `provider`, which is there at once for whoever does not wait like everybody else.
    pub(super) fn enter(&self, provider: &str, waits: bool, now: Timestamp) -> Result<Pass, Wait> {
        let turn = if waits { self.with(provider, |it| it.enter(now))? } else { Turn::Usual };
        Ok(Pass { breakers: self.clone(), provider: provider.to_owned(), turn: Some(turn), now })
    }

    /// Learns of what came to a request that had no turn.
    pub(super) fn learn(&self, provider: &str, lesson: Lesson, now: Timestamp) {
        self.with(provider, |it| it.learn(Turn::Usual, lesson, now));
    }

    fn with<T>(&self, provider: &str, act: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(breaker) = all.get_mut(provider) {
            return act(breaker);
        }
        let mut breaker = Breaker::default();
        let done = act(&mut breaker);
        if breaker.outages > 0 || breaker.open.is_some() {
            all.insert(provider.to_owned(), breaker);
        }
        done
    }
}

/// A turn to ask one provider. One that is dropped without a lesson was not used.
pub(super) struct Pass {
    breakers: Breakers,
    provider: String,
    turn: Option<Turn>,
    now: Timestamp,
}

impl Pass {
    /// What came of it.
    pub(super) fn learn(mut self, lesson: Lesson, now: Timestamp) {
        self.end(lesson, now);
    }

    fn end(&mut self, lesson: Lesson, now: Timestamp) {
        let Some(turn) = self.turn.take() else { return };
        self.breakers.with(&self.provider, |it| it.learn(turn, lesson, now));
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.end(Lesson::Unsent, self.now);
    }
}

#[cfg(test)]
mod tests;
