//! How many callers come to one request, and what a caller that goes away leaves behind.

use std::time::Duration;

use e2e::daemon::wait_until;
use e2e::provider::answer::Answer;
use e2e::provider::family::Class;
use e2e::provider::script::Scenario;
use keepfresh::model::attempt::Trigger;
use keepfresh::model::failure::{Case, Failure};
use keepfresh::model::id::AttemptId;
use keepfresh::model::rotation::Rotation;
use keepfresh::refresher::{Ask, Served};
use keepfresh::storage::{Begin, Begun, Captured, LogFilter};

use super::{Bench, LIFETIME, id};

#[test]
fn two_refreshes_of_one_connection_are_one_request() {
    let bench = Bench::strict();
    bench.control().script(Scenario::default().delay_before(100));
    let refresher = &bench.app().refresher;
    let connection = id();
    let forced = || refresher.attempts.refresh(&connection, Ask::new(Trigger::Forced));
    let (first, second) = bench.wait(async { tokio::join!(forced(), forced()) });
    assert_eq!(first.unwrap().id, second.unwrap().id);
    assert_eq!(bench.control().seen(), 1);
}

#[test]
fn two_thousand_callers_of_an_expired_token_are_one_request() {
    let bench = Bench::strict();
    bench.advance(LIFETIME);
    bench.control().script(Scenario::default().delay_before(200));
    let call = |_| {
        let refresher = bench.app().refresher.clone();
        bench.runtime().spawn(async move { refresher.serving.token(&id(), Duration::ZERO).await })
    };
    let calls = (0..2_000).map(call).collect::<Vec<_>>();
    for call in calls {
        assert_eq!(bench.wait(call).unwrap().unwrap().generation, 2);
    }
    assert_eq!(bench.control().seen(), 1);
}

#[test]
fn a_caller_that_goes_away_cancels_nothing() {
    let bench = Bench::strict();
    bench.control().script(Scenario::default().delay_before(200));
    let refresher = bench.app().refresher.clone();
    let caller = async move { refresher.attempts.refresh(&id(), Ask::new(Trigger::Forced)).await };
    let caller = bench.runtime().spawn(caller);
    wait_until("the request is on its way", || bench.control().seen() == 1);
    caller.abort();
    assert!(bench.wait(caller).unwrap_err().is_cancelled());
    wait_until("the new generation is stored", || bench.loaded().connection.generation == 2);
    assert_eq!(bench.loaded().connection.error, None);
}

#[test]
fn a_connection_has_one_open_attempt_whoever_asks() {
    let bench = Bench::strict();
    let begin = |owner: &str| Begin {
        attempt: AttemptId::generate(),
        connection: id(),
        trigger: Trigger::Expiry,
        generation: 1,
        rotation: Rotation::Strict,
        digest: String::new(),
        owner: owner.to_owned(),
        at: bench.clock.now(),
        lease_until: bench.clock.now() + Duration::from_mins(1),
        adopts: None,
        captured: Captured::Stay,
        doubt_since: None,
    };
    let storage = &bench.app().storage;
    let (first, second) =
        bench.wait(async { tokio::join!(storage.begin(begin("a")), storage.begin(begin("b"))) });
    assert_eq!((first.unwrap(), second.unwrap()), (Begun::Yes, Begun::Lost));
    let stale = Begin { generation: 0, ..begin("c") };
    assert_eq!(bench.wait(storage.begin(stale)).unwrap(), Begun::Lost);
    let open = bench.database();
    assert_eq!(open.number("select count(*) from claims"), 1);
}

#[test]
fn a_caller_is_told_the_true_case_of_a_failure_also_when_it_is_read_again() {
    for (answer, case) in [
        (Scenario::from(Answer::server_error()), Case::InDoubt),
        (Scenario::from(Answer::rate_limited(Some("60"))), Case::RateLimited(None)),
        (Scenario::from(Answer::login_page()), Case::Unexpected),
    ] {
        let mut bench = Bench::new(Class::UntilUsed, "\"until-used\"");
        bench.advance(LIFETIME);
        bench.control().script(answer);
        let ask = |it: &Bench| it.wait(it.app().refresher.serving.token(&id(), Duration::ZERO));
        let word = |it: Result<_, Failure>| it.map(|_: Served| ()).unwrap_err().case.as_str();
        assert_eq!(word(ask(&bench)), case.as_str());
        // The second caller is told what is stored, by this process and by the next one.
        assert_eq!(word(ask(&bench)), case.as_str());
        bench.restart();
        assert_eq!(word(ask(&bench)), case.as_str());
        let last =
            bench.wait(bench.app().storage.log(&LogFilter { limit: 1, ..LogFilter::default() }));
        assert_eq!(last.unwrap()[0].error().unwrap().case.as_str(), case.as_str());
        assert_eq!(bench.control().seen(), 1);
    }
}
