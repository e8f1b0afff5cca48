//! The overview: three connections that are in order, two thousand of which many are broken, and rows that are odd.

use std::collections::BTreeSet;
use std::io::Write as _;

use e2e::database::Database;
use e2e::many;
use e2e::provider::{FakeProvider, Kind, rotor};
use e2e::stage::Stage;

use super::facts::{Pages, attributes};

pub(super) fn three() -> Pages {
    let pages = Pages::over(Stage::eskiz(
        "connections = [{ name = \"a\" }, { name = \"b\" }, { name = \"c\" }]",
    ));
    let _ = pages.served.stage.home.run(&["refresh", "--sync"]).exits(0);
    pages
}

/// Two thousand connections, of which 300 need a person to log in, and 168 fail.
pub(super) fn two_thousand() -> Pages {
    let fake = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
    let manifest = format!(
        "[providers.rotor]\nconnections = []\nsettings = {{ base_url = \"{}\" }}\n\
         egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        fake.base_url()
    );
    let home = e2e::home::Home::new(&manifest).with_guest("rotor");
    let _ = home.run(&["status"]);
    let _ = home.run(&["refresh"]);
    many::fill(&home, "rotor", 2_000);
    let database = Database::at(&home.path("keepfresh.db"));
    database.run(
        "update connections set failures = 1, problem = 'reconnect', error_case = 'grant-expired',
             error_code = 'provider.rejected', error_message = 'the grant is gone'
         where name >= 'u0000100' and name < 'u0000400'",
    );
    database.run(
        "update connections set failures = 3, error_case = 'unavailable',
             error_code = 'provider.unavailable', error_message = 'rotor is down'
         where name >= 'u0001000' and name < 'u0001168'",
    );
    Pages::over(Stage::of(home, fake, "rotor"))
}

/// Bytes of a page as browsers take it.
fn compressed(page: &str) -> usize {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(page.as_bytes()).unwrap();
    encoder.finish().unwrap().len()
}

#[test]
fn three_connections_that_are_in_order_are_one_line_and_three_rows() {
    let pages = three();
    let text = pages.text("/");
    assert!(text.contains("All 3 connections are in order. Next refresh in "), "{text}");
    assert!(!text.contains("Refresh those that failed"), "{text}");
    let page = pages.page("/");
    for name in ["a", "b", "c"] {
        assert!(page.contains(&format!("href=\"/ui/connections/eskiz~{name}\"")), "{name}");
    }
    assert_eq!(page.matches("class=\"gauge flow\" role=\"img\" aria-label=\"").count(), 3);
    assert_eq!(page.matches("class=\"strip flow\" role=\"img\" aria-label=\"").count(), 3);
    assert!(page.contains("<title>Overview · keepfresh</title>"), "nobody needs anybody");
}

#[test]
fn two_thousand_of_which_468_are_broken_for_two_reasons_are_two_lines_and_one_button() {
    let pages = two_thousand();
    let page = pages.page("/");
    let text = pages.text("/");
    assert!(text.contains("300 of 2000 need you"), "{text}");
    assert!(page.contains("<title>(300) Overview"), "the title counts");
    assert_eq!(page.matches("<li class=\"trouble").count(), 2, "{text}");
    assert!(compressed(&page) < 60_000, "it is light with everything on it");
    assert!(
        text.contains("300 connections of rotor need a person to log in: the grant is gone."),
        "{text}"
    );
    assert!(
        text.contains("168 connections of rotor cannot be refreshed; callers have tokens that work: rotor is down."),
        "{text}"
    );
    assert!(text.contains("Refresh those that failed (468)"), "{text}");
    let above = page.split("id=\"ahead\"").next().unwrap();
    let above = above.split("<main").nth(1).unwrap();
    assert_eq!(above.matches("<button").count(), 1, "one button: {above}");
    assert!(text.contains("later 2000"), "all of them end in sixty days: {text}");
    assert!(text.contains("No refresh is due"), "{text}");
}

#[test]
fn the_table_begins_with_those_that_need_somebody_and_goes_on_page_by_page() {
    let pages = two_thousand();
    let (mut names, mut place) = (Vec::new(), "/?state=late".to_owned());
    loop {
        let page = pages.page(&place);
        names.extend(rows(&page));
        let further = attributes(&page, "<a class=\"button\" href=\"/ui");
        let Some(next) = further.iter().find(|it| it.contains("after=")) else { break };
        place = next.split('#').next().unwrap().to_owned();
    }
    let found = names.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!((names.len(), found.len()), (168, 168), "each of them once");
    let first = rows(&pages.page("/"));
    assert_eq!(first.len(), 50);
    let needs = |name: &String| ("u0000100".."u0000400").contains(&name.as_str());
    assert!(first.iter().all(needs), "{first:?}");
}

