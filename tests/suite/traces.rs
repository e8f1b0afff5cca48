//! Traces for OpenTelemetry: one attempt is one trace, with nothing secret in it; and a collector that does not
//! answer costs nobody anything.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use e2e::collector::{Collector, Span};
use e2e::daemon::{Daemon, wait_until};
use e2e::home::Home;
use e2e::http::{Http, Place};
use e2e::many::peak_memory;
use e2e::provider::answer::Answer;
use e2e::stage::Stage;

use crate::people::Crowd;

/// Sends traces to `collector`, a batch as soon as there is something.
fn sends_to(home: &mut Home, endpoint: &str) {
    home.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    home.set_env("OTEL_BSP_SCHEDULE_DELAY", "50");
}

/// A stage whose daemon sends traces.
fn traced(mut stage: Stage) -> (Stage, Daemon, Collector) {
    let collector = Collector::start();
    sends_to(&mut stage.home, &format!("http://{}", collector.address));
    let daemon = stage.home.serve();
    (stage, daemon, collector)
}

/// The spans of so many whole traces; each first one comes last.
fn traces(collector: &Collector, count: usize) -> Vec<Vec<Span>> {
    let roots = || collector.spans().into_iter().filter(|it| it.parent.is_empty());
    wait_until("the traces have come", || roots().count() >= count);
    let of = |root: Span| {
        let mut all = collector.spans();
        all.retain(|it| it.trace == root.trace);
        all.sort_by_key(|it| (it.from, u64::MAX - it.to));
        all
    };
    roots().map(of).collect()
}

/// The tree of a trace: each span behind as many dots as there are above it.
fn tree(spans: &[Span]) -> Vec<String> {
    let depth = |span: &Span| {
        let above = |id: &str| spans.iter().find(|it| it.id == id);
        std::iter::successors(above(&span.parent), |it| above(&it.parent)).count()
    };
    spans.iter().map(|it| format!("{}{}", ".".repeat(depth(it)), it.name)).collect()
}

fn said<'a>(span: &'a Span, name: &str) -> &'a str {
    span.attributes.get(name).map_or("", String::as_str)
}

#[test]
fn one_attempt_is_one_trace_from_its_wait_to_its_commit() {
    let (stage, _daemon, collector) = traced(Stage::jibit("").logged_in());
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    let all = traces(&collector, 1);
    assert_eq!(all.len(), 1);
    assert_eq!(
        tree(&all[0]),
        [
            "token.refresh",
            ".wait",
            ".claim",
            ".plugin.call",
            "..POST /ide/v1/tokens/refresh",
            "..capture",
            ".commit"
        ]
    );
    let root = &all[0][0];
    let attempt = stage.status()["last_attempt"].clone();
    for (name, value) in [
        ("keepfresh.connection.id", "jibit/default"),
        ("keepfresh.provider.name", "jibit"),
        ("keepfresh.plugin.name", "jibit"),
        ("keepfresh.attempt.id", attempt["id"].as_str().unwrap()),
        ("keepfresh.attempt.number", "1"),
        ("keepfresh.trigger", "forced"),
        ("keepfresh.outcome", "success"),
        ("keepfresh.generation", "2"),
        ("error.type", ""),
    ] {
        assert_eq!(said(root, name), value, "{name}: {root:?}");
    }
    assert!(!said(root, "keepfresh.plugin.version").is_empty() && !root.failed);
    let request = &all[0][4];
    assert_eq!((request.kind, said(request, "http.request.method")), (3, "POST"));
    assert_eq!(said(request, "server.address"), "127.0.0.1");
    assert_eq!(said(request, "url.template"), "/ide/v1/tokens/refresh");
    assert_eq!(said(request, "http.response.status_code"), "200");
    assert!(said(request, "http.response.body.size").parse::<u32>().unwrap() > 20);
    let inside = |it: &Span| it.from >= root.from && it.to <= root.to;
    assert!(all[0].iter().all(inside), "{all:?}");
    assert!(all[0].iter().all(|it| it.events == 0), "log lines are not part of it");
    assert_eq!(collector.resource()["service.name"], "keepfresh");
    assert!(!collector.resource()["service.version"].is_empty());
}

