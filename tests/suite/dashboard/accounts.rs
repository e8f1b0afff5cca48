//! Who may get in: accounts made and changed by commands, by an operator in the dashboard, and at the first start.

use e2e::home::Home;
use e2e::stage::Stage;
use e2e::terminal::Terminal;

use super::{Desk, PASSWORD, is_in, is_out, log_in, path_of, welcomed};

#[test]
fn accounts_are_made_listed_changed_and_removed_by_commands() {
    let desk = Desk::open();
    let run = |arguments: &[&str]| desk.home.run(arguments);
    let made = run(&["account", "add", "ann", "--role", "operator", "--json"]).exits(0).json();
    assert_eq!(
        (&made["name"], &made["role"], &made["login"]),
        (&"ann".into(), &"operator".into(), &"link".into())
    );
    let taken = run(&["account", "add", "ann"]).exits(1);
    assert!(taken.stderr.contains("account.name_taken"), "{taken:?}");
    run(&["account", "add", "a b"]).exits(2);
    run(&["account", "add", "bob"]).exits(0);
    let again = run(&["account", "link", "ann", "--json"]).exits(0).json();
    assert_ne!(again["url"], made["url"]);
    welcomed(&mut desk.browser(), &path_of(again["url"].as_str().unwrap()));
    let list = run(&["account", "list", "--json"]).exits(0).json();
    let plain = list["accounts"].as_array().unwrap().iter();
    let plain = plain.map(|it| (it["name"].clone(), it["role"].clone(), it["login"].clone()));
    let row = |name: &str, role: &str, login: &str| (name.into(), role.into(), login.into());
    let wanted = [row("ann", "operator", "password"), row("bob", "viewer", "link")];
    assert_eq!(plain.collect::<Vec<_>>(), wanted);
    let text = run(&["account", "list"]).exits(0).stdout;
    assert!(text.contains("no password yet"), "{text}");
    let changed = run(&["account", "role", "bob", "operator", "--json"]).exits(0).json();
    assert_eq!(changed["role"], "operator");
    run(&["account", "role", "bob", "king"]).exits(2);
    run(&["account", "remove", "bob", "--json"]).exits(0);
    let gone = run(&["account", "remove", "bob"]).exits(1);
    assert!(gone.stderr.contains("account.unknown"), "{gone:?}");
    run(&["account", "link", "bob"]).exits(1);
}

#[test]
fn accounts_are_made_without_a_daemon_and_not_without_a_dashboard() {
    let home = Home::new("[server]\nlisten = \"127.0.0.1:0\"\n");
    let link = path_of(&home.run(&["account", "add", "ann", "--role", "operator"]).exits(0).stdout);
    let desk = Desk::at(home);
    assert!(!desk.daemon.log().contains("nobody can log in"), "{}", desk.daemon.log());
    welcomed(&mut desk.browser(), &link);
    let none = Home::new("").run(&["account", "add", "ann"]).exits(1);
    assert!(none.stderr.contains("account.no_dashboard"), "{none:?}");
    let off = "[server]\nlisten = \"127.0.0.1:0\"\n[dashboard]\nenabled = false\n";
    let off = Home::new(off);
    let refused = off.run(&["account", "add", "ann"]).exits(1);
    assert!(refused.stderr.contains("account.no_dashboard"), "{refused:?}");
    let desk = Desk::at(off);
    assert!(!desk.daemon.log().contains("nobody can log in"));
    desk.browser().get("/ui/").is(404);
    desk.browser().get("/ui/login").is(404);
    desk.browser().get("/").is(404);
}

