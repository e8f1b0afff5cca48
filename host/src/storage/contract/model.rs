//! What the sentences of `engine` say, as plain code over maps: slow, obvious, and right. An engine has
//! to say the same after any steps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::attempt::{Attempt, Course, Spent, Trigger};
use crate::model::code;
use crate::model::connection::{Connection, Due, Origin, Problem, TokenFacts};
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::token::{TokenSet, fingerprint};
use crate::storage::{
    Abandoned, Begin, Begun, Capture, Captured, Departed, Enrolment, Failed, Forecast, ManualSet,
    Pausing, Reconcile, Renewal, Skipped, Succeeded,
};

/// A database that cannot fail.
#[derive(Default)]
pub(super) struct Model {
    pub(super) rows: BTreeMap<ConnectionId, Row>,
    /// Attempts that have ended.
    pub(super) ended: Vec<Attempt>,
}

/// A connection.
pub(super) struct Row {
    /// Its facts; the time is its own, whether it has a claim or not.
    pub(super) facts: Connection,
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) given: bool,
    pub(super) credentials: Option<Vec<u8>>,
    pub(super) claim: Option<Begin>,
    pub(super) requests: BTreeMap<(AttemptId, u32), Request>,
}

/// A request that has left, or was answered.
pub(super) struct Request {
    pub(super) at: Timestamp,
    pub(super) answer: Option<Vec<u8>>,
    pub(super) readings: u32,
}

/// What comes in the place of a generation.
struct Next<'a> {
    token: Option<(&'a TokenSet, &'a [u8])>,
    given: bool,
    config: Option<Vec<u8>>,
    dead: Option<Failure>,
    due: Option<Due>,
    at: Timestamp,
}

impl Row {
    fn new(id: &ConnectionId, origin: Origin) -> Self {
        let facts = Connection {
            id: id.clone(),
            generation: 0,
            token: None,
            failures: 0,
            problem: None,
            error: None,
            doubt_since: None,
            pause: None,
            due: None,
            last_attempt: None,
            profile: None,
            origin,
            settings: BTreeMap::new(),
            labels: Vec::new(),
            active_at: None,
            agreed: None,
        };
        let (sealed, credentials, claim) = (None, None, None);
        Self { facts, sealed, given: false, credentials, claim, requests: BTreeMap::new() }
    }

    /// When it is looked at, as everybody sees it: a claim hides its own time, and a pause hides both.
    pub(super) fn due(&self) -> Option<Due> {
        match (&self.facts.pause, &self.claim) {
            (None, Some(claim)) => Some(Due { at: claim.lease_until, trigger: Trigger::Recovery }),
            _ => self.facts.due,
        }
    }

    /// A pause holds, whatever is written.
    fn set_due(&mut self, due: Option<Due>) {
        let end = |at| Due { at, trigger: Trigger::Expiry };
        self.facts.due = self.facts.pause.as_ref().map_or(due, |it| it.until.map(end));
    }

    fn has_claim(&self, attempt: AttemptId) -> bool {
        self.claim.as_ref().is_some_and(|it| it.attempt == attempt)
    }

    /// Whether a new attempt may begin, or a person set a token, that takes over from this one.
    fn is_free(&self, generation: u64, adopts: Option<AttemptId>) -> bool {
        let adopted = self.claim.as_ref().is_none_or(|it| Some(it.attempt) == adopts);
        self.facts.generation == generation && adopted
    }

    /// The claim becomes an attempt that has ended.
    fn end(
        &mut self,
        course: Course,
        generation: u64,
        duration_ms: Option<u64>,
        spent: Spent,
    ) -> Option<Attempt> {
        let Begin { attempt: id, connection, trigger, at: started_at, .. } = self.claim.take()?;
        let attempt =
            Attempt { id, connection, trigger, course, started_at, duration_ms, spent, generation };
        Some(attempt)
    }

