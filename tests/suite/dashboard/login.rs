//! How somebody gets in: by a link for the first time, then with a password; and who does not.

use std::time::{Duration, Instant};

use super::{Desk, PASSWORD, is_in, is_out, log_in, path_of, welcomed};

#[test]
fn the_first_login_is_by_a_link_that_works_once() {
    let desk = Desk::open();
    e2e::daemon::wait_until("it says how to begin", || {
        desk.daemon.log().contains("nobody can log in to the dashboard yet")
    });
    let mut browser = desk.browser();
    browser.get("/ui/attempts").leads_to("/ui/login?back=%2Fui%2Fattempts");
    browser.get("/ui/login").is(200).says("keepfresh account add NAME");
    let link = desk.invited("ann", "operator");
    // Whoever only looks uses nothing up.
    for _ in 0..3 {
        browser.get(&link).is(200).says("This link is for the account ann");
    }
    welcomed(&mut browser, &link);
    is_in(&mut browser);
    let mut second = desk.browser();
    second.get(&link).is(410);
    second.submit(&link, &[("password", PASSWORD), ("again", PASSWORD)]).is(410);
    is_out(&mut second);
    log_in(&mut second, "ann", PASSWORD).leads_to("/ui/");
    is_in(&mut second);
    second.submit("/ui/logout", &[]).leads_to("/ui/login");
    assert!(second.cookies.is_empty(), "{:?}", second.cookies);
    is_out(&mut second);
    is_in(&mut browser);
}

#[test]
fn a_newer_link_ends_the_one_before_and_a_restart_ends_none() {
    let desk = Desk::open();
    let first = desk.invited("ann", "viewer");
    let newer = path_of(&desk.home.run(&["account", "link", "ann"]).exits(0).stdout);
    let Desk { home, daemon } = desk;
    assert!(daemon.stop().success());
    std::fs::remove_file(home.path("serve.log")).unwrap();
    let desk = Desk::at(home);
    let mut browser = desk.browser();
    browser.get(&first).is(410);
    browser.get("/ui/welcome/nothing").is(410);
    welcomed(&mut browser, &newer);
    is_in(&mut browser);
}

#[test]
fn a_password_is_long_and_typed_twice() {
    let desk = Desk::open();
    let link = desk.invited("ann", "viewer");
    let mut browser = desk.browser();
    for (password, again, why) in [
        ("elevenchars", "elevenchars", "use at least 12 characters"),
        (PASSWORD, "another one entirely", "two different passwords"),
        (&*"x".repeat(1025), &*"x".repeat(1025), "use at most 1024"),
    ] {
        browser.submit(&link, &[("password", password), ("again", again)]).is(422).says(why);
    }
    browser.submit(&link, &[("password", "twelve chars"), ("again", "twelve chars")]).is(303);
}

#[test]
fn who_is_unknown_reads_the_same_after_the_same_time() {
    let desk = Desk::open();
    desk.person("ann", "viewer");
    let tried = |name: &str| {
        let begun = Instant::now();
        let shown = log_in(&mut desk.browser(), name, "some other password").is(403);
        (shown.body.replace(name, "NAME"), begun.elapsed())
    };
    let (known, unknown) = (tried("ann"), tried("bob"));
    assert_eq!(known.0, unknown.0);
    assert!(known.0.contains("There is no account with this name and this password"));
    // Both have hashed: the slower one is not slower by a whole hash.
    let (less, more) = (known.1.min(unknown.1), known.1.max(unknown.1));
    assert!(more < less * 3 + Duration::from_millis(100), "{known:?} {unknown:?}");
    assert!(less > Duration::from_millis(20), "{less:?}");
    // An account without a password has none that could be guessed.
    desk.invited("cid", "operator");
    assert_eq!(tried("cid").0, known.0);
}

#[test]
fn too_many_failures_have_to_wait_and_a_known_address_does_not_wait_for_others() {
    let desk = Desk::with("behind_proxy = true");
    let link = desk.invited("ann", "viewer");
    let from = |address: &str| desk.browser().with("x-forwarded-for", address);
    let mut own = from("192.0.2.1");
    own.submit(&link, &[("password", PASSWORD), ("again", PASSWORD)]).is(303);
    for number in 0..10 {
        let mut other = from(&format!("198.51.100.{number}"));
        log_in(&mut other, "ann", "a wrong password").is(403);
    }
    let waits = log_in(&mut from("198.51.100.77"), "ann", PASSWORD).is(429);
    assert!(waits.header("retry-after").parse::<u64>().unwrap() <= 900, "{waits:?}");
    waits.says("Too many failed logins");
    // From where the account is logged in, its person still gets in.
    log_in(&mut from("192.0.2.1"), "ann", PASSWORD).is(303);
    // One address that tries many names.
    for number in 0..10 {
        log_in(&mut from("203.0.113.5"), &format!("name{number}"), "a wrong password").is(403);
    }
    log_in(&mut from("203.0.113.5"), "ann", PASSWORD).is(429);
}

