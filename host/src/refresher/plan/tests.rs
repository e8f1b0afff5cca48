//! When a connection is looked at after a success and after each kind of failure.

use std::collections::BTreeMap;

use super::failing::LONGEST_BACKOFF;
use super::*;
use crate::model::fixture;

const DAY: Duration = Duration::from_hours(24);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn until(access: Timestamp) -> Ends {
    Ends { access: Some(access), refresh: None }
}

fn token(issued_at: Timestamp, ends: Ends) -> TokenFacts {
    let Ends { access: expires_at, refresh: refresh_expires_at } = ends;
    TokenFacts { issued_at, expires_at, refresh_expires_at, ..fixture::token() }
}

/// Of the connection that comes last of those that would come together.
fn timing(schedule: Option<&Schedule>, margin: Option<Duration>) -> Timing<'_> {
    Timing {
        schedule,
        backup: None,
        refresh_before: margin,
        jitter: Duration::ZERO,
        retry: Retry { attempts: 3, backoff: Duration::from_mins(1) },
        seed: 0,
    }
}

#[test]
fn without_a_schedule_two_thirds_of_the_lifetime_decide() {
    let now = at("2026-01-01T00:00:00Z");
    let due = timing(None, None).after_success(until(now + 3 * DAY), now).unwrap();
    assert_eq!(due, Due { at: now + 2 * DAY, trigger: Trigger::Expiry });
}

#[test]
fn the_last_tick_that_is_early_enough_refreshes() {
    let ticks = fixture::schedule("0 2 */10 * *", "UTC").unwrap();
    let now = at("2026-01-01T02:00:00Z");
    let due = timing(Some(&ticks), Some(2 * DAY)).after_success(until(now + 30 * DAY), now);
    // It expires on January 31 and must be fresh by the 29th; ticks are on 1, 11, 21 and 31.
    let tick = Due { at: at("2026-01-21T02:00:00Z"), trigger: Trigger::Scheduled };
    assert_eq!(due, Some(tick));
}

#[test]
fn a_token_that_no_tick_would_save_is_refreshed_for_its_expiry() {
    let ticks = fixture::schedule("0 2 */10 * *", "UTC").unwrap();
    let now = at("2026-01-11T02:00:00Z");
    // It ends three days after the tick of the 11th: the seeds' system leaves it dead for a week.
    let due = timing(Some(&ticks), Some(2 * DAY)).after_success(until(now + 6 * DAY), now);
    assert_eq!(due, Some(Due { at: now + 4 * DAY, trigger: Trigger::Expiry }));
}

#[test]
fn a_margin_longer_than_the_token_does_not_spin() {
    let now = at("2026-01-01T00:00:00Z");
    let due = timing(None, Some(2 * DAY)).after_success(until(now + Duration::from_secs(6)), now);
    assert_eq!(due.unwrap().at, now + Duration::from_secs(4));
    let past = timing(None, None).after_success(until(now - DAY), now);
    assert_eq!(past.unwrap().at, now + SHORTEST_PAUSE);
}

#[test]
fn a_token_without_an_end_is_asked_for_anew_at_each_tick() {
    let now = at("2026-01-01T03:00:00Z");
    assert_eq!(timing(None, None).after_success(Ends::default(), now), None);
    let ticks = fixture::schedule("0 2 * * *", "UTC").unwrap();
    let tick = Due { at: at("2026-01-02T02:00:00Z"), trigger: Trigger::Scheduled };
    assert_eq!(timing(Some(&ticks), None).after_success(Ends::default(), now), Some(tick));
    let stored = token(now, Ends::default());
    let later = at("2026-01-05T12:00:00Z");
    let missed = timing(Some(&ticks), None).restored(&stored, later).unwrap();
    assert_eq!(missed, Due { at: later, trigger: Trigger::Scheduled });
}

#[test]
fn a_refresh_token_that_ends_first_says_when() {
    let now = at("2026-01-01T00:00:00Z");
    let ends = Ends { access: Some(now + 3 * DAY), refresh: Some(now + DAY) };
    let due = timing(None, None).after_success(ends, now).unwrap();
    assert_eq!(due, Due { at: now + Duration::from_hours(16), trigger: Trigger::Expiry });
    let ticks = fixture::schedule("0 */6 * * *", "UTC").unwrap();
    let due = timing(Some(&ticks), None).after_success(ends, now).unwrap();
    assert_eq!(due, Due { at: now + Duration::from_hours(12), trigger: Trigger::Scheduled });
    for access in [Some(now + DAY), None] {
        let dead = Ends { access, refresh: Some(now - DAY) };
        let alone = Ends { access, refresh: None };
        let timing = timing(None, None);
        assert_eq!(timing.after_success(dead, now), timing.after_success(alone, now));
    }
    let endless = Ends { access: None, refresh: Some(now + 30 * DAY) };
    assert_eq!(timing(None, None).after_success(endless, now).unwrap().at, now + 27 * DAY);
}

