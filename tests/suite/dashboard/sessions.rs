//! Sessions: what begins one, what ends it, and what is worth nothing.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::inside::Inside;
use e2e::surfer::Surfer;
use keepfresh::app::{Watch, serve};
use keepfresh::lifecycle::Lifecycle;
use keepfresh::lifecycle::signals::Signals;
use keepfresh::model::account::Role;
use keepfresh::model::audit::Actor;
use keepfresh::model::clock::Clock;
use keepfresh::operator::{Command, Operator, Reply};
use secrecy::ExposeSecret as _;

use super::{Desk, PASSWORD, is_in, is_out, log_in, path_of, welcomed};

#[test]
fn a_session_that_was_fixed_beforehand_is_worth_nothing() {
    let desk = Desk::open();
    let link = desk.invited("ann", "operator");
    let planted = "a".repeat(64);
    let mut browser = desk.browser();
    browser.cookies.insert("keepfresh".to_owned(), planted.clone());
    is_out(&mut browser);
    welcomed(&mut browser, &link);
    assert_ne!(browser.cookie("keepfresh"), planted);
    // The same with a session of somebody else, who has put it into the browser.
    let mut mallory = desk.person("mallory", "viewer");
    let mut victim = desk.browser();
    victim.cookies.clone_from(&mallory.cookies);
    log_in(&mut victim, "ann", PASSWORD).is(303);
    assert_ne!(victim.cookie("keepfresh"), mallory.cookie("keepfresh"));
    is_in(&mut victim);
    is_out(&mut mallory);
}

#[test]
fn a_password_that_is_typed_again_gives_the_session_another_id() {
    let desk = Desk::open();
    let mut browser = desk.person("ann", "operator");
    let mut before = browser.clone();
    browser.submit("/ui/confirm", &[("password", "a wrong password")]).is(403);
    let fields = [("password", PASSWORD), ("back", "/ui/accounts")];
    browser.submit("/ui/confirm", &fields).leads_to("/ui/accounts");
    assert_ne!(before.cookie("keepfresh"), browser.cookie("keepfresh"));
    is_in(&mut browser);
    is_out(&mut before);
    let elsewhere = [("password", PASSWORD), ("back", "//evil.example")];
    let led = browser.submit("/ui/confirm", &elsewhere).is(303);
    assert_eq!(led.header("location"), "/ui/");
}

#[test]
fn the_sixth_session_ends_the_first() {
    let desk = Desk::open();
    let mut first = desk.person("ann", "viewer");
    let mut others = Vec::new();
    for _ in 0..4 {
        let mut browser = desk.browser();
        log_in(&mut browser, "ann", PASSWORD).is(303);
        others.push(browser);
    }
    is_in(&mut first);
    log_in(&mut desk.browser(), "ann", PASSWORD).is(303);
    is_out(&mut first);
    others.iter_mut().for_each(is_in);
}

#[test]
fn one_sees_where_one_is_logged_in_and_ends_that() {
    let desk = Desk::open();
    let mut here = desk.person("ann", "viewer");
    let mut there = desk.browser().with("user-agent", "Other/1.0 <b>");
    log_in(&mut there, "ann", PASSWORD).is(303);
    let page = here.get("/ui/account").is(200).says("Other/1.0 &#60;b&#62;").says("127.0.0.1");
    let end = page.body.split("action=\"").find(|it| it.contains("/end\"")).unwrap();
    let end = end.split('"').next().unwrap().to_owned();
    // Nobody ends one of somebody else.
    desk.person("bob", "operator").submit(&end, &[]).is(303);
    is_in(&mut there);
    here.submit(&end, &[]).leads_to("/ui/account");
    is_out(&mut there);
    is_in(&mut here);
}