/// Names of the connections in the table.
pub(super) fn rows(page: &str) -> Vec<String> {
    let table = page.split("<table class=\"connections\">").nth(1).unwrap_or_default();
    attributes(table, "data-main href=\"/ui/connections/rotor~")
}

#[test]
fn filters_are_in_the_address() {
    let pages = two_thousand();
    assert_eq!(rows(&pages.page("/?search=U0000007")), ["u0000007"]);
    assert_eq!(rows(&pages.page("/?label=gold&search=u00015")), ["u0001507"]);
    assert_eq!(rows(&pages.page("/?provider=rotor&state=reconnect")).len(), 50);
    assert_eq!(rows(&pages.page("/?provider=nobody")).len(), 0);
    assert_eq!(rows(&pages.page("/?ends=hour")).len(), 0);
    assert_eq!(rows(&pages.page("/?ends=later")).len(), 50);
    let none = pages.text("/?search=nothing-is-called-so");
    assert!(none.contains("No connection matches."), "{none}");
    assert!(pages.page("/?search=u1").contains("value=\"u1\""), "what was searched stays");
    for wrong in ["state=odd", "ends=never", "sort=odd", "after=nowhere"] {
        let status = pages.caller().get(&format!("/ui/?{wrong}")).status;
        assert!((400..500).contains(&status), "{wrong}: {status}");
    }
}

#[test]
fn a_row_that_cannot_be_read_is_shown_and_breaks_nothing() {
    let pages = three();
    let database = Database::at(&pages.served.stage.home.path("keepfresh.db"));
    database.run("update connections set profile = 'rubbish' where name = 'b'");
    let text = pages.text("/");
    assert!(text.contains("eskiz/b misconfigured"), "{text}");
    assert!(text.contains("eskiz/a fresh") && text.contains("eskiz/c fresh"), "{text}");
}

#[test]
fn what_others_have_written_is_text() {
    let pages = three();
    let database = Database::at(&pages.served.stage.home.path("keepfresh.db"));
    database.run(
        "update connections set labels = '[\"<script>alert(1)</script>\"]', failures = 1, error_case = 'unavailable',
             error_code = 'provider.unavailable', error_message = '\"><img src=x onerror=alert(1)>',
             metadata = '[[\"<b>\", \"<script>alert(2)</script>\"]]',
             profile = '{\"<i>\": \"<script>alert(3)</script>\"}'
         where name = 'a'",
    );
    database.run(
        "update connections set paused_at = 1, paused_reason = '<script>alert(4)</script>' where name = 'b'",
    );
    for path in ["/", "/connections/eskiz~a", "/connections/eskiz~b", "/connections/eskiz~a/pause"]
    {
        let page = pages.page(path);
        for bad in ["<script>alert", "<img", "onerror=alert(1)>", "<b>", "<i>"] {
            assert!(!page.contains(bad), "{bad} in {path}");
        }
    }
    let text = pages.text("/connections/eskiz~a");
    assert!(text.contains("<script>alert(3)</script>"), "it is there, as text: {text}");
    let searched = pages.page("/?search=%22%3E%3Cscript%3Ealert(5)");
    assert!(!searched.contains("<script>alert"), "{searched}");
}

#[test]
fn a_reload_that_was_refused_is_told() {
    let pages = three();
    let home = &pages.served.stage.home;
    let manifest = std::fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&format!("{manifest}\n[nonsense]\n"));
    e2e::daemon::wait_until("the overview tells it", || {
        pages
            .text("/")
            .contains("The manifest was not reloaded; the last valid version stays in use")
    });
    let text = pages.text("/");
    assert!(text.contains("keepfresh.toml:"), "where it is: {text}");
    home.write_manifest(&manifest);
    e2e::daemon::wait_until("it is over", || !pages.text("/").contains("was not reloaded"));
}

#[test]
fn whoever_has_no_session_is_led_to_the_login() {
    let pages = three();
    let stranger = pages.served.address().with("sec-fetch-site", "same-origin");
    for path in ["/ui/", "/ui/connections/eskiz~a", "/ui/queued/none"] {
        let answer = stranger.get(path).is(303);
        assert!(answer.header("location").contains("/login"), "{path}");
    }
    let form = stranger.with("content-type", "application/x-www-form-urlencoded");
    for path in ["/ui/retry", "/ui/connections/eskiz~a/refresh", "/ui/connections/eskiz~a/remove"] {
        let answer = form.send("POST", path, Some("typed=eskiz%2Fa"));
        assert!((300..500).contains(&answer.status), "{path}: {}", answer.status);
    }
    assert_eq!(
        pages.text("/").matches("eskiz/a").count(),
        pages.text("/").matches("eskiz/b").count()
    );
}
