//! Mail, as a real server takes it: `aiosmtpd`, with STARTTLS and a login. Without it these tests are skipped.

use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::servers::RealServer;
use e2e::stage::{Stage, write_secret};
use serde_json::Value;

use super::add;
use crate::providers::subject::{self, plain};

const PASSWORD: &str = "mail-password-CANARY";

/// A channel that sends mail through this server, with these lines besides.
fn channel(url: &str, more: &str) -> String {
    format!(
        "\n[[channels]]\nkind = \"email\"\nsmtp = \"{url}\"\npassword = {{ file = \"smtp.secret\" }}\nfrom = \"Keepfresh <keepfresh@example.com>\"\nto = [\"ops@example.com\", \"night@example.com\"]\nafter = \"0s\"\n{more}\n"
    )
}

/// `smtp://mailer@localhost:PORT?starttls=required`.
fn encrypted(server: &RealServer) -> String {
    server.base_url().replace("smtp://", "smtp://mailer@") + "?starttls=required"
}

/// One connection whose password is wrong, and a channel with those lines.
fn misconfigured(server: &RealServer, url: &str, more: &str) -> Stage {
    let mut stage = Stage::eskiz("");
    write_secret(&stage.home, "eskiz.password", "wrong");
    write_secret(&stage.home, "smtp.secret", PASSWORD);
    stage.home.set_env("SSL_CERT_FILE", &server.authority().display().to_string());
    add(&stage.home, &channel(url, more));
    stage
}

fn state(stage: &Stage) -> Value {
    stage.home.run(&["channel", "list", "--json"]).exits(0).json()["channels"][0].clone()
}

#[test]
fn mail_goes_over_starttls_to_all_recipients_in_plain_text_and_html() {
    let Some(server) = RealServer::smtp(&[]) else { return };
    let stage = misconfigured(&server, &encrypted(&server), "");
    let daemon = stage.home.serve();
    wait_until("it arrives", || !server.mails().is_empty());
    let mail = server.mails().remove(0);
    assert_eq!((&mail["tls"], &mail["user"]), (&true.into(), &"mailer".into()));
    assert_eq!(mail["from"], "keepfresh@example.com");
    assert_eq!(mail["to"], serde_json::json!(["ops@example.com", "night@example.com"]));
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("Subject: [keepfresh] eskiz: 1 connection needs a correction"), "{text}");
    for part in
        ["text/plain", "text/html", "multipart/alternative", "keepfresh status --provider eskiz"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("Message-ID: <msg_"), "{text}");
    assert!(!text.contains(PASSWORD) && !daemon.log().contains(PASSWORD));
    wait_until("it is seen", || state(&stage)["state"] == "ok");
}

#[test]
fn nothing_is_sent_to_a_server_without_starttls_that_is_not_here() {
    let Some(server) = RealServer::smtp(&["--plain"]) else { return };
    let stage = misconfigured(&server, &encrypted(&server), "");
    let failed = stage.home.run(&["channel", "test", "email", "--json"]).exits(1).json();
    assert_eq!(failed["error"]["code"], "channel.mail_unreachable");
    assert!(server.mails().is_empty());
}

#[test]
fn a_server_on_this_machine_needs_no_tls() {
    let Some(server) = RealServer::smtp(&["--plain"]) else { return };
    let stage = misconfigured(&server, server.base_url(), "");
    stage.home.run(&["channel", "test", "email"]).exits(0);
    assert_eq!(server.mails()[0]["tls"], false);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_not_accepted() {
    let Some(server) = RealServer::smtp(&[]) else { return };
    let Some(other) = RealServer::smtp(&[]) else { return };
    let stage = misconfigured(&other, &encrypted(&server), "");
    let failed = stage.home.run(&["channel", "test", "email", "--json"]).exits(1).json();
    assert_eq!(failed["error"]["code"], "channel.mail_unreachable");
    assert!(failed["error"]["message"].as_str().unwrap().contains("certificate"), "{failed}");
    assert!(server.mails().is_empty());
}

#[test]
fn a_wrong_password_is_said_and_not_shown() {
    let Some(server) = RealServer::smtp(&[]) else { return };
    let stage = misconfigured(&server, &encrypted(&server), "");
    write_secret(&stage.home, "smtp.secret", "wrong-CANARY");
    let failed = stage.home.run(&["channel", "test", "email", "--json"]).exits(1);
    assert_eq!(failed.json()["error"]["code"], "channel.mail_refused");
    assert!(failed.stdout.contains("535") && !failed.stdout.contains("CANARY"), "{failed:?}");
}

/// A connection whose person has an address, at work, and a channel that tells them alone.
fn of_a_person(server: &RealServer) -> (Stage, Database) {
    let mut stage = plain(subject::oauth2_person).started("");
    write_secret(&stage.home, "smtp.secret", PASSWORD);
    stage.home.set_env("SSL_CERT_FILE", &server.authority().display().to_string());
    let lines = "notify_person = true\non = [\"expired\"]";
    add(&stage.home, &channel(&encrypted(server), lines));
    let database = Database::at(&stage.home.path("keepfresh.db"));
    database.run("update connections set profile = '{\"email\":\"alice@example.com\"}'");
    (stage, database)
}

#[test]
fn the_person_of_a_connection_is_told_once_that_they_have_to_log_in() {
    let Some(server) = RealServer::smtp(&[]) else { return };
    let (stage, _) = of_a_person(&server);
    let _daemon = stage.home.serve();
    stage.control().revoke_everything();
    stage.home.run(&["refresh", stage.name(), "--force", "--sync"]);
    assert_eq!(stage.state(), "reconnect");
    wait_until("it arrives", || !server.mails().is_empty());
    let mail = server.mails().remove(0);
    assert_eq!(mail["to"], serde_json::json!(["alice@example.com"]));
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("Subject: Please connect your account"), "{text}");
    stage.home.run(&["refresh", stage.name(), "--force", "--sync"]);
    stage.home.run(&["channel", "test", "email"]).exits(0);
    assert_eq!(server.mails().len(), 2, "the test, and nothing more to the person");
}

