//! A plugin that waits for somebody: told when it begins to, and when it was approved.

use std::sync::Arc;

use e2e::artifacts;
use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::inside::Inside;
use e2e::receiver::Receiver;
use keepfresh::delivery::Delivery;
use keepfresh::manifest;

use super::{add, at_work, webhook};

/// Reads manifest and plugins anew, as the daemon does when a file changes.
async fn read_anew(home: &Home, inside: &Inside, delivery: &Delivery) {
    let manifest = manifest::load(&home.path("keepfresh.toml")).unwrap();
    inside.app.adopt(Arc::new(manifest)).await.unwrap();
    delivery.follow_manifest().await.unwrap();
}

fn approve(home: &Home) {
    let inspected = home.run(&["plugin", "inspect", "plugins/x.wasm", "--json"]).exits(0).json();
    let digest = inspected["digest"].as_str().unwrap();
    home.run(&["plugin", "approve", "x", "--digest", digest]).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_waits_for_approval_is_told_at_once_and_so_is_its_approval() {
    let receiver = Receiver::start();
    let section = "[providers.x]\nsettings = { base_url = \"http://127.0.0.1:1\" }\negress = { networks = [\"127.0.0.0/8\"], plaintext = true }\n";
    let home = Home::new(section);
    home.drop_plugin(&artifacts::guest("rotor"), "x");
    home.run(&["plugin", "list"]).exits(0);
    add(&home, &webhook(&receiver, "after = \"0s\""));
    // The clock stands still: whoever is not woken never looks.
    let (inside, delivery) = at_work(&home).await;
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    read_anew(&home, &inside, &delivery).await;
    wait_until("it is told", || receiver.received().len() == 1);
    let begun = receiver.received()[0].json();
    assert_eq!(
        (&begun["type"], &begun["data"]["kind"]),
        (&"alert.began".into(), &"approval".into())
    );
    assert!(begun.to_string().contains("x.wasm"), "{begun:#}");
    tokio::task::block_in_place(|| approve(&home));
    read_anew(&home, &inside, &delivery).await;
    wait_until("that it is over is told", || receiver.received().len() == 2);
    assert_eq!(receiver.received()[1].json()["type"], "alert.recovered");
    inside.app.lifecycle.stop();
}
