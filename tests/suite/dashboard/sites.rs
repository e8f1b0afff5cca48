//! What other sites cannot do: call the dashboard by a name of theirs, send its forms, put it into a frame, or read
//! what it says.

use e2e::home::Home;
use e2e::surfer::{Shown, Surfer};

use super::{Desk, PASSWORD, is_in, path_of};

#[test]
fn a_form_counts_if_it_comes_from_a_page_of_ours() {
    let desk = Desk::open();
    let here = format!("http://{}", desk.address());
    let ann = desk.person("ann", "operator");
    let refused = |site: Option<&'static str>, origin: Option<&str>| {
        let browser = ann.clone().from_site(site);
        let mut browser = match origin {
            Some(origin) => browser.with("origin", origin),
            None => browser,
        };
        browser.submit("/ui/account/sessions/0/end", &[]).status == 403
    };
    assert!(!refused(Some("same-origin"), None));
    assert!(!refused(Some("same-origin"), Some(&here)));
    for site in ["cross-site", "same-site", "none", ""] {
        assert!(refused(Some(site), None), "{site}");
        assert!(refused(Some(site), Some(&here)), "{site}: what a browser says outweighs a header");
    }
    assert!(!refused(None, Some(&here)), "an older browser names the origin");
    let elsewhere = [
        "https://evil.example",
        "null",
        "",
        &here.replace("http", "https"),
        &format!("{here}.evil.example"),
    ];
    for origin in elsewhere {
        assert!(refused(None, Some(origin)), "{origin}");
    }
    assert!(refused(None, None), "and a program that names neither is no browser");
}

#[test]
fn nobody_is_logged_in_by_a_page_of_another_site() {
    let desk = Desk::open();
    let link = desk.invited("mallory", "viewer");
    let mut victim = desk.browser().from_site(Some("cross-site"));
    let chosen = [("password", PASSWORD), ("again", PASSWORD)];
    victim.submit(&link, &chosen).is(403);
    desk.browser().submit(&link, &chosen).is(303);
    victim.submit("/ui/login", &[("name", "mallory"), ("password", PASSWORD)]).is(403);
    victim.submit("/ui/logout", &[]).is(403);
    assert!(victim.cookies.is_empty());
}

#[test]
fn a_link_from_another_site_leads_in_and_changes_nothing() {
    let desk = Desk::open();
    let mut ann = desk.person("ann", "operator");
    // As a link in a mail or a chat does, which a Strict cookie would not come along with.
    ann = ann.from_site(Some("cross-site"));
    is_in(&mut ann);
    for path in ["/ui/logout", "/ui/accounts/remove", "/ui/account/password", "/ui/looks"] {
        let status = ann.get(path).status;
        assert!([303, 404, 405].contains(&status), "{path}: {status}");
    }
    is_in(&mut ann);
}

