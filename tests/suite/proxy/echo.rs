//! A token that comes back: in a body, in a header, packed, and in pieces.

use e2e::daemon::wait_until;

use super::Passed;

#[test]
fn a_token_that_the_provider_repeats_is_masked() {
    let passed = Passed::open();
    let (caller, token) = (passed.caller(), passed.token());
    for path in ["/proxy/eskiz/x", "/proxy/eskiz/gzip"] {
        let answer = caller.get(path).is(200);
        let shown = answer.json();
        assert_eq!(
            shown["headers"]["authorization"],
            format!("Bearer {}", "*".repeat(token.len()))
        );
        assert!(!answer.headers.contains_key("content-encoding"), "{:?}", answer.headers);
        assert!(!answer.text().contains(&token[..40]), "{}", answer.text());
    }
    let log = || passed.served.daemon.log();
    wait_until("the log tells of it", || log().contains("proxy.token_echoed"));
    assert!(!log().contains(&token), "{}", log());
}

#[test]
fn the_token_of_a_query_is_masked_where_the_provider_repeats_the_address() {
    let passed = Passed::with("query = \"api_key\"");
    let answer = passed.caller().get("/proxy/eskiz/x").is(200);
    let line = answer.json()["line"].to_string();
    assert!(
        line.starts_with("\"GET /x?api_key=***") && !line.contains(&passed.token()[..40]),
        "{line}"
    );
}

#[test]
fn a_token_in_the_base64_of_basic_is_masked() {
    let passed = Passed::with("basic = \"user:{token}\"");
    let answer = passed.caller().get("/proxy/eskiz/x").is(200).json();
    let shown = answer["headers"]["authorization"].to_string();
    assert!(shown.contains("***"), "{shown}");
    assert!(
        shown.trim_start_matches("\"Basic ").chars().filter(|it| *it != '*').count() < 20,
        "{shown}"
    );
}

#[test]
fn nothing_that_keepfresh_says_of_the_proxy_holds_a_token() {
    let passed = Passed::with("query = \"api_key\", methods = [\"GET\", \"POST\"]");
    let (caller, token) = (passed.caller(), passed.token());
    for path in [
        "/proxy/eskiz/x",
        "/proxy/eskiz/cut",
        "/proxy/eskiz/br",
        "/proxy/eskiz/%zz",
        "/proxy/eskiz/never",
    ] {
        let answer = caller.get(path);
        assert!(!format!("{:?} {}", answer.headers, answer.text()).contains(&token), "{path}");
    }
    passed.upstream.end(&token);
    caller.get("/proxy/eskiz/x");
    let log = passed.served.daemon.log();
    assert!(!log.contains(&token), "{log}");
    let audit = passed.served.stage.home.run(&["audit", "--json"]);
    assert!(!audit.stdout.contains(&token));
}