#[test]
fn what_a_clock_that_was_ahead_has_stored_is_due_now() {
    let now = at("2026-01-01T00:00:00Z");
    let relative = token(now + 365 * DAY, until(now + 395 * DAY));
    assert_eq!(timing(None, None).restored(&relative, now).unwrap().at, now);
    let absolute = token(now + 365 * DAY, until(now + 30 * DAY));
    assert_eq!(timing(None, None).restored(&absolute, now).unwrap().at, now);
    let by_a_second = token(now + Duration::from_secs(1), until(now + 3 * DAY));
    assert_eq!(timing(None, None).restored(&by_a_second, now).unwrap().at, now + 2 * DAY);
}

#[test]
fn dead_tokens_are_asked_for_a_dozen_times_in_a_day() {
    let timing = Timing { seed: 7, ..timing(None, None) };
    let begun = at("2026-01-01T00:00:00Z");
    let (mut now, mut tries) = (begun, 0);
    while now < begun + DAY {
        tries += 1;
        now = timing.after_dead_token(tries, now).at;
    }
    assert!((8..=13).contains(&tries), "{tries}");
    let last = timing.after_dead_token(1_000, now).at;
    assert!(last > now + DAY / 2 && last <= now + DAY);
}

#[test]
fn retries_double_and_then_wait_for_the_backup_schedule() {
    let backup = fixture::schedule("30 6,18 * * *", "UTC").unwrap();
    let timing = Timing { backup: Some(&backup), ..timing(None, None) };
    let now = at("2026-01-01T00:00:00Z");
    let wait = |failures| between(now, timing.after_outage(failures, None, now).at).as_secs();
    assert!((30..=60).contains(&wait(1)), "{}", wait(1));
    assert!((60..=120).contains(&wait(2)), "{}", wait(2));
    let end = Some(at("2026-01-02T00:00:00Z"));
    assert_eq!(timing.after_outage(3, end, now).at, at("2026-01-01T06:30:00Z"));
}

#[test]
fn only_a_tick_of_the_backup_schedule_is_called_backup() {
    let [ticks, backup] = ["0 2 * * *", "30 6,18 * * *"].map(|it| fixture::schedule(it, "UTC"));
    let (ticks, backup) = (ticks.unwrap(), backup.unwrap());
    let (now, end) = (at("2026-01-01T01:55:00Z"), Some(at("2026-01-02T00:00:00Z")));
    let both = Timing { backup: Some(&backup), ..timing(Some(&ticks), None) };
    let why = |timing: &Timing<'_>, failures, end| timing.after_outage(failures, end, now).trigger;
    assert_eq!(why(&both, 1, end), Trigger::Retry);
    assert_eq!(why(&both, 9, end), Trigger::Scheduled);
    assert_eq!(why(&Timing { schedule: None, ..both }, 9, end), Trigger::Backup);
    assert_eq!(why(&timing(None, None), 9, end), Trigger::Retry);
    assert_eq!(why(&both, 9, Some(now + Duration::from_mins(3))), Trigger::Retry, "the last call");
    assert_eq!(both.after_dead_token(1, now).trigger, Trigger::Retry);
    assert_eq!(both.after_rate_limit(None, 1, now).trigger, Trigger::Retry);
}

#[test]
fn callers_that_are_failing_do_not_wait_for_a_tick() {
    let ticks = fixture::schedule("0 2 */10 * *", "UTC").unwrap();
    let now = at("2026-01-01T03:00:00Z");
    for ended in [None, Some(now - DAY)] {
        let due = timing(Some(&ticks), None).after_outage(3, ended, now);
        assert_eq!(due.at, now + LONGEST_BACKOFF);
    }
}

#[test]
fn the_end_of_the_token_is_worth_one_more_try() {
    let backup = fixture::schedule("30 6,18 * * *", "UTC").unwrap();
    let timing = Timing { backup: Some(&backup), ..timing(None, None) };
    let now = at("2026-01-01T00:00:00Z");
    let end = at("2026-01-01T01:00:00Z");
    assert_eq!(timing.after_outage(9, Some(end), now).at, end);
}

#[test]
fn a_wish_to_slow_down_is_granted_within_reason() {
    let now = at("2026-01-01T00:00:00Z");
    let wait = |told: u64| {
        let told = Some(Duration::from_secs(told));
        between(now, timing(None, None).after_rate_limit(told, 1, now).at).as_secs()
    };
    for (told, least) in [(120, 120), (1, 30), (99_999_999, 86_400)] {
        assert!((least..=least + least / 10).contains(&wait(told)), "{told}: {}", wait(told));
    }
}

