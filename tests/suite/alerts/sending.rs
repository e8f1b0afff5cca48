//! What is sent, and what becomes of it when nobody takes it.

use std::process::{Command, Stdio};
use std::time::Duration;

use e2e::daemon::{Daemon, wait_until};
use e2e::database::Database;
use e2e::home::Home;
use e2e::provider::script::{Fate, Scenario};
use e2e::receiver::Receiver;
use e2e::servers;
use e2e::stage::Stage;
use serde_json::Value;

use super::{add, webhook};

/// One connection whose password is wrong, and this channel; nothing is waited for.
fn misconfigured(channel: &str) -> Stage {
    let stage = Stage::eskiz("");
    e2e::stage::write_secret(&stage.home, "eskiz.password", "wrong");
    add(&stage.home, &format!("{channel}after = \"0s\"\n"));
    stage
}

/// Corrects the password, so that what was wrong is over.
fn mend(stage: &Stage, daemon: &Daemon) {
    let password = e2e::provider::eskiz::Settings::default().password;
    e2e::stage::write_secret(&stage.home, "eskiz.password", &password);
    daemon.signal(rustix::process::Signal::HUP);
}

fn channel(home: &Home) -> Value {
    home.run(&["channel", "list", "--json"]).exits(0).json()["channels"][0].clone()
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn a_webhook_is_signed_so_that_others_can_tell() {
    let receiver = Receiver::start();
    let stage = misconfigured(&webhook(&receiver, "secret = { file = \"hook.secret\" }"));
    e2e::stage::write_secret(&stage.home, "hook.secret", SECRET);
    let _daemon = stage.home.serve();
    let received = receiver.receives(1).remove(0);
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/hook"));
    assert_eq!(received.headers["content-type"], "application/json");
    let body = received.json();
    assert_eq!(
        (&body["type"], &body["data"]["kind"]),
        (&"alert.began".into(), &"misconfigured".into())
    );
    assert_eq!(body["data"]["title"], "eskiz: 1 connection needs a correction");
    let Some(python) = servers::python("channels") else { return };
    let headers = serde_json::to_string(&received.headers).unwrap();
    let verify = "import json, sys\nfrom standardwebhooks.webhooks import Webhook\nWebhook(sys.argv[1]).verify(sys.argv[3], json.loads(sys.argv[2]))\n";
    let verified = |secret: &str, body: &str| {
        let mut command = Command::new(&python);
        command.args(["-c", verify, secret, &headers, body]).stdin(Stdio::null());
        command.output().unwrap().status.success()
    };
    assert!(verified(SECRET, &received.body));
    assert!(
        !verified(SECRET, &received.body.replace("eskiz", "other")),
        "it was changed on its way"
    );
    assert!(!verified("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &received.body), "it is another's");
}

#[test]
fn slack_gets_one_text() {
    let receiver = Receiver::start();
    let mut stage = misconfigured(
        "\n[[channels]]\nkind = \"slack\"\nurl = { env = \"SLACK_URL\" }\negress = { networks = [\"127.0.0.0/8\"], plaintext = true }\n",
    );
    stage.home.set_env("SLACK_URL", &receiver.url("/services/T0/B0/CANARYPATH"));
    let daemon = stage.home.serve();
    let received = receiver.receives(1).remove(0);
    let body = received.json();
    assert_eq!(body.as_object().unwrap().len(), 1);
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with("*eskiz: 1 connection needs a correction*\n"), "{text}");
    assert!(text.contains("`keepfresh status --provider eskiz`"), "{text}");
    assert!(!daemon.log().contains("CANARYPATH"), "{}", daemon.log());
}

#[test]
fn a_channel_speaks_in_the_words_of_its_operator() {
    let receiver = Receiver::start();
    let endpoint = format!(
        "\n[[channels]]\nkind = \"slack\"\nurl = \"{}\"\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        receiver.url("/slack")
    );
    let words = r#"title = "[prod] {{ title }}"
text = """
{% if provider %}{{ provider }} ({{ affected }}): {{ connections | join(", ") }}
{{ causes[0].code }}{% else %}{{ text }}{% endif %}
https://wiki.example/{{ kind }}"""
"#;
    let stage = misconfigured(&format!("{endpoint}{words}"));
    let _daemon = stage.home.serve();
    let text = receiver.receives(1)[0].json()["text"].as_str().unwrap().to_owned();
    let wanted = "*[prod] eskiz: 1 connection needs a correction*\neskiz (1): default\n";
    assert!(
        text.starts_with(wanted) && text.ends_with("\nhttps://wiki.example/misconfigured"),
        "{text}"
    );
    // A test has no provider, and no message is lost for that.
    stage.home.run(&["channel", "test", "slack"]).exits(0);
    let text = receiver.receives(2)[1].json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("*[prod] ") && text.ends_with("\nhttps://wiki.example/"), "{text}");
}

#[test]
fn a_template_without_a_result_is_told_of_and_costs_no_message() {
    let receiver = Receiver::start();
    let stage = misconfigured(&format!(
        "\n[[channels]]\nkind = \"slack\"\nurl = \"{}\"\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\ntitle = \"{{{{ causes[7].code }}}}\"\n",
        receiver.url("/slack")
    ));
    let daemon = stage.home.serve();
    let text = receiver.receives(1)[0].json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("*eskiz: 1 connection needs a correction*"), "{text}");
    wait_until("it is told", || daemon.log().contains("channel.template"));
}

