//! Pages for attempts, schedules, plugins, deliveries, the system, the audit log, and adding a connection.

use std::fs;

use e2e::artifacts;
use e2e::daemon::{Daemon, wait_until};
use e2e::database::Database;
use e2e::home::Home;
use e2e::receiver::Receiver;
use e2e::stage::Stage;
use e2e::surfer::{Shown, Surfer};

use super::{PASSWORD, welcomed};
use crate::api::address;

/// Every page that needs nothing but a daemon.
pub(crate) const PAGES: &[&str] = &[
    "/ui/",
    "/ui/?provider=eskiz&sort=name",
    "/ui/providers/eskiz/refresh",
    "/ui/attempts",
    "/ui/attempts?outcome=failed",
    "/ui/schedules",
    "/ui/plugins",
    "/ui/plugins/eskiz.wasm",
    "/ui/sinks",
    "/ui/alerts",
    "/ui/system",
    "/ui/audit",
    "/ui/add",
    "/ui/add/eskiz",
    "/ui/connections/eskiz",
    "/ui/connect/eskiz",
    "/ui/account",
];

/// Eskiz with a token and a dashboard.
pub(crate) struct Shop {
    pub(crate) stage: Stage,
    pub(crate) daemon: Daemon,
}

impl Shop {
    pub(crate) fn open(more: &str) -> Self {
        let schedule = "schedule = \"0 2 */10 * *\"\ntimezone = \"Asia/Tashkent\"";
        Self::of(Stage::eskiz(&format!("{schedule}\n{more}")), "")
    }

    /// A daemon with a dashboard and the first token of a stage, and `more` lines of `[server]`.
    pub(crate) fn of(stage: Stage, more: &str) -> Self {
        let before = fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
        let server = format!("[server]\nlisten = \"127.0.0.1:0\"\n{more}\n\n");
        stage.home.write_manifest(&(server + &before));
        let stage = stage.logged_in();
        let daemon = stage.home.serve();
        Self { stage, daemon }
    }

    /// Somebody who may do that.
    pub(crate) fn person(&self, role: &str) -> Surfer {
        let made = self.stage.home.run(&["account", "add", role, "--role", role]).exits(0);
        let mut surfer = Surfer::new(address(&self.daemon));
        welcomed(&mut surfer, &super::path_of(&made.stdout));
        surfer
    }
}

/// What a browser would run or style that does not come from a file.
fn inline(page: &str) -> Vec<String> {
    let tags = page.split('<').skip(1).filter_map(|it| it.split('>').next());
    let is_inline = |tag: &str| {
        let handler = tag.split_whitespace().any(|it| it.starts_with("on") && it.contains('='));
        handler
            || tag.contains(" style=")
            || tag == "style"
            || (tag.starts_with("script") && !tag.contains("src="))
    };
    tags.filter(|it| is_inline(it)).map(str::to_owned).collect()
}

#[test]
fn each_page_answers_within_its_frame_and_under_its_policy() {
    let shop = Shop::open("");
    let mut person = shop.person("operator");
    for path in PAGES {
        let shown = person.get(path).is(200);
        let policy = shown.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(shown.header("cache-control"), "no-store", "{path}");
        assert_eq!(inline(&shown.body), Vec::<String>::new(), "{path}");
        assert!(shown.body.contains("<html lang=\"en\" dir=\"ltr\""), "{path}");
        assert!(!shown.body.contains(PASSWORD), "{path}");
        // A text that is missing is shown as its key.
        let words = shown.body.split(['<', '>', '"']).find(|it| is_key(it));
        assert_eq!(words, None, "{path}");
    }
}

/// Whether that looks like the key of a text that is not there.
fn is_key(text: &str) -> bool {
    let parts = [
        "frame-",
        "menu-",
        "word-",
        "attempts-",
        "schedules-",
        "plugins-",
        "plugin-",
        "sinks-",
        "alerts-",
        "system-",
        "audit-",
        "add-",
        "connect-",
        "overview-",
        "sort-",
        "provider-",
        "connection-",
        "attempt-",
        "login-",
        "account-",
    ];
    parts.iter().any(|it| text.starts_with(it))
        && text.bytes().all(|it| it.is_ascii_lowercase() || it == b'-')
        && !text.starts_with("connection-id")
}

