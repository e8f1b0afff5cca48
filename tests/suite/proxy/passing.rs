//! What passes, there and back.

use super::Passed;

#[test]
fn a_request_reaches_the_provider_with_the_token_and_the_answer_comes_back() {
    let passed = Passed::open();
    let caller = passed.caller();
    let answer = caller.with("accept", "text/plain").send(
        "POST",
        "/proxy/eskiz/sms/send?to=1",
        Some("{\"a\":1}"),
    );
    let answer = answer.is(200);
    assert_eq!(answer.header("keepfresh-answered-by"), "provider");
    let seen = &passed.upstream.seen()[0];
    assert_eq!(seen.line, "POST /sms/send?to=1");
    assert_eq!(seen.body, b"{\"a\":1}");
    assert_eq!(seen.headers["authorization"], format!("Bearer {}", passed.token()));
    assert_eq!(seen.headers["content-length"], "7");
    assert_eq!(seen.headers["accept"], "text/plain");
    assert_eq!(
        seen.headers["host"],
        passed.upstream.url().trim_matches('/').replace("http://", "")
    );
}

#[test]
fn every_method_of_the_manifest_passes_and_so_do_odd_paths() {
    let passed = Passed::open();
    let caller = passed.caller();
    for method in ["GET", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] {
        caller.send(method, "/proxy/eskiz/x", None).is(200);
    }
    let head = caller.send("HEAD", "/proxy/eskiz/bytes/5000", None).is(200);
    assert_eq!((head.header("content-length"), head.body.len()), ("5000", 0));
    for path in ["", "/", "/a%20b", "/projects/group%2Fname?x=%2e%2e", "/a//b", "/~x;v=1/"] {
        caller.get(&format!("/proxy/eskiz{path}")).is(200);
    }
    caller.get("/proxy/eskiz~default/named").is(200);
    caller.get("/proxy/eskiz%2Fdefault/named").is(200);
    let lines = passed.upstream.seen().into_iter().map(|it| it.line).collect::<Vec<_>>();
    let wanted = [
        "GET /x",
        "OPTIONS /x",
        "POST /x",
        "PUT /x",
        "PATCH /x",
        "DELETE /x",
        "HEAD /bytes/5000",
        "GET /",
        "GET /",
        "GET /a%20b",
        "GET /projects/group%2Fname?x=%2e%2e",
        "GET /a//b",
        "GET /~x;v=1/",
        "GET /named",
        "GET /named",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn what_belongs_to_the_caller_stays_here() {
    let passed = Passed::open();
    let caller = passed.caller();
    let asked = caller
        .with("cookie", "session=mine")
        .with("connection", "close, x-hop")
        .with("x-hop", "1")
        .with("x-forwarded-for", "10.0.0.1")
        .with("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .with("idempotency-key", "7")
        .with("x-request-id", "of-the-caller");
    asked.send("POST", "/proxy/eskiz/x", Some("{}")).is(200);
    let seen = &passed.upstream.seen()[0];
    for name in ["cookie", "x-hop", "x-forwarded-for", "traceparent"] {
        assert!(!seen.headers.contains_key(name), "{name} in {:?}", seen.headers);
    }
    assert!(!seen.headers.values().any(|it| it.contains("kf_")), "{:?}", seen.headers);
    assert_eq!(seen.headers["idempotency-key"], "7");
    assert_eq!(seen.headers["x-request-id"], "of-the-caller");
    // Repeated with the same key it is sent again: that it means the same is the provider's to know.
    asked.send("POST", "/proxy/eskiz/x", Some("{}")).is(200);
    assert_eq!(passed.upstream.seen().len(), 2);
}

#[test]
fn sessions_and_what_is_of_one_hop_do_not_come_back() {
    let passed = Passed::open();
    let answer = passed.caller().get("/proxy/eskiz/session").is(200);
    for name in ["set-cookie", "x-hop"] {
        assert!(!answer.headers.contains_key(name), "{name} in {:?}", answer.headers);
    }
    assert_eq!(answer.header("content-type"), "text/html");
    assert_eq!(answer.header("content-security-policy"), "sandbox");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-request-id"), "of-the-provider", "its support asks for that one");
}

#[test]
fn a_redirect_comes_back_and_is_not_followed() {
    let passed = Passed::open();
    let answer = passed.caller().get("/proxy/eskiz/away").is(302);
    assert!(answer.header("location").starts_with("https://elsewhere.example/?was=*"));
    assert!(!answer.header("location").contains(&passed.token()));
}

#[test]
fn an_answer_that_breaks_off_does_so_for_the_caller_too() {
    let passed = Passed::open();
    let answer = passed.caller().get("/proxy/eskiz/cut").is(200);
    assert_eq!(answer.header("content-length"), "1000");
    assert_eq!(answer.text(), "begun", "the connection ends before the length that was said");
}

#[test]
fn what_is_sent_is_counted_by_who_sent_it_and_seen_in_the_figures() {
    let passed = Passed::open();
    let caller = passed.caller();
    for _ in 0..3 {
        caller.get("/proxy/eskiz/x").is(200);
    }
    caller.get("/proxy/eskiz/never").is(401);
    let home = &passed.served.stage.home;
    let entries = home.run(&["audit", "--action", "token.used", "--json"]).json();
    assert_eq!(entries["entries"][0]["count"], 4, "{entries}");
    assert_eq!(entries["entries"][0]["key_name"], "app", "{entries}");
    caller.get("/proxy/nobody-knows/x").is(404);
    let figures = passed.served.socket().get("/metrics").is(200).text();
    assert!(!figures.contains("nobody-knows"), "what anybody may write is no label: {figures}");
    let line = "keepfresh_proxy_requests_total{provider=\"eskiz\",status=\"200\"} 3";
    assert!(figures.contains(line), "{figures}");
}