#[test]
fn a_template_that_names_what_is_not_there_is_a_problem_of_the_manifest() {
    let stage = misconfigured(
        "\n[[channels]]\nkind = \"slack\"\nurl = \"https://hooks.example/x\"\ntext = \"{{ provder }}\"\n",
    );
    let check = stage.home.run(&["check"]);
    let said = format!("{}{}", check.stdout, check.stderr);
    assert!(
        said.contains("manifest.channel") && said.contains("did you mean `provider`?"),
        "{said}"
    );
}

#[test]
fn what_nobody_takes_is_tried_again_and_seen_meanwhile() {
    let receiver = Receiver::start();
    receiver.answers("503 Busy");
    let stage = misconfigured(&webhook(&receiver, ""));
    let daemon = stage.home.serve();
    wait_until("it fails", || channel(&stage.home)["state"] == "failing");
    let failing = channel(&stage.home);
    assert_eq!(failing["error"]["code"], "channel.status");
    assert_eq!(failing["error"]["message"], "127.0.0.1 answered 503: no success");
    assert_eq!(failing["waiting"], 1);
    let all = receiver.receives(2);
    assert_eq!(
        all[0].headers["webhook-id"], all[1].headers["webhook-id"],
        "it is the same message"
    );
    assert_eq!(all[0].body, all[1].body);
    wait_until("it is delivered", || channel(&stage.home)["state"] == "ok");
    assert_eq!(channel(&stage.home)["waiting"], 0);
    assert!(daemon.log().contains("a message of the channel webhook was delivered"));
}

#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let receiver = Receiver::start();
    receiver.answers("429 Slow\nRetry-After: 3600");
    let stage = misconfigured(&webhook(&receiver, ""));
    let daemon = stage.home.serve();
    wait_until("it fails", || channel(&stage.home)["state"] == "failing");
    let next: jiff::Timestamp = channel(&stage.home)["next_at"].as_str().unwrap().parse().unwrap();
    let wait = next.duration_since(stage.control().now()).as_secs();
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    mend(&stage, &daemon);
    wait_until("there is more to say", || channel(&stage.home)["waiting"] == 2);
    std::thread::sleep(Duration::from_secs(1));
    receiver.receives(1);
    assert_eq!(channel(&stage.home)["next_at"], next.to_string());
}

#[test]
fn a_correction_is_no_new_trouble_before_it_was_tried() {
    let receiver = Receiver::start();
    let stage = misconfigured(&webhook(&receiver, ""));
    let daemon = stage.home.serve();
    receiver.receives(1);
    // Longer than the time between two looks.
    stage.control().script(Scenario::from(Fate::Act).delay_before(5_000));
    mend(&stage, &daemon);
    let kinds = receiver.receives(2).iter().map(e2e::receiver::Received::kind).collect::<Vec<_>>();
    assert_eq!(kinds, ["alert.began", "alert.recovered"]);
}

