//! `connection add`, `import` and `remove`.

use e2e::provider::fingerprint::fingerprint;
use serde_json::json;

use crate::people::{Crowd, counts};

#[test]
fn an_imported_token_is_served_and_refreshed() {
    let crowd = Crowd::new("");
    crowd.file("people.csv", &crowd.roster(&["ann", "bob"], 3_600));
    let run = crowd.import(&["people.csv"]).exits(0);
    assert_eq!(counts(&run), [2, 0, 0, 0, 0]);
    assert_eq!(crowd.list(&[]), ["rotor/ann", "rotor/bob"]);
    let refreshed = crowd.home.run(&["refresh", "rotor/ann", "--force", "--json"]).exits(0);
    assert_eq!(refreshed.json()["attempts"][0]["generation"], 2);
    assert_eq!(crowd.fake.control().family("ann").unwrap().rotations, 1);
    assert_eq!(crowd.fake.control().family("bob").unwrap().rotations, 0);
}

#[test]
fn the_same_file_twice_changes_nothing_and_an_old_token_does_not_come_back() {
    let crowd = Crowd::new("");
    crowd.file("people.csv", &crowd.roster(&["ann", "bob"], 3_600));
    crowd.import(&["people.csv"]).exits(0);
    crowd.home.run(&["refresh", "rotor/ann", "--force"]).exits(0);
    let current = crowd.home.run(&["token", "get", "rotor/ann"]).exits(0).stdout;
    assert_eq!(counts(&crowd.import(&["people.csv"]).exits(0)), [0, 0, 2, 0, 0]);
    // A file that says something else about her keeps the newer token too.
    let other = std::fs::read_to_string(crowd.home.path("people.csv")).unwrap();
    let other = other.replace("expires_at\n", "expires_at,labels\n").replacen('\n', ",gold\n", 3);
    crowd.file("other.csv", &other.replacen(",gold\n", "\n", 1));
    let run = crowd.import(&["other.csv"]).exits(0);
    assert_eq!(counts(&run), [0, 0, 0, 2, 0], "{run:?}");
    assert_eq!(crowd.home.run(&["token", "get", "rotor/ann"]).stdout, current);
    assert_eq!(crowd.show("rotor/ann")["labels"], json!(["gold"]));
}

#[test]
fn a_person_who_insists_puts_a_token_over_another() {
    let crowd = Crowd::new("");
    crowd.file("people.csv", &crowd.roster(&["ann"], 3_600));
    crowd.import(&["people.csv"]).exits(0);
    crowd.file("newer.csv", &crowd.roster(&["ann"], 3_600));
    assert_eq!(counts(&crowd.import(&["newer.csv", "--replace"]).exits(0)), [0, 1, 0, 0, 0]);
    let shown = crowd.show("rotor/ann");
    assert_eq!((&shown["generation"], &shown["state"]), (&json!(2), &json!("fresh")));
    crowd.home.run(&["refresh", "rotor/ann", "--force"]).exits(0);
}

#[test]
fn a_file_with_bad_rows_imports_nothing_unless_they_are_left_out() {
    let crowd = Crowd::new("");
    let good = crowd.roster(&["ann"], 3_600);
    crowd.file("people.csv", &format!("{good},CANARY_a,CANARY_r,1\nbob,CANARY_b,CANARY_r,soon\n"));
    let run = crowd.home.run(&["connection", "import", "rotor", "people.csv"]).exits(1);
    assert!(run.stderr.contains("2 rows cannot be imported, so nothing was"), "{run:?}");
    assert!(run.stderr.contains("line 3: it has no name"), "{run:?}");
    assert!(run.stderr.contains("line 4: its expires_at is not a time"), "{run:?}");
    assert!(!run.stderr.contains("CANARY"), "{run:?}");
    assert!(crowd.list(&[]).is_empty());
    let run = crowd.import(&["people.csv", "--skip-bad"]).exits(3);
    assert_eq!(counts(&run), [1, 0, 0, 0, 2]);
    assert_eq!(crowd.list(&[]), ["rotor/ann"]);
}

#[test]
fn a_token_that_would_not_stay_on_the_line_of_a_header_is_refused_with_its_row() {
    let crowd = Crowd::new("");
    for (column, value) in [
        ("token_type", "\"Bearer\nX-Evil: CANARY\nX\""),
        ("token_type", "Bearer CANARY"),
        ("access_token", "\"CANARY\nX-Evil: 1\""),
        ("refresh_token", "\"CANARY x\""),
    ] {
        let others =
            ["access_token", "refresh_token"].map(|it| if it == column { "labels" } else { it });
        let (head, fields) = (others.join(","), ["abc"; 2].join(","));
        let rows = format!("ann,{fields},\nbob,{fields},{value}\n");
        crowd.file("people.csv", &format!("name,{head},{column}\n{rows}"));
        let run = crowd.home.run(&["connection", "import", "rotor", "people.csv"]).exits(1);
        assert!(run.stderr.contains(&format!("line 3: its {column} ")), "{run:?}");
        assert!(!run.stderr.contains("CANARY"), "{run:?}");
        assert!(crowd.list(&[]).is_empty());
    }
}

#[test]
fn a_dry_run_reads_and_changes_nothing() {
    let crowd = Crowd::new("");
    crowd.file("people.csv", &crowd.roster(&["ann"], 3_600));
    let run = crowd.home.run(&["connection", "import", "rotor", "people.csv", "--dry-run"]);
    assert!(run.exits(0).stderr.contains("nothing was changed; an import would add 1, update 0"));
    assert!(crowd.list(&[]).is_empty());
}