#[test]
fn a_person_who_has_logged_in_meanwhile_is_not_told() {
    let Some(server) = RealServer::smtp(&["--refuse", "451"]) else { return };
    let (stage, database) = of_a_person(&server);
    let daemon = stage.home.serve();
    stage.control().revoke_everything();
    stage.home.run(&["refresh", stage.name(), "--force", "--sync"]);
    let put_off = "select count(*) from messages where tries = 1 and apart = 1";
    wait_until("it is put off", || database.number(put_off) == 1);
    assert!(daemon.stop().success());
    database.run("update connections set problem = null, failures = 0, error_code = null");
    let _daemon = stage.home.serve();
    wait_until("it is dropped", || database.number("select count(*) from messages") == 0);
    assert!(server.mails().is_empty(), "{:?}", server.mails());
}

#[test]
fn mail_that_is_put_off_is_tried_again() {
    let Some(server) = RealServer::smtp(&["--refuse", "451"]) else { return };
    let stage = misconfigured(&server, &encrypted(&server), "");
    let _daemon = stage.home.serve();
    wait_until("it arrives", || server.mails().len() == 1);
}

#[test]
fn mail_that_is_refused_for_good_is_tried_again_all_the_same() {
    let Some(server) = RealServer::smtp(&["--refuse", "554"]) else { return };
    let stage = misconfigured(&server, &encrypted(&server), "");
    let _daemon = stage.home.serve();
    wait_until("it arrives", || server.mails().len() == 1);
}

#[test]
fn a_mailbox_that_refuses_keeps_the_mail_from_no_other() {
    let Some(server) = RealServer::smtp(&["--without", "night@example.com"]) else { return };
    let stage = misconfigured(&server, &encrypted(&server), "");
    let daemon = stage.home.serve();
    wait_until("it fails", || state(&stage)["state"] == "failing");
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["to"], serde_json::json!(["ops@example.com"]));
    let text = mails[0]["text"].as_str().unwrap();
    assert!(text.contains("night@example.com"), "the mail names all of its receivers: {text}");
    let failing = state(&stage);
    assert_eq!(failing["error"]["code"], "channel.mail_refused");
    let message = failing["error"]["message"].as_str().unwrap();
    assert!(message.ends_with("did not take number 2 of `to` (550)"), "{message}");
    assert!(failing["delivered_at"].is_string() && failing["waiting"] == 1, "{failing}");
    let database = Database::at(&stage.home.path("keepfresh.db"));
    let again = "select count(*) from messages where apart = 1 and tries = 2";
    wait_until("it is tried again for the rest", || database.number(again) == 1);
    assert_eq!(server.mails().len(), 1, "who has it gets it once");
    let password = e2e::provider::eskiz::Settings::default().password;
    write_secret(&stage.home, "eskiz.password", &password);
    daemon.signal(rustix::process::Signal::HUP);
    wait_until("the next one is not held up", || server.mails().len() == 2);
    let log = daemon.log();
    assert!(!log.contains("night@example.com") && !log.contains("CANARYSAID"), "{log}");
    let failed = stage.home.run(&["channel", "test", "email", "--json"]).exits(1).json();
    assert_eq!(failed["error"]["code"], "channel.mail_refused");
}

#[test]
fn a_mail_server_that_says_nothing_is_not_waited_for_for_ever() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://localhost:{}", silent.local_addr().unwrap().port());
    let stage = Stage::eskiz("");
    write_secret(&stage.home, "smtp.secret", PASSWORD);
    add(&stage.home, &channel(&url, ""));
    let failed = stage.home.run(&["channel", "test", "email", "--json"]).exits(1).json();
    assert_eq!(failed["error"]["code"], "channel.mail_unreachable");
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.ends_with("it did not answer in time"), "{message}");
}

#[test]
fn a_connection_that_cannot_be_read_keeps_no_channel_from_hearing_of_others() {
    let Some(server) = RealServer::smtp(&["--plain"]) else { return };
    let stage = misconfigured(&server, server.base_url(), "notify_person = true");
    let daemon = stage.home.serve();
    wait_until("it arrives", || server.mails().len() == 1);
    wait_until("it is noted", || state(&stage)["waiting"] == 0);
    assert!(daemon.stop().success());
    let database = Database::at(&stage.home.path("keepfresh.db"));
    database.run("update connections set profile = '{'");
    database.run(
        "insert into outbox (at, kind, connection, generation)
         values (unixepoch() * 1000, 'reconnect', 'eskiz/default', 0)",
    );
    let _daemon = stage.home.serve();
    let behind = "select count(*) from listeners, outbox
                  where name = 'channel:email' and outbox.kind = 'reconnect' and outbox.id > seen";
    wait_until("it has heard of it", || database.number(behind) == 0);
    stage.home.run(&["channel", "test", "email"]).exits(0);
}
