//! Providers beside each other: thousands of connections of a slow one, all of them due, hold up neither the other
//! ones nor the callers.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use e2e::home::Home;
use e2e::inside::Inside;
use e2e::provider::script::{Fate, Scenario};
use e2e::provider::{FakeProvider, Kind, eskiz, rotor};
use futures_util::future::join_all;
use keepfresh::model::attempt::Trigger;
use keepfresh::model::audit::Actor;
use keepfresh::model::connection::Due;
use keepfresh::operator::{Command, Selection};
use keepfresh::refresher::Ask;
use tokio::sync::mpsc;

/// How long the slow one takes for each answer, in milliseconds.
const SLOW: u64 = 250;

/// As many as may run at once where the manifest says nothing; the last place is kept.
const AT_ONCE: u64 = 8;

/// So many answers of the slow one, of thousands, come before those of who is prompt: eight at once for ten seconds.
const PROMPT: u64 = 320;

/// What has not happened by then never does.
const HANGS: Duration = Duration::from_mins(1);

/// A slow provider with many connections whose tokens have ended, and a quick one with one that is fresh. The slow one
/// comes first by its name: whoever goes by that reaches the other one last.
struct Neighbours {
    bulk: FakeProvider,
    quick: FakeProvider,
    inside: Inside,
    _home: Home,
}

impl Neighbours {
    async fn with(count: usize) -> Self {
        let bulk = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
        let settings = eskiz::Settings::default();
        let (email, password) = (settings.email.clone(), settings.password.clone());
        let quick = FakeProvider::start(Kind::Eskiz(settings)).unwrap();
        let home = Home::new(&manifest(&bulk, &quick)).with_guest("rotor").with_plugin("eskiz");
        std::fs::write(home.path("email"), email).unwrap();
        std::fs::write(home.path("password"), password).unwrap();
        std::fs::write(home.path("people.csv"), ended(&bulk, count)).unwrap();
        let _ = home.run(&["connection", "import", "bulk", "people.csv"]).exits(0);
        let inside = Inside::open(&home).await;
        let ask = Ask::new(Trigger::Manual);
        inside.app.refresher.attempts.refresh(&"quick".parse().unwrap(), ask).await.unwrap();
        bulk.control().script(Scenario::from(Fate::Act).delay_before(SLOW).always());
        // What was stored a moment ago is left alone for a second, and here the time stands still.
        inside.advance(Duration::from_secs(2), &[&bulk, &quick]);
        Self { bulk, quick, inside, _home: home }
    }

    /// Waits until the slow one has as many requests at once as it may.
    async fn are_busy(&self) {
        self.until("the slow one is busy", async || self.bulk.control().seen() >= AT_ONCE).await;
    }

    /// Waits until the quick one has another token.
    async fn refresh_the_quick_one(&self) {
        let is_new = async || self.inside.connection("quick").await.generation == 2;
        self.until("the quick one is refreshed", is_new).await;
    }

    async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let begun = Instant::now();
        while !holds().await {
            let seen = self.bulk.control().seen();
            assert!(begun.elapsed() < HANGS, "{what}; the slow one has had {seen} requests");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn manifest(bulk: &FakeProvider, quick: &FakeProvider) -> String {
    let section = |name: &str, plugin: &str, fake: &FakeProvider| {
        format!(
            "[providers.{name}]\nplugin = \"{plugin}\"\nsettings = {{ base_url = \"{}\" }}\n\
             egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
            fake.base_url()
        )
    };
    let secrets =
        "secrets = { email = { file = \"email\" }, password = { file = \"password\" } }\n";
    section("bulk", "rotor", bulk)
        + "connections = []\n"
        + &section("quick", "eskiz", quick)
        + secrets
}

/// A file of connections whose access tokens have ended.
fn ended(fake: &FakeProvider, count: usize) -> String {
    let end = fake.control().now().as_second() - 1;
    let mut text = "name,access_token,refresh_token,expires_at\n".to_owned();
    for number in 0..count {
        let pair = fake.control().issue_family(&format!("u{number:04}"));
        let _ = writeln!(text, "u{number:04},{},{},{end}", pair.access_token, pair.refresh_token);
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_becomes_due_and_callers_do_not_wait_for_thousands_of_a_slow_provider() {
    let neighbours = Neighbours::with(3_000).await;
    let Neighbours { bulk, quick, inside, .. } = &neighbours;
    inside.app.scheduler().start();
    neighbours.are_busy().await;
    let at = inside.app.clock.now() + Duration::from_secs(1);
    let due = Some(Due { at, trigger: Trigger::Expiry });
    inside.app.storage.set_due(&"quick".parse().unwrap(), due).await.unwrap();
    inside.advance_to(at, &[bulk, quick]);
    neighbours.refresh_the_quick_one().await;

    // The last ones of the file, whose turn would come after two minutes.
    let before = bulk.control().seen();
    assert!(before < PROMPT, "most of the others still wait: {before}");
    let serving = &inside.app.refresher.serving;
    let call = |number: usize| async move {
        let id = format!("bulk/u{number:04}").parse().unwrap();
        serving.token(&id, Duration::ZERO).await.unwrap().generation
    };
    let served = join_all((2_980..3_000).map(call)).await;
    assert_eq!(served, [2; 20]);
    let seen = bulk.control().seen() - before;
    assert!(seen < PROMPT, "most of the others still wait: {seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_for_everything_goes_on_at_each_provider_by_itself() {
    let neighbours = Neighbours::with(600).await;
    let everything = Command::Refresh {
        selection: Selection::default(),
        force: true,
        dry_run: false,
        wait: false,
    };
    let (nobody, _) = mpsc::unbounded_channel();
    let operator = &neighbours.inside.app.operator;
    operator.run(&Actor::User(0), everything, &nobody).await.unwrap();
    neighbours.refresh_the_quick_one().await;
    let seen = neighbours.bulk.control().seen();
    assert!(seen < PROMPT, "it did not wait for those before it: {seen}");
}
