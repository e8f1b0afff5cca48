//! Files of other systems: what they write for nothing, columns that mean nothing here, odd encodings, long rows,
//! and rows that a dry run and an import must judge alike.

use std::fmt::Write as _;

use e2e::daemon::wait_until;
use e2e::home::{Home, Run};
use serde_json::json;

use crate::people::{Crowd, counts};

fn write(crowd: &Crowd, name: &str, file: impl AsRef<[u8]>) {
    std::fs::write(crowd.home.path(name), file).unwrap();
}

fn import(crowd: &Crowd, arguments: &[&str]) -> Run {
    crowd.home.run(&[&["connection", "import", "rotor"], arguments].concat())
}

#[test]
fn what_a_table_writes_for_nothing_is_never_served() {
    let crowd = Crowd::new("");
    let good = crowd.roster(&["ann"], 3_600);
    let file = format!("{good}bob,NULL,NULL,NULL\ncid,\\N,\\N,\\N\n");
    write(&crowd, "people.csv", file);
    assert_eq!(counts(&crowd.import(&["people.csv"]).exits(0)), [3, 0, 0, 0, 0]);
    for name in ["rotor/bob", "rotor/cid"] {
        let run = crowd.home.run(&["token", "get", name, "--header"]);
        assert!(run.code != 0 && run.stdout.is_empty(), "{run:?}");
    }
    write(&crowd, "none.csv", "name,access_token\ndan,None\n");
    let run = import(&crowd, &["none.csv"]).exits(1);
    assert!(
        run.stderr.contains("line 2: its access_token is a word that programs write"),
        "{run:?}"
    );
}

#[test]
fn a_heading_is_judged_at_once_and_columns_are_left_out_on_request() {
    let crowd = Crowd::new("");
    let text = crowd.roster(&["ann"], 3_600);
    let text = text.replacen("expires_at\n", "expires_at,email,created_at\n", 1);
    write(&crowd, "users.csv", format!("{},ann@example.com,2020\n", text.trim_end()));
    let run = import(&crowd, &["users.csv"]).exits(1);
    assert_eq!(run.stderr.lines().count(), 1, "one error: {run:?}");
    assert!(run.stderr.contains("error[import.bad_columns]: users.csv"), "{run:?}");
    assert!(run.stderr.contains("--ignore email --ignore created_at"), "{run:?}");
    assert!(crowd.list(&[]).is_empty());
    crowd.import(&["users.csv", "--ignore", "email", "--ignore", "created_at"]).exits(0);
    assert_eq!(crowd.list(&[]), ["rotor/ann"]);
    crowd.import(&["users.csv", "--ignore", "*", "--dry-run"]).exits(0);
    let both = import(&crowd, &["users.csv", "--map", "email=name", "--ignore", "created_at"]);
    assert!(both.exits(1).stderr.contains("`name` and `email` both mean `name`"));
}

#[test]
fn a_dry_run_and_an_import_judge_alike() {
    let crowd = Crowd::new("");
    let good = crowd.roster(&["ann"], 3_600);
    let bad = "a/b,x,y,1893456000\nBob Smith,x,y,1893456000\n";
    write(&crowd, "people.csv", format!("{good}{bad}"));
    let dry = import(&crowd, &["people.csv", "--dry-run"]).exits(1);
    let real = import(&crowd, &["people.csv"]).exits(1);
    assert_eq!(dry.stderr, real.stderr);
    assert!(real.stderr.contains("line 3: its name has '/'"), "{real:?}");
    assert!(real.stderr.contains("line 4: its name has ' '"), "{real:?}");
    assert!(crowd.list(&[]).is_empty());
    // What only the plugin knows is found before anything is stored, too.
    let setting = crowd.roster(&["bob", "cid"], 3_600).replace('\n', ",\n");
    let setting = setting.replacen(",\n", ",setting.colour\n", 1).replacen(",\n", ",red\n", 1);
    write(&crowd, "colours.csv", setting);
    for more in [["--dry-run"].as_slice(), &[]] {
        let run = import(&crowd, &[&["colours.csv"], more].concat()).exits(1);
        assert!(
            run.stderr.contains("line 2 (bob): the plugin rotor has no setting `colour`"),
            "{run:?}"
        );
        assert!(crowd.list(&[]).is_empty());
    }
}