#[test]
fn no_message_overtakes_another() {
    let receiver = Receiver::start();
    receiver.answers("503 Busy");
    let stage = misconfigured(&webhook(&receiver, ""));
    let daemon = stage.home.serve();
    wait_until("it fails", || channel(&stage.home)["state"] == "failing");
    mend(&stage, &daemon);
    wait_until("there is more to say", || channel(&stage.home)["waiting"] == 2);
    let kinds = receiver.receives(3).iter().map(e2e::receiver::Received::kind).collect::<Vec<_>>();
    assert_eq!(kinds, ["alert.began", "alert.began", "alert.recovered"]);
}

#[test]
fn a_message_that_fails_once_more_still_holds_up_those_behind_it() {
    let receiver = Receiver::start();
    (0..2).for_each(|_| receiver.answers("503 Busy"));
    let stage = misconfigured(&webhook(&receiver, ""));
    let daemon = stage.home.serve();
    wait_until("it fails", || channel(&stage.home)["state"] == "failing");
    mend(&stage, &daemon);
    wait_until("there is more to say", || channel(&stage.home)["waiting"] == 2);
    receiver.receives(2);
    std::thread::sleep(Duration::from_secs(1));
    let kinds = receiver.receives(2).iter().map(e2e::receiver::Received::kind).collect::<Vec<_>>();
    assert_eq!(kinds, ["alert.began", "alert.began"]);
}

#[test]
fn a_stop_and_a_reload_wait_for_the_message_on_its_way_and_nothing_is_sent_twice() {
    let receiver = Receiver::start();
    let late = Duration::from_secs(2);
    receiver.takes(late);
    let stage = misconfigured(&webhook(&receiver, ""));
    let daemon = stage.home.serve();
    receiver.receives(1);
    assert!(daemon.stop().success());
    assert_eq!(channel(&stage.home)["state"], "ok");
    receiver.takes(late);
    let daemon = stage.home.serve();
    mend(&stage, &daemon);
    receiver.receives(2);
    add(&stage.home, "timezone = \"Asia/Tashkent\"\n");
    wait_until("it is noted", || channel(&stage.home)["waiting"] == 0);
    std::thread::sleep(Duration::from_secs(1));
    let all = receiver.receives(2);
    assert_eq!(all[1].kind(), "alert.recovered");
    assert!(daemon.log().matches("was delivered").count() >= 2, "{}", daemon.log());
}

#[test]
fn a_receiver_that_is_gone_gets_nothing_more_until_a_test_arrives() {
    let receiver = Receiver::start();
    receiver.answers("410 Gone");
    let stage = misconfigured(&webhook(&receiver, ""));
    let daemon = stage.home.serve();
    wait_until("it is off", || channel(&stage.home)["state"] == "off");
    mend(&stage, &daemon);
    let database = Database::at(&stage.home.path("keepfresh.db"));
    let open = "select (select count(*) from messages)
                       + (select count(*) from alerts where state like '%open%')";
    wait_until("what there is to say is dropped", || database.number(open) == 0);
    let doctor = stage.home.run(&["doctor"]);
    assert!(doctor.stdout.contains("channel webhook: 127.0.0.1 answered 410"), "{doctor:?}");
    receiver.answers("500 Broken");
    let failed = stage.home.run(&["channel", "test", "webhook", "--json"]).exits(1).json();
    assert_eq!(failed["error"]["code"], "channel.status");
    assert_eq!(channel(&stage.home)["state"], "off");
    stage.home.run(&["channel", "test", "webhook"]).exits(0);
    assert_eq!(channel(&stage.home)["state"], "ok");
    let kinds = receiver.receives(3).iter().map(e2e::receiver::Received::kind).collect::<Vec<_>>();
    assert_eq!(kinds, ["alert.began", "test", "test"]);
    let audit = stage.home.run(&["audit", "--action", "channel.tested", "--json"]).exits(0).json();
    assert_eq!(audit["entries"][0]["subject"], "webhook");
}

