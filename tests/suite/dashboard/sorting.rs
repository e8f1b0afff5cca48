//! The order of the overview's table: somebody chooses it, and it is kept with the filters, page after page.

use e2e::database::Database;

use super::facts::{Pages, attributes};
use super::overview::{rows, two_thousand};

/// Two thousand, one of which ends before the others, and one of which is refreshed before them.
fn pages() -> Pages {
    let pages = two_thousand();
    let database = Database::at(&pages.served.stage.home.path("keepfresh.db"));
    database.run("update connections set expires_at = expires_at - 1000 where name = 'u0001500'");
    database.run("update connections set due_at = due_at - 10000 where name = 'u0001600'");
    pages
}

/// Names on all pages of that address.
fn all(pages: &Pages, place: &str) -> Vec<String> {
    let (mut names, mut place) = (Vec::new(), place.to_owned());
    loop {
        let page = pages.page(&place);
        names.extend(rows(&page));
        let further = attributes(&page, "<a class=\"button\" href=\"/ui");
        let Some(next) = further.iter().find(|it| it.contains("after=")) else { return names };
        assert!(next.contains("sort="), "the order is kept: {next}");
        next.split('#').next().unwrap().clone_into(&mut place);
    }
}

#[test]
fn the_table_stands_in_the_order_that_somebody_chooses() {
    let pages = pages();
    let first = |sort: &str| rows(&pages.page(&format!("/?sort={sort}")))[..2].to_vec();
    assert_eq!(first("urgency"), ["u0000100", "u0000101"]);
    assert_eq!(first(""), first("urgency"), "nothing is chosen");
    assert_eq!(first("name"), ["u0000000", "u0000001"]);
    assert_eq!(first("expiry"), ["u0001500", "u0000000"]);
    assert_eq!(first("next"), ["u0001600", "u0000000"]);
}

#[test]
fn each_is_on_one_page_in_its_place_also_with_filters() {
    let pages = pages();
    let names = all(&pages, "/?sort=name&search=u00015");
    assert_eq!((names.len(), names.is_sorted()), (100, true), "{names:?}");
    let late = all(&pages, "/?sort=name&state=late&provider=rotor");
    assert_eq!((late.len(), late.is_sorted()), (168, true), "{late:?}");
    let ending = all(&pages, "/?sort=expiry&search=u00015");
    assert_eq!((ending.len(), &*ending[0], &*ending[1]), (100, "u0001500", "u0001501"));
    let planned = all(&pages, "/?sort=next&label=gold");
    assert_eq!((planned.len(), planned.is_sorted()), (20, true), "{planned:?}");
}

#[test]
fn heads_of_columns_lead_to_orders_and_say_which_one_it_is() {
    let pages = pages();
    let head = |page: &str| {
        let table = page.split("<table class=\"connections\">").nth(1).unwrap();
        table.split("</thead>").next().unwrap().to_owned()
    };
    let plain = head(&pages.page("/"));
    assert_eq!(plain.matches("aria-sort=\"other\"").count(), 1, "by urgency: {plain}");
    assert_eq!(plain.matches("aria-sort").count(), 1, "{plain}");
    let page = pages.page("/?sort=expiry&state=late&after=");
    let sorted = head(&page);
    assert_eq!(sorted.matches("aria-sort=\"ascending\"").count(), 1, "{sorted}");
    let links = attributes(&sorted, "<a href=\"");
    assert_eq!(
        links,
        [
            "/ui/?state=late&sort=name#connections",
            "/ui/?state=late#connections",
            "/ui/?state=late&sort=expiry#connections",
            "/ui/?state=late&sort=next#connections",
        ]
    );
    assert!(page.contains("<option value=\"expiry\" selected>"), "the form keeps it: {page}");
    let clear = attributes(&page, "<a href=\"/ui/?sort=");
    assert_eq!(clear, ["expiry#connections"], "and so does whoever clears the filters");
}