#[test]
fn columns_of_another_system_are_mapped() {
    let crowd = Crowd::new("");
    let text = crowd.roster(&["7"], 3_600);
    let text = text.replacen(
        "name,access_token,refresh_token",
        "id,propel_access_token,propel_refresh_token",
        1,
    );
    crowd.file("users.csv", &text);
    let refused = crowd.home.run(&["connection", "import", "rotor", "users.csv"]).exits(1);
    assert!(refused.stderr.contains("--map id="), "{refused:?}");
    let maps = [
        "--map",
        "id=name",
        "--map",
        "propel_access_token=access_token",
        "--map",
        "propel_refresh_token=refresh_token",
    ];
    crowd.import(&[&["users.csv"], maps.as_slice()].concat()).exits(0);
    assert_eq!(crowd.list(&[]), ["rotor/7"]);
}

#[test]
fn json_comes_from_standard_input_too() {
    let crowd = Crowd::new("");
    let pair = crowd.fake.control().issue_family("ann");
    let row = json!({
        "name": "ann", "access_token": pair.access_token, "refresh_token": pair.refresh_token,
        "expires_at": "2199-01-01T00:00:00Z", "scopes": ["a", "b"], "labels": ["x"],
    });
    let arguments = ["connection", "import", "rotor", "-", "--json"];
    let run = crowd.home.run_with_input(&arguments, &json!([row]).to_string()).exits(0);
    assert_eq!(counts(&run), [1, 0, 0, 0, 0]);
    let shown = crowd.show("rotor/ann");
    assert_eq!((&shown["scopes"], &shown["labels"]), (&json!(["a", "b"]), &json!(["x"])));
    assert_eq!(shown["expires_at"], "2199-01-01T00:00:00Z");
}

#[test]
fn one_is_added_with_its_secrets_from_a_file_and_removed_again() {
    let crowd = Crowd::new("");
    let pair = crowd.fake.control().issue_family("ann");
    let from = json!({ "access_token": pair.access_token, "refresh_token": pair.refresh_token });
    let add = ["connection", "add", "rotor/ann", "--label", "gold", "--from", "-"];
    crowd.home.run_with_input(&add, &from.to_string()).exits(0);
    let served = crowd.home.run(&["token", "get", "rotor/ann"]).exits(0).stdout;
    assert_eq!(fingerprint(served.trim()), fingerprint(&pair.access_token));
    assert_eq!(crowd.show("rotor/ann")["labels"], json!(["gold"]));
    crowd.home.run(&["connection", "remove", "rotor/ann"]).exits(0);
    assert!(crowd.list(&[]).is_empty());
    let gone = crowd.home.run(&["connection", "remove", "rotor/ann"]);
    assert!(gone.stderr.contains("there is no connection rotor/ann"), "{gone:?}");
}

#[test]
fn what_says_where_requests_go_is_not_for_whoever_adds_a_connection() {
    let crowd = Crowd::new("");
    let add = ["connection", "add", "rotor/ann", "--setting", "base_url=http://127.0.0.1:1"];
    let run = crowd.home.run(&add).exits(3);
    assert!(run.stderr.contains("`base_url` determines where requests are sent"), "{run:?}");
    let add = ["connection", "add", "rotor/ann", "--setting", "colour=red"];
    let run = crowd.home.run(&add).exits(3);
    assert!(run.stderr.contains("has no setting `colour`"), "{run:?}");
    let run = crowd.home.run_with_input(
        &["connection", "add", "rotor/ann", "--from", "-"],
        r#"{"secrets":{"pin":"CANARY_pin"}}"#,
    );
    assert!(run.stderr.contains("has no secret `pin`") && !run.stderr.contains("CANARY"));
    assert!(crowd.list(&[]).is_empty());
}

#[test]
fn what_the_manifest_lists_is_changed_and_taken_away_there() {
    let crowd = Crowd::new("");
    let manifest = std::fs::read_to_string(crowd.home.path("keepfresh.toml")).unwrap();
    let manifest = manifest.replace("connections = []", "connections = [{ name = \"ann\" }]");
    crowd.home.write_manifest(&manifest);
    let add = crowd.home.run(&["connection", "add", "rotor/ann", "--label", "gold"]).exits(3);
    assert!(add.stderr.contains("it is in the manifest"), "{add:?}");
    let gone = crowd.home.run(&["connection", "remove", "rotor/ann"]).exits(1);
    assert!(gone.stderr.contains("rotor/ann is in the manifest; remove it there"), "{gone:?}");
    // A token that somebody moves in with is welcome all the same.
    crowd.file("people.csv", &crowd.roster(&["ann"], 3_600));
    assert_eq!(counts(&crowd.import(&["people.csv"]).exits(0)), [0, 1, 0, 0, 0]);
    assert_eq!(crowd.show("rotor/ann")["state"], "fresh");
}

#[test]
fn a_daemon_takes_an_import_and_looks_after_it() {
    let crowd = Crowd::new("");
    let daemon = crowd.home.serve();
    crowd.file("people.csv", &crowd.roster(&["ann"], 1));
    crowd.import(&["people.csv"]).exits(0);
    let begun = std::time::Instant::now();
    while crowd.fake.control().family("ann").unwrap().rotations == 0 {
        assert!(begun.elapsed().as_secs() < 20, "the daemon did not refresh it");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    drop(daemon);
}