#[test]
fn an_operator_makes_and_changes_accounts_in_the_dashboard() {
    let desk = Desk::open();
    let mut ann = desk.person("ann", "operator");
    let page = ann.submit("/ui/accounts", &[("name", " bob "), ("role", "viewer")]).is(200);
    let link = page.body.split("readonly value=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut bob = desk.browser();
    welcomed(&mut bob, &path_of(link));
    ann.submit("/ui/accounts", &[("name", "bob"), ("role", "viewer")])
        .is(422)
        .says("there is an account");
    ann.submit("/ui/accounts", &[("name", "<b>"), ("role", "viewer")]).is(422).says("&#60;b&#62;");
    is_in(&mut bob);
    ann.submit("/ui/accounts/role", &[("name", "bob"), ("role", "operator")])
        .leads_to("/ui/accounts");
    is_out(&mut bob);
    log_in(&mut bob, "bob", PASSWORD).is(303);
    bob.get("/ui/accounts").is(200).says("ann");
    // One's own is for somebody else to change.
    bob.submit("/ui/accounts/role", &[("name", "bob"), ("role", "viewer")]).is(400);
    bob.submit("/ui/accounts/remove", &[("name", "bob")]).is(400);
    ann.submit("/ui/accounts/remove", &[("name", "bob")]).leads_to("/ui/accounts");
    is_out(&mut bob);
    let audit = desk.home.run(&["audit", "bob", "--json"]).exits(0).stdout;
    for action in ["account.created", "account.changed", "account.removed"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
    assert!(audit.contains("\"account:ann\""), "{audit}");
}

#[test]
fn a_viewer_looks_and_changes_nothing() {
    let desk = Desk::open();
    let mut viewer = desk.person("viewer", "viewer");
    is_in(&mut viewer);
    viewer.get("/ui/accounts").is(403);
    for (path, fields) in [
        ("/ui/accounts", &[("name", "eve"), ("role", "operator")][..]),
        ("/ui/accounts/link", &[("name", "viewer")]),
        ("/ui/accounts/role", &[("name", "viewer"), ("role", "operator")]),
        ("/ui/accounts/remove", &[("name", "viewer")]),
    ] {
        viewer.submit(path, fields).is(403);
    }
    let list = desk.home.run(&["account", "list", "--json"]).exits(0).json();
    assert_eq!(list["accounts"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(list["accounts"][0]["role"], "viewer");
}

#[test]
fn a_log_never_has_a_link_and_a_terminal_does_until_somebody_has_logged_in() {
    let home = Home::new("[server]\nlisten = \"127.0.0.1:0\"\n");
    let shown = || {
        // It ends by itself: a port that is taken ends it after the link.
        let terminal = Terminal { columns: 200, colour: false };
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        home.write_manifest(&format!("[server]\nlisten = \"{address}\"\n"));
        let shown = terminal.run(&home, &["serve"]);
        home.write_manifest("[server]\nlisten = \"127.0.0.1:0\"\n");
        shown.rows.join("\n")
    };
    let first = shown();
    assert!(first.contains("choose a password for the account operator"), "{first}");
    let second = shown();
    assert!(second.contains("/ui/welcome/"), "nobody has logged in yet: {second}");
    let desk = Desk::at(home);
    assert!(!desk.daemon.log().contains("/ui/welcome/"), "{}", desk.daemon.log());
    let link = second.lines().find(|it| it.contains("/ui/welcome/")).unwrap();
    let mut browser = desk.browser();
    browser.get(&path_of(&first)).is(410);
    welcomed(&mut browser, &path_of(link));
    browser.get("/ui/accounts").is(200);
    let Desk { home, daemon } = desk;
    assert!(daemon.stop().success());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    home.write_manifest(&format!("[server]\nlisten = \"{address}\"\n"));
    let last = Terminal { columns: 200, colour: false }.run(&home, &["serve"]);
    assert!(!last.rows.join("\n").contains("/ui/welcome/"), "{:?}", last.rows);
}

#[test]
fn programs_and_people_keep_out_of_each_others_doors() {
    let served = crate::api::Served::over(Stage::eskiz("").logged_in(), "");
    let key = crate::api::key(&served.stage.home, "web", &["--scope", "admin"]);
    let made = served.stage.home.run(&["account", "add", "ann", "--role", "operator"]).exits(0);
    let mut browser = e2e::surfer::Surfer::new(crate::api::address(&served.daemon));
    browser.clone().with("authorization", &format!("Bearer {key}")).get("/ui/account").is(303);
    welcomed(&mut browser, &path_of(&made.stdout));
    browser.from_site(None).get("/api/v1/connections").is(401);
}
