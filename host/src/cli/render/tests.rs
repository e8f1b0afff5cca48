//! Every way in which something is shown, fed with what a terminal obeys and what nobody sees.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cli::render::line::Line;
use crate::cli::render::{connection, file, forecast, is_printable, log, people, progress, table};
use crate::model::attempt::Attempt;
use crate::model::plain::is_plain;
use crate::operator::reply::ConnectStep;
use crate::operator::view::Details;

const PAINT: &str =
    "a\u{1b}[2J\r\nforged\t\u{9b}\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}\u{e0041}\u{7f}";

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn attempt() -> Value {
    json!({
        "id": "01890a5d-ac96-774b-bcce-b302099a8057", "connection": "eskiz", "trigger": "forced",
        "outcome": "failed", "reason": null, "error": { "code": PAINT, "message": PAINT },
        "started_at": "2026-01-01T00:00:00Z", "duration_ms": 1, "generation": 1,
    })
}

fn skipped() -> Value {
    let mut skipped = attempt();
    skipped["outcome"] = json!("skipped");
    skipped["reason"] = json!(PAINT);
    skipped["error"] = Value::Null;
    skipped
}

fn details() -> Details {
    read(json!({
        "id": "eskiz/ann", "short": "eskiz/ann", "provider": "eskiz", "name": "ann", "state": "fresh", "sentence": PAINT,
        "next_step": PAINT, "expires_at": null, "generation": 1, "next_refresh_at": null,
        "last_attempt": attempt(), "plugin": PAINT, "settings": { PAINT: PAINT },
        "secrets": { PAINT: PAINT }, "token_type": PAINT, "fingerprint": PAINT, "issued_at": null,
        "refresh_expires_at": null, "labels": [PAINT], "active_at": null, "scopes": [PAINT],
        "metadata": [[PAINT, PAINT]], "profile": { PAINT: PAINT }, "failures": 1,
        "captured_answers": 1, "attempts": [attempt(), skipped()],
    }))
}

fn steps() -> Vec<ConnectStep> {
    vec![
        read(json!({
            "step": "device", "visit": PAINT, "user_code": PAINT, "verification_uri": PAINT,
            "verification_uri_complete": PAINT, "interval_s": 5, "expires_in_s": 600,
        })),
        read(json!({ "step": "browser", "visit": PAINT, "url": PAINT, "again": false })),
        read(json!({ "step": "browser", "visit": PAINT, "url": PAINT, "again": true })),
    ]
}

fn report() -> Value {
    let field = json!({ "name": PAINT, "title": PAINT, "help": PAINT, "default": PAINT });
    json!({
        "name": PAINT, "version": PAINT, "about": PAINT, "digest": PAINT, "access": [PAINT],
        "imports": [PAINT], "exports": [PAINT], "settings": [field], "secrets": [field],
        "approve": PAINT,
    })
}

#[test]
fn whatever_is_shown_is_plain_and_on_the_lines_of_its_layout() {
    let plugin = json!({
        "file": PAINT, "name": PAINT, "version": PAINT, "digest": "0123456789abcdef", "running": PAINT,
        "refused": { "code": PAINT, "message": PAINT }, "providers": [PAINT],
    });
    let schedule = json!({
        "expression": PAINT, "provider": PAINT, "kind": "schedule", "timezone": PAINT,
        "next_runs": [], "next_refresh": { "eskiz": null },
    });
    let mut stats = json!({
        "success": 1, "failed": 1, "skipped": 1, "success_rate": 0.5, "p50_ms": 1, "p95_ms": 1,
        "causes": { PAINT: 1 },
    });
    let of_provider = stats.clone();
    stats["since"] = json!("2026-01-01T00:00:00Z");
    stats["providers"] = json!({ PAINT: of_provider });
    let hours = json!([{ "from": "2026-01-01T00:00:00Z", "due": 9 }]);
    let planned = json!({
        "provider": PAINT, "overdue": 1, "due": 9, "busiest": hours[0], "hours": hours,
        "allowed": { "rate": PAINT, "concurrency": 8, "took_ms": 1, "an_hour": 1, "limited_by": "rate" },
        "too_much": { "from": "2026-01-01T00:00:00Z", "due": 9, "fit": 1, "done_by": null },
    });
    let planned = json!({
        "counted_at": "2026-01-01T00:00:00Z", "overdue": 1, "due": 9, "busiest": null, "hours": hours,
        "providers": [planned],
    });
    let one: Attempt = read(attempt());
    let exchange = json!({
        "method": PAINT, "address": PAINT, "status": null, "sent_bytes": 1, "received_bytes": 1, "took_ms": 1,
    });
    let mut recorded = attempt();
    recorded["plugin_digest"] = json!(PAINT);
    recorded["exchanges"] = json!([exchange]);
    let recorded = read(recorded);
    let shown: Vec<(&str, Vec<Line>)> = vec![
        ("connection", connection::details(&details())),
        ("attempt", vec![progress::line(&one)]),
        ("one attempt", log::attempt(&recorded)),
        ("attempts", log::attempts(&[one, read(skipped())])),
        ("plugins", table::plugins(&[read(plugin)])),
        ("schedules", table::schedules(&[read(schedule)], jiff::Timestamp::UNIX_EPOCH)),
        ("stats", log::stats(&read(stats))),
        ("forecast", forecast::lines(&read(planned))),
        ("inspected", file::inspected(&report())),
        ("steps", steps().iter().flat_map(people::to_do).collect()),
    ];
    for (what, lines) in shown {
        assert!(!lines.is_empty(), "{what}");
        for line in lines {
            let text = line.to_string();
            assert!(is_plain(&text), "{what}: {text:?}");
            assert!(!text.trim_start().starts_with("forged"), "{what}: {text:?}");
        }
    }
}

#[test]
fn a_token_that_would_not_stay_on_its_line_is_not_printed() {
    for (token, token_type, header, fits) in [
        ("abc", "Bearer", true, true),
        ("dXNlcjpw", "Basic", true, true),
        ("two words", "Bearer", true, true),
        ("abc", "Bearer\r\nX-Evil: 1", true, false),
        ("abc", "Bearer x", true, false),
        ("abc", "", true, false),
        ("a\r\nX-Evil: 1", "Bearer", true, false),
        ("a\u{1b}[2J", "Bearer", false, false),
        ("a\u{202e}", "Bearer", false, false),
        ("", "Bearer", false, false),
        ("abc", PAINT, false, true),
    ] {
        let word = header.then_some(token_type);
        assert_eq!(is_printable(token, word), fits, "{token:?} {token_type:?}");
    }
}
