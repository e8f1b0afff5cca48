//! What is current is delivered: after a refresh and without one, at once and after a while, by old sinks and new ones.

use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::stage::Stage;

use super::{EACH, add, crowd, file, holds, line, names, set};

#[test]
fn a_refresh_is_in_the_file_a_moment_later() {
    let stage = Stage::eskiz("");
    add(
        &stage.home,
        "\n[[sinks]]\nconnection = \"eskiz\"\nfile = \"eskiz.env\"\ntemplate = \"ESKIZ_TOKEN={{ token }}\\nUNTIL={{ expires_at.unix }}\\n\"\n",
    );
    let _daemon = stage.home.serve();
    let text = || std::fs::read_to_string(stage.home.path("eskiz.env")).unwrap_or_default();
    wait_until("the first token is there", || text().contains("ESKIZ_TOKEN="));
    let first = stage.token();
    assert!(text().starts_with(&format!("ESKIZ_TOKEN={first}\nUNTIL=")), "{}", text());
    stage.refresh(&["--force", "--sync", "eskiz"]);
    let second = stage.token();
    assert_ne!(first, second);
    wait_until("the next one is there", || text().contains(&second));
}

#[test]
fn a_token_that_comes_without_a_refresh_is_delivered_and_one_that_goes_as_well() {
    let crowd = crowd(&["a"], EACH);
    let home = &crowd.home;
    let _daemon = home.serve();
    holds(home, "a", &line(home, "a"));
    set(home, "a", "by-hand");
    holds(home, "a", "T='by-hand'\n");
    let _ = home.run(&["token", "clear", "rotor/a"]).exits(0);
    holds(home, "a", "T=''\n");
    crowd.file("more.csv", &crowd.roster(&["a", "b"], 86_400));
    let _ = crowd.import(&["more.csv"]).exits(0);
    wait_until("both are there", || file(home, "a").len() > 9 && file(home, "b").len() > 9);
    holds(home, "a", &line(home, "a"));
    holds(home, "b", &line(home, "b"));
}

#[test]
fn nothing_is_delivered_before_the_first_token() {
    let crowd = crowd(&["a"], EACH);
    let home = &crowd.home;
    crowd.file("none.csv", "name\nempty\n");
    let _ = crowd.import(&["none.csv"]);
    let _daemon = home.serve();
    holds(home, "a", &line(home, "a"));
    assert_eq!(names(home), ["a.env"]);
}

#[test]
fn what_changes_while_nobody_is_there_is_delivered_at_the_next_start() {
    let crowd = crowd(&["a", "b"], EACH);
    let home = &crowd.home;
    let daemon = home.serve();
    holds(home, "a", &line(home, "a"));
    daemon.stop();
    set(home, "a", "meanwhile");
    let _daemon = home.serve();
    holds(home, "a", "T='meanwhile'\n");
}

#[test]
fn a_sink_that_a_reload_brings_begins_with_what_is_there() {
    let crowd = crowd(&["a", "b"], "");
    let home = &crowd.home;
    let _daemon = home.serve();
    let database = Database::at(&home.path("keepfresh.db"));
    set(home, "a", "before");
    assert_eq!(database.number("select count(*) from changes"), 0, "nobody wants changes");
    assert_eq!(names(home), [""; 0]);
    add(home, EACH);
    holds(home, "a", "T='before'\n");
    holds(home, "b", &line(home, "b"));
    set(home, "a", "after");
    holds(home, "a", "T='after'\n");
    assert!(database.number("select count(*) from changes") > 0);
    let text = std::fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&text.replace(EACH, ""));
    wait_until("all is forgotten", || {
        database.number("select (select count(*) from changes) + (select count(*) from delivered)")
            == 0
    });
}

#[test]
fn a_command_runs_once_for_what_it_reads_and_again_when_asked() {
    let command = "\n[[sinks]]\nname = \"put\"\nprovider = \"rotor\"\ncommand = [\"/bin/sh\", \"-c\", \"cat >> out/$0.log; echo >> out/$0.log\", \"{{ name }}\"]\n";
    let crowd = crowd(&["a"], command);
    let home = &crowd.home;
    let first = super::token(home, "a");
    let log = || std::fs::read_to_string(home.path("out/a.log")).unwrap_or_default();
    let daemon = home.serve();
    wait_until("it has run", || log() == format!("{first}\n"));
    daemon.stop();
    let daemon = home.serve();
    set(home, "a", "next");
    wait_until("it has run again", || log() == format!("{first}\nnext\n"));
    let ran = home.run(&["sink", "run", "put", "rotor/a", "--json"]).exits(0).json();
    assert_eq!(ran["delivered"], 1, "{ran}");
    assert_eq!(log(), format!("{first}\nnext\nnext\n"));
    daemon.stop();
}