    /// Unless what follows says otherwise, it is looked at now.
    fn close_interrupted(&mut self, at: Timestamp) -> Option<Attempt> {
        let why = Failure::new(Case::InDoubt, code::Refresh::Interrupted, String::new());
        let closed =
            self.end(Course::Failed(why), self.facts.generation, None, Spent::default())?;
        self.set_due(Some(Due { at, trigger: Trigger::Recovery }));
        Some(closed)
    }

    fn advance(&mut self, next: Next<'_>) {
        let facts = &mut self.facts;
        facts.generation += 1;
        facts.token = next.token.map(|(token, _)| TokenFacts {
            token_type: token.token_type.clone(),
            issued_at: next.at,
            expires_at: token.expires_at,
            refresh_expires_at: token.refresh_expires_at,
            fingerprint: fingerprint(&token.access_token),
            scopes: token.scopes.clone(),
            metadata: token.metadata.clone(),
            config: next.config,
        });
        facts.failures = if next.dead.is_some() { facts.failures + 1 } else { 0 };
        (facts.problem, facts.error, facts.doubt_since) = (None, next.dead, None);
        self.sealed = next.token.map(|(_, sealed)| sealed.to_vec());
        self.given = next.given && self.sealed.is_some();
        self.requests.clear();
        self.set_due(next.due);
    }
}

impl Model {
    pub(super) fn begin(&mut self, begin: Begin) -> Begun {
        let Some(row) = self.rows.get_mut(&begin.connection) else { return Begun::Lost };
        if !row.is_free(begin.generation, begin.adopts) {
            return Begun::Lost;
        }
        self.ended.extend(row.close_interrupted(begin.at));
        row.facts.doubt_since = row.facts.doubt_since.or(begin.doubt_since);
        match begin.captured {
            Captured::Stay => {}
            Captured::AreGivenUp => row.requests.clear(),
            Captured::AreRead => {
                let answered = row.requests.values_mut().filter(|it| it.answer.is_some());
                answered.for_each(|it| it.readings += 1);
            }
        }
        row.claim = Some(begin);
        Begun::Yes
    }

    pub(super) fn renew(&mut self, renewal: &Renewal) -> Begun {
        let row = self.rows.get_mut(&renewal.connection);
        let Some(row) = row.filter(|it| it.has_claim(renewal.attempt)) else { return Begun::Lost };
        let claim = row.claim.as_mut().unwrap();
        claim.lease_until = claim.lease_until.max(renewal.lease_until);
        Begun::Yes
    }

    pub(super) fn depart(&mut self, of: &Departed) {
        let Some(row) = self.rows.get_mut(&of.connection) else { return };
        if row.facts.generation == of.generation {
            let left = Request { at: of.at, answer: None, readings: 1 };
            row.requests.entry((of.attempt, of.seq)).or_insert(left);
        }
    }

    pub(super) fn capture(&mut self, capture: &Capture) {
        self.depart(&capture.of);
        let Some(row) = self.rows.get_mut(&capture.of.connection) else { return };
        if row.facts.generation == capture.of.generation {
            let place = (capture.of.attempt, capture.of.seq);
            let request = row.requests.get_mut(&place).unwrap();
            request.at = capture.of.at;
            request.answer = Some(capture.sealed.as_bytes().to_vec());
        }
    }

    pub(super) fn succeed(&mut self, done: &Succeeded) -> Begun {
        let row = self.rows.get_mut(&done.connection);
        let row = row.filter(|it| it.has_claim(done.attempt));
        let Some(row) = row.filter(|it| it.facts.generation == done.generation) else {
            return Begun::Lost;
        };
        row.advance(Next {
            token: Some((&done.token, done.sealed.as_bytes())),
            given: true,
            config: done.config.clone(),
            dead: done.dead.clone(),
            due: done.due,
            at: done.at,
        });
        let success = Course::Success(done.reason.clone());
        let course = done.dead.clone().map_or(success, Course::Failed);
        self.ended.extend(row.end(course, done.generation + 1, Some(done.duration_ms), done.spent));
        Begun::Yes
    }

