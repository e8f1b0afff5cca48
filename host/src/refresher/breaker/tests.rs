//! What teaches it, whom it lets through, and a storm: whatever callers do, an outage costs few requests
//! and ends soon after the provider is back.

use proptest::prelude::*;

use super::*;
use crate::model::code;
use crate::model::fixture::at;

/// `times` requests of `provider` came to this, each when it had its turn.
fn came(breakers: &Breakers, provider: &str, lesson: Lesson, times: u32, now: i64) {
    for _ in 0..times {
        let pass = breakers.enter(provider, true, at(now)).unwrap();
        pass.learn(lesson, at(now));
    }
}

fn down(breakers: &Breakers, times: u32, now: i64) {
    came(breakers, "x", Lesson::Down(None), times, now);
}

fn until(breakers: &Breakers, now: i64) -> Option<i64> {
    breakers.wait("x", at(now)).map(|it| it.until.as_second())
}

#[test]
fn five_outages_in_a_row_open_it_for_one_provider_and_an_answer_closes_it() {
    let breakers = Breakers::default();
    down(&breakers, 4, 0);
    assert_eq!(breakers.verdict("x", at(0)), Verdict::All);
    came(&breakers, "x", Lesson::Up, 1, 0);
    down(&breakers, 4, 0);
    assert_eq!(breakers.verdict("x", at(0)), Verdict::All);
    down(&breakers, 1, 0);
    assert_eq!(until(&breakers, 0), Some(30));
    assert_eq!(breakers.verdict("y", at(0)), Verdict::All);
    breakers.enter("x", true, at(30)).unwrap().learn(Lesson::Up, at(31));
    assert_eq!(breakers.verdict("x", at(31)), Verdict::All);
}

#[test]
fn one_finds_out_and_the_others_wait_twice_as_long_each_time() {
    let breakers = Breakers::default();
    down(&breakers, 5, 0);
    let mut now = 30;
    for pause in [60, 120, 240, 480, 600, 600] {
        assert_eq!(breakers.verdict("x", at(now)), Verdict::One);
        let pass = breakers.enter("x", true, at(now)).unwrap();
        assert!(breakers.enter("x", true, at(now)).is_err(), "the others wait for it");
        pass.learn(Lesson::Down(None), at(now));
        assert_eq!(until(&breakers, now), Some(now + pause));
        now += pause;
    }
}

#[test]
fn those_on_their_way_when_it_opens_do_not_make_the_pause_longer() {
    let breakers = Breakers::default();
    let passes = (0..8).map(|_| breakers.enter("x", true, at(0)).unwrap()).collect::<Vec<_>>();
    for pass in passes {
        pass.learn(Lesson::Down(None), at(1));
    }
    assert_eq!(until(&breakers, 1), Some(31));
}

#[test]
fn whoever_did_not_ask_gives_the_turn_to_the_next() {
    let breakers = Breakers::default();
    down(&breakers, 5, 0);
    drop(breakers.enter("x", true, at(30)).unwrap());
    assert_eq!(breakers.verdict("x", at(30)), Verdict::One);
    breakers.enter("x", true, at(30)).unwrap().learn(Lesson::Unsent, at(30));
    assert_eq!(breakers.verdict("x", at(30)), Verdict::One);
    // What asked and taught nothing has asked all the same.
    breakers.enter("x", true, at(30)).unwrap().learn(Lesson::Nothing, at(30));
    assert_eq!(until(&breakers, 30), Some(90));
}

#[test]
fn one_limit_is_a_limit_for_all_and_one_account_blocks_nobody_for_a_day() {
    let breakers = Breakers::default();
    for (told, pause) in [(Some(120), 120), (None, 30), (Some(0), 1), (Some(86_400), 600)] {
        let breakers = Breakers::default();
        came(&breakers, "x", Lesson::Slow(told.map(Duration::from_secs)), 1, 0);
        assert_eq!(until(&breakers, 0), Some(pause), "{told:?}");
        assert_eq!(breakers.wait("x", at(0)).unwrap().why, Why::Limit);
    }
    let on_its_way = breakers.enter("x", true, at(0)).unwrap();
    came(&breakers, "x", Lesson::Slow(None), 1, 0);
    on_its_way.learn(Lesson::Up, at(1));
    assert_eq!(until(&breakers, 1), Some(30), "an answer from before does not lift it");
}

#[test]
fn a_provider_that_says_when_it_is_back_is_believed_at_once() {
    let breakers = Breakers::default();
    came(&breakers, "x", Lesson::Down(Some(Duration::from_secs(90))), 1, 0);
    assert_eq!(until(&breakers, 0), Some(90));
}

#[test]
fn whoever_insists_waits_for_nobody_and_changes_nothing_but_for_the_better() {
    let breakers = Breakers::default();
    down(&breakers, 5, 0);
    for _ in 0..9 {
        breakers.enter("x", false, at(1)).unwrap().learn(Lesson::Down(None), at(1));
    }
    assert_eq!(until(&breakers, 1), Some(30));
    breakers.enter("x", false, at(2)).unwrap().learn(Lesson::Up, at(2));
    assert_eq!(until(&breakers, 2), None);
}

