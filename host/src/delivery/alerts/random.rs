//! Any sequence of failures, recoveries, looks and restarts, against a model that knows what is true.

use std::time::Duration;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::delivery::alerts::tests::rules;
use crate::delivery::alerts::{Alert, Look, Tell};
use crate::model::alert::AlertKind;
use crate::model::fixture::at;

/// What may happen next.
#[derive(Clone, Debug)]
enum Step {
    /// A connection fails so badly.
    Fails(usize, AlertKind),
    /// It works again.
    Heals(usize),
    /// So many seconds pass, without a look.
    Passes(u32),
    /// The channel looks.
    Looks,
    /// The process is another one, which has what was kept.
    Restarts,
}

fn step() -> impl Strategy<Value = Step> {
    let kinds = [AlertKind::Failed, AlertKind::Critical, AlertKind::Expired];
    prop_oneof![
        (0..3_usize, 0..3_usize).prop_map(move |(it, kind)| Step::Fails(it, kinds[kind])),
        (0..3_usize).prop_map(Step::Heals),
        (1..900_u32).prop_map(Step::Passes),
        (1..200_u32).prop_map(Step::Passes),
        Just(Step::Looks),
        Just(Step::Looks),
        Just(Step::Restarts),
    ]
}

/// Three connections of one provider, and what a channel said of them.
struct World {
    alert: Alert,
    now: Timestamp,
    connections: [Option<AlertKind>; 3],
    /// Since when some connection has failed without a break, as looks could see it.
    ill_since: Option<Timestamp>,
    is_open: bool,
    tells: Vec<(Timestamp, Tell)>,
}

impl World {
    fn new() -> Self {
        Self {
            alert: Alert::default(),
            now: at(1_000_000),
            connections: [None; 3],
            ill_since: None,
            is_open: false,
            tells: Vec::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Fails(number, kind) => {
                self.connections[*number] = Some(*kind);
                self.ill_since.get_or_insert(self.now);
                self.alert.happened(*kind, self.now);
            }
            Step::Heals(number) => {
                self.connections[*number] = None;
                if self.connections == [None; 3] {
                    self.ill_since = None;
                }
            }
            Step::Passes(seconds) => self.now += Duration::from_secs(u64::from(*seconds)),
            Step::Looks => self.look(),
            Step::Restarts => {
                let kept = serde_json::to_string(&self.alert).unwrap();
                self.alert = serde_json::from_str(&kept).unwrap();
            }
        }
        assert!(self.alert.changes.len() <= 6, "memory is bounded: {:?}", self.alert);
    }

    fn look(&mut self) {
        let kind = self.connections.into_iter().flatten().max();
        let telling = self.alert.looked(Look { kind, now: self.now }, &rules());
        if let Some(telling) = telling {
            self.hear(&telling.tell);
            assert!(telling.since <= self.now);
        }
        let lasts = self.ill_since.is_some_and(|it| self.now >= it + rules().after);
        assert!(!lasts || self.is_open, "what lasts is told: {:?}", self.alert);
        assert_eq!(self.alert.is_open(), self.is_open);
    }

    /// At most one alert is open, and each recovery follows one.
    fn hear(&mut self, tell: &Tell) {
        match tell {
            Tell::Began | Tell::Flapping => assert!(!self.is_open, "opened twice"),
            Tell::Worse | Tell::Reminder | Tell::Recovered => assert!(self.is_open, "{tell:?}"),
        }
        self.is_open = *tell != Tell::Recovered;
        self.tells.push((self.now, tell.clone()));
    }

    /// Whoever reads them is not flooded: beginnings and ends within any hour are few.
    fn is_quiet(&self) -> bool {
        let changes = self
            .tells
            .iter()
            .filter(|(_, tell)| matches!(tell, Tell::Began | Tell::Recovered | Tell::Flapping));
        let times = changes.map(|(time, _)| *time).collect::<Vec<_>>();
        let hour = Duration::from_hours(1);
        times
            .iter()
            .all(|from| times.iter().filter(|it| **it >= *from && **it < *from + hour).count() <= 6)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_no_alert_is_lost_or_doubled_and_each_recovery_follows_one(
        steps in vec(step(), 1..120)
    ) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        prop_assert!(world.is_quiet(), "{:?}", world.tells);
        (0..3).for_each(|it| world.take(&Step::Heals(it)));
        for _ in 0..3 {
            world.take(&Step::Looks);
            world.now += Duration::from_hours(1);
        }
        world.take(&Step::Looks);
        prop_assert!(!world.is_open, "what is over is told to be over");
        prop_assert!(world.alert.is_over(), "nothing is left behind: {:?}", world.alert);
    }
}
