//! Probes of containers and load balancers.

use e2e::stage::Stage;
use serde_json::json;

use super::Served;

#[test]
fn a_container_is_healthy_while_its_daemon_can_work() {
    let served = Served::eskiz();
    let healthy = served.stage.home.run(&["healthcheck"]).exits(0);
    assert_eq!(healthy.stdout, "ready: 1 provider\n");
    let ready = served.socket().get("/readyz").is(200).json();
    assert_eq!(ready, served.stage.home.run(&["healthcheck", "--json"]).exits(0).json());
    assert_eq!((&ready["ready"], &ready["providers_refused"]), (&json!(true), &json!(0)));
    let alive = served.socket().get("/healthz").is(200).json();
    assert_eq!(alive["status"], "ok");
    let Served { stage, daemon } = served;
    assert!(daemon.stop().success());
    let dead = stage.home.run(&["healthcheck"]).exits(5);
    assert!(dead.stderr.contains("keepfresh serve"), "{dead:?}");
}

#[test]
fn a_provider_without_its_plugin_is_counted_and_not_named() {
    let stage = Stage::eskiz("").logged_in();
    std::fs::remove_file(stage.home.path("plugins/eskiz.wasm")).unwrap();
    let served = Served::over(stage, "");
    let ready = served.address().get("/readyz").is(200);
    assert_eq!(ready.json()["providers_refused"], 1);
    assert!(!ready.text().contains("eskiz"));
}

#[test]
fn what_is_overdue_is_told_in_seconds() {
    let served = Served::eskiz();
    let ready = served.socket().get("/readyz").is(200).json();
    assert_eq!(ready["oldest_overdue_s"], 0, "{ready}");
}
