//! Steps in any order, on an engine and on the reference beside it: after each of them both say the same of
//! every connection and of what is due, and at the end the same log.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::TestRunner;

use super::model::Model;
use super::seen::{as_it_is, as_it_should_be};
use super::sequence::{IN_MANIFEST, NAMES, Step, Way, steps};
use super::steps::{token, wanted};
use super::{Fresh, at};
use crate::model::attempt::{Attempt, Course, Spent, Trigger};
use crate::model::code::Code;
use crate::model::connection::{Due, Pause, Problem};
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::rotation::Rotation;
use crate::storage::{
    Abandoned, Begin, Capture, Departed, Enrolment, Failed, Filter, LogFilter, ManualSet, Pausing,
    Reconcile, Renewal, Skipped, Storage, Succeeded,
};
use crate::vault::Sealed;

#[test]
fn sqlite_says_what_the_sentences_say_after_steps_in_any_order() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let empty = runtime.block_on(super::sqlite());
    let source_file = Some(file!());
    let config = ProptestConfig { cases: 100, source_file, ..ProptestConfig::default() };
    let case = |steps: Vec<Step>| {
        runtime.block_on(async { play(empty.copy().await, &steps).await });
        Ok(())
    };
    TestRunner::new(config).run(&steps(), case).unwrap_or_else(|it| panic!("{it}"));
}

const OWNERS: [&str; 2] = ["one", "two"];

async fn play(fresh: Fresh, steps: &[Step]) {
    let storage = fresh.storage.clone();
    let (model, now) = (Model::default(), at(1_000));
    let mut world = World { fresh, storage, model, now, begun: Vec::new(), count: 0 };
    for of in 0..IN_MANIFEST {
        world.take(&Step::Reconcile { of, forgive: false, due: None }).await;
    }
    for (number, step) in steps.iter().enumerate() {
        world.take(step).await;
        world.agrees(&format!("{step:?}, step {number}")).await;
    }
    world.agrees_on_the_log().await;
}

/// An engine, and the reference beside it.
struct World {
    fresh: Fresh,
    storage: Storage,
    model: Model,
    now: Timestamp,
    /// The attempts that were begun, or wanted to be.
    begun: Vec<Begin>,
    /// Makes each token and each answer another one.
    count: u8,
}

/// Takes a step on both, which answer the same.
macro_rules! both {
    ($world:ident, $step:ident, $with:expr, $reference:expr) => {{
        let said = $world.storage.$step($with).await.unwrap();
        let expected = $world.model.$step($reference);
        assert_eq!(said, expected, "{}", stringify!($step));
    }};
}

impl World {
    async fn take(&mut self, step: &Step) {
        self.count = self.count.wrapping_add(1);
        match step.clone() {
            Step::Begin { .. }
            | Step::Renew { .. }
            | Step::Depart { .. }
            | Step::Capture { .. } => self.try_to(step).await,
            Step::Succeed { .. } | Step::Fail { .. } | Step::Abandon { .. } => {
                self.end(step).await;
            }
            Step::Skip { of } => {
                let skipped = self.skipped(of);
                both!(self, skip, skipped.clone(), skipped);
            }
            Step::SetManually { .. } | Step::Enrol { .. } => self.give(step).await,
            Step::Reconcile { of, forgive, due } => {
                let due = self.due(due);
                let wanted = Reconcile { forgive, due, at: self.now, ..wanted(id(of)) };
                both!(self, reconcile, wanted.clone(), &wanted);
            }
            Step::Remove { of, listed } => {
                let removed = self.storage.remove(&id(of), listed).await.unwrap();
                assert_eq!(removed, self.model.remove(&id(of), listed), "remove");
            }
            Step::Pause { of, until } => {
                let until = self.due(until).map(|it| it.at);
                let due = until.map(|at| Due { at, trigger: Trigger::Expiry });
                let pause = Some(Pause { until, reason: None });
                let pausing = Pausing { id: id(of), pause, due, at: self.now };
                both!(self, set_pause, pausing.clone(), pausing);
            }
            Step::Resume { of, due } => {
                let pausing = Pausing { id: id(of), pause: None, due: self.due(due), at: self.now };
                both!(self, set_pause, pausing.clone(), pausing);
            }
            Step::SetDue { .. } | Step::Wake { .. } | Step::WakeInterrupted { .. } => {
                self.look(step).await;
            }
            Step::Touch { of } => {
                self.storage.touch(&id(of), self.now).await.unwrap();
                if let Some(row) = self.model.rows.get_mut(&id(of)) {
                    row.facts.active_at = Some(self.now);
                }
            }
            Step::Pass { seconds } => self.now += Duration::from_secs(seconds),
            Step::Reopen => self.storage = self.fresh.again().await,
        }
    }

