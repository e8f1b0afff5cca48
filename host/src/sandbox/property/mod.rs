//! What a plugin observes does not depend on a secret. Random sequences of everything that the contract
//! offers are played twice, with two secrets of equal length, and all that the plugin can see must be the
//! same. The plugin may even know one of the two and try it wherever it can.
//!
//! What is left out is what SECURITY.md says in its table: a provider that repeats a text of the plugin's
//! own, a call that ends with an alarm, and lengths.

/// What a plugin does.
mod operation;

/// A provider that repeats what it got.
mod provider;

/// One play of a sequence.
mod world;

use proptest::prelude::*;
use proptest::string::string_regex;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use operation::Operation;
use world::{Host, World};

/// Sequences of each of the two tests. They are the same each time; with `KEEPFRESH_SEQUENCES` there are
/// so many others.
const SEQUENCES: u32 = 50_000;

/// Two secrets of one length. Whatever makes an encoding longer is in them; what changes the shape of a
/// body, white space and a brace at the start, is not.
fn secrets() -> impl Strategy<Value = (String, String)> {
    let any = "[a-zA-Z0-9][a-zA-Z0-9+/=&%_.~-]";
    let kinds = prop_oneof![Just("[1-9][0-9]"), Just("[a-z][a-zA-Z0-9]"), Just(any)];
    (kinds, 6_usize..16).prop_flat_map(|(letters, length)| {
        let one = format!("{letters}{{{}}}", length - 1);
        let one = || string_regex(&one).expect("letters and a number make a regex");
        (one(), one())
    })
}

fn sequences() -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec(operation::operation(), 1..14)
}

/// Plays with sequences that are the same each time: whether a host without a guard is caught is no
/// matter of luck.
fn caught(host: Host) -> String {
    play(host, the_same_each_time(0, 20_000)).unwrap_err()
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is no secret")]
fn runner(seed: u8) -> TestRunner {
    let wanted = std::env::var("KEEPFRESH_SEQUENCES").ok().and_then(|it| it.parse().ok());
    match wanted {
        Some(cases) => TestRunner::new(config(cases)),
        None => the_same_each_time(seed, SEQUENCES),
    }
}

fn the_same_each_time(seed: u8, cases: u32) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    TestRunner::new_with_rng(config(cases), rng)
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn play(host: Host, mut runner: TestRunner) -> Result<(), String> {
    let played = runner.run(&(secrets(), sequences()), |((one, other), sequence)| {
        // The plugin guesses the first secret, and is right in the first world only.
        let first = World::play(host, &one, &one, &sequence);
        let second = World::play(host, &other, &one, &sequence);
        prop_assert_eq!(first, second);
        Ok(())
    });
    played.map_err(|error| error.to_string())
}

#[test]
fn nothing_that_a_plugin_can_do_tells_two_secrets_apart() {
    play(Host::AsItIs, runner(1)).unwrap();
}

/// The same once more, with other sequences: two halves are played side by side.
#[test]
fn nothing_that_a_plugin_can_do_tells_two_secrets_apart_either() {
    play(Host::AsItIs, runner(2)).unwrap();
}

#[test]
fn a_host_that_tells_the_claims_of_what_a_plugin_made_is_caught() {
    let found = caught(Host::TellsClaimsOfWhatIsMade);
    assert!(found.contains("Claims"), "{found}");
}

#[test]
fn a_host_that_does_not_look_for_what_it_gave_away_is_caught() {
    let found = caught(Host::LooksForNothing);
    assert!(found.contains("Look"), "{found}");
}