#[test]
fn a_failure_is_told_by_its_code_and_the_next_attempt_is_a_trace_of_its_own() {
    let (stage, _daemon, collector) = traced(Stage::eskiz("").logged_in());
    stage.control().script(Answer::bad_gateway());
    let _ = stage.home.run(&["refresh", "--force", "--sync"]);
    let failed = traces(&collector, 1).remove(0);
    let root = &failed[0];
    assert!(root.failed, "{root:?}");
    assert_eq!(said(root, "keepfresh.outcome"), "failed");
    assert_eq!(said(root, "error.type"), "provider.unavailable");
    let request = failed.iter().find(|it| it.kind == 3).unwrap();
    assert_eq!((said(request, "http.response.status_code"), request.failed), ("502", true));
    assert_eq!(tree(&failed).last().unwrap(), ".commit");
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    let both = traces(&collector, 2);
    assert_ne!(both[0][0].trace, both[1][0].trace);
    assert_eq!(said(&both[1][0], "keepfresh.attempt.number"), "2");
}

#[test]
fn a_provider_is_not_told_of_traces_and_nothing_of_what_is_skipped_is_traced() {
    let stage = Stage::eskiz("").logged_in();
    let (tap, heard) = tap(&stage.fake.base_url());
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    stage.home.write_manifest(&manifest.replace(&stage.fake.base_url(), &tap));
    let (stage, daemon, collector) = traced(stage);
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    // There is nothing to do, and so nothing to trace.
    let _ = stage.home.run(&["refresh", "--sync"]).exits(0);
    assert_eq!(stage.home.run(&["token", "get", "eskiz"]).exits(0).code, 0);
    assert!(daemon.stop().success());
    assert_eq!(traces(&collector, 1).len(), 1);
    let heard = heard.lock().unwrap().to_ascii_lowercase();
    assert!(heard.contains("\r\nuser-agent: keepfresh/"), "{heard}");
    for header in ["traceparent", "tracestate", "baggage"] {
        assert!(!heard.contains(header), "{heard}");
    }
}

