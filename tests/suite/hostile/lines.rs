//! A hundred thousand log lines, some of half a mebibyte, all trying to forge another line and to
//! colour the terminal. A flood costs lines and not the refresh.

use e2e::daemon::{Daemon, wait_until};
use e2e::home::{Home, Run};
use serde_json::Value;

use crate::hostile::{Stage, attempt};

#[test]
fn a_flood_of_lines_is_cut_and_does_not_end_the_refresh() {
    let run = flood();
    let lines = run.stderr.lines().collect::<Vec<_>>();
    let kept = lines.iter().filter(|it| it.contains("floods-log") && it.contains(" WARN line "));
    assert_eq!(kept.count(), 64);
    let limited = lines.iter().filter(|it| it.contains("plugin.log_limited")).collect::<Vec<_>>();
    assert_eq!(limited.len(), 1, "{limited:?}");
    assert!(limited[0].contains("floods-log: 99936 more log lines dropped"), "{}", limited[0]);
}

#[test]
fn a_log_line_is_one_line_without_control_characters() {
    let run = flood();
    let raw = run.stderr.chars().find(|it| it.is_control() && *it != '\n');
    assert_eq!(raw, None);
    let escaped = r"line 1 \u{1b}[31mERROR\u{1b}[0m forged\r\nlevel=error forged=true";
    assert!(run.stderr.contains(escaped), "{}", run.stderr);
    for line in run.stderr.lines() {
        assert!(line.len() < 1_400, "at most 1 KiB of a plugin's, and our own fields: {line}");
        assert!(line.starts_with("20"), "every line begins with our own time: {line}");
    }
}

#[test]
fn a_log_line_of_json_has_the_plugins_words_in_its_message_alone() {
    let stage = Stage::new();
    let home = home(&stage);
    let (socket, log) = (home.path("keepfresh.sock"), home.path("serve.log"));
    let daemon = Daemon::start(home.command(&["serve", "--json"]), &socket, log);
    wait_until("the flood is over", || daemon.log().contains("more log lines dropped"));
    let log = daemon.log();
    assert_eq!(log.lines().count(), 65);
    for line in log.lines() {
        let line = serde_json::from_str::<Value>(line).unwrap();
        assert_eq!((&line["forged"], &line["level"]), (&Value::Null, &"WARN".into()));
        assert_eq!(line["plugin.name"], "floods-log", "{line}");
    }
    assert_eq!(log.matches("\"error.code\":\"plugin.log_limited\"").count(), 1);
}

fn flood() -> Run {
    let stage = Stage::new();
    let run = home(&stage).run(&["refresh", "--json"]).exits(0);
    let attempts = run.json()["attempts"].clone();
    assert_eq!(attempt(&attempts, "floods-log")["outcome"], "success", "{attempts:#}");
    assert_eq!(attempt(&attempts, "eskiz")["outcome"], "success", "{attempts:#}");
    run
}

fn home(stage: &Stage) -> Home {
    let home = stage.home(&stage.section("floods-log")).with_guest("floods-log");
    home.with_env("KEEPFRESH_LOG", "warn")
}
