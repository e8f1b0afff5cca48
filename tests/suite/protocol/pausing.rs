//! Pauses that cross a refresh: whatever the attempt leaves, the pause holds.

use std::time::Duration;

use e2e::provider::script::{Fate, Scenario};
use jiff::Timestamp;
use keepfresh::model::attempt::{Outcome, Trigger};
use keepfresh::model::connection::Pause;
use keepfresh::storage::Loaded;

use super::{Bench, LIFETIME, id};

impl Bench {
    fn pause(&self, seconds: Option<u64>) {
        let until = seconds.map(|it| self.clock.now() + Duration::from_secs(it));
        let pause = Pause { until, reason: None };
        self.wait(self.app().refresher.pauses.set(&id(), Some(pause))).unwrap();
    }

    fn resume(&self) {
        self.wait(self.app().refresher.pauses.set(&id(), None)).unwrap();
    }

    /// Seconds until the next look.
    fn due_in(&self) -> Option<i64> {
        let Loaded { connection, open, .. } = self.loaded();
        let claimed = open.filter(|_| connection.pause.is_none()).map(|it| it.lease_until);
        let at = claimed.or(connection.due.map(|it| it.at))?;
        Some(at.duration_since(self.clock.now()).as_secs())
    }

    /// When the next look is, if nobody is at work.
    fn due_at(&self) -> Option<Timestamp> {
        self.loaded().connection.due.map(|it| it.at)
    }

    /// Whether the next look is what follows a token that has just come: two thirds of its life, or a quarter of
    /// the last third earlier. Lifetimes are counted in whole seconds.
    fn is_due_as_usual(&self) -> bool {
        let life = i64::try_from(LIFETIME).unwrap();
        self.due_in().is_some_and(|it| (life * 7 / 12 - 1..=life * 2 / 3).contains(&it))
    }

    /// Runs `act` while a refresh of this fate is on its way.
    fn meanwhile(&self, fate: Scenario, act: impl FnOnce(&Self)) -> Option<Outcome> {
        let seen = self.control().seen();
        self.control().script(fate);
        std::thread::scope(|scope| {
            let flies = scope.spawn(|| self.refresh(Trigger::Forced).unwrap().outcome());
            e2e::daemon::wait_until("the request is out", || self.control().seen() > seen);
            act(self);
            flies.join().unwrap()
        })
    }
}

fn slow() -> Scenario {
    Scenario::from(Fate::Act).delay_after(500)
}

#[test]
fn a_pause_that_crosses_a_refresh_holds() {
    for fate in [slow(), Scenario::from(Fate::CutAfter).delay_after(500)] {
        for seconds in [None, Some(7 * 86_400)] {
            let bench = Bench::strict();
            bench.meanwhile(fate.clone(), |it| it.pause(seconds));
            let due = bench.due_in();
            assert_eq!(due, seconds.map(|it| i64::try_from(it).unwrap()), "{fate:?}");
        }
    }
}

#[test]
fn a_pause_over_a_crash_holds() {
    let mut bench = Bench::strict();
    bench.crash_in_flight();
    bench.pause(None);
    bench.restart();
    assert_eq!(bench.due_in(), None);
    bench.resume();
    assert_eq!(bench.due_in(), Some(0), "what was interrupted is looked at");
}

#[test]
fn who_is_resumed_is_due_as_if_there_had_been_no_pause() {
    let bench = Bench::strict();
    let planned = bench.due_at();
    assert!(bench.is_due_as_usual());
    bench.pause(None);
    assert_eq!(bench.due_in(), None);
    bench.advance(60);
    bench.resume();
    assert_eq!(bench.due_at(), planned);
    assert_eq!(
        bench.meanwhile(slow(), |it| {
            it.pause(None);
            it.resume();
        }),
        Some(Outcome::Success)
    );
    assert!(bench.is_due_as_usual());
}

#[test]
fn a_pause_that_ends_by_itself_refreshes_nothing_that_is_fresh() {
    let bench = Bench::strict();
    let planned = bench.due_at();
    bench.pause(Some(60));
    bench.advance(60);
    assert_eq!(bench.due_in(), Some(0));
    assert_eq!(bench.refresh(Trigger::Expiry).unwrap().outcome(), Some(Outcome::Skipped));
    assert_eq!((bench.control().seen(), bench.due_at()), (0, planned));
}
