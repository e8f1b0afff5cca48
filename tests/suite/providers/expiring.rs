//! Tokens that end: a caller gets a fresh one, and nobody gets a dead one. Time is moved, here and at
//! the provider.

use std::time::Duration;

use e2e::inside::Inside;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::stage::Stage;
use keepfresh::model::failure::Failure;
use keepfresh::model::state::{State, state_of};
use keepfresh::refresher::Served;
use secrecy::ExposeSecret as _;

use crate::providers::subject::{Make, Subject, each_subject, plain};

const MINUTE: Duration = Duration::from_mins(1);

/// A connection whose token has just ended.
struct Ended {
    stage: Stage,
    inside: Inside,
    old: String,
}

impl Ended {
    async fn new(subject: &Subject) -> Self {
        let stage = subject.started("");
        let old = stage.token();
        let inside = Inside::open(&stage.home).await;
        let end = inside.connection(stage.name()).await.token.unwrap().expires_at;
        inside.advance_to(end.unwrap() + MINUTE, &[&stage.fake]);
        Self { stage, inside, old }
    }

    async fn ask(&self) -> Result<Served, Failure> {
        let id = self.stage.name().parse().unwrap();
        self.inside.app.refresher.serving.token(&id, Duration::ZERO).await
    }
}

async fn is_refreshed_for_a_caller(make: Make) {
    let subject = plain(make);
    let ended = Ended::new(&subject).await;
    let served = ended.ask().await.unwrap();
    assert_ne!(served.token.expose_secret(), ended.old, "{}", subject.name);
    assert_eq!(served.generation, 2, "{}", subject.name);
    assert!(served.expires_at.unwrap() > ended.inside.app.clock.now(), "{}", subject.name);
    let requests = ended.stage.control().journal().len();
    assert!(ended.ask().await.is_ok(), "{}", subject.name);
    assert_eq!(ended.stage.control().journal().len(), requests, "{}: once", subject.name);
}

async fn is_not_served_while_the_provider_is_down(make: Make) {
    let subject = plain(make);
    let ended = Ended::new(&subject).await;
    ended.stage.control().script(Scenario::from(Answer::server_error()).always());
    for _ in 0..3 {
        let refused = ended.ask().await.unwrap_err();
        let codes = ["provider.unavailable", "refresh.outcome_unknown"];
        assert!(codes.contains(&refused.code.text()), "{}: {refused:?}", subject.name);
    }
    assert_eq!(ended.stage.control().journal().len(), 1, "{}: callers wait", subject.name);
    let connection = ended.inside.connection(ended.stage.name()).await;
    assert_eq!(state_of(&connection, ended.inside.app.clock.now()), State::Expired);
}

macro_rules! endings {
    ($($subject:ident $first:ident $life:ident,)+) => {
        $(ending! { $life $subject })+
    };
}

macro_rules! ending {
    (lasts $subject:ident) => {};
    (ends $subject:ident) => {
        mod $subject {
            use crate::providers::subject::$subject as make;

            #[tokio::test]
            async fn a_token_that_has_ended_is_refreshed_for_a_caller() {
                crate::providers::expiring::is_refreshed_for_a_caller(make).await;
            }

            #[tokio::test]
            async fn a_token_that_has_ended_is_not_served_while_the_provider_is_down() {
                crate::providers::expiring::is_not_served_while_the_provider_is_down(make).await;
            }
        }
    };
}

each_subject!(endings);

#[tokio::test]
async fn what_playmobile_gave_does_not_end() {
    let stage = plain(crate::providers::subject::playmobile).started("");
    let old = stage.token();
    let inside = Inside::open(&stage.home).await;
    inside.advance(Duration::from_hours(24 * 365), &[&stage.fake]);
    let id = stage.name().parse().unwrap();
    let served = inside.app.refresher.serving.token(&id, MINUTE).await.unwrap();
    assert_eq!((served.token.expose_secret(), served.expires_at), (old.as_str(), None));
    assert_eq!(stage.control().seen(), 1, "the login alone");
}
