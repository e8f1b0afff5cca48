//! A daemon that works sends a sign of life; one that is dead, or does not work, does not.

use std::thread;
use std::time::Duration;

use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::home::Home;
use e2e::receiver::Receiver;

use super::at_work;

fn manifest(receiver: &Receiver) -> String {
    format!(
        "[heartbeat]\nurl = \"{}\"\nevery = \"1s\"\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        receiver.url("/ping/CANARY")
    )
}

#[test]
fn a_daemon_that_is_killed_is_noticed_at_the_other_side() {
    let receiver = Receiver::start();
    let home = Home::new(&manifest(&receiver));
    let daemon = home.serve();
    wait_until("it pings", || receiver.received().len() >= 3);
    let first = &receiver.received()[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("GET", "/ping/CANARY"));
    assert!(!daemon.log().contains("CANARY"));
    daemon.kill();
    let last = receiver.received().len();
    thread::sleep(Duration::from_secs(3));
    assert!(receiver.received().len() <= last + 1, "nothing comes from the dead");
}

#[test]
fn a_heartbeat_that_does_not_arrive_is_said_once() {
    let receiver = Receiver::start();
    (0..3).for_each(|_| receiver.answers("500 Broken"));
    let home = Home::new(&manifest(&receiver));
    let daemon = home.serve();
    wait_until("it arrives", || daemon.log().contains("the heartbeat is sent again"));
    assert_eq!(daemon.log().matches("the heartbeat was not sent").count(), 1, "{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_scheduler_does_not_look_sends_no_sign_of_life() {
    let receiver = Receiver::start();
    let home = Home::new(&manifest(&receiver));
    let (inside, _delivery) = at_work(&home).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(receiver.received().len(), 0);
    inside.app.lifecycle.stop();
}

#[test]
fn a_daemon_whose_database_takes_nothing_sends_no_sign_of_life_until_it_does_again() {
    let receiver = Receiver::start();
    let home = Home::new(&manifest(&receiver));
    let daemon = home.serve();
    wait_until("it pings", || !receiver.received().is_empty());
    let database = Database::at(&home.path("keepfresh.db"));
    let held = database.hold();
    let why = "the heartbeat was not sent: the database takes nothing: the database is locked";
    wait_until("it is said", || daemon.log().contains(why));
    let before = receiver.received().len();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(receiver.received().len(), before, "who can write nothing does not work");
    drop(held);
    wait_until("it is sent again", || daemon.log().contains("the heartbeat is sent again"));
    assert!(receiver.received().len() > before);
}