#[test]
fn what_is_not_there_is_a_page_that_says_so() {
    let shop = Shop::open("");
    let mut person = shop.person("operator");
    for path in [
        "/ui/nowhere",
        "/ui/connections/nobody~x",
        "/ui/plugins/none.wasm",
        "/ui/device/none",
        "/ui/add/none",
    ] {
        let shown = person.get(path).is(404);
        assert!(shown.header("content-type").starts_with("text/html"), "{path}");
        assert!(
            shown.body.contains("frame-ancestors")
                || !shown.header("content-security-policy").is_empty()
        );
    }
    person.get("/ui/attempts?outcome=wrong").is(400);
    assert!(person.get("/").leads_to("/ui/").body.is_empty());
}

#[test]
fn a_viewer_sees_everything_and_changes_nothing() {
    let shop = Shop::open("");
    let mut viewer = shop.person("viewer");
    let changing = ["/ui/add", "/ui/connect/", "/ui/providers/"];
    for path in PAGES.iter().filter(|it| !changing.iter().any(|begins| it.starts_with(begins))) {
        viewer.get(path).is(200);
    }
    for path in ["/ui/add", "/ui/add/eskiz", "/ui/connect/eskiz", "/ui/providers/eskiz/refresh"] {
        viewer.get(path).is(403);
    }
    for path in [
        "/ui/add/eskiz",
        "/ui/connect/eskiz",
        "/ui/sinks/x/run",
        "/ui/alerts/x/test",
        "/ui/system/doctor",
    ] {
        let fields = [
            ("name", "new"),
            ("how", "link"),
            ("secret:email", "a@example.com"),
            ("secret:password", "x"),
        ];
        viewer.submit(path, &fields).is(403);
    }
    let all = shop.stage.home.run(&["connection", "list", "--json"]).exits(0).json();
    assert_eq!(all["connections"].as_array().unwrap().len(), 1);
}

#[test]
fn attempts_are_filtered_in_the_address_and_newer_ones_are_counted() {
    let shop = Shop::open("");
    let mut person = shop.person("operator");
    let first = person.get("/ui/attempts").is(200);
    let newest =
        first.body.split("id=\"a").nth(1).and_then(|it| it.split('"').next()).unwrap().to_owned();
    let place = format!("/ui/attempts?behind={newest}");
    assert!(!person.get(&place).is(200).body.contains("new attempt"));
    shop.stage.control().script(e2e::provider::answer::Answer::server_error());
    let _ = shop.stage.run_refresh(&["eskiz", "--force", "--sync"]);
    let _ = shop.stage.run_refresh(&["eskiz", "--force", "--sync"]);
    let shown = person.get(&place).is(200);
    assert!(shown.body.contains("new attempts: show them"), "{}", shown.body);
    let failed = person.get("/ui/attempts?outcome=failed").is(200).body;
    assert!(failed.contains("outcome failed") && !failed.contains("outcome success"), "{failed}");
    assert!(
        person
            .get("/ui/attempts?provider=eskiz&since=24h")
            .is(200)
            .body
            .contains("outcome success")
    );
    let none = person.get("/ui/attempts?connection=eskiz&outcome=skipped").is(200).body;
    assert!(none.contains("No attempt matches"), "{none}");
}

#[test]
fn schedules_are_shown_in_the_zone_that_somebody_has_chosen() {
    let shop = Shop::open("");
    let mut person = shop.person("viewer");
    let utc = person.get("/ui/schedules").is(200).body;
    assert!(
        utc.contains("0 2 */10 * *")
            && utc.contains("Moments are in UTC")
            && utc.contains("21:00:00 UTC"),
        "{utc}"
    );
    let fields = [("zone", "Asia/Tashkent"), ("theme", "dark"), ("back", "/ui/schedules")];
    person.submit("/ui/looks", &fields).leads_to("/ui/schedules");
    let there = person.get("/ui/schedules").is(200).body;
    assert!(
        there.contains("Moments are in Asia/Tashkent") && there.contains("02:00:00 +05"),
        "{there}"
    );
    assert!(there.contains("data-theme=\"dark\""), "{there}");
    person.submit("/ui/looks", &[("zone", "Nowhere/At all")]).is(400);
    person.submit("/ui/looks", &[("back", "https://evil.example/")]).leads_to("/ui/");
}