#[test]
fn a_new_password_a_new_role_and_a_removal_end_all_sessions() {
    let desk = Desk::open();
    let mut here = desk.person("ann", "viewer");
    let mut there = desk.browser();
    log_in(&mut there, "ann", PASSWORD).is(303);
    let other = "another good password";
    let new = [("password", other), ("again", other)];
    there.submit("/ui/account/password", &new).leads_to("/ui/account");
    is_in(&mut there);
    is_out(&mut here);
    log_in(&mut here, "ann", PASSWORD).is(403);
    log_in(&mut here, "ann", other).is(303);
    desk.home.run(&["account", "role", "ann", "operator"]).exits(0);
    is_out(&mut here);
    is_out(&mut there);
    log_in(&mut here, "ann", other).is(303);
    let link = path_of(&desk.home.run(&["account", "link", "ann"]).exits(0).stdout);
    is_in(&mut here);
    welcomed(&mut there, &link);
    is_out(&mut here);
    is_in(&mut there);
    desk.home.run(&["account", "remove", "ann"]).exits(0);
    is_out(&mut there);
}

#[test]
fn when_a_session_was_used_is_not_written_at_every_request() {
    let desk = Desk::open();
    let mut browser = desk.person("ann", "viewer");
    let seen = "select max(seen_at - begun_at) from sessions";
    is_in(&mut browser);
    is_in(&mut browser);
    assert_eq!(desk.database().number(seen), 0);
    desk.database().run("update sessions set seen_at = seen_at - 120000");
    // A page that asks by itself is nobody who clicks.
    browser.clone().with("x-part", "1").get("/ui/account").is(200);
    assert_eq!(desk.database().number(seen), -120_000);
    is_in(&mut browser);
    assert!(desk.database().number(seen) >= 0);
}

#[test]
fn a_row_that_was_changed_by_hand_opens_nothing() {
    let desk = Desk::open();
    let mut viewer = desk.person("viewer", "viewer");
    let mut operator = desk.person("operator", "operator");
    desk.database().run("update accounts set role = 'operator' where name = 'viewer'");
    is_out(&mut viewer);
    log_in(&mut viewer, "viewer", PASSWORD).is(403);
    is_in(&mut operator);
    // Somebody's own session in another name, and one that began later than it did.
    let mut third = desk.person("third", "viewer");
    desk.database().run("update sessions set account = 'operator' where account = 'third'");
    is_out(&mut third);
    desk.database().run("update sessions set begun_at = begun_at + 1 where account = 'operator'");
    is_out(&mut operator);
    // One's own password for somebody else, and one's own link.
    desk.database().run(
        "update accounts set password = (select password from accounts where name = 'third') where name = 'operator'",
    );
    log_in(&mut operator, "operator", PASSWORD).is(403);
    let link = desk.invited("fourth", "viewer");
    desk.database().run("update accounts set link_until = link_until + 1 where name = 'fourth'");
    operator.get(&link).is(410);
    assert!(desk.daemon.log().contains("was changed by hand"), "{}", desk.daemon.log());
}

/// A daemon in this process, whose clock a test moves.
struct Moved {
    clock: Clock,
    operator: Operator,
    lifecycle: Lifecycle,
    address: SocketAddr,
    _home: Home,
}

impl Moved {
    async fn open() -> Self {
        // Free a moment ago; nobody else asks for it meanwhile.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let home = Home::new(&format!("[server]\nlisten = \"{address}\"\n"));
        let Inside { app } = Inside::open(&home).await;
        let (clock, operator) = (app.clock.clone(), app.operator.clone());
        let (lifecycle, watch) = (app.lifecycle.clone(), Watch::over(&app.manifest()));
        #[expect(clippy::disallowed_methods, reason = "it is a server, and ends with the test")]
        drop(tokio::spawn(serve(app, watch, Signals::listen().unwrap())));
        wait_until("it listens", || TcpStream::connect(address).is_ok());
        Self { clock, operator, lifecycle, address, _home: home }
    }

    /// The browser of a new operator, who has just chosen the password.
    async fn person(&self, name: &str) -> Surfer {
        let (name, role) = (name.to_owned(), Role::Operator);
        let Reply::AccountLink(new) = self.run(Command::AccountAdd { name, role }).await else {
            panic!("it is a link")
        };
        let mut browser = Surfer::new(self.address);
        welcomed(&mut browser, &path_of(new.url.0.expose_secret()));
        browser
    }

    async fn run(&self, command: Command) -> Reply {
        let nobody = tokio::sync::mpsc::unbounded_channel().0;
        self.operator.run(&Actor::User(0), command, &nobody).await.unwrap()
    }
}

