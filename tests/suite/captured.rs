//! An answer that arrived is never lost: not to a plugin that dies of it, and not to a program that is
//! killed before it has stored what was in it.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use e2e::artifacts;
use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::home::Home;
use e2e::provider::family::Class;
use e2e::provider::{FakeProvider, Kind, rotor};
use serde_json::{Map, Value};

const PLUGIN: &str = "traps-after-answer";

/// A strict provider, and a plugin that dies of `"poison": true`; it has logged in.
fn poisoned_plugin() -> (FakeProvider, Home) {
    let settings = rotor::Settings { class: Class::Strict, ..rotor::Settings::default() };
    let provider = FakeProvider::start(Kind::Rotor(settings)).unwrap();
    let home = Home::new(&format!(
        r#"
        [providers.rotor]
        plugin = "{PLUGIN}"
        settings = {{ base_url = "{}" }}
        secrets = {{ key = {{ env = "ROTOR_KEY" }} }}
        egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
        "#,
        provider.base_url(),
    ));
    let home = home.with_guest(PLUGIN).with_env("ROTOR_KEY", "demo-key");
    let _ = home.run(&["refresh", "--json"]).exits(0);
    (provider, home)
}

fn poison(provider: &FakeProvider) {
    let poison = Map::from_iter([("poison".to_owned(), Value::Bool(true))]);
    provider.control().merge_next(poison);
}

fn only_attempt(run: &e2e::home::Run) -> Value {
    run.json()["attempts"][0].clone()
}

#[test]
fn an_answer_that_a_plugin_died_of_waits_for_its_next_version() {
    let (provider, home) = poisoned_plugin();
    let before = home.run(&["token", "get", "rotor"]).exits(0).stdout;
    poison(&provider);
    let died = only_attempt(&home.run(&["refresh", "rotor", "--force", "--json"]));
    assert_eq!(died["error"]["code"], "plugin.trapped");
    let show = home.run(&["connection", "show", "rotor", "--json"]).json();
    assert_eq!(show["captured_answers"], 1, "{show:#}");
    assert_eq!(home.run(&["token", "get", "rotor"]).exits(0).stdout, before);
    assert_eq!(provider.control().seen(), 2, "one log-in, one refresh");

    let again = only_attempt(&home.run(&["plugin", "replay", "rotor", "--json"]));
    assert_eq!(again["error"]["code"], "plugin.trapped");

    home.drop_plugin(&artifacts::guest("reads-poison"), PLUGIN);
    let read = only_attempt(&home.run(&["plugin", "replay", "rotor", "--json"]).exits(0));
    assert_eq!(read["outcome"], "success", "{read:#}");
    assert_eq!(read["reason"], "recovered the answer of an earlier attempt");
    assert_eq!(provider.control().seen(), 2, "the provider was not asked again");
    assert_ne!(home.run(&["token", "get", "rotor"]).exits(0).stdout, before);
    let spent = home.run(&["plugin", "replay", "rotor", "--json"]);
    assert_ne!(spent.code, 0);
    assert!(format!("{spent:?}").contains("replay.nothing"), "{spent:?}");

    let _ = home.run(&["refresh", "rotor", "--force"]).exits(0);
    assert!(provider.control().families().iter().all(|it| !it.revoked));
}

#[test]
fn the_next_attempt_reads_what_was_captured_without_being_told() {
    let (provider, home) = poisoned_plugin();
    poison(&provider);
    let _ = home.run(&["refresh", "rotor", "--force"]);
    home.drop_plugin(&artifacts::guest("reads-poison"), PLUGIN);
    let read = only_attempt(&home.run(&["refresh", "rotor", "--json"]).exits(0));
    assert_eq!(read["reason"], "recovered the answer of an earlier attempt");
    assert_eq!(provider.control().seen(), 2);
}

#[test]
fn an_answer_that_stays_unreadable_is_given_up_for_a_new_log_in() {
    let (provider, home) = poisoned_plugin();
    poison(&provider);
    for _ in 0..2 {
        let died = only_attempt(&home.run(&["refresh", "rotor", "--force", "--json"]));
        assert_eq!(died["error"]["code"], "plugin.trapped");
    }
    assert_eq!(provider.control().seen(), 2);
    let fresh = only_attempt(&home.run(&["refresh", "rotor", "--force", "--json"]).exits(0));
    assert_eq!(fresh["reason"], "logged in");
    let show = home.run(&["connection", "show", "rotor", "--json"]).json();
    assert_eq!(show["captured_answers"], 0);
}

#[test]
fn a_kill_between_the_answer_and_its_generation_loses_nothing() {
    let (provider, home) = poisoned_plugin();
    let database = Database::at(&home.path("keepfresh.db"));
    // Storing the generation takes for ever, so that the kill cannot miss.
    database.run(
        "create view for_ever as with recursive n (i) as
             (select 1 union all select i + 1 from n where i < 1000000000) select i from n",
    );
    database.run(
        "create trigger stuck before insert on generations when new.generation > 1
         begin select count(*) from for_ever; end",
    );
    let mut command = home.command(&["refresh", "rotor", "--force"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let captured = || database.number("select count(*) from captures") == 1;
    wait_until("the answer is captured", captured);
    thread::sleep(Duration::from_millis(50));
    child.kill().unwrap();
    child.wait().unwrap();
    database.run("drop trigger stuck");

    let run = home.run(&["refresh", "rotor", "--json"]).exits(0);
    assert_eq!(only_attempt(&run)["reason"], "recovered the answer of an earlier attempt");
    assert_eq!(provider.control().seen(), 2, "one log-in, one refresh");
    let _ = home.run(&["refresh", "rotor", "--force"]).exits(0);
    assert!(provider.control().families().iter().all(|it| !it.revoked));
    assert_eq!(database.integrity(), ["ok"]);
}
