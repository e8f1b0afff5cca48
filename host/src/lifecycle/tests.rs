//! What is promised about tasks: they are waited for, a panic ends one, and nobody's leaving
//! cancels them.

#![expect(clippy::disallowed_methods, reason = "what is not tracked is part of the test")]

use std::time::Duration;

use tokio::sync::oneshot;

use crate::lifecycle::signals::Signals;
use crate::lifecycle::{Lifecycle, instance};

const SOON: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_task_gives_its_value() {
    assert_eq!(Lifecycle::new().spawn("answer", async { 42 }).await, Some(42));
}

#[tokio::test]
async fn a_panic_ends_its_task_alone() {
    let lifecycle = Lifecycle::new();
    let broken = lifecycle.spawn("broken", async { assert!(SOON > LONG, "CANARY") });
    assert_eq!(broken.await, None);
    assert_eq!(lifecycle.spawn("next", async { 1 }).await, Some(1));
    assert!(lifecycle.drain(LONG).await);
}

#[tokio::test]
async fn a_dropped_task_runs_on_and_the_drain_waits_for_it() {
    let lifecycle = Lifecycle::new();
    let (written, result) = oneshot::channel();
    drop(lifecycle.spawn("write", async move {
        tokio::time::sleep(SOON).await;
        written.send("durable").unwrap();
    }));
    assert!(lifecycle.drain(LONG).await);
    assert_eq!(result.await.unwrap(), "durable");
}

#[tokio::test]
async fn a_drain_tells_loops_to_end() {
    let lifecycle = Lifecycle::new();
    let stop = lifecycle.clone();
    lifecycle.spawn("loop", async move { stop.wait_for_soft_stop().await });
    assert!(!lifecycle.stopping());
    assert!(lifecycle.drain(LONG).await);
    assert!(lifecycle.stopping());
}

#[tokio::test]
async fn a_drain_gives_up_at_its_limit() {
    let lifecycle = Lifecycle::new();
    lifecycle.spawn("stuck", std::future::pending::<()>());
    assert!(!lifecycle.drain(SOON).await);
}

#[tokio::test]
async fn the_first_stop_is_soft_and_the_second_is_hard() {
    let lifecycle = Lifecycle::new();
    lifecycle.spawn("stuck", std::future::pending::<()>());
    lifecycle.stop();
    assert!(lifecycle.stopping());
    assert!(!lifecycle.hard_stop().is_cancelled());
    let draining = lifecycle.clone();
    let drain = tokio::spawn(async move { draining.drain(LONG).await });
    lifecycle.stop();
    assert!(lifecycle.hard_stop().is_cancelled());
    assert!(!drain.await.unwrap());
}

#[tokio::test]
async fn a_hard_stop_is_a_soft_stop_too() {
    let lifecycle = Lifecycle::new();
    lifecycle.hard_stop().cancel();
    lifecycle.wait_for_soft_stop().await;
    assert!(lifecycle.stopping());
}

/// One test for all signals: they reach every listener in the process.
#[tokio::test]
async fn signals_reload_then_stop_softly_then_hard() {
    use rustix::process::{Signal, getpid, kill_process};

    let lifecycle = Lifecycle::new();
    let signals = Signals::listen().unwrap();
    let (reloads, mut reloaded) = tokio::sync::mpsc::unbounded_channel();
    let following = lifecycle.clone();
    tokio::spawn(async move {
        following.follow(signals, move || reloads.send(()).unwrap()).await;
    });
    kill_process(getpid(), Signal::HUP).unwrap();
    reloaded.recv().await.unwrap();
    assert!(!lifecycle.stopping());
    kill_process(getpid(), Signal::TERM).unwrap();
    lifecycle.wait_for_soft_stop().await;
    assert!(!lifecycle.hard_stop().is_cancelled());
    kill_process(getpid(), Signal::INT).unwrap();
    lifecycle.hard_stop().cancelled().await;
}

#[test]
fn no_two_runs_have_the_same_name() {
    assert_ne!(instance(), instance());
    assert!(instance().contains(&format!("(pid {})", std::process::id())));
}