#[test]
fn what_succeeds_is_no_failure() {
    let desk = Desk::open();
    desk.person("ann", "viewer");
    for _ in 0..12 {
        log_in(&mut desk.browser(), "ann", PASSWORD).is(303);
    }
}

#[test]
fn a_login_leads_back_to_a_page_of_this_dashboard_alone() {
    let desk = Desk::open();
    desk.person("ann", "viewer");
    let led = |back: &str| {
        let fields = [("name", "ann"), ("password", PASSWORD), ("back", back)];
        let shown = desk.browser().submit("/ui/login", &fields).is(303);
        shown.header("location").to_owned()
    };
    assert_eq!(led("/ui/attempts?outcome=failed"), "/ui/attempts?outcome=failed");
    for elsewhere in [
        "https://evil.example/",
        "//evil.example/ui/",
        "/\\evil.example",
        "/ui//evil.example",
        "/ui/../../evil",
        "javascript:alert(1)",
        "/api/v1/connections",
        "",
    ] {
        assert_eq!(led(elsewhere), "/ui/", "{elsewhere}");
    }
    let mut browser = desk.browser();
    let asked = browser.get("/ui/attempts?outcome=failed").is(303);
    let door = asked.header("location").to_owned();
    browser.get(&door).is(200).says("value=\"/ui/attempts?outcome=failed\"");
    browser
        .get("/ui/login?back=https://evil.example/")
        .is(200)
        .says("name=\"back\" value=\"/ui/\"");
}

#[test]
fn nothing_that_opens_the_door_is_in_a_log_or_in_the_database() {
    let desk = Desk::open();
    let link = desk.invited("ann", "operator");
    let word = link.rsplit('/').next().unwrap().to_owned();
    let mut browser = desk.browser();
    browser.get(&link).is(200);
    welcomed(&mut browser, &link);
    let first = browser.cookie("keepfresh");
    browser.submit("/ui/confirm", &[("password", PASSWORD), ("back", "/ui/accounts")]).is(303);
    let second = browser.cookie("keepfresh");
    let typed = "CANARY typed into the name";
    log_in(&mut desk.browser(), typed, "CANARY wrong password").is(403);
    log_in(&mut desk.browser(), "ann", "CANARY wrong password").is(403);
    let shown = browser.submit("/ui/accounts", &[("name", "bob"), ("role", "viewer")]).is(200);
    let other = path_of(shown.body.split("readonly value=\"").nth(1).unwrap());
    let other = other.rsplit('/').next().unwrap().to_owned();
    assert_eq!(other.len(), 64, "{other}");
    let Desk { home, daemon } = desk;
    let log = daemon.log();
    assert!(daemon.stop().success());
    assert!(log.contains("refused a login to the dashboard"), "{log}");
    let mut kept = log.into_bytes();
    for name in ["keepfresh.db", "keepfresh.db-wal", "serve.log"] {
        kept.extend(std::fs::read(home.path(name)).unwrap_or_default());
    }
    let kept = String::from_utf8_lossy(&kept);
    for secret in ["CANARY", &word, &first, &second, &other] {
        assert!(!kept.contains(secret), "{secret}");
    }
}

#[test]
fn who_got_in_and_who_did_not_is_written_down() {
    let desk = Desk::open();
    let mut ann = desk.person("ann", "operator");
    log_in(&mut desk.browser(), "ann", "a wrong password").is(403);
    log_in(&mut desk.browser(), "ann", "a wrong password").is(403);
    log_in(&mut desk.browser(), "nobody knows", "a wrong password").is(403);
    ann.submit("/ui/logout", &[]).is(303);
    let audit = desk.home.run(&["audit", "--json"]).exits(0).json();
    let entries = audit["entries"].as_array().unwrap();
    let plain = entries.iter().map(|it| {
        let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
        (text("actor"), text("action"), text("subject"), it["count"].as_u64().unwrap())
    });
    let plain = plain.collect::<Vec<_>>();
    let entry = |actor: &str, action: &str, subject: &str, count| {
        let (actor, action, subject) = (actor.to_owned(), action.to_owned(), subject.to_owned());
        plain.contains(&(actor, action, subject, count))
    };
    assert!(entry("account:ann", "account.changed", "ann", 1), "{plain:#?}");
    assert!(entry("account:ann", "login.succeeded", "ann", 1), "{plain:#?}");
    assert!(entry("account:ann", "session.ended", "ann", 1), "{plain:#?}");
    assert!(entry("nobody", "login.failed", "ann", 2), "{plain:#?}");
    assert!(entry("nobody", "login.failed", "unknown", 1), "{plain:#?}");
    assert!(plain.iter().any(|it| it.1 == "account.created" && it.0.starts_with("user:")));
}
