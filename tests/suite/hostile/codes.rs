//! A plugin sends a person to a page with a code to type in: to a page that it declared, with a code
//! that looks like nothing else, and with a device code that is the provider's own.

use e2e::home::Run;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use serde_json::{Value, json};

use crate::hostile::Stage;

/// What the guest gives a person.
struct Shown<'a> {
    page: &'a str,
    complete: &'a str,
    code: &'a str,
    device: &'a str,
}

const GOOD: Shown<'static> =
    Shown { page: "https://declared.example/device", complete: "", code: "AB-12 c", device: "" };

impl Shown<'_> {
    /// What `connect` comes to.
    fn run(&self) -> Run {
        let stage = Stage::new();
        let device = Answer::json(200, &json!({ "device_code": "a code of the provider's" }));
        stage.rotor.control().script(Scenario::from(device).on("/device").always());
        let quoted = |text: &str| Value::from(text).to_string();
        let settings = format!(
            ", page = {}, complete = {}, words = {}, device = {}",
            quoted(self.page),
            quoted(self.complete),
            quoted(self.code),
            quoted(self.device)
        );
        let section = stage.section_with("shows-codes", &settings);
        let home = stage.home(&format!("{section}\nconnections = []")).with_guest("shows-codes");
        home.run(&["connect", "shows-codes", "--name", "tv", "--device", "--wait", "3s"])
    }

    fn refused(&self, code: &str, text: &str) {
        let run = self.run();
        assert_ne!(run.code, 0, "{run:#?}");
        assert!(!run.stderr.contains("and type"), "{run:#?}");
        let expected = format!("error[{code}]: {text}\n");
        assert!(run.stderr.ends_with(&expected), "{expected}{run:#?}");
    }
}

#[test]
fn a_person_is_sent_to_a_page_that_was_declared() {
    let complete = "https://declared.example/device?user_code=AB-12";
    let run = Shown { complete, ..GOOD }.run();
    let line = "on any machine, open https://declared.example/device and type: AB-12 c";
    assert!(run.stderr.contains(line), "{run:#?}");
    assert!(run.stderr.contains("was polled; still waiting for the login\n"), "{run:#?}");
}

#[test]
fn a_person_is_sent_to_no_other_page() {
    for (page, code, text) in [
        (
            "https://evil.example/device",
            "egress.host_denied",
            "shows-codes may not contact evil.example (allowed: 127.0.0.1, declared.example, plain.example)",
        ),
        (
            "https://declared.example.evil.example/",
            "egress.host_denied",
            "shows-codes may not contact declared.example.evil.example (allowed: 127.0.0.1, declared.example, plain.example)",
        ),
        (
            "https://declared.example@evil.example/",
            "egress.url_invalid",
            "shows-codes asked for a URL with a user name or password; refused",
        ),
        (
            "http://declared.example/device",
            "egress.scheme_denied",
            "shows-codes may not use http with declared.example (allowed: https)",
        ),
        (
            "javascript:alert(1)",
            "egress.scheme_denied",
            "shows-codes may not use javascript (allowed: https)",
        ),
        (
            "data:text/html,<form>",
            "egress.scheme_denied",
            "shows-codes may not use data (allowed: https)",
        ),
        (
            "file:///etc/passwd",
            "egress.scheme_denied",
            "shows-codes may not use file (allowed: https)",
        ),
    ] {
        let text = format!("the page for this code is not shown: {text}");
        Shown { page, ..GOOD }.refused(code, &text);
        Shown { complete: page, ..GOOD }.refused(code, &text);
    }
}

#[test]
fn a_page_that_hides_something_is_refused() {
    let text = "shows-codes.device.start returned a text that is empty, too long or has control characters";
    let long = format!("https://declared.example/{}", "x".repeat(16 << 10));
    for page in
        ["", "https://declared.example/\u{202e}", "https://declared.example/\u{1b}[2K", &long]
    {
        Shown { page, ..GOOD }.refused("plugin.output_invalid", text);
    }
}

#[test]
fn a_code_that_looks_like_more_than_a_code_is_refused() {
    let text = "shows-codes.device.start returned a user code that is not 1 to 64 letters, digits, dashes and spaces";
    let long = "A".repeat(65);
    for code in
        ["ESC[31mAB-12", "AB-12\nnow type your password", "", "AB.12", "\u{202e}21-BA", &long]
    {
        Shown { code, ..GOOD }.refused("plugin.output_invalid", text);
    }
    let longest = "A".repeat(64);
    assert!(Shown { code: &longest, ..GOOD }.run().stderr.contains(&longest));
}

#[test]
fn a_device_code_is_the_providers_own() {
    let text = "shows-codes.device.start returned a device code that is not exactly what the provider sent";
    for device in ["key", "composed"] {
        Shown { device, ..GOOD }.refused("plugin.output_invalid", text);
    }
}
