//! The page of a connection, and what its forms do.

use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::provider::eskiz;
use e2e::stage::Stage;
use serde_json::Value;

use super::facts::Pages;
use super::pages::Shop;

fn pages() -> Pages {
    Pages::over(Stage::eskiz("").logged_in())
}

/// One that was added, with a secret of its own.
fn added(pages: &Pages) -> Value {
    let new = serde_json::json!({
        "provider": "eskiz", "name": "second", "labels": ["gold"],
        "secrets": { "password": "swordfish-of-its-own" },
        "token": { "access_token": "CANARY_access", "expires_in": 3600 },
    });
    pages.served.socket().post("/api/v1/connections", &new).is(201).json()
}

fn show(pages: &Pages, id: &str) -> Value {
    pages.served.stage.home.run(&["connection", "show", id, "--json"]).json()
}

#[test]
fn a_connection_is_shown_with_everything_but_its_secrets() {
    let pages = pages();
    added(&pages);
    let text = pages.text("/connections/eskiz");
    for said in [
        "fresh Valid for ",
        "Refresh now",
        "Stored",
        "Settings",
        "base_url",
        "Secrets, and where each comes from email env password file",
        "by a person",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let page = pages.page("/connections/eskiz");
    for picture in ["timeline", "strip flow", "calendar flow", "gauge flow"] {
        assert!(
            page.contains(&format!("<svg class=\"{picture}\" role=\"img\" aria-label=\"")),
            "{picture}"
        );
    }
    let second = pages.text("/connections/eskiz~second");
    assert!(second.contains("gold") && second.contains("its own"), "{second}");
    let token = pages.served.stage.token();
    let password = eskiz::Settings::default().password;
    let secrets = [token.as_str(), password.as_str(), "CANARY_access", "swordfish-of-its-own"];
    let attempt = pages.served.stage.home.run(&["log", "eskiz", "--json"]).json();
    let attempt = attempt["attempts"][0]["id"].as_str().unwrap().to_owned();
    for path in [
        "/",
        "/connections/eskiz",
        "/connections/eskiz~second",
        "/connections/eskiz/refresh",
        &format!("/attempts/{attempt}"),
        &format!("/attempts/{attempt}/support"),
    ] {
        let page = pages.page(path);
        for secret in secrets {
            assert!(!page.contains(secret), "a secret in {path}");
        }
    }
}

#[test]
fn another_file_of_the_plugin_is_a_rule_in_the_picture_and_a_word_in_its_table() {
    let pages = pages();
    let _ = pages.served.stage.run_refresh(&["eskiz", "--force", "--sync"]);
    let page = pages.page("/connections/eskiz");
    assert!(page.contains("<svg class=\"spread\"") && !page.contains("class=\"change\""), "{page}");
    let database = Database::at(&pages.served.stage.home.path("keepfresh.db"));
    let first = "id = (select min(id) from attempts)";
    assert!(database.spoil("attempts", "digest", "'00112233445566778899aabbccddeeff'", first));
    let plugins = pages.served.stage.home.run(&["plugin", "list", "--json"]).json();
    let (version, digest) = (&plugins["plugins"][0]["version"], &plugins["plugins"][0]["digest"]);
    let runs = format!("{} ({})", version.as_str().unwrap(), &digest.as_str().unwrap()[..15]);
    let said = format!("plugin changed: sha256:00112233 → {runs}");
    let page = pages.page("/connections/eskiz");
    let rule = format!("<g><title>{said}</title><line class=\"change\"");
    assert!(page.contains(&rule), "{rule}: {page}");
    assert!(page.contains(&format!("<td data-name=\"Plugin\">{said}</td>")), "{said}: {page}");
}

#[test]
fn what_is_not_there_is_said_so() {
    let pages = pages();
    for path in ["/connections/eskiz~nobody", "/connections/nobody", "/connections/%3Cscript%3E"] {
        pages.caller().get(&format!("/ui{path}")).is(404);
    }
}

#[test]
fn a_button_refreshes_and_a_form_insists() {
    let pages = pages();
    let generation = |wanted: u64| {
        wait_until("it is refreshed", || show(&pages, "eskiz")["generation"] == wanted);
    };
    assert_eq!(
        pages.done("/connections/eskiz/refresh", ""),
        "/ui/connections/eskiz?done=refreshing"
    );
    assert!(pages.text("/connections/eskiz?done=refreshing").contains("The refresh is under way."));
    wait_until("it was skipped", || pages.text("/connections/eskiz").contains("skipped"));
    let asked = pages.text("/connections/eskiz/refresh");
    assert!(asked.contains("What it would do now: forced."), "{asked}");
    assert_eq!(show(&pages, "eskiz")["generation"], 1, "asking does nothing");
    pages.done("/connections/eskiz/refresh", "force=1");
    generation(2);
}

#[test]
fn a_pause_has_a_time_and_a_reason_and_an_end() {
    let pages = pages();
    let done = pages.done("/connections/eskiz/pause", "hours=4&reason=%3Cb%3Emaintenance");
    assert_eq!(done, "/ui/connections/eskiz?done=paused");
    assert_eq!(show(&pages, "eskiz")["state"], "paused");
    let text = pages.text("/connections/eskiz");
    assert!(text.contains("Paused by a person for 3h 59m more: <b>maintenance."), "{text}");
    pages.done("/connections/eskiz/resume", "");
    assert_eq!(show(&pages, "eskiz")["state"], "fresh");
    for wrong in ["hours=0", "hours=soon", "hours=-1"] {
        pages.send("/connections/eskiz/pause", wrong).is(400);
    }
    pages.done("/connections/eskiz/pause", "hours=&reason=");
    assert_eq!(show(&pages, "eskiz")["state"], "paused", "until it is resumed");
}

#[test]
fn a_token_is_forgotten_after_somebody_was_asked() {
    let pages = pages();
    let asked = pages.text("/connections/eskiz/clear");
    assert!(asked.contains("Access token and refresh token are deleted here."), "{asked}");
    assert_eq!(show(&pages, "eskiz")["generation"], 1, "asking does nothing");
    // Or else it is refreshed at once.
    pages.done("/connections/eskiz/pause", "hours=1");
    pages.done("/connections/eskiz/clear", "");
    assert_eq!(show(&pages, "eskiz")["issued_at"], Value::Null);
}

#[test]
fn a_connection_is_removed_by_whoever_types_its_name() {
    let pages = pages();
    added(&pages);
    for typed in ["", "typed=", "typed=second", "typed=eskiz"] {
        let refused = pages.send("/connections/eskiz~second/remove", typed).is(409).text();
        assert!(refused.contains("That is not its name."), "{typed}");
    }
    assert_eq!(show(&pages, "eskiz/second")["name"], "second");
    assert_eq!(
        pages.done("/connections/eskiz~second/remove", "typed=eskiz%2Fsecond"),
        "/ui/?done=removed"
    );
    pages.caller().get("/ui/connections/eskiz~second").is(404);
}

#[test]
fn a_grant_is_ended() {
    let pages = pages();
    added(&pages);
    let asked = pages.text("/connections/eskiz~second/disconnect");
    assert!(
        asked.contains("It works again only after somebody has connected the account anew."),
        "{asked}"
    );
    let done = pages.done("/connections/eskiz~second/disconnect", "force=1");
    assert_eq!(done, "/ui/?done=disconnected");
    pages.caller().get("/ui/connections/eskiz~second").is(404);
}

#[test]
fn ninety_days_are_drawn_as_far_as_attempts_go_back() {
    let pages = pages();
    Database::at(&pages.served.stage.home.path("keepfresh.db")).run(
        "insert into attempts (id, connection, provider, trigger, outcome, error_code, error_message, error_case,
                               rotation, digest, generation, started_at, duration_ms, waited_ms, provider_ms, ended)
         select printf('%08x-%04x-7000-8000-%012x', at >> 16, at & 65535, n), 'eskiz/default', 'eskiz', 'expiry',
                iif(n % 10 = 0, 'failed', 'success'), iif(n % 10 = 0, 'provider.unavailable', null),
                iif(n % 10 = 0, 'down', null), iif(n % 10 = 0, 'unavailable', null), '\"none\"', 'd', 1, at,
                900, 100, 700, at * 1000
         from (with recursive d (n) as (select 1 union all select n + 1 from d where n < 20)
               select n, unixepoch() * 1000 - n * 86400000 as at from d)",
    );
    let text = pages.text("/connections/eskiz");
    assert!(text.contains("How long it took The provider"), "{text}");
    let page = pages.page("/connections/eskiz");
    assert!(page.contains("aria-label=\"The last 90 days, with failures on 2 of them\""), "{text}");
    let calendar =
        page.split("class=\"calendar flow\"").nth(1).unwrap().split("</svg>").next().unwrap();
    assert_eq!(
        calendar.matches("<rect class=\"good\"").count() + calendar.matches("<polygon").count(),
        21
    );
}