    pub(super) fn fail(&mut self, failed: &Failed) -> Begun {
        let row = self.rows.get_mut(&failed.connection);
        let Some(row) = row.filter(|it| it.has_claim(failed.attempt)) else { return Begun::Lost };
        let (course, took) = (Course::Failed(failed.failure.clone()), Some(failed.duration_ms));
        self.ended.extend(row.end(course, row.facts.generation, took, failed.spent));
        if row.facts.generation != failed.generation {
            return Begun::Yes;
        }
        row.facts.failures += 1;
        row.facts.problem = failed.problem;
        row.facts.error = Some(failed.failure.clone());
        row.facts.doubt_since =
            failed.doubt_since.map(|since| row.facts.doubt_since.unwrap_or(since));
        if !failed.keep_captures {
            row.requests.clear();
        }
        row.set_due(failed.due);
        Begun::Yes
    }

    pub(super) fn abandon(&mut self, abandoned: &Abandoned) -> Begun {
        let row = self.rows.get_mut(&abandoned.connection);
        let Some(row) = row.filter(|it| it.has_claim(abandoned.attempt)) else {
            return Begun::Lost;
        };
        let course = Course::Failed(abandoned.failure.clone());
        let generation = row.facts.generation;
        self.ended.extend(row.end(
            course,
            generation,
            Some(abandoned.duration_ms),
            abandoned.spent,
        ));
        Begun::Yes
    }

    pub(super) fn skip(&mut self, skipped: Skipped) {
        self.ended.push(Attempt {
            id: skipped.attempt,
            connection: skipped.connection,
            trigger: skipped.trigger,
            course: Course::Skipped(skipped.reason),
            started_at: skipped.at,
            duration_ms: Some(0),
            spent: Spent::default(),
            generation: skipped.generation,
        });
    }

    pub(super) fn set_manually(&mut self, set: &ManualSet) -> bool {
        let row = self.rows.get_mut(&set.connection);
        let Some(row) = row.filter(|it| it.is_free(set.generation, set.adopts)) else {
            return false;
        };
        self.ended.extend(row.close_interrupted(set.at));
        let token = set.token.as_ref().map(|(token, sealed)| (token, sealed.as_bytes()));
        let (given, due, at) = (false, set.due, set.at);
        row.advance(Next { token, given, config: None, dead: None, due, at });
        true
    }

    pub(super) fn enrol(&mut self, new: &Enrolment) -> bool {
        let found = self.rows.get(&new.id).map(|it| it.facts.generation);
        let claimed = self.rows.get(&new.id).is_some_and(|it| it.claim.is_some());
        if found != new.found || claimed {
            return false;
        }
        debug_assert_eq!(new.enrolled, None, "the model does not keep digests");
        let row = self.rows.entry(new.id.clone());
        let row = row.or_insert_with(|| Row::new(&new.id, Origin::Added));
        row.facts.settings.clone_from(&new.settings);
        row.facts.labels.clone_from(&new.labels);
        row.facts.active_at = row.facts.active_at.max(new.active_at);
        if row.facts.problem == Some(Problem::Misconfigured) {
            row.facts.problem = None;
            row.set_due(Some(Due { at: new.at, trigger: Trigger::Expiry }));
        }
        if new.due.is_some() {
            row.set_due(new.due);
        }
        if let Some(secrets) = &new.credentials {
            row.credentials = Some(secrets.as_bytes().to_vec());
        }
        if let Some((token, sealed)) = &new.token {
            let (token, due, at) = (Some((token, sealed.as_bytes())), new.due, new.at);
            row.advance(Next { token, given: false, config: None, dead: None, due, at });
        }
        true
    }

    pub(super) fn reconcile(&mut self, wanted: &Reconcile) {
        let row = self.rows.entry(wanted.id.clone());
        let row = row.or_insert_with(|| Row::new(&wanted.id, Origin::Manifest));
        if wanted.due.is_some() {
            row.set_due(wanted.due);
        }
        if wanted.forgive {
            row.facts.problem = None;
        }
    }