    async fn try_to(&mut self, step: &Step) {
        match *step {
            Step::Begin { of, owner, adopts, behind, captured, doubts } => {
                let begin = Begin {
                    attempt: AttemptId::generate(),
                    connection: id(of),
                    trigger: Trigger::Manual,
                    generation: self.generation(of).saturating_sub(behind),
                    rotation: Rotation::Grace(30),
                    digest: String::new(),
                    owner: OWNERS[owner].to_owned(),
                    at: self.now,
                    lease_until: self.now + Duration::from_mins(1),
                    adopts: self.open(of).filter(|_| adopts),
                    captured,
                    doubt_since: doubts.then_some(self.now),
                };
                self.begun.push(begin.clone());
                both!(self, begin, begin.clone(), begin);
            }
            Step::Renew { of, back, seconds } => {
                let Some(Begin { attempt, connection, .. }) = self.begun(of, back) else { return };
                let lease_until = self.now + Duration::from_secs(seconds);
                let renewal = Renewal { attempt, connection, lease_until };
                both!(self, renew, renewal.clone(), &renewal);
            }
            Step::Depart { of, back, seq } => {
                let Some(request) = self.request(of, back, seq) else { return };
                both!(self, depart, request.clone(), &request);
            }
            Step::Capture { of, back, seq } => {
                let Some(of) = self.request(of, back, seq) else { return };
                let capture = Capture { of, sealed: self.sealed(), readings: 1 };
                both!(self, capture, capture.clone(), &capture);
            }
            _ => {}
        }
    }

    async fn end(&mut self, step: &Step) {
        match *step {
            Step::Succeed { of, back, dead, due } => {
                let Some(begin) = self.begun(of, back) else { return };
                let done = || Succeeded {
                    attempt: begin.attempt,
                    connection: begin.connection.clone(),
                    generation: begin.generation,
                    reason: None,
                    token: token(&self.count.to_string(), Some(i64::from(self.count))),
                    sealed: self.sealed(),
                    config: Some(vec![self.count]),
                    dead: dead.then(|| why(Case::Unexpected)),
                    agreed: None,
                    may_be_another: false,
                    due: self.due(due),
                    events: Vec::new(),
                    at: self.now,
                    duration_ms: 5,
                    spent: Spent { waited_ms: Some(1), provider_ms: Some(3) },
                    exchanges: Vec::new(),
                };
                let (done, again) = (done(), done());
                both!(self, succeed, done, &again);
            }
            Step::Fail { of, back, way, due } => {
                let Some(begin) = self.begun(of, back) else { return };
                let (failed, again) =
                    (self.failed(&begin, way, due), self.failed(&begin, way, due));
                both!(self, fail, failed, &again);
            }
            Step::Abandon { of, back } => {
                let Some(Begin { attempt, connection, .. }) = self.begun(of, back) else { return };
                let abandoned = || Abandoned {
                    attempt,
                    connection: connection.clone(),
                    failure: why(Case::Misconfigured),
                    at: self.now,
                    duration_ms: 6,
                    spent: Spent::default(),
                    exchanges: Vec::new(),
                };
                let (abandoned, again) = (abandoned(), abandoned());
                both!(self, abandon, abandoned, &again);
            }
            _ => {}
        }
    }

    async fn give(&mut self, step: &Step) {
        match *step {
            Step::SetManually { of, adopts, behind, gives, due } => {
                let set = || ManualSet {
                    connection: id(of),
                    generation: self.generation(of).saturating_sub(behind),
                    token: gives.then(|| (token("by hand", None), self.sealed())),
                    due: self.due(due),
                    adopts: self.open(of).filter(|_| adopts),
                    at: self.now,
                };
                let (set, again) = (set(), set());
                both!(self, set_manually, set, &again);
            }
            Step::Enrol { of, is_new, behind, gives, secret, due } => {
                let found = (!is_new).then(|| self.generation(of).saturating_sub(behind));
                let new = || Enrolment {
                    id: id(of),
                    found,
                    enrolled: None,
                    settings: [("count".to_owned(), self.count.to_string())].into(),
                    labels: vec![self.count.to_string()],
                    credentials: secret.then(|| self.sealed()),
                    token: gives.then(|| (token("of a file", Some(5_000)), self.sealed())),
                    due: self.due(due),
                    probe_at: None,
                    active_at: secret.then_some(self.now),
                    digest: vec![self.count],
                    at: self.now,
                };
                let (new, again) = (new(), new());
                both!(self, enrol, new, &again);
            }
            _ => {}
        }
    }

    async fn look(&mut self, step: &Step) {
        match *step {
            Step::SetDue { of, due } => {
                let (id, due) = (id(of), self.due(due));
                self.model.set_due(&id, due);
                self.storage.set_due(&id, due).await.unwrap();
            }
            Step::Wake { of } => {
                self.model.wake(&id(of), self.now);
                self.storage.wake(&id(of), self.now).await.unwrap();
            }
            Step::WakeInterrupted { owner } if !self.storage.is_shared() => {
                self.model.wake_interrupted(OWNERS[owner], self.now);
                self.storage.wake_interrupted(OWNERS[owner], self.now).await.unwrap();
            }
            _ => {}
        }
    }

