//! Kills at random moments, for each class of provider. `KEEPFRESH_KILLS` says how many, and
//! `KEEPFRESH_SEED` repeats the moments of a run that failed.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use e2e::chance::{Chance, from_environment};
use e2e::provider::family::Class;
use serde_json::Value;

use super::fleet::{Driver, Fleet};

/// A restart in so many is left alone, so that what was interrupted comes to an end; the others are
/// killed while they recover.
const LEFT_ALONE: u64 = 3;

/// What is stormed.
struct Storm {
    name: &'static str,
    class: Class,
    rotation: &'static str,
    guest: &'static str,
    driver: Driver,
    kills: u32,
}

const COMMAND: Storm = Storm {
    name: "strict",
    class: Class::Strict,
    rotation: "\"strict\"",
    guest: "rotor",
    driver: Driver::Command,
    kills: 150,
};

#[test]
fn nothing_is_lost_at_a_provider_that_never_rotates() {
    check(&Storm { name: "none", class: Class::None, rotation: "\"none\"", ..COMMAND });
}

#[test]
fn nothing_is_lost_within_the_grace_of_a_provider() {
    let (class, rotation) = (Class::Grace(30), "{ grace = \"30s\" }");
    check(&Storm { name: "grace", class, rotation, ..COMMAND });
}

#[test]
fn nothing_is_lost_at_a_provider_that_waits_for_the_first_use() {
    let (class, rotation) = (Class::UntilUsed, "\"until-used\"");
    check(&Storm { name: "until-used", class, rotation, ..COMMAND });
}

#[test]
fn a_strict_provider_loses_only_what_was_in_flight_and_each_loss_is_explained() {
    check(&COMMAND);
}

#[test]
fn a_daemon_loses_only_what_was_in_flight_and_each_loss_is_explained() {
    check(&Storm { name: "daemon", driver: Driver::Daemon, kills: 80, ..COMMAND });
}

#[test]
fn a_plugin_of_two_requests_loses_only_what_was_in_flight_and_each_loss_is_explained() {
    check(&Storm { name: "two requests", guest: "looks-first", kills: 80, ..COMMAND });
}

#[test]
fn a_daemon_and_a_plugin_of_two_requests_lose_nothing_at_a_provider_that_waits_for_the_first_use() {
    let (class, rotation) = (Class::UntilUsed, "\"until-used\"");
    let (guest, driver) = ("looks-first", Driver::Daemon);
    check(&Storm { name: "daemon, two requests", class, rotation, guest, driver, kills: 80 });
}

fn check(storm: &Storm) {
    let chance = Chance::new();
    let seed = chance.seed();
    let run = catch_unwind(AssertUnwindSafe(|| rage(storm, chance)));
    e2e::say(&format!("crash {}: KEEPFRESH_SEED={seed}", storm.name));
    run.unwrap_or_else(|failure| resume_unwind(failure));
}

fn rage(storm: &Storm, mut chance: Chance) {
    let &Storm { name, class, rotation, guest, driver, .. } = storm;
    let kills = from_environment("KEEPFRESH_KILLS", storm.kills);
    let mut fleet = Fleet::of(class, rotation, guest, driver);
    let (mut killed, mut lost) = (0, 0);
    let whole = fleet.measure();
    while killed < kills {
        killed += u32::from(fleet.kill_once(whole, &mut chance));
        if chance.below(LEFT_ALONE) == 0 {
            lost += mourn(&mut fleet, class);
        }
    }
    lost += mourn(&mut fleet, class);
    all_is_well(&fleet);
    report(
        &fleet,
        class,
        &format!("crash {name}: {killed} kills of runs of {} ms", whole.as_millis()),
        lost,
    );
}

