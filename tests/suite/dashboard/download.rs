//! Attempts as files: what the filters select, under the names of the API, and said where something is missing.

use e2e::database::Database;
use e2e::http::Answer;
use e2e::provider::answer;
use e2e::provider::script::Scenario;
use e2e::stage::Stage;
use e2e::surfer::Surfer;
use serde_json::Value;

use super::facts::Pages;
use super::pages::Shop;
use crate::api::address;

const HEAD: &str = "id,connection,trigger,outcome,reason,error.code,error.case,error.message,error.remedy,started_at,\
                    duration_ms,waited_ms,provider_ms,generation";

/// Attempts of yesterday, beside the one of the first login. The beginning of an id is its time.
const MANY: &str = "
    insert into attempts (id, connection, provider, trigger, outcome, rotation, generation, started_at, duration_ms)
    with recursive
        n (i, at) as (
            select 1, (strftime('%s', 'now') - 86400) * 1000
            union all select i + 1, at + 1 from n where i < 1200
        ),
        made (i, at, hex) as (select i, at, printf('%012x', at) from n)
    select substr(hex, 1, 8) || '-' || substr(hex, 9) || '-7000-8000-' || printf('%012x', i),
        'eskiz/default', 'eskiz', 'expiry', 'success', '\"strict\"', 1, at, 5
    from made";

fn file(pages: &Pages, path: &str) -> Answer {
    pages.caller().get(&format!("/ui{path}")).is(200)
}

fn ids(document: &Value) -> Vec<String> {
    let all = document["attempts"].as_array().unwrap().iter();
    all.map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_the_filters_select_is_a_file_under_the_names_of_the_api() {
    let stage = Stage::eskiz("").logged_in();
    stage.control().script(Scenario::from(answer::Answer::bad_gateway()).always());
    let pages = Pages::over(stage);
    let _ = pages.served.stage.home.run(&["refresh", "eskiz", "--force", "--sync"]);
    // Or else it is tried again meanwhile.
    pages.served.stage.home.run(&["connection", "pause", "eskiz"]).exits(0);
    let api = pages.served.socket().get("/api/v1/attempts").is(200).json();
    let told = file(&pages, "/attempts.json").json();
    assert_eq!(told["attempts"], api["attempts"]);
    assert_eq!((&told["next"], &told["left_out"]), (&Value::Null, &0.into()));
    let failed = file(&pages, "/attempts.json?outcome=failed").json();
    let count = ids(&failed).len();
    assert!(count > 0 && count < ids(&told).len(), "{failed}");
    let table = file(&pages, "/attempts.csv?outcome=failed&provider=eskiz&since=24h").text();
    let lines = table.lines().collect::<Vec<_>>();
    assert_eq!((lines[0], lines.len()), (HEAD, count + 1), "{table}");
    let cause = failed["attempts"][0]["error"]["code"].as_str().unwrap();
    let begins = format!("{},eskiz/default,", ids(&failed)[0]);
    assert!(lines[1].starts_with(&begins) && lines[1].contains(cause), "{table}");
    let none = file(&pages, "/attempts.csv?outcome=skipped").text();
    assert_eq!(none.trim_end(), HEAD);
}

#[test]
fn a_cell_is_nothing_that_a_spreadsheet_runs() {
    let pages = Pages::over(Stage::eskiz("").logged_in());
    let database = Database::at(&pages.served.stage.home.path("keepfresh.db"));
    assert!(database.spoil("attempts", "reason", "'=1+1'", "outcome = 'success'"));
    let table = file(&pages, "/attempts.csv").text();
    assert!(table.contains(",'=1+1,") && !table.contains(",=1+1"), "{table}");
    assert_eq!(file(&pages, "/attempts.json").json()["attempts"][0]["reason"], "=1+1");
}

#[test]
fn a_file_of_many_has_each_once_and_says_where_it_was_cut_off() {
    let pages = Pages::over(Stage::eskiz("").logged_in());
    Database::at(&pages.served.stage.home.path("keepfresh.db")).run(MANY);
    let whole = file(&pages, "/attempts.json").json();
    let all = ids(&whole);
    assert_eq!((all.len(), &whole["next"]), (1201, &Value::Null));
    assert!(all.is_sorted_by(|newer, older| newer > older), "newest first, and each once");
    let cut = file(&pages, "/attempts.json?limit=700").json();
    assert_eq!((ids(&cut).as_slice(), &cut["next"]), (&all[..700], &Value::from(&*all[699])));
    let rest = file(&pages, &format!("/attempts.json?after={}", all[699])).json();
    assert_eq!((ids(&rest).as_slice(), &rest["next"]), (&all[700..], &Value::Null));
    let table = file(&pages, "/attempts.csv?limit=700").text();
    let last = table.lines().last().unwrap();
    assert_eq!(table.lines().count(), 702, "{last}");
    assert!(last.contains("Cut off after 700 attempts") && last.contains(&all[699]), "{last}");
    assert_eq!(file(&pages, "/attempts.csv").text().lines().count(), 1202);
}

#[test]
fn a_file_that_lacks_what_cannot_be_read_says_how_much_that_is() {
    let pages = Pages::over(Stage::eskiz("").logged_in());
    let database = Database::at(&pages.served.stage.home.path("keepfresh.db"));
    assert!(database.spoil("attempts", "trigger", "'whim'", "true"));
    let told = file(&pages, "/attempts.json").json();
    assert_eq!((ids(&told).len(), &told["left_out"]), (0, &1.into()));
    let table = file(&pages, "/attempts.csv").text();
    assert!(table.contains("cannot be read and are left out: 1."), "{table}");
}

#[test]
fn a_viewer_downloads_what_the_page_links_to_and_a_stranger_logs_in_first() {
    let shop = Shop::open("");
    let mut viewer = shop.person("viewer");
    let page = viewer.get("/ui/attempts?outcome=success").is(200);
    for (ending, kind, text) in [
        ("csv", "text/csv; charset=utf-8", "Download these (CSV)"),
        ("json", "application/json", "Download these (JSON)"),
    ] {
        let place = format!("/ui/attempts.{ending}?outcome=success");
        assert!(page.body.contains(&format!("href=\"{place}\"")), "{}", page.body);
        assert!(page.body.contains(text), "{}", page.body);
        let shown = viewer.get(&place).is(200);
        assert_eq!(shown.header("content-type"), kind);
        assert_eq!(shown.header("x-content-type-options"), "nosniff");
        assert_eq!(shown.header("cache-control"), "no-store");
        let name = shown.header("content-disposition");
        assert!(name.starts_with("attachment; filename=\"attempts-20"), "{name}");
        assert!(name.is_ascii() && name.ends_with(&format!(".{ending}\"")), "{name}");
        let mut stranger = Surfer::new(address(&shop.daemon));
        stranger.get(&place).leads_to("/ui/login?back=");
        viewer.get(&format!("/ui/attempts.{ending}?outcome=wrong")).is(400);
        let unknown = viewer.get(&format!("/ui/attempts.{ending}?provider=nobody"));
        assert!(unknown.status >= 400, "{unknown:?}");
        assert!(unknown.header("content-type").starts_with("text/html"), "{unknown:?}");
    }
}
