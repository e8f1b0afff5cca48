//! Some of many: by label, and by whether anybody has asked for them.

use crate::people::Crowd;

fn crowd() -> Crowd {
    let crowd = Crowd::new("");
    let text = crowd.roster(&["ann", "bob", "cid"], 3_600);
    let extra = ["labels,active_at", "gold eu,2020-01-01", "eu,2199-01-01", ","];
    let lines = text.lines().zip(extra).map(|(line, more)| format!("{line},{more}\n"));
    let text = lines.collect::<String>().replace("-01-01", "-01-01T00:00:00Z");
    crowd.file("people.csv", &text);
    crowd.import(&["people.csv"]).exits(0);
    crowd
}

#[test]
fn a_label_finds_those_that_have_it() {
    let crowd = crowd();
    assert_eq!(crowd.list(&["--label", "gold"]), ["rotor/ann"]);
    assert_eq!(crowd.list(&["--label", "eu"]), ["rotor/ann", "rotor/bob"]);
    assert!(crowd.list(&["--label", "go"]).is_empty());
    let refreshed = crowd.home.run(&["refresh", "--label", "gold", "--force", "--json"]).exits(0);
    assert_eq!(refreshed.json()["attempts"].as_array().unwrap().len(), 1);
}

#[test]
fn those_that_somebody_asked_for_lately_are_found() {
    let crowd = crowd();
    assert_eq!(crowd.list(&["--active-within", "7d"]), ["rotor/bob"]);
    crowd.home.run(&["token", "get", "rotor/cid"]).exits(0);
    assert_eq!(crowd.list(&["--active-within", "7d"]), ["rotor/bob", "rotor/cid"]);
    assert!(!crowd.show("rotor/cid")["active_at"].is_null());
}