/// Lets every connection come to an end, gives those that were lost a new token, and counts them.
fn mourn(fleet: &mut Fleet, class: Class) -> u32 {
    no_grant_was_ended_before_its_time(fleet);
    let attempts = fleet.settle();
    let failed = |it: &Value| it["outcome"] != "success";
    let lost = (0..fleet.members.len()).filter(|index| {
        let id = &fleet.members[*index].id;
        attempts.iter().any(|it| it["connection"] == id.as_str() && failed(it))
    });
    let lost = lost.collect::<Vec<_>>();
    for index in &lost {
        explained(fleet, *index, class, &attempts);
        fleet.seed(*index);
    }
    u32::try_from(lost.len()).unwrap()
}

/// What was in flight at a kill has its grant while its token lives: an order about all leaves out what is
/// in doubt, and a daemon waits. A token without an end is not waited for.
fn no_grant_was_ended_before_its_time(fleet: &mut Fleet) {
    if std::mem::take(&mut fleet.ended) {
        return;
    }
    let ends = fleet.database().texts("select id from connections where expires_at > 1", &[]);
    for member in fleet.members.iter().filter(|it| ends.contains(&it.id)) {
        let audit = member.audit(&fleet.provider);
        assert!(!audit.revoked, "what was in doubt was sent: {audit:?}");
    }
}

/// A loss is that of a strict provider which saw the token twice; the connection says so, and the log
/// has the attempt that was interrupted.
fn explained(fleet: &Fleet, index: usize, class: Class, attempts: &[Value]) {
    let member = &fleet.members[index];
    let troubles = fleet.troubles(member);
    let about = || format!("{}: {troubles:?} {attempts:#?}", member.id);
    assert_eq!(class, Class::Strict, "lost {}", about());
    assert!(!member.had_its_answer(), "lost although its answer was captured: {}", about());
    assert!(
        member.audit(&fleet.provider).revoked_by_reuse,
        "not lost at the provider: {}",
        about()
    );
    for code in ["refresh.interrupted", "refresh.grant_lost"] {
        assert!(troubles.iter().any(|it| it == code), "{code} is missing: {}", about());
    }
    let status = fleet.home.run(&["status", &member.id, "--json"]).json();
    assert_eq!(status["connections"][0]["state"], "reconnect", "{}", about());
}

/// Every connection refreshes, with what the provider has as current; the database is whole.
fn all_is_well(fleet: &Fleet) {
    let attempts = fleet.settle();
    assert!(attempts.iter().all(|it| it["outcome"] == "success"), "{attempts:#?}");
    for member in &fleet.members {
        let audit = member.audit(&fleet.provider);
        assert!(audit.current_delivered && !audit.revoked, "{audit:?}");
        let token = fleet.home.run(&["token", "get", &member.id]).exits(0).stdout;
        assert_eq!(fleet.generation_of(token.trim()), Some(audit.generation), "{audit:?}");
    }
    let database = fleet.database();
    assert_eq!(database.integrity(), ["ok"]);
    assert_eq!(database.number("select count(*) from claims"), 0);
    assert_eq!(database.number("select count(*) from captures"), 0);
    let current = "select count(*) from generations g join connections c
                   on c.id = g.connection and c.generation = g.generation";
    assert_eq!(database.number(current), 8);
    assert_eq!(database.number("select count(*) from generations"), 8);
}

fn report(fleet: &Fleet, class: Class, what: &str, lost: u32) {
    let database = fleet.database();
    let interrupted = "select count(*) from attempts where error_code = 'refresh.interrupted'";
    let recovered = "select count(*) from attempts where reason like 'recovered the answer%'";
    let families = fleet.provider.control().families();
    let revoked = families.iter().filter(|it| it.revoked_by_reuse).count();
    let repeats = families.iter().map(|it| it.repeats).sum::<u64>();
    e2e::say(&format!(
        "{what}, {} interrupted, {} captured, {} recovered from a captured answer, {repeats} sent again and \
         forgiven, {revoked} revoked for reuse, {lost} lost and flagged, 0 lost without a word",
        database.number(interrupted),
        fleet.captured,
        database.number(recovered),
    ));
    assert_eq!(usize::try_from(lost).unwrap(), revoked, "every revoked family was noticed");
    assert!(class == Class::None || fleet.captured > 0, "no kill met an answer that was captured");
}
