//! The pages in a real browser: what changes by itself, what a person is using and keeps, and that everybody can use
//! them: without scripts, by keyboard alone, on narrow windows, in the dark, from right to left.

use std::net::TcpListener;
use std::path::Path;

use e2e::daemon::Daemon;
use e2e::home::Home;
use e2e::pilot::Pilot;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::servers::RealServer;
use serde_json::json;

use super::pages::{PAGES, Shop};
use super::{PASSWORD, path_of};
use crate::api::address;

/// A browser whose person has just chosen the password.
fn inside(home: &Home, daemon: &Daemon, mut pilot: Pilot) -> (Pilot, String) {
    let root = format!("http://{}", address(daemon));
    let made = home.run(&["account", "add", "ann", "--role", "operator"]).exits(0);
    pilot.go(&format!("{root}{}", path_of(&made.stdout)));
    pilot.fill("input[name=password]", PASSWORD);
    pilot.fill("input[name=again]", PASSWORD);
    pilot.click("main button");
    assert!(pilot.url().ends_with("/ui/"), "{}", pilot.url());
    (pilot, root)
}

#[test]
fn somebody_logs_in_refreshes_and_sees_the_row_change_by_itself() {
    let Some(pilot) = Pilot::start() else { return };
    let shop = Shop::open("");
    let (mut pilot, root) = inside(&shop.stage.home, &shop.daemon, pilot);
    assert!(pilot.text("main").contains("fresh"), "{}", pilot.text("main"));
    // It is the calm icon, and the title counts nobody.
    assert!(!pilot.ask("document.title").as_str().unwrap().starts_with('('));
    shop.stage.control().script(Scenario::from(Answer::server_error()).always());
    let _ = shop.stage.run_refresh(&["eskiz", "--force", "--sync"]);
    pilot.until("document.querySelector('main').innerText.includes('late')");
    shop.stage.control().clear_script();
    pilot.go(&format!("{root}/ui/connections/eskiz"));
    pilot.click("form[action$='/refresh'] button");
    pilot.until("document.querySelector('main').innerText.includes('fresh')");
    assert_eq!(pilot.noise(), Vec::<String>::new());
}

#[test]
fn an_account_is_connected_broken_and_connected_anew_through_a_real_server() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let Some(pilot) = Pilot::start() else { return };
    // Free a moment ago: the provider leads back to it.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let home = crate::real::web(&server);
    let manifest = std::fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&format!(
        "[server]\nlisten = \"{free}\"\nurl = \"http://{free}\"\n\n{manifest}"
    ));
    let daemon = home.serve();
    let (mut pilot, root) = inside(&home, &daemon, pilot);
    pilot.go(&format!("{root}/ui/connect/oauth2~me"));
    assert!(pilot.text("#redirect").ends_with("/connect/callback"));
    pilot.click("button[value=browser]");
    agree(&mut pilot);
    assert!(pilot.url().contains("/ui/connections/oauth2~me?done=connected"), "{}", pilot.url());
    assert!(pilot.text("main").contains("fresh"), "{}", pilot.text("main"));
    // The person withdraws the consent at the provider.
    let families = server.ask("families");
    let grant = families[0]["grant_id"].clone();
    server.tell("revoke", &json!({ "grant_id": grant }));
    pilot.go(&format!("{root}/ui/"));
    let _ = home.run(&["refresh", "oauth2/me", "--force", "--sync"]);
    pilot.until("document.title.startsWith('(1)') && document.querySelector('main').innerText.includes('reconnect')");
    pilot.click("a[href$='/connect/oauth2~me']");
    pilot.click("button[value=browser]");
    agree(&mut pilot);
    pilot.go(&format!("{root}/ui/"));
    pilot.until("!document.title.startsWith('(') && document.querySelector('main').innerText.includes('fresh')");
    assert_eq!(pilot.noise(), Vec::<String>::new());
}

/// Goes on to the provider, signs in and agrees there, and comes back.
fn agree(pilot: &mut Pilot) {
    assert!(pilot.url().contains("/connect/"), "{}", pilot.url());
    pilot.click("button");
    for _ in 0..4 {
        if pilot.count("input[name=login]") > 0 {
            pilot.fill("input[name=login]", "alice");
            pilot.fill("input[name=password]", "any");
            pilot.click("button[type=submit]");
        } else if pilot.count("input[name=prompt][value=consent]") > 0 {
            pilot.click("button[type=submit]");
        }
        // What the provider's own pages load is not ours to say.
        pilot.noise();
    }
}