#[test]
fn the_next_24_hours_stand_below_the_schedules_with_what_fits_into_one() {
    let shop = Shop::open("rate = \"100/h\"");
    let mut person = shop.person("viewer");
    let page = person.get("/ui/schedules").is(200).body;
    let (_, ahead) = page.split_once("<h2>Next 24 hours</h2>").expect("there is a forecast");
    assert!(
        ahead.contains("<svg class=\"bars flow\" role=\"img\" aria-label=\"No refresh is due\"")
    );
    assert!(ahead.contains("100: rate 100/h"), "{ahead}");
    assert!(ahead.contains("The next refresh of each connection is counted."), "{ahead}");
    let database = Database::at(&shop.stage.home.path("keepfresh.db"));
    database.run("update connections set due_at = (unixepoch() + 7200) * 1000");
    let ahead = person.get("/ui/schedules").is(200).body;
    assert!(ahead.contains("1 refresh is due; most: 1 at "), "{ahead}");
}

#[test]
fn a_plugin_that_asks_for_more_is_shown_beside_what_was_approved() {
    let shop = Shop::open("");
    let mut person = shop.person("operator");
    let before = person.get("/ui/plugins/eskiz.wasm").is(200).body;
    assert!(before.contains("sends the password") || before.contains("password"), "{before}");
    assert!(!before.contains("keepfresh plugin approve"), "{before}");
    assert!(before.contains("64 MiB of memory (256 with a grant)"), "{before}");
    shop.stage.home.drop_plugin(&artifacts::guest("reveals"), "eskiz");
    let waits = || {
        shop.stage.home.run(&["plugin", "list", "--json"]).json()["plugins"][0]["refused"]["code"]
            .clone()
    };
    wait_until("it waits", || waits() == "plugin.permissions_widened");
    let shown = person.get("/ui/plugins/eskiz.wasm").is(200).body;
    assert!(shown.contains("keepfresh plugin approve eskiz --digest sha256:"), "{shown}");
    assert!(shown.contains("<ins><code>keepfresh:provider/reveal@1.0.0</code></ins>"), "{shown}");
    assert!(shown.contains("<del><code>POST {base_url}/api/auth/login"), "{shown}");
    let list = person.get("/ui/plugins").is(200).body;
    assert!(list.contains("The file that was approved before runs on"), "{list}");
}

#[test]
fn a_sink_is_run_and_a_channel_is_tested_by_a_button() {
    let receiver = Receiver::start();
    let shop = Shop::open("");
    fs::create_dir(shop.stage.home.path("out")).unwrap();
    let before = fs::read_to_string(shop.stage.home.path("keepfresh.toml")).unwrap();
    let more = format!(
        "\n[[sinks]]\nname = \"env\"\nconnection = \"eskiz\"\nfile = \"out/eskiz.env\"\ntemplate = \"T={{{{ token | quote }}}}\\n\"\n\n{}",
        crate::alerts::webhook(&receiver, "")
    );
    shop.stage.home.write_manifest(&(before + &more));
    let mut person = shop.person("operator");
    wait_until("the sink is there", || {
        person.get("/ui/sinks").body.contains("out/eskiz.env")
            || person.get("/ui/sinks").body.contains(">env<")
    });
    wait_until("it is delivered", || shop.stage.home.path("out/eskiz.env").exists());
    fs::remove_file(shop.stage.home.path("out/eskiz.env")).unwrap();
    person.submit("/ui/sinks/env/run", &[]).leads_to("/ui/sinks?done=delivered");
    assert!(shop.stage.home.path("out/eskiz.env").exists());
    assert!(person.get("/ui/sinks?done=delivered").is(200).body.contains("Delivered."));
    person.submit("/ui/alerts/webhook/test", &[]).leads_to("/ui/alerts?done=tested");
    assert_eq!(receiver.receives(1).len(), 1);
    receiver.answers("500 Broken");
    let failed = person.submit("/ui/alerts/webhook/test", &[]);
    assert!(failed.status >= 400 && failed.body.contains("answered 500"), "{failed:?}");
    assert!(person.submit("/ui/alerts/none/test", &[]).status >= 400);
}

