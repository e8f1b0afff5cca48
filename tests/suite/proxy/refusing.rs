//! What is refused, by name: every way to reach elsewhere, and every request that is not the caller's to send.

use e2e::stage::Stage;
use e2e::upstream::Upstream;
use serde_json::json;

use super::Passed;
use crate::api::Served;

#[test]
fn nothing_passes_where_the_manifest_says_nothing() {
    let served = Served::eskiz();
    let caller = served.with_key("app", &["--scope", "proxy:use"]);
    let refused = caller.get("/proxy/eskiz/x").is(403);
    assert_eq!(refused.code(), "proxy.off");
    let detail = refused.json()["detail"].to_string();
    assert!(detail.contains("[providers.eskiz]: proxy = { to = "), "{detail}");
}

#[test]
fn a_key_that_may_use_the_proxy_may_nothing_else() {
    let passed = Passed::open();
    let caller = passed.caller();
    for path in ["/api/v1/connections/eskiz/token", "/api/v1/connections", "/metrics"] {
        assert_eq!(caller.get(path).is(403).code(), "auth.scope", "{path}");
    }
    let reported = caller.post("/api/v1/connections/eskiz/rejected", &json!({}));
    assert_eq!(reported.is(403).code(), "auth.scope");
    let reader = passed.served.with_key("reader", &["--scope", "connection:read"]);
    assert_eq!(reader.get("/proxy/eskiz/x").is(403).code(), "auth.scope");
    let holder = passed.served.with_key("holder", &["--scope", "token:read"]);
    holder.get("/proxy/eskiz/x").is(200);
    let bound = passed.served.with_key("bound", &["--scope", "proxy:use", "--label", "gold"]);
    assert_eq!(bound.get("/proxy/eskiz/x").is(404).code(), "connection.unknown");
    assert_eq!(passed.served.address().get("/proxy/eskiz/x").is(401).code(), "auth.missing");
    assert_eq!(passed.upstream.seen().len(), 1);
}

#[test]
fn every_way_to_reach_elsewhere_is_refused_or_stays_below_the_address() {
    let passed = Passed::with("to = [\"UPSTREAMv1/\"]");
    let caller = passed.caller();
    for path in [
        "/../admin",
        "/a/../../admin",
        "/%2e%2e/admin",
        "/.%2E/admin",
        "/..%2fadmin",
        "/%2e%2e%2fadmin",
        "/a/..;/..;/admin",
        "/..;x/admin",
        "/%252e%252e/admin",
        "/a%5c..%5cadmin",
        "/a%00",
        "/%zz",
        "/./x",
    ] {
        let refused = caller.get(&format!("/proxy/eskiz{path}"));
        assert_eq!(refused.is(400).code(), "egress.url_invalid", "{path}");
    }
    for to in
        ["https://evil.example/", "http://127.0.0.1:1/", "@evil.example", "", "http://127.0.0.1"]
    {
        let refused = caller.with("keepfresh-to", to).get("/proxy/eskiz/x");
        assert_eq!(refused.is(403).code(), "proxy.to_denied", "{to}");
    }
    for name in [
        "x-original-url",
        "X-Rewrite-Url",
        "x-http-method-override",
        "x_http_method_override",
        "x-host",
    ] {
        let refused = caller.with(name, "/admin").get("/proxy/eskiz/x");
        assert_eq!(refused.is(403).code(), "egress.header_denied", "{name}");
    }
    assert!(passed.upstream.seen().is_empty(), "{:?}", passed.upstream.seen());
    // Names in a path are names in a path.
    for path in ["/https://evil.example/", "//evil.example/x", "/@evil.example/", "/:443/"] {
        caller.get(&format!("/proxy/eskiz{path}")).is(200);
    }
    assert!(passed.upstream.seen().iter().all(|it| it.line.starts_with("GET /v1/")));
    // In the absolute form of a request, the host is one that this server does not have.
    let key = crate::api::key(&passed.served.stage.home, "absolute", &["--scope", "proxy:use"]);
    let absolute = format!(
        "GET http://evil.example/proxy/eskiz/x HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(caller.raw(absolute).is(421).code(), "http.host_denied");
}

#[test]
fn below_a_whole_origin_names_may_have_encoded_slashes_and_no_path_climbs() {
    let stage = Stage::eskiz("").logged_in();
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    let to = format!("to = [\"{}/\"], methods = [\"GET\", \"PATCH\"]", stage.fake.base_url());
    stage.home.write_manifest(&format!("{manifest}\nproxy = {{ {to} }}\n"));
    let before = stage.seen().len();
    let served = Served::over(stage, "");
    let caller = served.with_key("app", &["--scope", "proxy:use"]);
    for path in [
        "x%2F..%2Fapi%2Fauth%2Frefresh",
        "x%5C..%5Capi%2fauth%2frefresh",
        "api/auth/x%252F..%252Frefresh",
        "api%2F.%2Fauth%2Frefresh",
        "x%2F..;a=1%2Fapi/auth/refresh",
    ] {
        let refused = caller.send("PATCH", &format!("/proxy/eskiz/{path}"), None);
        assert_eq!(refused.is(400).code(), "egress.url_invalid", "{path}");
    }
    let own = caller.send("PATCH", "/proxy/eskiz/api%2Fauth%2Frefresh", None);
    assert_eq!(own.is(403).code(), "egress.token_request");
    assert_eq!(served.stage.seen().len(), before);
    caller.get("/proxy/eskiz/projects/group%2Fname").is(404);
    assert_eq!(served.stage.seen().len(), before + 1);
}

#[test]
fn methods_that_the_manifest_does_not_name_are_refused_with_the_remedy() {
    let passed = Passed::with("");
    let caller = passed.caller();
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let refused = caller.send(method, "/proxy/eskiz/x", None).is(403);
        assert_eq!(refused.code(), "egress.method_denied");
        let detail = refused.json()["detail"].to_string();
        assert!(detail.contains("change `methods` in [providers.eskiz.proxy]"), "{detail}");
    }
    for method in ["TRACE", "PROPFIND", "get"] {
        assert_eq!(
            caller.send(method, "/proxy/eskiz/x", None).is(403).code(),
            "egress.method_denied"
        );
    }
    caller.send("HEAD", "/proxy/eskiz/x", None).is(200);
    assert_eq!(passed.upstream.seen().len(), 1);
}

