//! Callers share the verdict about a provider: the stored token while it lives, and else a failure that
//! says when to come back.

use std::time::Duration;

use e2e::inside::Inside;
use futures_util::future::join_all;
use keepfresh::model::attempt::{Outcome, Trigger};
use keepfresh::refresher::Ask;
use secrecy::ExposeSecret as _;

use super::{call, crowd, five_have_found_out, goes_down};
use crate::schedule::HOUR;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_callers_in_an_outage_are_one_request_after_each_pause() {
    let (provider, home) = crowd(25, "");
    let inside = Inside::open(&home).await;
    five_have_found_out(&inside, &provider).await;
    let mut allowed = 5;
    for pause in [0, 31, 61, 121] {
        inside.advance(Duration::from_secs(pause), &[&provider]);
        allowed += u64::from(pause > 0);
        for _ in 0..3 {
            let calls = join_all((5..25).map(|it| call(&inside, it))).await;
            assert!(calls.iter().all(Result::is_err));
        }
        assert_eq!(provider.control().seen(), allowed, "after {pause} s more");
    }
    let failure = call(&inside, 24).await.unwrap_err();
    assert_eq!(failure.code.text(), "provider.unavailable");
    assert!(failure.message.starts_with("eskiz is down: "), "{failure}");
    assert!(failure.message.contains("next retry at 20"), "{failure}");

    // It is back: the first finds out, and then it is everybody's turn.
    provider.control().clear_script();
    inside.advance(HOUR, &[&provider]);
    call(&inside, 24).await.unwrap();
    let calls = join_all((5..25).map(|it| call(&inside, it))).await;
    assert!(calls.iter().all(Result::is_ok), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_stand_in_line_when_it_opens_are_sent_away_too() {
    let (provider, home) = crowd(40, "concurrency = 4");
    let inside = Inside::open(&home).await;
    goes_down(&provider);
    join_all((0..40).map(|it| call(&inside, it))).await;
    assert!(provider.control().seen() <= 4 + 4, "{}", provider.control().seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_token_is_served_while_it_lives() {
    let (provider, home) = crowd(6, "");
    let inside = Inside::open(&home).await;
    let stored = call(&inside, 5).await.unwrap();
    inside.advance(7 * HOUR, &[&provider]);
    provider.control().clear_journal();
    let before = provider.control().seen();
    goes_down(&provider);
    for number in 0..5 {
        call(&inside, number).await.unwrap_err();
    }
    let id = "eskiz/c5".parse().unwrap();
    let served = inside.app.refresher.serving.token(&id, 6 * HOUR).await.unwrap();
    assert_eq!(served.token.expose_secret(), stored.token.expose_secret());
    let reason = served.short.unwrap().reason;
    assert!(reason.contains("eskiz is down") && reason.contains("next retry at"), "{reason}");
    assert_eq!(provider.control().seen() - before, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_waits_like_everybody_else_and_gets_no_refused_token() {
    let (provider, home) = crowd(6, "");
    let inside = Inside::open(&home).await;
    call(&inside, 5).await.unwrap();
    inside.advance(HOUR, &[&provider]);
    goes_down(&provider);
    for number in 0..5 {
        call(&inside, number).await.unwrap_err();
    }
    let before = provider.control().seen();
    let id = "eskiz/c5".parse().unwrap();
    let failure = inside.app.refresher.serving.rejected(&id, Some(1)).await.unwrap_err();
    assert!(failure.message.contains("next retry at"), "{failure}");
    assert_eq!(provider.control().seen(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_about_a_token_that_was_replaced_meanwhile_sends_nothing() {
    let (provider, home) = crowd(1, "");
    let inside = Inside::open(&home).await;
    call(&inside, 0).await.unwrap();
    let id = "eskiz/c0".parse().unwrap();
    // It looked while generation 1 was current, and comes when the refresh of another one is over.
    inside.app.refresher.attempts.refresh(&id, Ask::replacing(1)).await.unwrap();
    let before = provider.control().seen();
    let late = inside.app.refresher.attempts.refresh(&id, Ask::replacing(1)).await.unwrap();
    assert_eq!((late.outcome(), late.generation), (Some(Outcome::Skipped), 2));
    assert_eq!(provider.control().seen(), before);
    assert_eq!(late.trigger, Trigger::Forced);
}