#[test]
fn the_system_says_what_it_runs_on_and_the_doctor_what_it_finds() {
    let shop = Shop::open("");
    let mut person = shop.person("operator");
    let shown = person.get("/ui/system").is(200).body;
    for part in [
        "keepfresh.db",
        "keepfresh.toml",
        "keepfresh.key",
        "vacuum into",
        "seals new values",
        "KiB",
        "30 days",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let found = person.submit("/ui/system/doctor", &[]).is(200).body;
    assert!(found.contains("intact"), "{found}");
    let audit = person.get("/ui/audit").is(200).body;
    assert!(audit.contains("account:operator") || audit.contains("login."), "{audit}");
    assert!(
        person.get("/ui/audit?action=account.created").is(200).body.contains("account.created")
    );
}

#[test]
fn a_connection_is_added_by_a_form_that_its_plugin_makes() {
    let shop = Shop::of(Stage::jibit(""), "");
    let (home, mut person) = (&shop.stage.home, shop.person("operator"));
    let form = person.get("/ui/add/jibit").is(200).body;
    assert!(
        form.contains("name=\"secret:secret_key\"") && form.contains("type=\"password\""),
        "{form}"
    );
    assert!(form.contains("[[providers.jibit.connections]]"), "{form}");
    let wrong = [
        ("name", "second"),
        ("secret:api_key", "CANARY-key"),
        ("secret:secret_key", "CANARY-wrong"),
        ("labels", "gold"),
        ("try", "1"),
    ];
    let refused = person.submit("/ui/add/jibit", &wrong).is(422);
    assert!(
        refused.body.contains("Nothing was added") && refused.body.contains("value=\"second\""),
        "{}",
        refused.body
    );
    assert!(!refused.body.contains("CANARY"), "{}", refused.body);
    assert_eq!(names(home), ["jibit"]);
    let settings = e2e::provider::jibit::Settings::default();
    let right = [
        ("name", "second"),
        ("secret:api_key", &*settings.api_key),
        ("secret:secret_key", &*settings.secret_key),
        ("labels", "gold, night"),
        ("try", "1"),
    ];
    person.submit("/ui/add/jibit", &right).leads_to("/ui/connections/jibit~second?done=added");
    assert_eq!(names(home), ["jibit", "jibit/second"]);
    let shown = home.run(&["connection", "show", "jibit/second", "--json"]).exits(0).json();
    assert_eq!(
        (&shown["state"], &shown["labels"]),
        (&"fresh".into(), &serde_json::json!(["gold", "night"]))
    );
    let again = person.submit("/ui/add/jibit", &right).is(422);
    assert!(again.body.contains("there is already a connection jibit/second"), "{}", again.body);
}

fn names(home: &Home) -> Vec<String> {
    let all = home.run(&["connection", "list", "--json"]).exits(0).json();
    let all = all["connections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["short"].as_str().unwrap().to_owned());
    all.collect()
}

#[test]
fn all_of_it_works_below_a_path() {
    let shop = Shop::of(Stage::eskiz(""), "url = \"http://127.0.0.1/x/keepfresh\"");
    let made = shop.stage.home.run(&["account", "add", "ann", "--role", "operator"]).exits(0);
    let mut person = Surfer::new(address(&shop.daemon));
    let link = super::path_of(&made.stdout);
    // A proxy may take the path away, or leave it.
    person
        .submit(&format!("/x/keepfresh{link}"), &[("password", PASSWORD), ("again", PASSWORD)])
        .leads_to("/x/keepfresh/ui/");
    for below in ["", "/x/keepfresh"] {
        let page = person.get(&format!("{below}/ui/attempts")).is(200).body;
        let local = links(&page).into_iter().filter(|it| it.starts_with('/')).collect::<Vec<_>>();
        assert!(
            local.len() > 8 && local.iter().all(|it| it.starts_with("/x/keepfresh/")),
            "{local:?}"
        );
        let style = local.iter().find(|it| it.ends_with("app.css")).unwrap();
        assert!(person.get(style).is(200).header("cache-control").contains("immutable"));
    }
    assert!(person.get("/x/keepfresh/healthz").is(200).body.contains("ok"));
    assert_eq!(person.get("/x/keepfreshly/ui/attempts").status, 404);
}

/// Every address of a page.
fn links(page: &str) -> Vec<String> {
    let parts = [" href=\"", " src=\"", " action=\"", "data-live=\""].into_iter();
    let of = |start| page.split(start).skip(1).filter_map(|it: &str| it.split('"').next());
    parts.flat_map(of).map(str::to_owned).collect()
}

#[test]
fn style_and_script_are_kept_by_browsers_until_they_change() {
    let shop = Shop::open("");
    let mut person = shop.person("viewer");
    let page = person.get("/ui/attempts").is(200).body;
    for asset in links(&page).into_iter().filter(|it| it.contains("/assets/")) {
        let shown: Shown = person.get(&asset).is(200);
        assert!(shown.header("cache-control").contains("immutable"), "{asset}");
        assert!(!shown.header("content-security-policy").is_empty(), "{asset}");
    }
    person.get("/ui/assets/x/none.css").is(404);
}