#[test]
fn websocket_is_refused_by_name() {
    let passed = Passed::open();
    let caller = passed.caller().with("connection", "upgrade").with("upgrade", "websocket");
    assert_eq!(caller.get("/proxy/eskiz/x").is(501).code(), "proxy.upgrade");
    assert!(passed.upstream.seen().is_empty());
}

#[test]
fn an_address_that_is_not_public_is_refused_with_the_line_that_would_allow_it() {
    let stage = Stage::eskiz("proxy = { to = [\"https://localhost:1/\"] }").logged_in();
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    let narrow = manifest.replace("127.0.0.0/8", "127.77.0.0/16");
    let served = Served::over(stage, "");
    let caller = served.with_key("app", &["--scope", "proxy:use"]);
    // Where this machine's own addresses are granted, nobody listens at port 1.
    assert_eq!(caller.get("/proxy/eskiz/x").is(502).code(), "egress.connect_failed");
    let listen = "[server]\nlisten = \"127.0.0.1:0\"\n\n";
    served.stage.home.write_manifest(&format!("{listen}{narrow}"));
    e2e::daemon::wait_until("the manifest is read", || {
        let refused = caller.get("/proxy/eskiz/x");
        refused.status == 403 && refused.code() == "egress.ip_denied"
    });
    let refused = caller.get("/proxy/eskiz/x");
    let detail = refused.json()["detail"].to_string();
    assert!(detail.contains("[providers.eskiz]: egress = { networks = "), "{detail}");
}

#[test]
fn requests_by_which_the_plugin_gets_tokens_are_refused_unless_they_are_named_in_full() {
    let stage = Stage::eskiz("").logged_in();
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    let base = stage.fake.base_url();
    let with = |to: &str| {
        let proxy = format!(
            "[providers.eskiz.proxy]\nto = [\"{to}\"]\nmethods = [\"GET\", \"POST\", \"PATCH\"]\n"
        );
        format!("{manifest}\n{proxy}")
    };
    stage.home.write_manifest(&with(&format!("{base}/api/")));
    let before = stage.seen().len();
    let served = Served::over(stage, "");
    let caller = served.with_key("app", &["--scope", "proxy:use"]);
    for path in [
        "/auth/refresh",
        "/auth//refresh",
        "/auth/REFRESH",
        "/auth/login/",
        "/%61uth/refresh",
        "/auth/refresh;a=1",
    ] {
        for method in ["PATCH", "POST", "GET"] {
            let refused = caller.send(method, &format!("/proxy/eskiz{path}"), None);
            assert_eq!(refused.is(403).code(), "egress.token_request", "{path}");
        }
    }
    assert_eq!(served.stage.seen().len(), before);
    // To look who one is needs no more than the token.
    caller.get("/proxy/eskiz/auth/user").is(200);
    let whole = with(&format!("{base}/api/auth/refresh"));
    served.stage.home.write_manifest(&format!("[server]\nlisten = \"127.0.0.1:0\"\n\n{whole}"));
    e2e::daemon::wait_until("the manifest is read", || {
        caller.send("PATCH", "/proxy/eskiz", None).status == 200
    });
}

