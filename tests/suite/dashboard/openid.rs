//! Logging in at a provider of OpenID Connect: a real one, and one that lies.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::home::Home;
use e2e::servers::RealServer;
use e2e::stage::write_secret;
use e2e::surfer::{Shown, Surfer};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{Desk, is_in, is_out};

/// A dashboard whose people log in at `issuer`, with `more` lines.
fn desk(issuer: &str, more: &str) -> Desk {
    // Free a moment ago: the provider leads back to it.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let home = Home::new(&format!(
        "[server]\nlisten = \"{address}\"\n[dashboard.oidc]\nissuer = \"{issuer}\"\nclient_id = \"dashboard\"\n\
         client_secret = {{ file = \"oidc.secret\" }}\nscopes = [\"openid\", \"profile\", \"groups\"]\n\
         operators = [\"operators\"]\nviewers = [\"viewers\"]\n\
         egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n{more}\n"
    ));
    write_secret(&home, "oidc.secret", "dashboard-secret");
    Desk::at(home)
}

/// Logs in at a real provider as somebody, and returns the address that it leads back to.
fn at_provider(server: &RealServer, url: &str, login: &str) -> String {
    let address = server.base_url().strip_prefix("http://").unwrap().parse().unwrap();
    let mut person = Surfer::new(address);
    let mut next = url.to_owned();
    for _ in 0..10 {
        if !next.starts_with(server.base_url()) && next.starts_with("http") {
            return next;
        }
        let shown = if next.starts_with('/') { person.get(&next) } else { person.open(&next) };
        let shown = match shown.status {
            302 | 303 => shown,
            _ if shown.body.contains("name=\"login\"") => {
                let fields = [("prompt", "login"), ("login", login), ("password", "any")];
                person.submit(&action(&shown), &fields)
            }
            _ => person.submit(&action(&shown), &[("prompt", "consent")]),
        };
        shown.header("location").clone_into(&mut next);
    }
    panic!("a circle: {next}")
}

fn action(shown: &Shown) -> String {
    let action = shown.body.split("action=\"").nth(1).unwrap_or_else(|| panic!("{shown:#?}"));
    let action = action.split('"').next().unwrap();
    action
        .strip_prefix("http://")
        .map_or(action.to_owned(), |it| it[it.find('/').unwrap()..].to_owned())
}

/// Sends the browser to the provider; the address.
fn sent(browser: &mut Surfer, path: &str) -> String {
    browser.get(path).is(303).header("location").to_owned()
}

#[test]
fn a_person_of_a_real_provider_gets_in_as_the_groups_say() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let desk = desk(server.base_url(), "");
    let mut browser = desk.browser();
    browser.get("/ui/login").is(200).says("/ui/login/openid?back=");
    let url = sent(&mut browser, "/ui/login/openid?back=/ui/attempts");
    for part in ["code_challenge_method=S256", "state=", "nonce=", "response_type=code"] {
        assert!(url.contains(part), "{url}");
    }
    let back = at_provider(&server, &url, "olga.operators");
    browser.open(&back).is(303).leads_to("/ui/attempts");
    is_in(&mut browser);
    browser.get("/ui/accounts").is(200).says("olga.operators").says(server.base_url());
    assert!(!browser.cookies.keys().any(|it| it.contains("login")), "{:?}", browser.cookies);
    // The same answer once more is worth nothing.
    let mut thief = desk.browser();
    thief.open(&back).is(403).says("login.over");
    browser.clone().open(&back).is(403);
    is_out(&mut thief);
    let mut viewer = desk.browser();
    let url = sent(&mut viewer, "/ui/login/openid");
    viewer.open(&at_provider(&server, &url, "vera.viewers")).is(303).leads_to("/ui/");
    viewer.get("/ui/accounts").is(403);
    let list = desk.home.run(&["account", "list", "--json"]).exits(0).json();
    let list = list["accounts"].as_array().unwrap();
    let plain = list.iter().map(|it| (it["name"].clone(), it["role"].clone(), it["login"].clone()));
    let row = |name: &str, role: &str| (name.into(), role.into(), "openid".into());
    assert_eq!(
        plain.collect::<Vec<_>>(),
        [row("olga.operators", "operator"), row("vera.viewers", "viewer")]
    );
    for command in [["account", "link", "vera.viewers"], ["account", "remove", "nobody"]] {
        desk.home.run(&command).exits(1);
    }
    let role = desk.home.run(&["account", "role", "vera.viewers", "operator"]).exits(1);
    assert!(role.stderr.contains("account.of_provider"), "{role:?}");
}

#[test]
fn who_is_in_no_group_gets_a_page_and_no_account() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let desk = desk(server.base_url(), "");
    let mut browser = desk.browser();
    let url = sent(&mut browser, "/ui/login/openid");
    let back = at_provider(&server, &url, "norbert");
    browser.open(&back).is(403).says("you are in no group").says("login.no_group");
    is_out(&mut browser);
    let list = desk.home.run(&["account", "list", "--json"]).exits(0).json();
    assert_eq!(list["accounts"], json!([]));
}