#[test]
fn a_name_that_was_made_to_point_here_is_refused() {
    let desk = Desk::with("url = \"https://keep.example/below\"\nhosts = [\"other.example\"]");
    let called = |host: &str| desk.browser().calling(host).get("/ui/login").status;
    for host in ["localhost", "127.0.0.1:1", "[::1]", "keep.example", "Other.Example:443"] {
        assert_eq!(called(host), 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "keep.example.evil", ""] {
        assert_eq!(called(host), 421, "{host}");
    }
    let mut rebound = desk.browser().calling("evil.example");
    protected(&rebound.submit("/ui/login", &[("name", "a"), ("password", "b")]).is(421));
}

/// Fails unless an answer can be neither framed, nor read by others, nor kept.
fn protected(shown: &Shown) {
    let policy = shown.header("content-security-policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
    ] {
        assert_eq!(shown.header(name), value, "{shown:?}");
    }
    assert!(shown.header("permissions-policy").contains("camera=()"));
}

#[test]
fn every_answer_is_protected_and_errors_are_too() {
    let desk = Desk::open();
    let mut ann = desk.person("ann", "viewer");
    let mut stranger = desk.browser();
    protected(&ann.get("/ui/account").is(200));
    protected(&ann.get("/ui/accounts").is(403));
    protected(&ann.get("/ui/nothing/here").is(404));
    protected(&ann.get("/ui/account/sessions/x/end"));
    protected(&ann.submit("/ui/account/sessions/x/end", &[]));
    protected(&ann.submit("/ui/login", &[("name", "only a name")]).is(400));
    protected(&ann.submit("/ui/login", &[("name", "ann"), ("password", "a wrong one")]).is(403));
    protected(&ann.clone().from_site(Some("cross-site")).submit("/ui/logout", &[]).is(403));
    protected(&stranger.get("/ui/attempts").is(303));
    protected(&stranger.get("/ui/login").is(200));
    protected(&stranger.get("/ui/welcome/nothing").is(410));
    let long = "x".repeat(1 << 17);
    protected(&stranger.submit("/ui/login", &[("name", "ann"), ("password", &long)]));
}

#[test]
fn over_plain_http_on_this_machine_the_cookie_is_plain_and_the_page_says_so() {
    let desk = Desk::open();
    let link = desk.invited("ann", "viewer");
    let mut browser = desk.browser();
    browser.get(&link).is(200).says("This connection is not encrypted");
    browser.get("/ui/login").is(200).says("This connection is not encrypted");
    let shown = browser.submit(&link, &[("password", PASSWORD), ("again", PASSWORD)]).is(303);
    let cookie = shown.set_cookie("keepfresh");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    assert!(!shown.headers.iter().any(|(name, _)| name == "strict-transport-security"));
}

#[test]
fn behind_a_proxy_with_tls_the_cookie_is_for_this_host_over_tls_alone() {
    let desk = Desk::with("behind_proxy = true\nurl = \"https://keep.example\"");
    let made = desk.home.run(&["account", "add", "ann"]).exits(0).stdout;
    assert!(made.starts_with("https://keep.example/ui/welcome/"), "{made}");
    let mut browser = desk.browser().calling("keep.example");
    // Plain http can set a cookie of the plain name, and that is worth nothing here.
    browser.cookies.insert("keepfresh".to_owned(), "a".repeat(64));
    let chosen = [("password", PASSWORD), ("again", PASSWORD)];
    let shown = browser.submit(&path_of(&made), &chosen).is(303);
    of_host(&shown);
    let plain = browser.cookie("__Host-keepfresh");
    is_in(&mut browser);
    let mut other = Surfer::new(desk.address()).calling("keep.example");
    other.cookies.insert("keepfresh".to_owned(), plain);
    super::is_out(&mut other);
    let old = browser.clone().from_site(None).with("origin", "https://keep.example");
    old.clone().submit("/ui/account/sessions/0/end", &[]).is(303);
}

fn of_host(shown: &Shown) {
    let cookie = shown.set_cookie("__Host-keepfresh");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert!(shown.header("strict-transport-security").starts_with("max-age="));
}

fn key_file(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("keys").join(name)
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "it is a caller, and no way out")]
async fn with_a_certificate_of_its_own_the_cookie_is_for_this_host_over_tls_alone() {
    let tls = "tls = { certificate = \"cert.pem\", key = \"key.pem\" }";
    let home = Home::new(&format!("[server]\nlisten = \"127.0.0.1:0\"\n{tls}\n"));
    for (from, to) in [("tls-first.pem", "cert.pem"), ("tls-first.key.pem", "key.pem")] {
        std::fs::copy(key_file(from), home.path(to)).unwrap();
    }
    let desk = Desk::at(home);
    let link = desk.invited("ann", "viewer");
    let trusted = std::fs::read(key_file("tls-first.pem")).unwrap();
    let trusted = reqwest::Certificate::from_pem(&trusted).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([trusted]).no_proxy();
    let client = client.redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = format!("https://localhost:{}{link}", desk.address().port());
    let form = format!("password={0}&again={0}", PASSWORD.replace(' ', "+"));
    let request = client.post(url).header("sec-fetch-site", "same-origin");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    let answer = request.send().await.unwrap();
    let headers = answer.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let (status, headers) = (answer.status().as_u16(), headers.collect());
    let shown = Shown { status, headers, body: String::new() };
    of_host(&shown.is(303));
}