    fn generation(&self, of: usize) -> u64 {
        self.model.rows.get(&id(of)).map_or(0, |it| it.facts.generation)
    }

    fn open(&self, of: usize) -> Option<AttemptId> {
        Some(self.model.rows.get(&id(of))?.claim.as_ref()?.attempt)
    }

    fn begun(&self, of: usize, back: usize) -> Option<Begin> {
        self.begun.iter().rev().filter(|it| it.connection == id(of)).nth(back).cloned()
    }

    fn due(&self, seconds: Option<u64>) -> Option<Due> {
        let at = self.now + Duration::from_secs(seconds?);
        Some(Due { at, trigger: Trigger::Backup })
    }

    fn sealed(&self) -> Sealed {
        Sealed::from_bytes(vec![self.count])
    }

    fn request(&self, of: usize, back: usize, seq: u32) -> Option<Departed> {
        let Begin { attempt, connection, generation, .. } = self.begun(of, back)?;
        let request = "POST /token".to_owned();
        Some(Departed { connection, generation, attempt, seq, request, at: self.now })
    }

    fn failed(&self, begin: &Begin, way: Way, due: Option<u64>) -> Failed {
        let (problem, case) = match way {
            Way::Dead => (Some(Problem::Reconnect), Case::GrantExpired),
            Way::Misconfigured => (Some(Problem::Misconfigured), Case::Misconfigured),
            _ => (None, Case::Unavailable),
        };
        let other = u64::from(matches!(way, Way::OfAnother));
        Failed {
            attempt: begin.attempt,
            connection: begin.connection.clone(),
            generation: begin.generation + other,
            failure: why(case),
            problem,
            config: problem.map(|_| vec![self.count]),
            doubt_since: matches!(way, Way::InDoubt | Way::Kept).then_some(self.now),
            keep_captures: matches!(way, Way::Kept),
            due: self.due(due),
            events: Vec::new(),
            at: self.now,
            duration_ms: 7,
            spent: Spent { waited_ms: Some(2), provider_ms: None },
            exchanges: Vec::new(),
        }
    }

    fn skipped(&self, of: usize) -> Skipped {
        Skipped {
            attempt: AttemptId::generate(),
            connection: id(of),
            trigger: Trigger::OnDemand,
            reason: "it is fresh".to_owned(),
            generation: self.generation(of),
            at: self.now,
        }
    }

    async fn agrees(&self, story: &str) {
        let ids = (0..NAMES.len()).map(id).collect::<Vec<_>>();
        let loaded = join_all(ids.iter().map(|it| self.storage.load(it))).await;
        for (id, loaded) in ids.iter().zip(loaded) {
            let expected = self.model.rows.get(id).map(as_it_should_be);
            assert_eq!(loaded.unwrap().as_ref().map(as_it_is), expected, "after {story}");
            let recent = self.storage.recent(id).await.unwrap();
            assert_eq!(recent.as_deref().map(as_it_is), expected, "remembered after {story}");
        }
        for provider in ["x", "y"] {
            let due = self.storage.due(provider, self.now, 100, |_| true).await.unwrap();
            let expected = self.model.due_at(provider, self.now);
            assert_eq!(due, expected, "{provider} is due after {story}");
        }
        let next = self.storage.next_due(self.now).await.unwrap();
        assert_eq!(next, self.model.next_due(self.now), "due next after {story}");
        let planned = self.storage.forecast(self.now).await.unwrap();
        assert_eq!(planned, self.model.forecast(self.now), "planned after {story}");
    }

    async fn agrees_on_the_log(&self) {
        let (mut log, mut before) = (Vec::new(), None);
        loop {
            let filter = LogFilter { before, limit: 3, ..LogFilter::default() };
            let page = self.storage.log_page(&filter).await.unwrap();
            log.extend(page.attempts);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        let expected = self.model.log().into_iter().map(without_words).collect::<Vec<_>>();
        let log = log.into_iter().map(without_words).collect::<Vec<_>>();
        assert_eq!(log, expected, "the log");
        let page = self.storage.page(&Filter::default(), None, 100).await.unwrap();
        for row in page.rows.into_iter().map(Result::unwrap) {
            let open = self.model.rows[&row.id].claim.as_ref().map(|it| it.attempt);
            let newest = expected.iter().find(|it| it.connection == row.id).map(|it| it.id);
            assert_eq!(row.last_attempt.map(|it| it.id), open.or(newest), "the last attempt");
        }
    }
}

fn id(of: usize) -> ConnectionId {
    NAMES[of].parse().unwrap()
}

fn why(case: Case) -> Failure {
    Failure::new(case, Code::read("x.y"), "why")
}

/// An engine says in its own words that an attempt was interrupted.
fn without_words(mut attempt: Attempt) -> Attempt {
    if let Course::Failed(failure) = &mut attempt.course {
        failure.message.clear();
    }
    attempt
}