#[test]
fn a_redirect_is_not_followed() {
    let receiver = Receiver::start();
    let elsewhere = Receiver::start();
    receiver.answers(&format!("302 Found\nLocation: {}", elsewhere.url("/")));
    let home = Home::new(&webhook(&receiver, ""));
    let failed = home.run(&["channel", "test", "webhook", "--json"]).exits(1).json();
    assert_eq!(failed["error"]["code"], "channel.redirect");
    assert_eq!(elsewhere.received().len(), 0);
}

#[test]
fn an_address_that_is_not_public_needs_the_line_that_the_error_shows() {
    let receiver = Receiver::start();
    let url = receiver.url("/hook");
    let home = Home::new(&format!("[[channels]]\nkind = \"webhook\"\nurl = \"{url}\"\n"));
    let failed = home.run(&["channel", "test", "webhook", "--json"]).json();
    let message = failed["error"]["message"].as_str().unwrap().to_owned();
    let line = "egress = { networks = [\"127.0.0.0/8\"], plaintext = true }";
    assert!(message.contains(&format!("add to [[channels]]: {line}")), "{message}");
    assert_eq!(receiver.received().len(), 0);
    add(&home, line);
    home.run(&["channel", "test", "webhook"]).exits(0);
    assert_eq!(receiver.receives(1)[0].kind(), "test");
}

#[test]
fn a_restart_tells_nothing_twice_and_forgets_nothing() {
    let receiver = Receiver::start();
    let stage = misconfigured(&webhook(&receiver, ""));
    let daemon = stage.home.serve();
    receiver.receives(1);
    wait_until("it is noted", || channel(&stage.home)["state"] == "ok");
    daemon.kill();
    let daemon = stage.home.serve();
    std::thread::sleep(Duration::from_secs(1));
    receiver.receives(1);
    mend(&stage, &daemon);
    let all = receiver.receives(2);
    assert_eq!(all[1].kind(), "alert.recovered");
}

#[test]
fn a_channel_that_is_changed_or_removed_is_so_after_a_reload() {
    let (first, second) = (Receiver::start(), Receiver::start());
    let stage = misconfigured(&webhook(&first, ""));
    let _daemon = stage.home.serve();
    first.receives(1);
    let text = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    let moved = text.replace(&first.url("/hook"), &second.url("/hook"));
    stage
        .home
        .write_manifest(&moved.replace("kind = \"webhook\"", "kind = \"webhook\"\nname = \"new\""));
    wait_until("there is another", || channel(&stage.home)["name"] == "new");
    assert_eq!(second.receives(1)[0].kind(), "alert.began", "it finds what is wrong already");
    first.receives(1);
    stage.home.write_manifest(&text[..text.find("[[channels]]").unwrap()]);
    wait_until("there is none", || channel(&stage.home).is_null());
}

#[test]
fn figures_count_deliveries() {
    let receiver = Receiver::start();
    let home = Home::new(&webhook(&receiver, ""));
    let _daemon = home.serve();
    home.run(&["channel", "test", "webhook"]).exits(0);
    let api = e2e::http::Http::at(e2e::http::Place::Socket(home.path("keepfresh.http.sock")));
    let text = api.get("/metrics").text();
    let line = "keepfresh_alert_deliveries_total{channel=\"webhook\",outcome=\"delivered\"} 1";
    assert!(text.contains(line), "{text}");
    let listed = home.run(&["channel", "list", "--json"]).exits(0).json();
    assert_eq!(api.get("/api/v1/channels").json(), listed);
}

#[test]
fn a_channel_that_is_not_there_is_named_and_one_whose_secret_is_missing_is_found_by_check() {
    let home = Home::new("[[channels]]\nkind = \"slack\"\nurl = { env = \"NO_SUCH_URL\" }\n");
    let failed = home.run(&["channel", "test", "ops", "--json"]).exits(2).json();
    assert_eq!(failed["error"]["code"], "channel.unknown");
    let check = home.run(&["check"]);
    assert!(
        check.code != 0 && (check.stdout + &check.stderr).contains("the url of the channel slack")
    );
    let failed = home.run(&["channel", "test", "slack", "--json"]).json();
    assert_eq!(failed["error"]["code"], "secret.env_missing");
}