#[test]
fn those_who_were_told_the_same_do_not_come_back_together() {
    let now = at("2026-01-01T00:00:00Z");
    let told = Some(Duration::from_mins(10));
    let due = |seed| Timing { seed, ..timing(None, None) }.after_rate_limit(told, 1, now).at;
    assert_ne!(due(1_000), due(2_000));
}

#[test]
fn connections_of_one_tick_are_spread() {
    let ticks = fixture::schedule("0 2 * * *", "UTC").unwrap();
    let now = at("2026-01-01T03:00:00Z");
    let jitter = Duration::from_secs(30);
    let due = |seed| {
        let timing = Timing { jitter, seed, ..timing(Some(&ticks), None) };
        timing.after_success(until(now + 10 * DAY), now).unwrap().at
    };
    assert_ne!(due(1_000), due(2_000));
    assert!(due(29_999) < at("2026-01-11T02:00:30Z"));
}

#[test]
fn ten_thousand_that_end_in_one_second_are_refreshed_apart() {
    const HERD: u32 = 10_000;
    let now = at("2026-01-01T00:00:00Z");
    let (life, margin) = (Duration::from_hours(1), Duration::from_mins(20));
    let (window, latest) = (margin / APART, now + life - margin);
    let mut seconds = BTreeMap::<i64, u32>::new();
    for number in 0..HERD {
        let id: ConnectionId = format!("x/c{number}").parse().unwrap();
        let timing = Timing { seed: Timing::seed_of(&id), ..timing(None, None) };
        let due = timing.after_success(until(now + life), now).unwrap();
        assert_eq!(due.trigger, Trigger::Expiry);
        assert!(due.at <= latest && due.at > latest - window, "{id}: {due:?}");
        *seconds.entry(due.at.as_second()).or_default() += 1;
    }
    let mean = u64::from(HERD) / window.as_secs();
    let peak = u64::from(*seconds.values().max().unwrap());
    assert!(peak <= 3 * mean, "{peak} in one second, and {mean} on average");
}

#[test]
fn the_margin_is_kept_and_most_of_a_life_is_used_however_long_it_is() {
    let now = at("2026-01-01T00:00:00Z");
    let margins = [None, Some(Duration::ZERO), Some(Duration::from_mins(5)), Some(2 * DAY)];
    for life in [1, 2, 6, 60, 3_600, 30 * 86_400, 3_650 * 86_400].map(Duration::from_secs) {
        for (margin, seed) in margins.into_iter().flat_map(|it| SEEDS.map(|seed| (it, seed))) {
            let timing = Timing { seed, ..timing(None, margin) };
            let due = timing.after_success(until(now + life), now).unwrap().at;
            let soonest = now + SHORTEST_PAUSE;
            let latest = (now + life - margin.unwrap_or(life).min(life / 3)).max(soonest);
            let story = format!("{life:?} with {margin:?}, {seed}: {due}");
            assert!(due <= latest, "later than promised: {story}");
            assert!(due > now + life / 2 || due == soonest, "much too early: {story}");
        }
    }
}

const SEEDS: [u64; 4] = [0, 1, 999_999_999_937, u64::MAX];

#[test]
fn who_is_looked_at_again_keeps_the_moment_that_was_planned() {
    let now = at("2026-01-01T00:00:00Z");
    let (stored, second) = (token(now, until(now + 3 * DAY)), Duration::from_secs(1));
    for seed in SEEDS {
        let timing = Timing { seed, ..timing(None, None) };
        let planned = timing.after_success(stored.ends(), now).unwrap();
        assert_eq!(timing.restored(&stored, now + DAY), Some(planned));
        assert_eq!(timing.restored(&stored, planned.at), Some(planned));
        let late = planned.at + second;
        assert_eq!(timing.restored(&stored, late), Some(Due { at: late, ..planned }));
    }
}

#[test]
fn grants_that_end_together_are_kept_alive_apart() {
    let now = at("2026-01-01T00:00:00Z");
    let ends = Ends { access: None, refresh: Some(now + 30 * DAY) };
    let due = |seed| Timing { seed, ..timing(None, None) }.after_success(ends, now).unwrap().at;
    let (latest, window) = (now + 27 * DAY, 3 * DAY / APART);
    assert_eq!(due(0), latest);
    for seed in [1_000, 1_000_000, u64::MAX] {
        assert!(due(seed) < latest && due(seed) > latest - window, "{seed}: {}", due(seed));
    }
    assert_ne!(due(1_000), due(1_000_000));
}