/// A form that leads on to the password is not gone back to; what is shown afterwards is asked for once more.
#[test]
fn a_token_is_shown_after_the_password_and_written_down() {
    let shop = Shop::open("");
    let token = shop.stage.token();
    let mut person = shop.person("operator");
    assert!(!person.get("/ui/connections/eskiz").is(200).body.contains(&token));
    // The password was typed a moment ago.
    let shown = person.submit("/ui/connections/eskiz/reveal", &[]).is(200);
    assert!(shown.body.contains(&token));
    assert_eq!(shown.header("cache-control"), "no-store");
    let audit =
        shop.stage.home.run(&["audit", "--action", "token.revealed", "--json"]).exits(0).json();
    assert_eq!(audit["entries"][0]["subject"], "eskiz/default", "{audit}");
    assert_eq!(audit["entries"].as_array().unwrap().len(), 1);
    Database::at(&shop.stage.home.path("keepfresh.db"))
        .run("update connections set expires_at = 1, failures = 1");
    person.submit("/ui/connections/eskiz/reveal", &[]).is(409);
}

#[test]
fn a_viewer_has_no_buttons_and_is_refused_without_them() {
    let shop = Shop::open("");
    let mut viewer = shop.person("viewer");
    let token = shop.stage.token();
    for path in ["/ui/", "/ui/connections/eskiz"] {
        let page = viewer.get(path).is(200).body;
        let main = page.split("<main").nth(1).unwrap();
        assert!(!main.contains("method=\"post\""), "a form on {path}");
        assert!(!main.contains("class=\"button severe\"") && !page.contains(&token), "{path}");
    }
    for act in ["refresh", "pause", "clear", "disconnect", "remove"] {
        viewer.get(&format!("/ui/connections/eskiz/{act}")).is(403);
    }
    for act in ["refresh", "pause", "resume", "clear", "disconnect", "remove", "reveal"] {
        let path = format!("/ui/connections/eskiz/{act}");
        viewer.submit(&path, &[("force", "1"), ("hours", "1"), ("typed", "eskiz")]).is(403);
    }
    viewer.submit("/ui/retry", &[]).is(403);
    let shown = shop.stage.home.run(&["connection", "show", "eskiz", "--json"]).json();
    assert_eq!(
        (&shown["state"], &shown["generation"]),
        (&"fresh".into(), &1.into()),
        "nothing has changed"
    );
}