#[test]
fn a_clock_that_was_ahead_does_not_leave_it_open() {
    let breakers = Breakers::default();
    down(&breakers, 5, 1_000_000);
    assert_eq!(breakers.verdict("x", at(0)), Verdict::One);
}

#[test]
fn only_what_the_provider_did_teaches() {
    let ended = |case| Err::<(), _>(Failure::new(case, code::Provider::Unexpected, "why"));
    let (silent, asked) = (Heard::default(), Heard::default());
    asked.note_request(Duration::ZERO);
    for case in [Case::Unavailable, Case::InDoubt, Case::Misconfigured, Case::HostFault] {
        assert_eq!(Lesson::of(&ended(case), &silent), Lesson::Unsent, "{case:?}");
    }
    assert_eq!(Lesson::of(&Ok(()), &silent), Lesson::Unsent, "an answer that was captured");
    for (case, lesson) in [
        (Case::Unavailable, Lesson::Down(None)),
        (Case::InDoubt, Lesson::Down(None)),
        (Case::RateLimited(None), Lesson::Slow(None)),
        (Case::GrantExpired, Lesson::Up),
        (Case::InvalidCredentials, Lesson::Up),
        (Case::Unexpected, Lesson::Up),
        (Case::HostFault, Lesson::Nothing),
        (Case::PluginFault, Lesson::Nothing),
    ] {
        assert_eq!(Lesson::of(&ended(case), &asked), lesson, "{case:?}");
    }
    assert_eq!(Lesson::of(&Ok(()), &asked), Lesson::Up);
}

/// What happens in a storm.
#[derive(Clone, Debug)]
enum Step {
    /// So many callers want something.
    Callers(u8),
    /// The oldest request that is on its way comes to an end.
    Ends,
    /// Seconds pass.
    Time(u16),
    /// One that has its turn finds nothing to send.
    Idle,
    /// The plugin or this machine breaks while one is on its way.
    Breaks,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1_u8..=255).prop_map(Step::Callers),
        6 => Just(Step::Ends),
        4 => (0_u16..120).prop_map(Step::Time),
        1 => Just(Step::Idle),
        1 => Just(Step::Breaks),
    ];
    proptest::collection::vec(step, 1..400)
}

/// Requests at once, as `concurrency` has it.
const LANES: usize = 8;

/// The most requests of an outage of so many seconds: those on their way when it opens, and one after each
/// pause.
fn most(seconds: i64) -> usize {
    let (mut pauses, mut end) = (0, 0);
    while end <= seconds {
        end += i64::try_from(pause(THRESHOLD + pauses).as_secs()).unwrap();
        pauses += 1;
    }
    THRESHOLD as usize - 1 + LANES + pauses as usize
}

/// The same when each answer names a time, however short: it is kept, and one that hangs names none.
fn as_told(told: u64, seconds: i64) -> usize {
    let pauses = seconds / i64::try_from(told.clamp(1, PAUSE.0.as_secs())).unwrap();
    LANES + usize::try_from(pauses).unwrap() + 1
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_outage_costs_few_requests_whatever_callers_do_and_is_over_soon_after_it_ended(
        steps in steps(), told in proptest::option::of(0_u64..9_999),
    ) {
        let breakers = Breakers::default();
        let (mut now, mut sent, mut flying) = (0_i64, 0, Vec::new());
        for step in steps {
            match step {
                Step::Callers(many) => {
                    for _ in 0..many {
                        if flying.len() == LANES { break; }
                        let Ok(pass) = breakers.enter("x", true, at(now)) else { continue };
                        flying.push(pass);
                        sent += 1;
                    }
                }
                Step::Ends if !flying.is_empty() => {
                    let told = told.map(Duration::from_secs);
                    flying.remove(0).learn(Lesson::Down(told), at(now));
                }
                Step::Breaks if !flying.is_empty() => {
                    flying.remove(0).learn(Lesson::Nothing, at(now));
                    // It says nothing, so it may have to be asked once more.
                    sent -= 1;
                }
                Step::Idle => drop(breakers.enter("x", true, at(now))),
                Step::Time(seconds) => now += i64::from(seconds),
                Step::Ends | Step::Breaks => {}
            }
            let allowed = told.map_or_else(|| most(now), |it| as_told(it, now));
            prop_assert!(sent <= allowed, "{sent} requests in {now} s");
        }
        // It is back: within the longest pause somebody finds out, and everybody is let through.
        for pass in flying {
            pass.learn(Lesson::Up, at(now));
        }
        let soon = at(now + 600);
        if let Ok(pass) = breakers.enter("x", true, soon) {
            pass.learn(Lesson::Up, soon);
        }
        prop_assert_eq!(breakers.verdict("x", soon), Verdict::All);
    }
}