#[test]
fn what_somebody_has_open_survives_twenty_changes() {
    let Some(pilot) = Pilot::start() else { return };
    let shop = Shop::open("");
    let (mut pilot, _) = inside(&shop.stage.home, &shop.daemon, pilot);
    pilot.size(600, 420);
    pilot.until("document.getElementById('live').dataset.state === 'live'");
    pilot.ask(
        "document.querySelector('details.who').open = true; document.querySelector('input[name=zone]').focus();
         document.querySelector('input[name=zone]').setSelectionRange(1, 2); window.scrollTo(0, 40);
         window.changes = 0; new MutationObserver(() => window.changes++).observe(document.querySelector('main'),
            { subtree: true, childList: true, characterData: true, attributes: true });",
    );
    pilot.fill("input[name=zone]", "Asia/Tehran");
    let scrolled = pilot.ask("window.scrollY");
    for round in 0..20 {
        let _ = shop.stage.run_refresh(&["eskiz", "--force", "--sync"]);
        pilot.until(&format!("window.changes > {round}"));
    }
    let state = pilot.ask(
        "({ open: document.querySelector('details.who').open, focus: document.activeElement.name,
            typed: document.querySelector('input[name=zone]').value, scrolled: window.scrollY })",
    );
    let wanted =
        json!({ "open": true, "focus": "zone", "typed": "Asia/Tehran", "scrolled": scrolled });
    assert_eq!(state, wanted);
}

#[test]
fn markup_in_a_label_a_setting_or_an_error_is_text() {
    let Some(pilot) = Pilot::start() else { return };
    let shop = Shop::open("");
    let (mut pilot, root) = inside(&shop.stage.home, &shop.daemon, pilot);
    let markup = "<img/src=x/onerror=window.xss=1>";
    let row = json!({ "labels": [markup, "\"><script>window.xss=1</script>"] }).to_string();
    shop.stage.home.run_with_input(&["connection", "add", "eskiz/b", "--from", "-"], &row).exits(0);
    let said = json!({ "message": format!("{markup}<svg onload=window.xss=1>") });
    shop.stage.control().script(Scenario::from(Answer::json(401, &said)).always());
    let _ = shop.stage.run_refresh(&["--all", "--force", "--sync"]);
    let query =
        "label=%3Cimg/src=x/onerror=window.xss=1%3E&search=%22%3E%3Csvg%20onload=window.xss=1%3E";
    for path in
        ["/ui/", "/ui/connections/eskiz~b", "/ui/connections/eskiz", "/ui/attempts", "/ui/audit"]
    {
        pilot.go(&format!("{root}{path}"));
        pilot.go(&format!("{root}{path}?{query}&provider=%3Csvg%20onload=window.xss=1%3E"));
        assert_eq!(pilot.ask("window.xss ?? null"), serde_json::Value::Null, "{path}");
    }
    pilot.go(&format!("{root}/ui/connections/eskiz~b"));
    assert!(pilot.text("main").contains(markup), "{}", pilot.text("main"));
    let noise = pilot.noise();
    assert!(noise.iter().all(|it| it.contains("status of 40")), "{noise:?}");
}

#[test]
fn everything_works_without_scripts() {
    let Some(pilot) = Pilot::without_scripts() else { return };
    let shop = Shop::open("");
    let (mut pilot, root) = inside(&shop.stage.home, &shop.daemon, pilot);
    pilot.go(&format!("{root}/ui/connections/eskiz"));
    pilot.click("form[action$='/refresh'] button");
    assert!(pilot.text("main").contains("under way"), "{}", pilot.text("main"));
    pilot.go(&format!("{root}/ui/attempts?outcome=success"));
    pilot.click("tbody a[data-main]");
    assert!(pilot.url().contains("/ui/attempts/"), "{}", pilot.url());
    pilot.go(&format!("{root}/ui/schedules"));
    pilot.click("details.who summary");
    pilot.fill("input[name=zone]", "Asia/Tashkent");
    pilot.click("details.who button");
    assert!(pilot.text("main").contains("Asia/Tashkent"));
}

