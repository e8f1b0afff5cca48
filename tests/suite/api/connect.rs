//! Links by which a person connects an account for a web application.

use e2e::daemon::Daemon;
use e2e::home::Home;
use e2e::http::{Http, Place};
use e2e::provider::{FakeProvider, Kind, oauth};
use e2e::stage::write_secret;
use e2e::visitor::fetch;
use serde_json::{Value, json};

use super::key;

/// Where the application wants its people back.
const BACK: &str = "https://app.example/settings";

/// A daemon that browsers reach, and a provider that people connect to.
struct Desk {
    home: Home,
    fake: FakeProvider,
    daemon: Daemon,
    base: String,
}

impl Desk {
    fn open() -> Self {
        let settings = oauth::Settings {
            redirect_uris: vec!["http://127.0.0.1/connect/callback".to_owned()],
            ..oauth::Settings::default()
        };
        let (secret, client) = (settings.client_secret.clone(), settings.client_id.clone());
        let fake = FakeProvider::start(Kind::OAuth(settings)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let base = format!("http://127.0.0.1:{port}");
        let url = fake.base_url();
        let home = Home::new(&format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\nurl = \"{base}\"\nreturn_to = [\"{BACK}\"]\n\
             [providers.oauth2]\nconnections = []\n\
             settings = {{ issuer = \"{url}\", client_id = \"{client}\", grant = \"authorization_code\" }}\n\
             secrets = {{ client_secret = {{ file = \"client.secret\" }} }}\n\
             egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n"
        ));
        write_secret(&home, "client.secret", &secret);
        let home = home.with_plugin("oauth2");
        let daemon = home.serve();
        Self { home, fake, daemon, base }
    }

    fn caller(&self) -> Http {
        Http::at(Place::Address(self.base.strip_prefix("http://").unwrap().parse().unwrap()))
    }

    /// A link for Ann, asked for by an application.
    fn link(&self, more: &Value) -> String {
        let application = key(&self.home, "app", &["--scope", "connection:write"]);
        let mut wanted = json!({ "connection": "oauth2~ann", "return_to": BACK });
        wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made =
            self.caller().with_key(&application).post("/api/v1/connect", &wanted).is(201).json();
        made["url"].as_str().unwrap().strip_prefix(&self.base).unwrap().to_owned()
    }

    /// Presses the button: where the provider is asked, and the cookie for the way back.
    fn press(&self, link: &str) -> (String, Http) {
        let begun = self.caller().send("POST", link, Some("")).is(303);
        let cookie = begun.header("set-cookie").split(';').next().unwrap().to_owned();
        (begun.header("location").to_owned(), self.caller().with("cookie", &cookie))
    }

    /// Agrees at the provider; where the browser is sent then.
    fn agree(&self, provider: &str) -> String {
        assert!(provider.starts_with(&self.fake.base_url()), "{provider}");
        let (status, location, body) = fetch(provider);
        assert!((300..400).contains(&status), "{status} {body}");
        location.unwrap().strip_prefix(&self.base).unwrap().to_owned()
    }
}