#[test]
fn what_is_never_passed_on_is_refused_by_name_while_there_is_no_token() {
    let upstream = Upstream::start();
    let stage = Stage::eskiz("");
    let base = stage.fake.base_url();
    let to = format!("to = [\"{}v1/\", \"{base}/api/\"]", upstream.url());
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    stage.home.write_manifest(&format!("{manifest}\nproxy = {{ {to} }}\n"));
    stage.home.run(&["connection", "pause", "eskiz"]);
    let served = Served::over(stage, "");
    served.stage.home.run(&["connection", "pause", "eskiz"]).exits(0);
    let caller = served.with_key("app", &["--scope", "proxy:use"]);
    let plain = caller.get("/proxy/eskiz/x");
    assert!(![200, 400, 403].contains(&plain.status), "there is no token: {plain:?}");
    for path in ["/../admin", "/a%00"] {
        let refused = caller.get(&format!("/proxy/eskiz{path}"));
        assert_eq!(refused.is(400).code(), "egress.url_invalid", "{path}");
    }
    let own = caller.with("keepfresh-to", &format!("{base}/api/"));
    assert_eq!(own.get("/proxy/eskiz/auth/login").is(403).code(), "egress.token_request");
    let posted = caller.send("POST", "/proxy/eskiz/x", Some("{}"));
    assert_eq!(posted.is(403).code(), "egress.method_denied");
    assert!(upstream.seen().is_empty());
}

#[test]
fn a_page_of_another_site_gets_nothing_through() {
    let passed = Passed::open();
    let caller = passed.caller();
    assert_eq!(
        caller.with("origin", "https://evil.example").get("/proxy/eskiz/x").is(403).code(),
        "http.cross_site"
    );
    assert_eq!(
        caller.with("host", "evil.example").get("/proxy/eskiz/x").is(421).code(),
        "http.host_denied"
    );
    assert!(passed.upstream.seen().is_empty());
}

#[test]
fn an_answer_that_cannot_be_looked_through_is_not_passed() {
    let passed = Passed::open();
    let refused = passed.caller().get("/proxy/eskiz/br").is(502);
    assert_eq!(refused.code(), "provider.encoding_unsupported");
    assert!(!refused.text().contains("not looked through"));
}

#[test]
fn a_manifest_that_sends_tokens_astray_is_refused() {
    for (keys, word) in [
        ("to = [\"http://api.example.com/\"]", "in clear"),
        ("to = [\"https://{base_url}/\"]", "placeholders"),
        ("to = [\"https://api.example.com/*\"]", "placeholders"),
        ("to = [\"https://u:p@api.example.com/\"]", "normal form"),
        ("to = [\"ftp://api.example.com/\"]", "normal form"),
        ("methods = [\"GET\"]", "`to` is missing"),
        ("to = [\"https://a.example/\"], methods = [\"TRACE\"]", "method"),
        ("to = [\"https://a.example/\"], header = \"Host\"", "header"),
        ("to = [\"https://a.example/\"], header = \"a\", query = \"b\"", "one place"),
        ("to = [\"https://a.example/\"], prefix = \"Token \"", "stands in a header"),
        ("to = [\"https://a.example/\"], basic = \"user\"", "{token}"),
        ("to = [\"https://a.example/\"], without_token = \"ignore\"", "forward"),
    ] {
        let home = e2e::home::Home::new("");
        home.write_manifest(&format!("[providers.x]\nproxy = {{ {keys} }}\n"));
        let told = home.run(&["check"]).exits(78);
        assert!(told.stderr.contains(word) || told.stdout.contains(word), "{keys}: {told:?}");
    }
}