#[test]
fn a_webhook_is_told_of_a_connection_and_of_its_end() {
    let receiver = e2e::receiver::Receiver::start();
    let hook = format!(
        "\n[[sinks]]\nname = \"hook\"\nprovider = \"rotor\"\nwebhook = {{ url = \"{}\", egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }} }}\n",
        receiver.url("/hook")
    );
    let crowd = crowd(&["a"], &hook);
    let home = &crowd.home;
    let _daemon = home.serve();
    let first = receiver.receives(1).remove(0);
    let body = first.json();
    assert_eq!(body["type"], "connection.current", "{body}");
    assert_eq!(body["data"]["token"], super::token(home, "a").as_str());
    assert_eq!(
        (&body["data"]["connection"], &body["data"]["error"]),
        (&"rotor/a".into(), &serde_json::Value::Null)
    );
    let _ = home.run(&["connection", "remove", "rotor/a"]).exits(0);
    let last = receiver.receives(2).remove(1);
    assert_eq!(
        (&last.json()["type"], &last.json()["data"]["token"]),
        (&"connection.removed".into(), &serde_json::Value::Null)
    );
    assert_ne!(first.headers["webhook-id"], last.headers["webhook-id"]);
}

#[test]
fn a_row_of_a_table_follows_its_connection() {
    let table = "\n[[sinks]]\nname = \"users\"\nprovider = \"rotor\"\nsql = { url = { env = \"APP_URL\" }, table = \"users\", key = { id = \"{{ name }}\" } }\non_token = { token = \"{{ token }}\", until = \"{{ expires_at }}\" }\non_removed = { token = \"{{ none }}\" }\n\n[[sinks]]\nname = \"syncs\"\nprovider = \"rotor\"\nsql = { url = { env = \"APP_URL\" }, table = \"syncs\", key = { id = \"{{ attempt.id }}\" } }\non_attempt = { connection = \"{{ name }}\", success = \"{{ attempt.success }}\" }\n";
    let mut crowd = crowd(&["a", "b"], table);
    let path = crowd.home.path("app.db");
    let made = std::process::Command::new("python3").args(["-c", "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\ndb.executescript(\"create table users (id text primary key, token text, until text); create table syncs (id text primary key, connection text, success boolean); insert into users (id) values ('a')\")", path.to_str().unwrap()]).status().unwrap();
    assert!(made.success());
    crowd.home.set_env("APP_URL", &format!("sqlite:{}", path.display()));
    let home = &crowd.home;
    let _daemon = home.serve();
    let app = Database::at(&path);
    let of =
        |name: &str| app.texts("select coalesce(token, 'none') from users where id = ?", &[name]);
    let first = super::token(home, "a");
    wait_until("the row has it", || of("a") == [first.as_str()]);
    // The other one waits for its row, and holds up nobody.
    wait_until("the other waits", || {
        super::sink(home, "users")["error"]["code"] == "sink.row_missing"
    });
    let _ = home.run(&["refresh", "rotor/a", "--force", "--sync"]).exits(0);
    let second = super::token(home, "a");
    assert_ne!(first, second);
    wait_until("the row has the next one", || of("a") == [second.as_str()]);
    wait_until("and the attempt has a row", || {
        app.texts("select connection || success from syncs where connection = ?", &["a"]) == ["a1"]
    });
    app.run("insert into users (id) values ('b')");
    let ran = home.run(&["sink", "run", "users", "rotor/b", "--json"]).exits(0).json();
    assert_eq!(ran["delivered"], 1, "{ran}");
    assert_eq!(of("b"), [super::token(home, "b")]);
    let _ = home.run(&["connection", "remove", "rotor/a"]).exits(0);
    wait_until("the row has none", || of("a") == ["none"]);
}