#[test]
fn a_dry_run_that_leaves_out_bad_rows_names_them_and_has_json() {
    let crowd = Crowd::new("");
    write(&crowd, "people.csv", format!("{}bob x,a,b,1\n", crowd.roster(&["ann"], 3_600)));
    let arguments = ["people.csv", "--skip-bad", "--dry-run"];
    let text = import(&crowd, &arguments).exits(3).stderr;
    assert!(text.contains("line 3: its name has ' '") && text.contains("would add 1"), "{text}");
    let told = crowd.import(&arguments).exits(3).json();
    assert_eq!((&told["dry_run"], &told["summary"]["added"]), (&json!(true), &json!(1)));
    assert_eq!(
        (&told["refused"][0]["line"], &told["refused"][0]["name"]),
        (&json!(3), &json!(null))
    );
    assert!(crowd.list(&[]).is_empty());
    let refused = crowd.import(&["people.csv"]).exits(1).json();
    assert_eq!(refused["error"]["code"], "import.bad_rows");
    assert_eq!(refused["refused"][0]["line"], 3);
}

#[test]
fn long_rows_reach_a_daemon_in_pieces_of_bytes() {
    let crowd = Crowd::new("");
    let daemon = crowd.home.serve();
    let mut file = "name,access_token,refresh_token,expires_at\n".to_owned();
    for number in 0..150 {
        let (access, refresh) = ("a".repeat(6_000), "r".repeat(6_000));
        let _ = writeln!(file, "u{number},{access}{number},{refresh},2199-01-01T00:00:00Z");
    }
    write(&crowd, "people.csv", file);
    assert_eq!(counts(&crowd.import(&["people.csv"]).exits(0)), [150, 0, 0, 0, 0]);
    assert_eq!(counts(&crowd.import(&["people.csv"]).exits(0)), [0, 0, 150, 0, 0]);
    write(&crowd, "huge.csv", format!("name,access_token\nann,{}\n", "a".repeat(600_000)));
    let run = import(&crowd, &["huge.csv"]).exits(1);
    assert!(run.stderr.contains("line 2 (ann): it has 585 KiB"), "{run:?}");
    // What is no token is not cut off to become one.
    let long = "a".repeat(1_048_000);
    let run = crowd.home.run_with_input(&["token", "set", "rotor/u1"], &long);
    assert!(run.exits(1).stderr.contains("standard input has more than 512 KiB"));
    drop(daemon);
}

#[test]
fn labels_of_the_command_line_come_to_those_that_are_there() {
    let crowd = Crowd::new("");
    let text = crowd.roster(&["ann"], 3_600);
    let text = text.replacen("expires_at\n", "expires_at,labels\n", 1);
    write(&crowd, "people.csv", format!("{},eu\n", text.trim_end()));
    crowd.import(&["people.csv", "--label", "moved"]).exits(0);
    assert_eq!(crowd.show("rotor/ann")["labels"], json!(["eu", "moved"]));
    crowd.home.run(&["connection", "add", "rotor/ann", "--label", "gold"]).exits(0);
    assert_eq!(crowd.show("rotor/ann")["labels"], json!(["eu", "moved", "gold"]));
    // A file without labels says nothing of them.
    write(&crowd, "plain.csv", crowd.roster(&["ann"], 7_200));
    crowd.import(&["plain.csv"]).exits(0);
    assert_eq!(crowd.show("rotor/ann")["labels"], json!(["eu", "moved", "gold"]));
    let from = r#"{"labels":["silver"]}"#;
    let add = ["connection", "add", "rotor/ann", "--label", "new", "--from", "-"];
    crowd.home.run_with_input(&add, from).exits(0);
    assert_eq!(crowd.show("rotor/ann")["labels"], json!(["silver", "new"]));
}

