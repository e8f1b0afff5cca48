//! What happens to a connection in any order, over a real database: whatever crosses whatever, a paused
//! row is due when its pause ends and not before, one that nobody paused is never forgotten, and one
//! that was handled does not stay due.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

use super::{Facts, due};
use crate::manifest::provider::Provider;
use crate::model::attempt::{Spent, Trigger};
use crate::model::code::{self, Code};
use crate::model::connection::{Connection, Due, Pause, Problem};
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::rotation::Rotation;
use crate::model::token::TokenSet;
use crate::refresher::plan::{AHEAD, Timing};
use crate::storage::{
    Abandoned, Begin, Begun, Captured, Failed, Loaded, Moved, Pausing, Reconcile, Storage,
    Succeeded,
};
use crate::vault::Sealed;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    Pause(Option<u64>),
    Resume,
    /// An attempt begins and stays under way.
    Begin,
    /// The one under way ends so.
    End(Way),
    /// The process dies, and another takes over.
    Crash,
    Pass(u64),
    /// The clock is set back.
    SetBack(u64),
    /// The scheduler looks, and what it finds due ends so.
    Look(Way),
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug)]
enum Way {
    Success,
    Dead,
    Outage,
    Doubt,
    Problem,
    Abandoned,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seconds = || prop_oneof![1..90_u64, 1_000..5_000_u64, 50_000..40_000_000_u64];
    let way = || {
        use Way::{Abandoned, Dead, Doubt, Outage, Problem, Success};
        prop_oneof![
            4 => Just(Success), 1 => Just(Dead), 2 => Just(Outage),
            1 => Just(Doubt), 1 => Just(Problem), 1 => Just(Abandoned),
        ]
    };
    let step = prop_oneof![
        2 => prop::option::of(seconds()).prop_map(Step::Pause),
        2 => Just(Step::Resume),
        3 => Just(Step::Begin),
        3 => way().prop_map(Step::End),
        1 => Just(Step::Crash),
        3 => seconds().prop_map(Step::Pass),
        1 => seconds().prop_map(Step::SetBack),
        4 => way().prop_map(Step::Look),
    ];
    prop::collection::vec(step, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_leaves_a_time_that_nobody_meant(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in &steps {
                world.take(*step).await;
                world.holds(&format!("{step:?} of {steps:?}")).await;
            }
        });
    }
}

