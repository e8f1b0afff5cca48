//! What is the provider's configuration is corrected once, for all of its connections.

use std::fs;
use std::time::Duration;

use e2e::database::Database;
use e2e::inside::Inside;
use e2e::stage::{Stage, write_secret};
use keepfresh::model::attempt::Trigger;
use keepfresh::model::audit::Actor;
use keepfresh::model::connection::{Connection, Origin, Problem};
use keepfresh::model::failure::Failure;
use keepfresh::operator::{Command, Reply};
use keepfresh::refresher::Ask;
use keepfresh::storage::Filter;
use tokio::runtime::Runtime;

use crate::providers::subject::{self, plain};
use crate::times::rotor;

const MANY: usize = 2_000;

/// All of the connections that were added.
async fn added(inside: &Inside) -> Vec<Connection> {
    let page = inside.app.storage.page(&Filter::default(), None, 10_000).await.unwrap();
    let all = page.rows.into_iter().map(Result::unwrap);
    all.filter(|it| it.origin == Origin::Added).collect()
}

async fn adopt(inside: &Inside) {
    inside.app.adopt(inside.app.manifest()).await.unwrap();
}

async fn try_once(inside: &Inside, id: &str) -> String {
    let ask = Ask::new(Trigger::Manual);
    let attempt = inside.app.refresher.attempts.refresh(&id.parse().unwrap(), ask).await.unwrap();
    attempt.error().unwrap().code.text().to_owned()
}

/// A client whose secret the provider has changed, and many connections that were added to it.
fn many() -> Stage {
    let stage = plain(subject::oauth2_client).stage("");
    stage.control().set_credential("client_secret", "another");
    let names = (0..MANY).map(|it| format!("c{it}")).collect::<Vec<_>>().join("\n");
    fs::write(stage.home.path("people.csv"), format!("name\n{names}")).unwrap();
    let import = ["connection", "import", stage.name(), "people.csv"];
    let _ = stage.home.run(&import).exits(0);
    stage
}

/// Lets all of them fail as one of them did.
const ALL_FAIL: &str = "
    update connections
    set problem = 'misconfigured', failures = 1, due_at = null, due_trigger = null,
        problem_config = (select problem_config from connections where name = 'c0')
    where origin = 'added'";

#[test]
fn a_corrected_client_secret_forgives_two_thousand_connections_one_after_the_other() {
    let (stage, runtime) = (many(), Runtime::new().unwrap());
    let inside = runtime.block_on(Inside::open(&stage.home));
    let first = format!("{}/c0", stage.name());
    let code = runtime.block_on(try_once(&inside, &first));
    assert_eq!(code, "provider.invalid_credentials");
    Database::at(&stage.home.path("keepfresh.db")).run(ALL_FAIL);
    runtime.block_on(async {
        adopt(&inside).await;
        let stuck = |it: &Connection| it.problem == Some(Problem::Misconfigured);
        assert!(added(&inside).await.iter().all(stuck), "nothing was corrected yet");
        write_secret(&stage.home, &secret_file(&stage), "another");
        adopt(&inside).await;
        let all = added(&inside).await;
        assert_eq!(all.iter().filter(|it| it.problem.is_none()).count(), MANY);
        let mut times = all.iter().map(|it| it.due.unwrap().at).collect::<Vec<_>>();
        times.sort_unstable();
        times.dedup();
        assert_eq!(times.len(), MANY, "no two at once");
        let (now, last) = (inside.app.clock.now(), times[MANY - 1]);
        assert_eq!(times[0], now, "the first at once");
        assert!(last > now + Duration::from_mins(1) && last < now + Duration::from_mins(10));
    });
}

/// The file that the manifest takes the client's secret from.
fn secret_file(stage: &Stage) -> String {
    let manifest = fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    let (_, rest) = manifest.split_once("client_secret = { file = \"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

async fn add(inside: &Inside, provider: &str, row: serde_json::Value) -> Result<Reply, Failure> {
    let rows = vec![serde_json::from_value(row).unwrap()];
    let enrol =
        Command::Enrol { provider: provider.to_owned(), rows, replace: false, dry_run: false };
    inside.app.operator.run(&Actor::User(0), enrol, &tokio::sync::mpsc::unbounded_channel().0).await
}

#[tokio::test]
async fn a_plugin_file_that_was_missing_for_a_moment_is_forgotten() {
    let (fake, home) = rotor(3_600);
    let (plugin, aside) = (home.path("plugins/rotor.wasm"), home.path("rotor.aside"));
    let inside = Inside::open(&home).await;
    let pair = fake.control().issue_family("ann");
    let token = serde_json::json!({
        "access_token": pair.access_token, "refresh_token": pair.refresh_token,
    });
    add(&inside, "rotor", serde_json::json!({ "name": "ann", "token": token })).await.unwrap();
    fs::rename(&plugin, &aside).unwrap();
    adopt(&inside).await;
    assert_eq!(try_once(&inside, "rotor/ann").await, "plugin.missing");
    adopt(&inside).await;
    let stuck = inside.connection("rotor/ann").await;
    assert_eq!((stuck.problem, stuck.due), (Some(Problem::Misconfigured), None));
    fs::rename(&aside, &plugin).unwrap();
    adopt(&inside).await;
    let forgiven = inside.connection("rotor/ann").await;
    assert!(forgiven.problem.is_none() && forgiven.due.is_some(), "{forgiven:?}");
}
