//! Which connection a request goes on: one of its own where a lost answer can cost the grant, one that is kept where the
//! provider forgives.

use e2e::provider::family::Class;
use e2e::provider::script::Fate;
use keepfresh::model::attempt::Trigger;

use super::Bench;

/// Every class as a provider behaves, and how a manifest puts it.
const FORGIVING: [(Class, &str); 3] = [
    (Class::None, "\"none\""),
    (Class::UntilUsed, "\"until-used\""),
    (Class::Grace(30), "{ grace = \"30s\" }"),
];

#[test]
fn a_provider_that_forgives_is_asked_on_a_connection_that_is_kept() {
    for (class, rotation) in FORGIVING {
        let bench = Bench::new(class, rotation);
        for _ in 0..3 {
            bench.succeed(Trigger::Forced);
        }
        assert_eq!((bench.control().seen(), bench.control().accepted()), (3, 1), "{rotation}");
    }
}

#[test]
fn a_provider_that_does_not_is_asked_on_a_new_one_each_time() {
    for rotation in ["\"strict\"", "\"unknown\""] {
        let bench = Bench::new(Class::Strict, rotation);
        for _ in 0..3 {
            bench.succeed(Trigger::Forced);
        }
        assert_eq!((bench.control().seen(), bench.control().accepted()), (3, 3), "{rotation}");
    }
}

#[test]
fn a_kept_connection_that_ends_with_the_answer_costs_neither_the_grant_nor_a_failure() {
    for (class, rotation) in FORGIVING {
        let bench = Bench::new(class, rotation);
        bench.succeed(Trigger::Forced);
        // It has rotated, and nobody has its answer.
        bench.control().script(Fate::CutAfter);
        let attempt = bench.succeed(Trigger::Forced);
        assert_eq!(attempt.generation, 3, "{rotation}");
        assert_eq!((bench.control().seen(), bench.control().accepted()), (3, 2), "{rotation}");
        assert!(!bench.control().family("first").unwrap().revoked, "{rotation}");
        bench.succeed(Trigger::Forced);
    }
}
