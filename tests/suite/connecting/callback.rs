//! What comes back to the page on this machine, and from whom.

use e2e::provider::oauth;
use e2e::visitor::{fetch, walk};

use crate::connecting::Desk;

/// The provider's answer to the person, not yet followed.
fn answer(desk: &Desk, url: &str) -> String {
    let (status, location, body) = fetch(url);
    assert_eq!(status, 302, "{body} {:?}", desk.fake.control().journal());
    location.unwrap()
}

#[test]
fn a_stranger_at_the_page_is_refused_and_the_person_waited_for() {
    let desk = Desk::oauth(oauth::Settings::default(), "");
    let mut connecting = desk.begin("me", &[]);
    let url = connecting.address();
    let back = Desk::parameter(&url, "redirect_uri").unwrap();
    for query in [
        "",
        "?code=stolen",
        "?code=stolen&state=guessed",
        "?code=stolen&state=guessed&state=again",
        "?state=&state=&code=stolen&code=stolen&iss=a&iss=b",
        "?error=access_denied",
        "?error=access_denied&error=server_error&state=one&state=two",
    ] {
        let (_, _, page) = fetch(&format!("{back}{query}"));
        assert!(page.contains("Not connected") && !page.contains("stolen"), "{query}: {page}");
    }
    assert!(walk(&url).body.contains("Connected"));
    connecting.end().exits(0);
}

#[test]
fn an_answer_in_the_name_of_another_issuer_is_refused() {
    let desk = Desk::oauth(oauth::Settings::default(), "");
    let mut connecting = desk.begin("me", &[]);
    let location = answer(&desk, &connecting.address());
    let ours = Desk::parameter(&location, "iss").unwrap();
    let (from, to) = (ours.replace(':', "%3A").replace('/', "%2F"), "https%3A%2F%2Fevil.example");
    let (_, _, page) = fetch(&location.replace(&from, to));
    assert!(page.contains("another issuer"), "{page}");
    assert!(connecting.end().exits(1).stderr.contains("connect.issuer_mismatch"));
    let sent = desk.fake.control().journal();
    assert!(sent.iter().all(|it| it.path != "/token"), "the code was not traded: {sent:?}");
}

#[test]
fn a_code_is_traded_once_with_the_verifier_of_its_own_visit() {
    let desk = Desk::oauth(oauth::Settings::default(), "");
    let mut one = desk.begin("one", &[]);
    let location = answer(&desk, &one.address());
    let mut two = desk.begin("two", &["--port", "0"]);
    let url = two.address();
    // The code of the first visit, brought to the second with its own state.
    let state = Desk::parameter(&url, "state").unwrap();
    let code = Desk::parameter(&location, "code").unwrap();
    let back = Desk::parameter(&url, "redirect_uri").unwrap();
    let (_, _, page) = fetch(&format!("{back}?code={code}&state={state}"));
    assert!(page.contains("Not connected"), "{page}");
    two.end().exits(4);
    assert!(fetch(&location).2.contains("Connected"));
    one.end().exits(0);
}

#[test]
fn the_page_shows_nothing_to_scripts_and_is_not_kept() {
    let desk = Desk::oauth(oauth::Settings::default(), "");
    let mut connecting = desk.begin("me", &[]);
    let url = connecting.address();
    let location = answer(&desk, &url);
    let host = location.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let path = location.split_once(host).unwrap().1;
    std::io::Write::write_all(
        &mut stream,
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes(),
    )
    .unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
    for header in [
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "content-security-policy: default-src 'none'",
    ] {
        assert!(text.contains(header), "{text}");
    }
    connecting.end().exits(0);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let desk = Desk::oauth(oauth::Settings::default(), "");
    let taken = desk.fake.address().port().to_string();
    let run = desk.begin("me", &["--port", &taken]).end().exits(1);
    assert!(run.stderr.contains("choose another --port"), "{run:?}");
}

#[test]
fn nobody_who_comes_back_ends_the_wait() {
    let desk = Desk::oauth(oauth::Settings::default(), "");
    let run = desk.home.run(&["connect", "oauth2/me", "--no-browser", "--wait", "1s"]).exits(1);
    assert!(run.stderr.contains("the login was not completed within 1 s"), "{run:?}");
}

#[test]
fn nothing_of_a_visit_is_written_down_anywhere() {
    let settings = oauth::Settings { prefix: "CANARY_".to_owned(), ..oauth::Settings::default() };
    let mut desk = Desk::oauth(settings, "");
    desk.home.set_env("KEEPFRESH_LOG", "trace");
    let daemon = desk.home.serve();
    let (page, run) = desk.connect("me");
    run.exits(0);
    let back = page.way.last().unwrap();
    let visit = ["code", "state"].map(|name| Desk::parameter(back, name).unwrap());
    drop(daemon);
    let mut read = 0;
    for file in std::fs::read_dir(desk.home.path("")).unwrap().filter_map(Result::ok) {
        let Ok(bytes) = std::fs::read(file.path()) else { continue };
        read += 1;
        let text = String::from_utf8_lossy(&bytes);
        for secret in visit.iter().map(String::as_str).chain(["CANARY_"]) {
            assert!(!text.contains(secret), "{secret} in {}", file.path().display());
        }
    }
    assert!(read > 4, "the database, its log, the daemon's log and the manifest were looked at");
    let shown = page.body;
    assert!(!shown.contains(visit[0].as_str()) && !shown.contains("CANARY_"), "{shown}");
}