/// One connection, and the process that works on it.
struct World {
    _dir: TempDir,
    storage: Storage,
    provider: Provider,
    id: ConnectionId,
    now: Timestamp,
    /// What the attempt under way found when it began.
    under_way: Option<(AttemptId, Loaded)>,
    /// Whether the last step was a look at what was due.
    handled: bool,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::open(&dir.path().join("keepfresh.db")).await.unwrap();
        let path = std::path::Path::new("keepfresh.toml");
        let mut manifest = crate::manifest::parse("[providers.x]", path).unwrap();
        let provider = manifest.providers.remove("x").unwrap();
        let (id, now): (ConnectionId, _) =
            ("x".parse().unwrap(), Timestamp::from_second(1_800_000_000).unwrap());
        let due = Some(Due { at: now, trigger: Trigger::Expiry });
        let new = Reconcile { id: id.clone(), due, forgive: false, probe_at: None, at: now };
        storage.reconcile(new).await.unwrap();
        let (under_way, handled) = (None, false);
        Self { _dir: dir, storage, provider, id, now, under_way, handled }
    }

    async fn take(&mut self, step: Step) {
        self.handled = false;
        match step {
            Step::Pause(seconds) => {
                let until = seconds.map(|it| self.now + Duration::from_secs(it));
                self.pause(Some(Pause { until, reason: None })).await;
            }
            Step::Resume => self.pause(None).await,
            Step::Begin => self.begin().await,
            Step::End(way) => self.end(way).await,
            Step::Crash => self.crash().await,
            Step::Pass(seconds) => self.now += Duration::from_secs(seconds),
            Step::SetBack(seconds) => {
                self.now -= Duration::from_secs(seconds);
                self.check_times().await;
            }
            Step::Look(way) => self.look(way).await,
        }
    }

    async fn row(&self) -> Loaded {
        self.storage.load(&self.id).await.unwrap().unwrap()
    }

    fn timing(&self) -> Timing<'_> {
        Timing::new(&self.provider, None, &self.id)
    }

    fn due_as(&self, connection: &Connection) -> Option<Due> {
        let (timing, now) = (Some(self.timing()), self.now);
        due(connection, &Facts { logs_in: true, timing, ahead: false, now })
    }

    async fn pause(&self, pause: Option<Pause>) {
        let loaded = self.row().await;
        let waits = loaded.connection.due.filter(|_| loaded.connection.pause.is_none());
        let after = Connection { pause: pause.clone(), due: waits, ..loaded.connection.clone() };
        let due = self.due_as(&after);
        let pausing = Pausing { id: self.id.clone(), pause, due, at: self.now };
        assert!(self.storage.set_pause(pausing).await.unwrap());
    }

    async fn begin(&mut self) {
        if self.under_way.is_some() {
            return;
        }
        let loaded = self.row().await;
        let attempt = AttemptId::generate();
        let begin = Begin {
            attempt,
            connection: self.id.clone(),
            trigger: Trigger::Expiry,
            generation: loaded.connection.generation,
            rotation: Rotation::Strict,
            digest: String::new(),
            owner: "a test".to_owned(),
            at: self.now,
            lease_until: self.now + Duration::from_secs(90),
            adopts: loaded.open.as_ref().map(|it| it.id),
            captured: Captured::Stay,
            doubt_since: loaded.doubt_since(),
        };
        assert_eq!(self.storage.begin(begin).await.unwrap(), Begun::Yes);
        self.under_way = Some((attempt, loaded));
    }

    async fn end(&mut self, way: Way) {
        let Some((attempt, found)) = self.under_way.take() else { return };
        let ended = match way {
            Way::Success => self.succeed(attempt, &found.connection, 3_600).await,
            Way::Dead => self.succeed(attempt, &found.connection, 1).await,
            Way::Abandoned => self.abandon(attempt).await,
            Way::Outage | Way::Doubt | Way::Problem => self.fail(attempt, &found, way).await,
        };
        assert_eq!(ended, Begun::Yes);
    }

    async fn succeed(&self, attempt: AttemptId, found: &Connection, life: u64) -> Begun {
        let token = TokenSet {
            access_token: "t".into(),
            token_type: "Bearer".to_owned(),
            expires_at: Some(self.now + Duration::from_secs(life)),
            refresh_token: None,
            refresh_expires_at: None,
            scopes: Vec::new(),
            extra: Vec::new(),
            metadata: Vec::new(),
            made_of: std::collections::BTreeMap::new(),
        };
        let (ends, failures) = (token.ends(), found.failures + 1);
        let dead = ends.dead_on_arrival(self.now);
        let due = if dead {
            Some(self.timing().after_dead_token(failures, self.now))
        } else {
            self.timing().after_success(ends, self.now)
        };
        let error = Failure::new(Case::Unexpected, code::Token::DeadOnArrival, "");
        let succeeded = Succeeded {
            attempt,
            connection: self.id.clone(),
            generation: found.generation,
            reason: None,
            token,
            sealed: Sealed::from_bytes(vec![1]),
            config: None,
            dead: dead.then_some(error),
            agreed: None,
            may_be_another: false,
            due,
            events: Vec::new(),
            at: self.now,
            duration_ms: 1,
            spent: Spent::default(),
            exchanges: Vec::new(),
        };
        self.storage.succeed(succeeded).await.unwrap()
    }

    async fn fail(&self, attempt: AttemptId, found: &Loaded, way: Way) -> Begun {
        let connection = &found.connection;
        let end = connection.token.as_ref().and_then(|it| it.expires_at);
        let outage = self.timing().after_outage(connection.failures + 1, end, self.now);
        let doubt = end.filter(|it| *it > self.now).map_or(outage, |at| Due { at, ..outage });
        let (problem, due) = match way {
            Way::Problem => (Some(Problem::Misconfigured), None),
            Way::Doubt => (None, Some(doubt)),
            _ => (None, Some(outage)),
        };
        let failed = Failed {
            attempt,
            connection: self.id.clone(),
            generation: connection.generation,
            failure: Failure::new(Case::Unavailable, Code::read("x.y"), "why"),
            problem,
            config: None,
            doubt_since: matches!(way, Way::Doubt).then_some(self.now),
            keep_captures: false,
            due,
            events: Vec::new(),
            at: self.now,
            duration_ms: 1,
            spent: Spent::default(),
            exchanges: Vec::new(),
        };
        self.storage.fail(failed).await.unwrap()
    }

    async fn abandon(&self, attempt: AttemptId) -> Begun {
        let abandoned = Abandoned {
            attempt,
            connection: self.id.clone(),
            failure: Failure::new(Case::Misconfigured, Code::read("x.y"), "why"),
            at: self.now,
            duration_ms: 1,
            spent: Spent::default(),
            exchanges: Vec::new(),
        };
        self.storage.abandon(abandoned).await.unwrap()
    }

    /// The next process: as `reconcile` does it.
    async fn crash(&mut self) {
        self.under_way = None;
        let loaded = self.row().await;
        let due = self.due_as(&loaded.connection);
        let (id, at) = (self.id.clone(), self.now);
        let again = Reconcile { id, due, forgive: false, probe_at: None, at };
        self.storage.reconcile(again).await.unwrap();
        self.storage.wake_interrupted("the next process", self.now).await.unwrap();
        self.check_times().await;
    }

    async fn check_times(&self) {
        self.storage.forget_the_future(self.now, AHEAD).await.unwrap();
        let found = self.storage.doubtful(self.now, AHEAD, &[], None).await.unwrap().0;
        let all = found.into_iter().map(|it| {
            let (timing, now) = (Some(self.timing()), self.now);
            let facts = Facts { logs_in: true, timing, ahead: it.ahead, now };
            let (id, generation) = (self.id.clone(), it.connection.generation);
            let due = due(&it.connection, &facts);
            Moved { id, generation, found: it.connection.due, due }
        });
        self.storage.move_due(all.collect()).await.unwrap();
    }

    /// As the scheduler and an attempt do it.
    async fn look(&mut self, way: Way) {
        let is_due = |it: &Loaded, now| looked_at(it).is_some_and(|at| at <= now);
        if !is_due(&self.row().await, self.now) || self.under_way.is_some() {
            return;
        }
        if self.row().await.connection.pause.is_some() {
            self.pause(None).await;
        }
        if is_due(&self.row().await, self.now) {
            self.begin().await;
            // A person's try leaves the time as it was, and nobody but a person begins one.
            self.end(if matches!(way, Way::Abandoned) { Way::Outage } else { way }).await;
        }
        self.handled = true;
    }

    async fn holds(&self, story: &str) {
        let loaded = self.row().await;
        let connection = &loaded.connection;
        let due = looked_at(&loaded);
        if let Some(pause) = &connection.pause {
            assert_eq!(due, pause.until, "a pause holds: {story}");
            return;
        }
        let waits = loaded.open.is_some() || connection.problem.is_none();
        assert!(!waits || due.is_some(), "forgotten: {story}");
        assert!(!self.handled || due.is_none_or(|it| it > self.now), "it stays due: {story}");
        let Some(token) = connection.token.as_ref().filter(|_| loaded.open.is_none()) else {
            return;
        };
        let settled = connection.failures == 0 && connection.problem.is_none();
        let end = token.expires_at.unwrap_or(self.now).max(self.now);
        assert!(!settled || due.is_none_or(|it| it <= end), "it ends before: {story}");
    }
}

/// When storage looks at a connection: a claim hides its time, and a pause hides both.
fn looked_at(loaded: &Loaded) -> Option<Timestamp> {
    let own = loaded.connection.due.map(|it| it.at);
    match &loaded.open {
        Some(open) if loaded.connection.pause.is_none() => Some(open.lease_until),
        _ => own,
    }
}
