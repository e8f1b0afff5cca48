//! A token in clear: for operators who have just typed the password, and written down.

use e2e::stage::Stage;
use e2e::surfer::Surfer;

use super::{PASSWORD, path_of, welcomed};
use crate::api::{Served, address};

const REVEAL: &str = "/ui/connections/eskiz/reveal";

fn person(served: &Served, name: &str, role: &str) -> Surfer {
    let made = served.stage.home.run(&["account", "add", name, "--role", role]).exits(0);
    let mut browser = Surfer::new(address(&served.daemon));
    welcomed(&mut browser, &path_of(&made.stdout));
    browser
}

#[test]
fn a_token_is_shown_to_an_operator_who_has_just_typed_the_password_and_written_down() {
    let served = Served::over(Stage::eskiz("").logged_in(), "");
    let token = served.stage.token();
    let mut viewer = person(&served, "vera", "viewer");
    assert!(!viewer.submit(REVEAL, &[]).is(403).body.contains(&token));
    let mut ann = person(&served, "ann", "operator");
    let page = ann.get("/ui/connections/eskiz").is(200);
    assert!(!page.body.contains(&token), "nobody has asked for it yet");
    assert_ne!(ann.get(REVEAL).status, 200, "a link shows nothing");
    let shown = ann.submit(REVEAL, &[]).is(200).says(&token);
    assert_eq!(shown.header("cache-control"), "no-store");
    // Whoever finds the browser open some minutes later.
    let moved = "update sessions set confirmed_at = confirmed_at - 300000";
    e2e::database::Database::at(&served.stage.home.path("keepfresh.db")).run(moved);
    let asked = ann.submit(REVEAL, &[]).leads_to("/ui/confirm?back=%2Fui%2Fconnections%2Feskiz");
    assert!(!asked.body.contains(&token));
    ann.submit("/ui/confirm", &[("password", PASSWORD)]).is(303);
    ann.submit(REVEAL, &[]).is(200).says(&token);
    let audit = served.stage.home.run(&["audit", "--action", "token.revealed", "--json"]).json();
    let entries = audit["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{audit}");
    assert!(
        entries.iter().all(|it| it["actor"] == "account:ann" && it["subject"] == "eskiz/default")
    );
    ann.submit("/ui/connections/nobody/reveal", &[]).is(404);
}