    pub(super) fn remove(&mut self, id: &ConnectionId, listed: bool) -> bool {
        let wanted = |it: &Row| it.facts.origin == Origin::Manifest && listed;
        let removable = |it: &Row| !wanted(it) && it.claim.is_none();
        self.rows.get(id).is_some_and(removable) && self.rows.remove(id).is_some()
    }

    pub(super) fn set_pause(&mut self, pausing: Pausing) -> bool {
        let Some(row) = self.rows.get_mut(&pausing.id) else { return false };
        row.facts.pause = pausing.pause;
        row.set_due(pausing.due);
        true
    }

    pub(super) fn set_due(&mut self, id: &ConnectionId, due: Option<Due>) {
        let Some(row) = self.rows.get_mut(id) else { return };
        let Some(claim) = &mut row.claim else { return row.set_due(due) };
        claim.lease_until = due.map_or(claim.lease_until, |it| it.at.max(claim.lease_until));
    }

    pub(super) fn wake(&mut self, id: &ConnectionId, now: Timestamp) {
        let Some(row) = self.rows.get_mut(id) else { return };
        if let Some(claim) = &mut row.claim {
            claim.lease_until = now;
        }
        if row.requests.values().any(|it| it.answer.is_some()) {
            row.set_due(Some(Due { at: now, trigger: Trigger::Recovery }));
        }
    }

    pub(super) fn wake_interrupted(&mut self, owner: &str, now: Timestamp) {
        let claims = self.rows.values_mut().filter_map(|it| it.claim.as_mut());
        claims.filter(|it| it.owner != owner).for_each(|it| it.lease_until = now);
    }

    /// What is due of a provider: what was interrupted, then what has waited longest.
    pub(super) fn due_at(&self, provider: &str, now: Timestamp) -> Vec<(ConnectionId, Trigger)> {
        let rows = self.rows.values().filter(|it| it.facts.id.provider() == provider);
        let due = rows.filter_map(|it| Some((it, it.due().filter(|due| due.at <= now)?)));
        let interrupted = |it: &Row| it.claim.is_some() && it.facts.pause.is_none();
        let mut all = due.collect::<Vec<_>>();
        all.sort_by_key(|(it, due)| (!interrupted(it), due.at, it.facts.id.clone()));
        all.into_iter().map(|(it, due)| (it.facts.id.clone(), due.trigger)).collect()
    }

    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let times = self.rows.values().filter_map(|it| Some(it.due()?.at));
        times.filter(|it| *it > now).min()
    }

    /// What is planned for each provider. Who is at work is not looked at again by plan.
    pub(super) fn forecast(&self, now: Timestamp) -> Vec<Forecast> {
        let rests = |it: &&Row| it.claim.is_none() || it.facts.pause.is_some();
        let forecast = |provider: &str| {
            let rows = self.rows.values().filter(|it| it.facts.id.provider() == provider);
            let times = rows.filter(rests).filter_map(|it| Some(it.facts.due?.at));
            let (mut overdue, mut hours) = (0, vec![0; 24]);
            for at in times {
                match at.duration_since(now).as_millis().div_euclid(3_600_000) {
                    ..0 => overdue += 1,
                    hour @ 0..24 => hours[usize::try_from(hour).unwrap()] += 1,
                    _ => {}
                }
            }
            Forecast { provider: provider.to_owned(), overdue, hours }
        };
        let providers = self.rows.keys().map(ConnectionId::provider).collect::<BTreeSet<_>>();
        providers.into_iter().map(forecast).collect()
    }

    /// The log, newest first, open attempts too.
    pub(super) fn log(&self) -> Vec<Attempt> {
        let claims = self.rows.values().filter_map(|it| it.claim.clone());
        let open = claims.map(|it| Attempt {
            id: it.attempt,
            connection: it.connection,
            trigger: it.trigger,
            course: Course::Open,
            started_at: it.at,
            duration_ms: None,
            spent: Spent::default(),
            generation: it.generation,
        });
        let mut all = self.ended.iter().cloned().chain(open).collect::<Vec<_>>();
        all.sort_by_key(|it| std::cmp::Reverse(it.id));
        all
    }
}