#[test]
fn a_person_connects_an_account_by_a_link_and_is_sent_back() {
    let desk = Desk::open();
    let link = desk.link(&json!({}));
    let page = desk.caller().get(&link).is(200);
    assert!(page.text().contains("oauth2/ann") && page.text().contains("<button>"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    let (provider, browser) = desk.press(&link);
    let back = browser.get(&desk.agree(&provider)).is(303);
    let place = back.header("location");
    assert_eq!(place, format!("{BACK}?connection=oauth2%2Fann&outcome=connected"));
    let shown = desk.home.run(&["connection", "show", "oauth2/ann", "--json"]).exits(0).json();
    assert_eq!(shown["state"], "fresh", "{shown}");
    let audit = desk.home.run(&["audit", "oauth2/ann", "--json"]).exits(0).json();
    let who = audit["entries"].as_array().unwrap().iter();
    let who = who.map(|it| format!("{} {}", it["key_name"], it["action"])).collect::<Vec<_>>();
    assert_eq!(
        who,
        ["\"app\" \"connection.connected\"", "\"app\" \"connection.link_created\""],
        "the application is named, and nobody else knows who the person was"
    );
}

#[test]
fn a_link_works_once() {
    let desk = Desk::open();
    let link = desk.link(&json!({}));
    let (provider, browser) = desk.press(&link);
    let back = desk.agree(&provider);
    browser.get(&back).is(303);
    browser.get(&back).is(410);
    desk.caller().get(&link).is(410);
    desk.caller().send("POST", &link, Some("")).is(410);
    desk.caller().get("/connect/nonsense").is(410);
}

#[test]
fn a_link_ends_with_the_key_that_has_made_it() {
    let desk = Desk::open();
    let (seen, begun) = (desk.link(&json!({})), {
        desk.home.run(&["api-key", "revoke", "app"]).exits(0);
        desk.link(&json!({}))
    });
    desk.caller().get(&seen).is(410);
    desk.caller().send("POST", &seen, Some("")).is(410);
    let (provider, browser) = desk.press(&begun);
    let back = desk.agree(&provider);
    desk.home.run(&["api-key", "revoke", "app"]).exits(0);
    browser.get(&back).is(410);
    let connections = desk.home.run(&["connection", "list", "--json"]).exits(0).stdout;
    assert!(!connections.contains("ann"), "{connections}");
}

#[test]
fn looking_at_a_link_starts_nothing() {
    let desk = Desk::open();
    let link = desk.link(&json!({}));
    for _ in 0..3 {
        desk.caller().get(&link).is(200);
    }
    assert!(desk.fake.control().journal().iter().all(|it| it.path != "/authorize"));
    let (provider, browser) = desk.press(&link);
    browser.get(&desk.agree(&provider)).is(303);
}

#[test]
fn another_browser_cannot_finish_a_login() {
    let desk = Desk::open();
    let (provider, browser) = desk.press(&desk.link(&json!({})));
    let back = desk.agree(&provider);
    desk.caller().get(&back).is(410);
    let other = desk.caller().with("cookie", "keepfresh-login=0000");
    other.get(&back).is(410);
    browser.get(&back).is(303);
}

#[test]
fn a_person_who_refuses_is_sent_back_with_the_code() {
    let desk = Desk::open();
    desk.fake.control().deny_consent(true);
    let (provider, browser) = desk.press(&desk.link(&json!({})));
    let back = browser.get(&desk.agree(&provider)).is(303);
    let place = back.header("location").to_owned();
    assert_eq!(place, format!("{BACK}?connection=oauth2%2Fann&outcome=failed&code=connect.denied"));
    let nobody = desk.home.run(&["connection", "show", "oauth2/ann"]);
    assert_ne!(nobody.code, 0, "nothing was stored: {nobody:?}");
}

#[test]
fn without_a_place_to_return_to_the_page_says_what_came_of_it() {
    let desk = Desk::open();
    let (provider, browser) = desk.press(&desk.link(&json!({ "return_to": null })));
    let page = browser.get(&desk.agree(&provider)).is(200);
    assert!(page.text().contains("You can close this page."), "{}", page.text());
}

#[test]
fn a_link_leads_only_where_the_manifest_says() {
    let desk = Desk::open();
    let caller = Http::at(Place::Socket(desk.home.path("keepfresh.http.sock")));
    for evil in [
        "//evil.example",
        "javascript:alert(1)",
        "https://app.example@evil.example/",
        "https://app.example",
    ] {
        let wanted = json!({ "connection": "oauth2~ann", "return_to": evil });
        let answer = caller.post("/api/v1/connect", &wanted).is(400);
        assert_eq!(answer.code(), "connect.return_to", "{evil}");
    }
    for wrong in [0, 86_401] {
        let wanted = json!({ "connection": "oauth2~ann", "expires_in": wrong });
        assert_eq!(caller.post("/api/v1/connect", &wanted).is(400).code(), "http.body_invalid");
    }
    let reader = key(&desk.home, "reader", &["--scope", "token:read"]);
    let wanted = json!({ "connection": "oauth2~ann" });
    assert_eq!(
        desk.caller().with_key(&reader).post("/api/v1/connect", &wanted).is(403).code(),
        "auth.scope"
    );
    let bound = key(&desk.home, "bound", &["--scope", "connection:write", "--label", "gold"]);
    desk.caller().with_key(&bound).post("/api/v1/connect", &wanted).is(404);
    drop(desk.daemon);
}

#[test]
fn without_a_url_nobody_could_open_a_link() {
    let served = super::Served::eskiz();
    let wanted = json!({ "connection": "eskiz" });
    let answer = served.socket().post("/api/v1/connect", &wanted).is(409);
    assert_eq!(answer.code(), "connect.no_url");
    assert!(answer.json()["detail"].as_str().unwrap().contains("server.url"));
}