#[test]
fn what_an_error_of_add_suggests_is_there() {
    let crowd = Crowd::new("");
    let pair = crowd.fake.control().issue_family("ann");
    let from = json!({ "token": pair.access_token, "email": "ann@example.com" }).to_string();
    let add = ["connection", "add", "rotor/ann", "--from", "-"];
    let run = crowd.home.run_with_input(&add, &from).exits(1);
    assert!(run.stderr.contains("`token` and `email`"), "{run:?}");
    assert!(run.stderr.contains("--ignore token --ignore email") && run.stderr.contains("--map"));
    let more = ["--map", "token=access_token", "--ignore", "email"];
    crowd.home.run_with_input(&[add.as_slice(), &more].concat(), &from).exits(0);
    assert_eq!(
        crowd.home.run(&["token", "get", "rotor/ann"]).exits(0).stdout.trim(),
        pair.access_token
    );
    let two = crowd.home.run_with_input(&add, "{\"labels\":\"a\"}\n{\"labels\":\"b\"}\n").exits(1);
    assert!(two.stderr.contains("it has more than one row"), "{two:?}");
}

#[test]
fn odd_encodings_are_read_from_standard_input_and_from_files() {
    let crowd = Crowd::new("");
    let table = crowd.roster(&["ann"], 3_600);
    let arguments = ["connection", "import", "rotor", "-", "--json"];
    let run = crowd.home.run_with_input(&arguments, &format!("\u{feff}{table}")).exits(0);
    assert_eq!(counts(&run), [1, 0, 0, 0, 0]);
    let utf16 = |text: &str| {
        let units = ["\u{feff}", text].concat().encode_utf16().collect::<Vec<_>>();
        units.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<_>>()
    };
    write(&crowd, "bob.tsv", utf16(&crowd.roster(&["bob"], 3_600).replace(',', "\t")));
    crowd.import(&["bob.tsv"]).exits(0);
    write(&crowd, "cid.txt", crowd.roster(&["cid"], 3_600).replace(',', ";"));
    crowd.import(&["cid.txt", "--format", "csv"]).exits(0);
    write(&crowd, "dan.json", "\u{feff}[{\"name\":\"dan\"}]");
    crowd.import(&["dan.json"]).exits(0);
    assert_eq!(crowd.list(&[]).len(), 4);
    write(&crowd, "book.csv", b"PK\x03\x04rest");
    let run = import(&crowd, &["book.csv"]).exits(1);
    assert!(run.stderr.contains("it is a workbook or an archive"), "{run:?}");
}

#[test]
fn a_refresh_token_alone_is_due_at_once_and_nothing_else_is_served() {
    let crowd = Crowd::new("");
    let pair = crowd.fake.control().issue_family("ann");
    let row = json!({ "name": "ann", "refresh_token": pair.refresh_token });
    write(&crowd, "people.jsonl", row.to_string());
    crowd.import(&["people.jsonl"]).exits(0);
    let shown = crowd.show("rotor/ann");
    assert_eq!(shown["state"], "expired", "{shown}");
    crowd.home.run(&["refresh"]).exits(0);
    assert_eq!(crowd.show("rotor/ann")["state"], "fresh");
    assert_eq!(crowd.fake.control().family("ann").unwrap().rotations, 1);
    // A caller gets a token that was got for it, and never an empty one.
    let pair = crowd.fake.control().issue_family("bob");
    write(&crowd, "bob.csv", format!("name,refresh_token\nbob,{}\n", pair.refresh_token));
    crowd.import(&["bob.csv"]).exits(0);
    let served = crowd.home.run(&["token", "get", "rotor/bob"]).exits(0).stdout;
    assert!(!served.trim().is_empty());
    write(&crowd, "cid.csv", "name,refresh_token\ncid,unknown\n");
    crowd.import(&["cid.csv"]).exits(0);
    let run = crowd.home.run(&["token", "get", "rotor/cid", "--header"]);
    assert!(run.code != 0 && run.stdout.is_empty(), "{run:?}");
}

