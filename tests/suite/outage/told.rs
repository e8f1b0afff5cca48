//! A time that a provider names is kept: in seconds or as a date, with a limit or with an outage, and by
//! all of its connections.

use std::time::Duration;

use e2e::inside::Inside;
use e2e::provider::answer::Answer;
use e2e::stage::Stage;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::{call, crowd};
use crate::providers::subject::{self, plain};

/// Seconds from now until the connection is looked at next.
fn wait(stage: &Stage) -> i64 {
    let next = stage.status()["next_refresh_at"].as_str().unwrap().to_owned();
    next.parse::<jiff::Timestamp>().unwrap().duration_since(stage.control().now()).as_secs()
}

#[test]
fn a_date_is_a_time_too_and_an_outage_may_name_one() {
    for status in [429, 503] {
        let stage = Stage::eskiz("").logged_in();
        let then = stage.control().now() + Duration::from_secs(400);
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap();
        let answer = Answer::new(status, "text/plain", "later").header("retry-after", &date);
        stage.control().script(answer);
        assert_eq!(stage.refresh(&["--force"])["outcome"], "failed");
        let wait = wait(&stage);
        assert!((390..=445).contains(&wait), "{status}: {wait} s");
    }
}

#[test]
fn a_time_is_kept_where_the_refresh_token_may_be_spent_too() {
    for status in [429, 503] {
        for is_date in [false, true] {
            let stage = plain(subject::oauth2_person).started("");
            let then = stage.control().now() + Duration::from_secs(400);
            let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap();
            let told = if is_date { date } else { "400".to_owned() };
            let answer = Answer::new(status, "text/plain", "later").header("retry-after", &told);
            stage.control().script(answer);
            assert_eq!(stage.refresh(&["--force"])["outcome"], "failed");
            let wait = wait(&stage);
            assert!((390..=445).contains(&wait), "{status} {told}: {wait} s");
            stage.next_try_comes();
            assert_eq!(stage.refresh(&[])["outcome"], "success", "{}", stage.status());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_one_is_a_limit_for_all_of_the_provider() {
    for answer in [
        Answer::rate_limited(Some("60")),
        Answer::new(503, "text/plain", "later").header("retry-after", "60"),
    ] {
        let (provider, home) = crowd(6, "");
        let inside = Inside::open(&home).await;
        provider.control().script(answer);
        call(&inside, 0).await.unwrap_err();
        for number in 1..6 {
            let failure = call(&inside, number).await.unwrap_err();
            assert!(failure.message.contains("next retry at"), "{failure}");
        }
        assert_eq!(provider.control().seen(), 1);
        inside.advance(Duration::from_secs(61), &[&provider]);
        for number in 1..6 {
            call(&inside, number).await.unwrap();
        }
    }
}