#[test]
fn a_keyboard_is_enough() {
    let Some(pilot) = Pilot::start() else { return };
    let shop = Shop::open("");
    let (mut pilot, root) = inside(&shop.stage.home, &shop.daemon, pilot);
    // The first stop leads past the menu.
    pilot.go(&format!("{root}/ui/"));
    pilot.press("Tab");
    assert_eq!(pilot.ask("document.activeElement.className"), "skip");
    pilot.press("Enter");
    pilot.press("j");
    pilot.press("Enter");
    pilot.until("location.pathname.endsWith('/connections/eskiz')");
    let before = shop.stage.control().seen();
    for _ in 0..60 {
        pilot.press("Tab");
        if pilot.ask("!!document.activeElement.closest(\"form[action$='/refresh']\")") == true {
            break;
        }
    }
    let ring = pilot.ask("getComputedStyle(document.activeElement).outlineStyle");
    assert_ne!(ring, "none", "whoever uses the keyboard sees where it is");
    pilot.press("Enter");
    e2e::daemon::wait_until("it is refreshed", || {
        shop.stage.control().seen() > before
            || pilot.text("main").contains("under way")
            || pilot.text("main").contains("fresh")
    });
    pilot.press("g");
    pilot.press("a");
    pilot.until("location.pathname.endsWith('/ui/attempts')");
}

#[test]
fn no_page_has_a_barrier_in_either_theme_or_asks_anybody_else() {
    let Some(pilot) = Pilot::start() else { return };
    let shop = Shop::open("");
    let (mut pilot, root) = inside(&shop.stage.home, &shop.daemon, pilot);
    let mut barriers = Vec::new();
    for path in PAGES {
        pilot.go(&format!("{root}{path}"));
        for dark in [false, true] {
            pilot.dark(dark);
            barriers.extend(pilot.axe().into_iter().map(|it| format!("{path} dark={dark} {it}")));
        }
    }
    assert!(barriers.is_empty(), "{barriers:#?}");
    assert_eq!(pilot.noise(), Vec::<String>::new());
}

#[test]
fn pages_fit_narrow_windows_and_run_from_right_to_left() {
    let Some(pilot) = Pilot::start() else { return };
    let shop = Shop::open("");
    let (mut pilot, root) = inside(&shop.stage.home, &shop.daemon, pilot);
    let mut wide = Vec::new();
    for path in PAGES {
        pilot.go(&format!("{root}{path}"));
        for (width, direction) in
            [(320, "ltr"), (390, "ltr"), (1280, "ltr"), (320, "rtl"), (1280, "rtl")]
        {
            pilot.size(width, 800);
            pilot.ask(&format!("document.documentElement.dir = '{direction}'"));
            let over = pilot
                .ask("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            if over != 0 {
                wide.push(format!("{path} at {width} {direction}: {over} too wide"));
            }
            let brand = pilot.ask("document.querySelector('.brand').getBoundingClientRect().left");
            let at_start = brand.as_f64().unwrap() < f64::from(width) / 2.0;
            assert_eq!(at_start, direction == "ltr", "{path} {width} {direction}");
        }
    }
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment to write them")]
fn the_pictures_of_the_documents_are_those_of_the_pages() {
    if std::env::var_os("KEEPFRESH_PICTURES").is_none_or(|it| it != "write") {
        return;
    }
    let Some(pilot) = Pilot::start() else { return };
    let shop = Shop::open("");
    for name in ["alerts", "codes", "marketing", "reports"] {
        shop.stage.home.run(&["connection", "add", &format!("eskiz/{name}")]).exits(0);
    }
    for _ in 0..6 {
        let _ = shop.stage.run_refresh(&["--all", "--force", "--sync"]);
    }
    shop.stage.control().script(Scenario::from(Answer::server_error()).always());
    let _ = shop.stage.run_refresh(&["eskiz/marketing", "--force", "--sync"]);
    shop.stage.control().clear_script();
    shop.stage.control().script(Answer::unauthorized());
    let _ = shop.stage.run_refresh(&["eskiz/codes", "--force", "--sync"]);
    let (mut pilot, root) = inside(&shop.stage.home, &shop.daemon, pilot);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures");
    std::fs::create_dir_all(&folder).unwrap();
    for (path, name) in [
        ("/ui/", "overview"),
        ("/ui/connections/eskiz", "connection"),
        ("/ui/attempts", "attempts"),
    ] {
        pilot.go(&format!("{root}{path}"));
        pilot.shot(&folder.join(format!("{name}.png")));
    }
}