#[test]
fn remarks_about_rows_are_shown_once_with_their_lines() {
    let crowd = Crowd::new("");
    let file =
        "name,access_token,expires_at\nann,a1,2199-01-01 00:00:00\nbob,b1,2199-01-01 00:00:00\n";
    write(&crowd, "people.csv", file);
    let told = crowd.import(&["people.csv"]).exits(0).json();
    let remark = &told["remarks"][0];
    assert_eq!((&remark["rows"], &remark["lines"]), (&json!(2), &json!([2, 3])));
    let text = import(&crowd, &["people.csv"]).stderr;
    let note = "note: expires_at: without a time zone, so taken for UTC (lines 2, 3)";
    assert!(text.contains(note), "{text}");
    write(&crowd, "old.csv", "name,access_token,expires_at\ncid,c1,2020-01-01T00:00:00Z\n");
    let text = import(&crowd, &["old.csv"]).exits(0).stderr;
    assert!(text.contains("note: its token has expired and there is no refresh token"), "{text}");
}

/// A JWT that says itself that it ends with the year 2089.
const ENDS_IN_2089: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjM3ODY5MTIwMDB9.c2ln";

#[test]
fn a_token_that_ends_earlier_than_the_file_says_ends_then_and_it_is_told() {
    let crowd = Crowd::new("");
    let file = format!("name,access_token,expires_at\nann,{ENDS_IN_2089},2092-01-01T00:00:00Z\n");
    write(&crowd, "people.csv", file);
    let run = import(&crowd, &["people.csv"]).exits(0);
    assert!(
        run.stderr.contains("expires earlier than expires_at; the earlier time is used (line 2)"),
        "{run:?}"
    );
    assert_eq!(crowd.show("rotor/ann")["expires_at"], "2090-01-01T00:00:00Z");
}

#[test]
fn a_secret_that_neither_the_manifest_nor_a_row_has_is_remarked() {
    let manifest = "[providers.eskiz]\nconnections = []\n";
    let home = Home::new(manifest).with_plugin("eskiz");
    let rows = "name,secret.email,secret.password\nann,a@example.com,p\nbob,b@example.com,\n";
    std::fs::write(home.path("people.csv"), rows).unwrap();
    let run = home.run(&["connection", "import", "eskiz", "people.csv"]).exits(0);
    let note = "neither the manifest nor the row has the secret `password`, so it cannot be refreshed (line 3)";
    assert!(run.stderr.contains(note), "{run:?}");
    assert!(!run.stderr.contains("`email`"), "{run:?}");
    // What is said later comes to what is there.
    std::fs::write(home.path("bob.csv"), "name,secret.password\nbob,p\n").unwrap();
    home.run(&["connection", "import", "eskiz", "bob.csv"]).exits(0);
    let shown = home.run(&["connection", "show", "eskiz/bob", "--json"]).exits(0).json();
    assert_eq!(shown["secrets"], json!({ "email": "its own", "password": "its own" }));
}

#[test]
fn a_provider_that_came_with_a_reload_takes_an_import() {
    let crowd = Crowd::new("");
    let daemon = crowd.home.serve();
    let manifest = std::fs::read_to_string(crowd.home.path("keepfresh.toml")).unwrap();
    let second = manifest.replace("[providers.rotor]", "[providers.second]\nplugin = \"rotor\"");
    crowd.home.write_manifest(&format!("{manifest}\n{second}"));
    write(&crowd, "people.csv", crowd.roster(&["ann"], 3_600));
    let arguments = ["connection", "import", "second", "people.csv", "--json"];
    wait_until("the daemon knows the provider", || crowd.home.run(&arguments).code == 0);
    assert_eq!(crowd.list(&["--provider", "second"]), ["second/ann"]);
    drop(daemon);
}