impl Drop for Moved {
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn half_an_hour_without_a_click_ends_a_session() {
    let moved = Moved::open().await;
    let mut browser = moved.person("ann").await;
    for _ in 0..3 {
        moved.clock.advance(29 * MINUTE);
        is_in(&mut browser);
    }
    // What a page asks by itself keeps nothing alive.
    for _ in 0..2 {
        moved.clock.advance(14 * MINUTE);
        browser.clone().with("x-part", "1").get("/ui/account").is(200);
    }
    moved.clock.advance(3 * MINUTE);
    is_out(&mut browser);
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_hours_after_the_login_a_session_ends_however_it_is_used() {
    let moved = Moved::open().await;
    let mut browser = moved.person("ann").await;
    for _ in 0..28 {
        moved.clock.advance(25 * MINUTE);
        is_in(&mut browser);
    }
    // Typing the password again makes it no younger.
    browser.submit("/ui/confirm", &[("password", PASSWORD)]).is(303);
    moved.clock.advance(19 * MINUTE);
    is_in(&mut browser);
    moved.clock.advance(MINUTE);
    is_out(&mut browser);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_for_a_quarter_of_an_hour() {
    let moved = Moved::open().await;
    let (name, role) = ("ann".to_owned(), Role::Viewer);
    let Reply::AccountLink(new) = moved.run(Command::AccountAdd { name, role }).await else {
        panic!("it is a link")
    };
    let (link, mut browser) = (path_of(new.url.0.expose_secret()), Surfer::new(moved.address));
    moved.clock.advance(14 * MINUTE);
    browser.get(&link).is(200);
    moved.clock.advance(MINUTE);
    browser.get(&link).is(410);
    browser.submit(&link, &[("password", PASSWORD), ("again", PASSWORD)]).is(410);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_minutes_after_the_password_it_is_asked_for_again() {
    let moved = Moved::open().await;
    let mut browser = moved.person("ann").await;
    browser.get("/ui/accounts").is(200);
    moved.clock.advance(5 * MINUTE);
    browser.get("/ui/accounts").leads_to("/ui/confirm?back=");
    let add = [("name", "bob"), ("role", "operator")];
    browser.submit("/ui/accounts", &add).leads_to("/ui/confirm?back=");
    let new = [("password", PASSWORD), ("again", PASSWORD)];
    browser.submit("/ui/account/password", &new).leads_to("/ui/confirm?back=");
    browser.submit("/ui/confirm", &[("password", PASSWORD), ("back", "/ui/accounts")]).is(303);
    browser.get("/ui/accounts").is(200);
    let Reply::Accounts(accounts) = moved.run(Command::Accounts).await else { panic!("a list") };
    assert_eq!(accounts.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_or_may_only_look_does_not_go_on_with_what_was_begun() {
    let moved = Moved::open().await;
    drop(moved.person("ann").await);
    let (ann, id) = (Actor::Account("ann".to_owned()), "eskiz/default".parse().unwrap());
    assert!(moved.operator.may_still_change(&ann, &id).await);
    let (name, role) = ("ann".to_owned(), Role::Viewer);
    moved.run(Command::AccountRole { name: name.clone(), role }).await;
    assert!(!moved.operator.may_still_change(&ann, &id).await);
    moved.run(Command::AccountRole { name: name.clone(), role: Role::Operator }).await;
    assert!(moved.operator.may_still_change(&ann, &id).await);
    moved.run(Command::AccountRemove { name }).await;
    assert!(!moved.operator.may_still_change(&ann, &id).await);
    assert!(!moved.operator.may_still_change(&Actor::Nobody, &id).await);
}

#[test]
fn a_page_that_follows_ends_with_its_session() {
    let desk = Desk::open();
    let mut browser = desk.person("ann", "operator");
    is_in(&mut browser);
    let follows = std::thread::spawn(move || browser.get("/ui/live").is(200));
    // It follows by then.
    std::thread::sleep(Duration::from_secs(1));
    desk.home.run(&["account", "remove", "ann"]).exits(0);
    wait_until("it is over", || follows.is_finished());
    let shown = follows.join().unwrap();
    assert_eq!(shown.header("content-type"), "text/event-stream");
}
