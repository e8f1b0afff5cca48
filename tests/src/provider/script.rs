//! What is to go wrong next: a queue of one-shot faults over standing ones. Knows no socket and no provider.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::provider::answer::Answer;

/// One thing that happens to a request, and how often.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Only requests whose path starts so; all when absent.
    pub path: Option<String>,
    /// How often.
    pub repeat: Repeat,
    /// Real time to wait before the provider acts.
    pub delay_before_ms: u64,
    /// Real time to wait after it acted, before it answers.
    pub delay_after_ms: u64,
    /// What happens.
    pub fate: Fate,
}

/// How often a scenario happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// So many times, in the order of the queue.
    Times(u32),
    /// Whenever no counted scenario wants the request. The latest standing one wins.
    Always,
}

impl Default for Repeat {
    fn default() -> Self {
        Self::Times(1)
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The provider acts and answers, after the delays.
    #[default]
    Act,
    /// It says this and does not act.
    Answer(Answer),
    /// It acts, and says this: a gateway that gave up after the rotation.
    ActThenAnswer(Answer),
    /// It acts, and these members join its JSON answer.
    Merge(Map<String, Value>),
    /// It acts, and sends half of its body as if that were all.
    Truncate,
    /// It never acts and never answers.
    Hang,
    /// It acts and never answers.
    ActThenHang,
    /// The connection closes without a byte, and it did not act.
    CutBefore,
    /// The connection closes without a byte, and it acted.
    CutAfter,
    /// It acts, and the connection closes in the middle of the body.
    CutBody,
    /// From now on it takes no credentials; then it acts.
    RejectCredentials,
    /// It revokes every token it gave; then it acts.
    RevokeEverything,
}

impl From<Fate> for Scenario {
    fn from(fate: Fate) -> Self {
        Self { fate, ..Self::default() }
    }
}

impl From<Answer> for Scenario {
    fn from(answer: Answer) -> Self {
        Fate::Answer(answer).into()
    }
}

impl Scenario {
    /// Happens to requests whose path starts so.
    #[must_use]
    pub fn on(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Happens so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.repeat = Repeat::Times(times);
        self
    }

    /// Happens until the script is cleared.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.repeat = Repeat::Always;
        self
    }

    /// Waits before the provider acts.
    #[must_use]
    pub fn delay_before(mut self, milliseconds: u64) -> Self {
        self.delay_before_ms = milliseconds;
        self
    }

    /// Waits after the provider acted.
    #[must_use]
    pub fn delay_after(mut self, milliseconds: u64) -> Self {
        self.delay_after_ms = milliseconds;
        self
    }

    pub(crate) fn before(&self) -> Duration {
        Duration::from_millis(self.delay_before_ms)
    }

    pub(crate) fn after(&self) -> Duration {
        Duration::from_millis(self.delay_after_ms)
    }

    fn wants(&self, path: &str) -> bool {
        self.path.as_deref().is_none_or(|start| path.starts_with(start))
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Script {
    counted: Vec<Scenario>,
    standing: Vec<Scenario>,
}

impl Script {
    pub(crate) fn push(&mut self, scenario: Scenario) {
        match scenario.repeat {
            Repeat::Times(0) => {}
            Repeat::Times(_) => self.counted.push(scenario),
            Repeat::Always => self.standing.push(scenario),
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many counted scenarios have not happened yet.
    pub(crate) fn pending(&self) -> u64 {
        let times = |scenario: &Scenario| match scenario.repeat {
            Repeat::Times(times) => times.into(),
            Repeat::Always => 0,
        };
        self.counted.iter().map(times).sum()
    }

    /// What happens to the next request of this path.
    pub(crate) fn take(&mut self, path: &str) -> Option<Scenario> {
        match self.counted.iter().position(|scenario| scenario.wants(path)) {
            Some(index) => Some(self.spend(index)),
            None => self.standing.iter().rfind(|scenario| scenario.wants(path)).cloned(),
        }
    }

    fn spend(&mut self, index: usize) -> Scenario {
        match &mut self.counted[index].repeat {
            Repeat::Times(times) if *times > 1 => {
                *times -= 1;
                self.counted[index].clone()
            }
            _ => self.counted.remove(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delayed(milliseconds: u64) -> Scenario {
        Scenario::default().delay_before(milliseconds)
    }

    fn taken(script: &mut Script, path: &str) -> Option<u64> {
        script.take(path).map(|scenario| scenario.delay_before_ms)
    }

    #[test]
    fn counted_scenarios_happen_in_order_and_then_the_latest_standing_one() {
        let mut script = Script::default();
        for scenario in [delayed(8).always(), delayed(9).always(), delayed(1).times(2), delayed(2)]
        {
            script.push(scenario);
        }
        assert_eq!(script.pending(), 3);
        let seen: Vec<_> = (0..5).map(|_| taken(&mut script, "/token")).collect();
        assert_eq!(seen, [Some(1), Some(1), Some(2), Some(9), Some(9)]);
    }

    #[test]
    fn a_scenario_waits_for_its_path() {
        let mut script = Script::default();
        script.push(delayed(1).on("/token"));
        assert_eq!(taken(&mut script, "/resource"), None);
        assert_eq!(taken(&mut script, "/token"), Some(1));
    }

    #[test]
    fn a_scenario_is_read_from_json() {
        let text = r#"{"path":"/token","repeat":{"times":3},"delay_after_ms":4,
            "fate":{"answer":{"status":429,"headers":{"retry-after":"7"},"json":{"a":1}}}}"#;
        let scenario: Scenario = serde_json::from_str(text).expect("the format of the control API");
        assert_eq!(scenario.repeat, Repeat::Times(3));
        let Fate::Answer(answer) = scenario.fate else { panic!("another fate") };
        assert_eq!((answer.status, answer.body), (429, br#"{"a":1}"#.to_vec()));
        let cut: Scenario = serde_json::from_str(r#"{"fate":"cut_after","repeat":"always"}"#)
            .expect("the format of the control API");
        assert!(matches!((cut.fate, cut.repeat), (Fate::CutAfter, Repeat::Always)));
    }
}