#[test]
fn a_person_shows_once_more_at_a_real_provider_who_that_is() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let desk = desk(server.base_url(), "");
    let mut browser = desk.browser();
    let url = sent(&mut browser, "/ui/login/openid");
    browser.open(&at_provider(&server, &url, "olga.operators")).is(303);
    let before = browser.clone();
    browser.get("/ui/confirm?back=/ui/accounts").is(200).says("/ui/login/openid?again=yes");
    let url = sent(&mut browser, "/ui/login/openid?again=yes&back=/ui/accounts");
    assert!(url.contains("prompt=login") && url.contains("max_age=0"), "{url}");
    browser.open(&at_provider(&server, &url, "olga.operators")).leads_to("/ui/accounts");
    assert_ne!(before.cookie("keepfresh"), browser.cookie("keepfresh"));
    is_in(&mut browser);
    is_out(&mut before.clone());
    // Somebody else at the same browser has not shown it.
    let url = sent(&mut browser, "/ui/login/openid?again=yes&back=/ui/accounts");
    browser.open(&at_provider(&server, &url, "oscar.operators")).is(403);
}

/// A provider that says what a test wants.
#[derive(Clone)]
struct Liar(Arc<Mutex<Says>>);

#[derive(Default)]
struct Says {
    base: String,
    issuer: Option<String>,
    token: String,
    asked: Vec<(String, String)>,
}

impl Liar {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let liar = Self(Arc::new(Mutex::new(Says { base, ..Says::default() })));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .with_state(liar.clone());
        #[expect(clippy::disallowed_methods, reason = "it is a server, and ends with the test")]
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        liar
    }

    fn base(&self) -> String {
        self.0.lock().unwrap().base.clone()
    }

    /// What it would say of somebody in a group, for the login that begins with `url`.
    fn claims(&self, url: &str) -> Value {
        let now = keepfresh::model::clock::Clock::system().now().as_second();
        json!({
            "iss": self.base(), "sub": "7", "aud": "dashboard", "exp": now + 600, "iat": now,
            "nonce": asked(url, "nonce"), "preferred_username": "ann", "groups": ["operators"],
        })
    }

    fn says(&self, token: String) {
        self.0.lock().unwrap().token = token;
    }
}

async fn discovery(State(liar): State<Liar>) -> Json<Value> {
    let says = liar.0.lock().unwrap();
    let at = |path: &str| format!("{}/{path}", says.base);
    let issuer = says.issuer.clone().unwrap_or_else(|| says.base.clone());
    Json(json!({
        "issuer": issuer, "authorization_endpoint": at("auth"), "token_endpoint": at("token"), "jwks_uri": at("jwks"),
    }))
}

async fn jwks() -> Json<Value> {
    let mut key =
        serde_json::to_value(Jwk::from_encoding_key(&key(), Algorithm::ES256).unwrap()).unwrap();
    key["kid"] = "a".into();
    let shared = json!({ "kty": "oct", "kid": "shared", "k": URL_SAFE_NO_PAD.encode("shared") });
    Json(json!({ "keys": [shared, key] }))
}

async fn token(
    State(liar): State<Liar>,
    headers: axum::http::HeaderMap,
    form: String,
) -> Json<Value> {
    let mut says = liar.0.lock().unwrap();
    let basic = headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
    says.asked.push((basic.to_owned(), form));
    Json(json!({ "access_token": "a", "token_type": "Bearer", "id_token": says.token }))
}

fn key() -> EncodingKey {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/es256.pem");
    EncodingKey::from_ec_pem(&std::fs::read(path).unwrap()).unwrap()
}

fn signed(claims: &Value) -> String {
    let header = Header { kid: Some("a".to_owned()), ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &key()).unwrap()
}

/// A parameter of an address.
fn asked(url: &str, name: &str) -> String {
    let (_, query) = url.split_once('?').unwrap();
    let mut pairs = query.split('&').filter_map(|it| it.split_once('='));
    pairs.find(|(it, _)| *it == name).map(|(_, value)| value.to_owned()).unwrap()
}

