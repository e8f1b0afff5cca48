//! Requests that nobody in their right mind sends: each is answered by name, or its connection is closed.

use std::time::Duration;

use super::Served;

const ESKIZ: &str = "/api/v1/connections/eskiz";

#[test]
fn what_is_asked_wrongly_is_refused_by_name() {
    let served = Served::eskiz();
    let caller = served.socket();
    let long = format!("/api/v1/connections?after={}", "a".repeat(20_000));
    let name = format!("/api/v1/connections/{}", "a".repeat(4096));
    for (method, path, body, status, code) in [
        ("GET", "/nowhere", None, 404, "http.not_found"),
        ("GET", "/api/v1/connections/..%2F..", None, 404, "connection.provider_unknown"),
        ("GET", "/api/v1/connections/a%00b", None, 404, "connection.unknown"),
        ("GET", "/api/v1/connections/%F0%9F%98%80", None, 404, "connection.unknown"),
        ("GET", "/api/v1/connections/%ff", None, 400, "http.path_invalid"),
        ("GET", &name, None, 404, "connection.unknown"),
        ("GET", &long, None, 400, "http.path_invalid"),
        ("GET", "/api/v1/connections?limit=1&limit=2", None, 400, "http.query_invalid"),
        ("GET", "/api/v1/connections?limti=1", None, 400, "http.query_invalid"),
        ("GET", "/api/v1/connections?key=kf_abc", None, 400, "auth.in_url"),
        ("GET", "/api/v1/attempts/not-an-id", None, 404, "http.not_found"),
        ("GET", "/api/v1/audit?after=x", None, 400, "usage"),
        ("PATCH", "/api/v1/connections", None, 405, "http.method"),
        ("TRACE", "/api/v1/connections", None, 405, "http.method"),
        (
            "POST",
            "/api/v1/connections/eskiz/refresh",
            Some("{\"forse\":1}"),
            400,
            "http.body_invalid",
        ),
        ("POST", "/api/v1/connections/eskiz/refresh", Some("[[["), 400, "http.body_invalid"),
        (
            "POST",
            "/api/v1/connections/eskiz/refresh",
            Some("{\"force\":1e999}"),
            400,
            "http.body_invalid",
        ),
    ] {
        let answer = caller.send(method, path, body);
        let path = &path[..path.len().min(60)];
        assert_eq!(answer.status, status, "{method} {path} {}", answer.text());
        assert_eq!(answer.code(), code, "{method} {path}");
    }
    let allowed = caller.send("PATCH", "/api/v1/connections", None);
    assert!(allowed.header("allow").contains("GET"), "{allowed:?}");
}

#[test]
fn a_body_that_is_too_large_compressed_or_no_json_is_not_read() {
    let served = Served::eskiz();
    let path = format!("{ESKIZ}/refresh");
    let large = format!("{{\"force\":{}true}}", " ".repeat(1_100_000));
    let answer = served.socket().send("POST", &path, Some(&large)).is(413);
    assert_eq!(answer.code(), "http.body_too_large");
    for (name, value) in
        [("content-type", "text/plain"), ("content-type", "application/x-www-form-urlencoded")]
    {
        let answer = served.socket().with(name, value).send("POST", &path, Some("{}")).is(415);
        assert_eq!(answer.code(), "http.body_type");
    }
    let packed = served.socket().with("content-encoding", "gzip").send("POST", &path, Some("{}"));
    assert_eq!(packed.is(415).code(), "http.body_type");
    let endless = "POST /api/v1/connections HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 65_536, "a".repeat(65_536));
    let came = served.socket().exchange(format!("{endless}{}", chunk.repeat(6)).as_bytes());
    assert!(came.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&came));
}

#[test]
fn a_page_of_another_site_and_another_host_are_refused() {
    let served = Served::eskiz();
    let caller = served.with_key("web", &["--scope", "admin"]);
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "null"), ("origin", "https://evil.example")]
    {
        let answer = caller.with(name, value).get(ESKIZ).is(403);
        assert_eq!(answer.code(), "http.cross_site", "{name}");
    }
    let rebound = caller.with("host", "evil.example:7420").get(ESKIZ).is(421);
    assert_eq!(rebound.code(), "http.host_denied");
    caller.with("host", "127.0.0.1:7420").get(ESKIZ).is(200);
}

#[test]
fn two_keys_are_one_too_many() {
    let served = Served::eskiz();
    let caller = served.with_key("web", &["--scope", "admin"]);
    let answer = caller.with("authorization", "Bearer other").get(ESKIZ).is(400);
    assert_eq!(answer.code(), "auth.ambiguous");
}

#[test]
fn what_breaks_http_ends_the_connection() {
    let served = Served::eskiz();
    for broken in [
        "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n folded: b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "\u{16}\u{3}\u{1}hello",
    ] {
        let came = served.address().exchange(broken.as_bytes());
        let came = String::from_utf8_lossy(&came).into_owned();
        assert!(came.is_empty() || came.starts_with("HTTP/1.1 4"), "{broken:?}: {came}");
    }
    let heads = format!("GET /healthz HTTP/1.1\r\nhost: a\r\n{}\r\n", "a: b\r\n".repeat(200));
    let came = served.address().exchange(heads.as_bytes());
    assert!(came.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&came));
    let large = format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(65_536));
    let came = served.address().exchange(large.as_bytes());
    assert!(came.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&came));
    served.address().get("/healthz").is(200);
}

#[test]
fn whoever_is_slow_is_let_go() {
    use std::io::{Read as _, Write as _};
    let served = Served::eskiz();
    let socket = served.stage.home.path("keepfresh.http.sock");
    let mut slow = std::os::unix::net::UnixStream::connect(socket).unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n").unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut came = Vec::new();
    slow.read_to_end(&mut came).unwrap();
    let came = String::from_utf8_lossy(&came).into_owned();
    assert!(came.is_empty() || came.starts_with("HTTP/1.1 408"), "{came}");
}

#[test]
fn a_name_that_would_do_harm_elsewhere_is_text() {
    let served = Served::eskiz();
    let pause =
        serde_json::json!({ "reason": "<img src=x onerror=alert(1)> {{7*7}} =cmd() \u{202e}" });
    let shown = served.socket().post(&format!("{ESKIZ}/pause"), &pause).is(200);
    assert_eq!(shown.header("content-type"), "application/json");
    assert_eq!(shown.header("x-content-type-options"), "nosniff");
}
