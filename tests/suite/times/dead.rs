//! A token that is dead, or nearly, when it comes: kept, said, and asked for again ever more rarely.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::inside::Inside;
use e2e::provider::FakeProvider;
use e2e::provider::script::{Fate, Scenario};
use keepfresh::model::attempt::{Outcome, Trigger};
use keepfresh::model::state::{State, state_of};
use keepfresh::refresher::Ask;
use serde_json::{Map, Value, json};

use crate::providers::subject::{self, plain};
use crate::times::{DAY, rotor, seed};

/// The most requests of a first day: each pause is twice the one before it.
const A_DOZEN: usize = 14;

/// Lives through a day, and says how many attempts it took.
async fn attempts_of_a_day(inside: &Inside, fake: &FakeProvider, id: &str) -> usize {
    inside.app.scheduler().start();
    let end = inside.app.clock.now() + DAY;
    let mut attempts = inside.attempts(id).await.len();
    loop {
        let due = inside.settles(id, attempts).await.due.expect("it is looked at again").at;
        if due > end {
            return attempts;
        }
        inside.advance_to(due, &[fake]);
        attempts += 1;
        assert!(attempts < 100, "a storm");
    }
}

fn dead_members() -> [Map<String, Value>; 2] {
    let jwt = |exp: i64| {
        let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
        format!("{}.{}.sig", part(&json!({"alg": "RS256"})), part(&json!({ "exp": exp })))
    };
    let now = keepfresh::model::clock::Clock::system().now().as_second();
    [
        json!({ "expires_in": 1 }),
        // Ended two hours ago.
        json!({ "access_token": jwt(now - 7_200), "expires_in": null }),
    ]
    .map(|it| it.as_object().unwrap().clone())
}

#[tokio::test]
async fn a_client_whose_every_login_brings_a_dead_token_logs_in_a_dozen_times_a_day() {
    for members in dead_members() {
        let stage = plain(subject::oauth2_client).stage("");
        stage.control().script(Scenario::from(Fate::Merge(members.clone())).always());
        let inside = Inside::open(&stage.home).await;
        let id: keepfresh::model::id::ConnectionId = stage.name().parse().unwrap();
        let first =
            inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Manual)).await.unwrap();
        assert_eq!(first.outcome(), Some(Outcome::Failed), "{members:?}");
        assert_eq!(first.error().unwrap().code.text(), "token.dead_on_arrival", "{members:?}");
        assert_eq!(first.generation, 1, "it is stored all the same");
        let attempts = attempts_of_a_day(&inside, &stage.fake, stage.name()).await;
        assert!((5..=A_DOZEN).contains(&attempts), "{attempts} of {members:?}");
        assert_eq!(stage.control().seen(), attempts as u64);
    }
}

#[tokio::test]
async fn a_refresh_that_brings_a_dead_token_keeps_the_grant_and_is_a_failure() {
    let (fake, home) = rotor(1);
    let inside = Inside::open(&home).await;
    seed(&inside, &fake).await;
    let id = "rotor".parse().unwrap();
    inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await.unwrap();
    let connection = inside.connection("rotor").await;
    assert_eq!((connection.generation, connection.failures), (2, 1));
    assert_eq!(connection.error.unwrap().code.text(), "token.dead_on_arrival");
    let attempts = attempts_of_a_day(&inside, &fake, "rotor").await;
    assert!((5..=A_DOZEN).contains(&attempts), "{attempts}");
    let family = fake.control().family("first").unwrap();
    assert_eq!((family.rotations, family.revoked), (attempts as u64, false));
    let connection = inside.connection("rotor").await;
    assert_eq!(connection.generation, attempts as u64 + 1, "each was stored");
    let soon = inside.app.clock.now() + std::time::Duration::from_secs(1);
    assert_eq!(state_of(&connection, soon), State::Expired);
    let since = inside.app.clock.now() - 2 * DAY;
    let statistics = inside.app.storage.statistics(None, since).await.unwrap();
    assert_eq!((statistics.all.success, statistics.all.failed), (0, attempts as u64));
}

#[tokio::test]
async fn a_token_of_a_minute_is_no_failure() {
    let (fake, home) = rotor(60);
    let inside = Inside::open(&home).await;
    seed(&inside, &fake).await;
    let id = "rotor".parse().unwrap();
    let attempt =
        inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await.unwrap();
    assert_eq!(attempt.outcome(), Some(Outcome::Success));
    let due = inside.connection("rotor").await.due.unwrap().at;
    // Twenty seconds before its end, or up to five earlier. The plugin counts in whole seconds.
    assert!((34..=40).contains(&due.duration_since(inside.app.clock.now()).as_secs()));
}

#[tokio::test]
async fn the_first_good_token_ends_it() {
    let (fake, home) = rotor(3_600);
    let inside = Inside::open(&home).await;
    seed(&inside, &fake).await;
    let id = "rotor".parse().unwrap();
    let dead = json!({ "expires_in": 1 }).as_object().unwrap().clone();
    fake.control().script(Scenario::from(Fate::Merge(dead)).times(2));
    for _ in 0..2 {
        inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await.unwrap();
    }
    assert_eq!(inside.connection("rotor").await.failures, 2);
    inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await.unwrap();
    let connection = inside.connection("rotor").await;
    assert_eq!((connection.failures, &connection.error), (0, &None));
    assert_eq!(state_of(&connection, inside.app.clock.now()), State::Fresh);
}