/// Comes back with a code.
fn back(browser: &mut Surfer, url: &str, more: &str) -> Shown {
    let state = asked(url, "state");
    browser.get(&format!("/ui/login/openid/callback?code=c&state={state}{more}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lying_provider_says_opens_nothing() {
    let liar = Liar::start().await;
    let desk = desk(&liar.base(), "");
    let attempt = |token: &dyn Fn(Value) -> String| {
        let mut browser = desk.browser();
        let url = sent(&mut browser, "/ui/login/openid");
        liar.says(token(liar.claims(&url)));
        let shown = back(&mut browser, &url, "");
        (browser, shown)
    };
    let with = |name: &'static str, value: Value| {
        move |mut claims: Value| {
            claims[name] = value.clone();
            signed(&claims)
        }
    };
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("aud", json!("another")),
        ("nonce", json!("another")),
        ("exp", json!(1)),
        ("iat", json!(9_999_999_999_i64)),
        ("azp", json!("another")),
    ] {
        let (mut browser, shown) = attempt(&with(name, value));
        shown.is(403).says("login.token_invalid");
        is_out(&mut browser);
    }
    let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
    let none = |claims: Value| format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
    attempt(&none).1.is(403).says("login.token_invalid");
    let shared = |claims: Value| {
        let header = Header { kid: Some("shared".to_owned()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims, &EncodingKey::from_secret(b"shared")).unwrap()
    };
    attempt(&shared).1.is(403).says("login.token_invalid");
    let bent = |claims: Value| signed(&claims).replacen('.', ".e30", 1);
    attempt(&bent).1.is(403).says("login.token_invalid");
    let list = desk.home.run(&["account", "list", "--json"]).exits(0).json();
    assert_eq!(list["accounts"], json!([]), "nothing is stored of any of them");
    let (mut browser, shown) = attempt(&|claims| signed(&claims));
    shown.is(303);
    is_in(&mut browser);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_belongs_to_one_browser_one_login_and_one_issuer() {
    let liar = Liar::start().await;
    let desk = desk(&liar.base(), "");
    let mut browser = desk.browser();
    let url = sent(&mut browser, "/ui/login/openid");
    liar.says(signed(&liar.claims(&url)));
    // Another browser, as a page that has the answer sends it there.
    back(&mut desk.browser(), &url, "").is(403).says("login.over");
    let mut other = desk.browser();
    let others = sent(&mut other, "/ui/login/openid");
    back(&mut other, &url, "").is(403).says("login.over");
    // And its own login is over with that.
    back(&mut other, &others, "").is(403).says("login.over");
    back(&mut browser.clone(), &url, "").is(303);
    back(&mut browser, &url, "").is(403).says("login.over");
    let url = sent(&mut browser, "/ui/login/openid");
    liar.says(signed(&liar.claims(&url)));
    back(&mut browser, &url, "&iss=https%3A%2F%2Fevil.example").is(403).says("login.over");
    let url = sent(&mut browser, "/ui/login/openid");
    let denied = format!(
        "/ui/login/openid/callback?error=access_denied&error_description=%3Cb%3Eno&state={}",
        asked(&url, "state")
    );
    browser.get(&denied).is(403).says("the provider says: &#60;b&#62;no");
    // What was sent for the code, and nothing of it in the log.
    let asked_for = liar.0.lock().unwrap().asked.clone();
    let (basic, form) = &asked_for[0];
    assert!(basic.starts_with("Basic ") && form.contains("code_verifier="), "{asked_for:?}");
    let log = desk.daemon.log();
    let verifier = form.split("code_verifier=").nth(1).unwrap().split('&').next().unwrap();
    for secret in [verifier, "dashboard-secret", basic.trim_start_matches("Basic ")] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_that_of_today_and_a_name_is_nobody() {
    let liar = Liar::start().await;
    let desk = desk(&liar.base(), "");
    desk.home.run(&["account", "add", "ann", "--role", "operator"]).exits(0);
    let enter = |subject: &str, group: &str| {
        let mut browser = desk.browser();
        let url = sent(&mut browser, "/ui/login/openid");
        let mut claims = liar.claims(&url);
        (claims["sub"], claims["groups"]) = (subject.into(), json!([group]));
        liar.says(signed(&claims));
        let status = back(&mut browser, &url, "").status;
        (browser, status)
    };
    // Who is called as an account here is, is somebody else.
    let (mut first, status) = enter("7", "operators");
    assert_eq!(status, 303);
    first.get("/ui/accounts").is(200).says("ann-2");
    let (mut second, status) = enter("7", "viewers");
    assert_eq!(status, 303);
    is_out(&mut first);
    second.get("/ui/accounts").is(403);
    assert_eq!(enter("7", "others").1, 403);
    assert_eq!(enter("8", "viewers").1, 303);
    let list = desk.home.run(&["account", "list", "--json"]).exits(0).json();
    let names = list["accounts"].as_array().unwrap().iter().map(|it| it["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["ann", "ann-2", "ann-3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_or_another_one_is_said_on_a_page() {
    let liar = Liar::start().await;
    let desk = desk(&liar.base(), "");
    liar.0.lock().unwrap().issuer = Some("https://evil.example".to_owned());
    let shown = desk.browser().get("/ui/login/openid").is(502);
    shown.says("login.provider_unusable").says("another issuer");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let desk = self::desk(&format!("http://{gone}"), "");
    desk.browser().get("/ui/login/openid").is(502).says("login.provider_unusable");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_this_network_are_refused_unless_they_are_allowed() {
    let liar = Liar::start().await;
    let home = Home::new(&format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[dashboard.oidc]\nissuer = \"{}\"\nclient_id = \"d\"\noperators = [\"a\"]\n",
        liar.base()
    ));
    Desk::at(home).browser().get("/ui/login/openid").is(502).says("login.provider_unusable");
}