/// A line to the provider at `url` that is listened to: its address, and all that was sent.
fn tap(url: &str) -> (String, Arc<Mutex<String>>) {
    let (heard, listener) = (Arc::<Mutex<String>>::default(), TcpListener::bind("127.0.0.1:0"));
    let (listener, to) = (listener.unwrap(), url.strip_prefix("http://").unwrap().to_owned());
    let (address, kept) = (listener.local_addr().unwrap(), Arc::clone(&heard));
    std::thread::spawn(move || {
        for mut from in listener.incoming().flatten() {
            let mut there = TcpStream::connect(&to).unwrap();
            let (mut back, mut answered) = (there.try_clone().unwrap(), from.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back, &mut answered));
            let (mut piece, kept) = ([0; 4096], Arc::clone(&kept));
            std::thread::spawn(move || {
                while let Ok(read @ 1..) = from.read(&mut piece) {
                    kept.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..read]));
                    let _ = there.write_all(&piece[..read]);
                }
                let _ = there.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (format!("http://{address}"), heard)
}

#[test]
fn the_standard_variables_are_obeyed() {
    let mut stage = Stage::eskiz("").logged_in();
    stage
        .home
        .set_env("OTEL_EXPORTER_OTLP_HEADERS", "x-team=integrations,authorization=Bearer%20k");
    stage.home.set_env("OTEL_SERVICE_NAME", "tokens");
    stage.home.set_env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging");
    let (stage, daemon, collector) = traced(stage);
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    assert_eq!(traces(&collector, 1).len(), 1);
    let (headers, _) = &collector.requests()[0];
    assert_eq!(headers["x-team"], "integrations");
    assert_eq!(headers["authorization"], "Bearer k");
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert_eq!(collector.resource()["service.name"], "tokens");
    assert_eq!(collector.resource()["deployment.environment.name"], "staging");
    assert!(daemon.stop().success());
    for (name, value) in [("OTEL_TRACES_SAMPLER", "always_off"), ("OTEL_SDK_DISABLED", "true")] {
        let mut stage = Stage::eskiz("").logged_in();
        stage.home.set_env(name, value);
        let (stage, daemon, collector) = traced(stage);
        let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
        assert!(daemon.stop().success());
        assert!(collector.requests().is_empty(), "{name}={value}");
    }
}

#[test]
fn what_cannot_be_sent_in_that_way_is_said_and_the_daemon_works() {
    let mut stage = Stage::eskiz("").logged_in();
    stage.home.set_env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let (stage, daemon, collector) = traced(stage);
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    let log = daemon.log();
    assert!(log.contains("OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`"), "{log}");
    assert!(daemon.stop().success());
    assert!(collector.requests().is_empty());
}

#[test]
fn a_password_in_an_address_that_is_none_is_not_said() {
    let mut stage = Stage::eskiz("").logged_in();
    stage.home.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:CANARY word@collector");
    let daemon = stage.home.serve();
    let log = daemon.log();
    assert!(log.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && !log.contains("CANARY"), "{log}");
}

#[test]
fn the_end_of_the_daemon_sends_what_waits() {
    let mut stage = Stage::eskiz("").logged_in();
    let collector = Collector::start();
    sends_to(&mut stage.home, &format!("http://{}", collector.address));
    stage.home.set_env("OTEL_BSP_SCHEDULE_DELAY", "3600000");
    let daemon = stage.home.serve();
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    assert!(collector.requests().is_empty(), "it waits for an hour");
    assert!(daemon.stop().success());
    assert_eq!(traces(&collector, 1).len(), 1);
}

#[test]
fn a_collector_that_is_gone_is_told_of_once_and_again_when_it_is_back() {
    let (stage, daemon, collector) = traced(Stage::eskiz("").logged_in());
    collector.answer(403);
    for _ in 0..5 {
        let before = collector.requests().len();
        let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
        wait_until("it was tried", || collector.requests().len() > before);
    }
    let told = |words: &str| daemon.log().matches(words).count();
    wait_until("it is told", || told("traces cannot be sent") > 0);
    assert_eq!(told("traces cannot be sent to 127.0.0.1: it answered 403"), 1, "{}", daemon.log());
    collector.answer(200);
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    wait_until("it is told, too", || told("traces are sent to 127.0.0.1 again") == 1);
}

#[test]
fn a_collector_that_never_answers_delays_nothing_and_takes_no_memory() {
    let crowd = Crowd::new("concurrency = 8");
    let names = (0..300).map(|it| format!("u{it}")).collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    crowd.file("people.csv", &crowd.roster(&names, 86_400));
    let _ = crowd.import(&["people.csv"]).exits(0);
    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut crowd = crowd;
    sends_to(&mut crowd.home, &format!("http://{}", silent.local_addr().unwrap()));
    let daemon = crowd.home.serve();
    let refresh = || {
        let begun = Instant::now();
        let _ = crowd.home.run(&["refresh", "--force", "--sync"]).exits(0);
        begun.elapsed()
    };
    let first = refresh();
    let before = peak_memory(daemon.pid()).unwrap();
    // Each is six spans and more: several times what the queue holds.
    let later = (0..6).map(|_| refresh()).max().unwrap();
    let after = peak_memory(daemon.pid()).unwrap();
    assert!(later < first * 4 + Duration::from_secs(2), "first {first:?}, later {later:?}");
    assert!(after < before + (16 << 10), "from {before} to {after} KiB");
    let begun = Instant::now();
    assert!(daemon.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[test]
fn without_a_collector_there_is_no_sign_of_traces() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = stage.home.serve();
    let threads = std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap();
    let names = threads.map(|it| std::fs::read_to_string(it.unwrap().path().join("comm")).unwrap());
    assert!(names.into_iter().all(|it| !it.starts_with("OpenTelemetry")));
}

#[test]
fn an_attempt_that_a_request_causes_is_part_of_the_trace_of_its_caller() {
    let (stage, _daemon, collector) = traced(Stage::eskiz("").logged_in());
    let caller = Http::at(Place::Socket(stage.home.path("keepfresh.http.sock")));
    let traced =
        |trace: &str| caller.with("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
    let (one, two) = ("4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c");
    let refresh = "/api/v1/connections/eskiz/refresh?wait=30s";
    traced(one).post(refresh, &serde_json::json!({ "force": true })).is(200);
    // The caller is answered at once, and the attempt goes on without it.
    let begin = "/api/v1/connections/eskiz/refresh";
    traced(two).post(begin, &serde_json::json!({ "force": true })).is(202);
    wait_until("it has ended", || stage.status()["generation"] == 3);
    caller.post(refresh, &serde_json::json!({ "force": true })).is(200);
    let roots = || {
        let all = collector.spans().into_iter().filter(|it| it.name == "token.refresh");
        all.map(|it| (it.trace, it.parent)).collect::<Vec<_>>()
    };
    wait_until("all have come", || roots().len() >= 3);
    let parent = "00f067aa0ba902b7".to_owned();
    let roots = roots();
    assert_eq!(roots[0], (one.to_owned(), parent.clone()));
    assert_eq!(roots[1], (two.to_owned(), parent));
    assert!(roots[2].1.is_empty() && ![one, two].contains(&roots[2].0.as_str()), "{roots:?}");
    let unsampled = format!("00-{one}-00f067aa0ba902b7-00");
    caller
        .with("traceparent", &unsampled)
        .post(refresh, &serde_json::json!({ "force": true }))
        .is(200);
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    wait_until("the last has come", || {
        collector.spans().iter().filter(|it| it.parent.is_empty()).count() >= 2
    });
    let of_one =
        collector.spans().into_iter().filter(|it| it.trace == one && it.name == "token.refresh");
    assert_eq!(of_one.count(), 1, "what its caller does not trace is not traced");
}
