//! Refreshing many at once: all of a provider, and those that failed.

use e2e::daemon::wait_until;
use e2e::stage::Stage;

use super::facts::{Pages, attributes};
use super::overview::{three, two_thousand};
use super::pages::Shop;

/// The generations of the three.
fn generations(pages: &Pages) -> [u64; 3] {
    ["eskiz/a", "eskiz/b", "eskiz/c"].map(|id| {
        let shown = pages.served.stage.home.run(&["connection", "show", id, "--json"]).json();
        shown["generation"].as_u64().unwrap()
    })
}

/// How often all of that provider were refreshed, as the audit log says.
fn noted(pages: &Pages, provider: &str) -> u64 {
    let audit = ["audit", "--action", "connection.refreshed", "--json"];
    let audit = pages.served.stage.home.run(&audit).exits(0).json();
    let entries = audit["entries"].as_array().unwrap().iter();
    let of = entries.filter(|it| it["subject"] == provider);
    of.map(|it| it["count"].as_u64().unwrap()).sum()
}

/// Sends a form, and says which page it leads to, without the place of the dashboard.
fn queued(pages: &Pages, path: &str, fields: &str) -> String {
    let place = pages.done(path, fields);
    assert!(place.starts_with("/ui/queued/"), "{place}");
    place.trim_start_matches("/ui").to_owned()
}

#[test]
fn the_button_is_where_those_of_one_provider_are_shown() {
    let pages = three();
    let button = "href=\"/ui/providers/eskiz/refresh\"";
    assert!(pages.page("/?provider=eskiz").contains(button));
    for other in ["/", "/?state=fresh", "/?provider=nobody"] {
        assert!(!pages.page(other).contains("/refresh\">Refresh all"), "{other}");
    }
    let shop = Shop::open("");
    let path = "/ui/schedules";
    assert!(shop.person("operator").get(path).is(200).body.contains(button));
    assert!(!shop.person("viewer").get(path).is(200).body.contains(button));
}

#[test]
fn all_of_a_provider_are_refreshed_after_somebody_was_asked() {
    let pages = three();
    let asked = pages.text("/providers/eskiz/refresh");
    for said in [
        "eskiz : 3 connections.",
        "What is paused, is still valid or waits for its next try is left as it is",
        "Refresh even if the token is still valid",
    ] {
        assert!(asked.contains(said), "{said}: {asked}");
    }
    assert_eq!((generations(&pages), noted(&pages, "eskiz")), ([1; 3], 0), "asking does nothing");
    let text = pages.text(&queued(&pages, "/providers/eskiz/refresh", ""));
    assert!(text.contains("3 refreshes are queued."), "{text}");
    assert!(text.contains("Of eskiz: all; what is still valid is left as it is."), "{text}");
    let skipped = "/attempts?provider=eskiz&outcome=skipped&since=24h";
    wait_until("they are left out", || pages.page(skipped).matches("data-row").count() == 3);
    assert!(pages.text(skipped).contains("still valid for "), "the log says why");
    assert_eq!(generations(&pages), [1; 3]);
}

#[test]
fn whoever_forces_it_has_valid_tokens_replaced_once() {
    let pages = three();
    let place = queued(&pages, "/providers/eskiz/refresh", "force=1");
    wait_until("they are refreshed", || generations(&pages) == [2; 3]);
    for _ in 0..2 {
        let text = pages.text(&place);
        assert!(text.contains("Of eskiz: all, even if the token is still valid."), "{text}");
        assert!(text.contains("eskiz/a eskiz/b eskiz/c They run"), "all are named: {text}");
    }
    let page = pages.page(&place);
    for link in [
        "/ui/connections/eskiz~a",
        "/ui/attempts?provider=eskiz",
        "/ui/attempts?provider=eskiz&outcome=skipped&since=24h",
    ] {
        assert!(attributes(&page, "href=\"").iter().any(|it| it == link), "{link}: {page}");
    }
    assert_eq!((generations(&pages), noted(&pages, "eskiz")), ([2; 3], 1), "looking does nothing");
}

#[test]
fn those_that_failed_are_refreshed_by_one_button_and_the_first_are_named() {
    let pages = two_thousand();
    let place = queued(&pages, "/retry", "");
    let text = pages.text(&place);
    assert!(text.contains("468 refreshes are queued."), "{text}");
    assert!(text.contains("Of all providers: those that failed last."), "{text}");
    assert!(text.contains("and 418 more"), "{text}");
    let names = attributes(&pages.page(&place), "<li><a href=\"/ui/connections/rotor~");
    assert_eq!((names.len(), &*names[0], &*names[49]), (50, "u0000100", "u0000149"));
}

#[test]
fn what_nothing_has_failed_of_is_not_refreshed() {
    let pages = three();
    let text = pages.text(&queued(&pages, "/retry", ""));
    assert!(text.contains("There is nothing to refresh, so nothing is queued."), "{text}");
}

#[test]
fn a_provider_and_a_queue_that_are_not_there_are_said_so() {
    let pages = three();
    for path in ["/providers/nobody/refresh", "/queued/none", "/queued"] {
        pages.caller().get(&format!("/ui{path}")).is(404);
    }
    let refused = pages.send("/providers/nobody/refresh", "force=1");
    assert!((400..500).contains(&refused.status), "{refused:?}");
    assert!(refused.text().contains("there is no provider `nobody`"));
}

#[test]
fn a_provider_without_connections_has_no_button() {
    let pages = Pages::over(Stage::eskiz("connections = []"));
    let page = pages.page("/providers/eskiz/refresh");
    let main = page.split("<main").nth(1).unwrap();
    assert!(main.contains("it has no connection.") && !main.contains("<button"), "{main}");
}

#[test]
fn only_an_operator_may_and_only_by_a_form_of_ours() {
    let shop = Shop::open("");
    let (mut viewer, mut operator) = (shop.person("viewer"), shop.person("operator"));
    let path = "/ui/providers/eskiz/refresh";
    viewer.get(path).is(403);
    viewer.submit(path, &[("force", "1")]).is(403);
    let page = viewer.get("/ui/?provider=eskiz").is(200).body;
    assert!(!page.contains(path), "no button for whoever may not: {page}");
    operator.clone().from_site(Some("cross-site")).submit(path, &[("force", "1")]).is(403);
    let shown = shop.stage.home.run(&["connection", "show", "eskiz", "--json"]).json();
    assert_eq!(shown["generation"], 1);
    let queued = operator.submit(path, &[("force", "1")]).leads_to("/ui/queued/");
    let queued = queued.header("location").to_owned();
    operator.get(&queued).is(200).says("1 refresh is queued.");
    let audit = operator.get("/ui/audit?action=connection.refreshed&subject=eskiz").is(200).body;
    assert!(audit.contains("account:operator"), "{audit}");
}
