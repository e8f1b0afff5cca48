//! `keepfresh explain`: what an error code means, for people and for scripts.

use e2e::home::Home;
use keepfresh::model::code::Code;
use serde_json::json;

#[test]
fn an_error_code_is_explained_without_a_manifest() {
    let home = Home::new("");
    let text =
        home.run(&["explain", "vault.wrong_key", "--config", "nowhere.toml"]).exits(0).stdout;
    for part in ["vault.wrong_key", "meaning", "another master key", "what helps", "78"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = home.run(&["explain", "vault.wrong_key", "--json"]).exits(0).json();
    assert_eq!(json["code"], "vault.wrong_key");
    assert_eq!(
        (&json["area"], &json["exit"], &json["retryable"], &json["acts"]),
        (&json!("vault"), &json!(78), &json!(false), &json!("operator"))
    );
    assert!(json["meaning"].is_string() && json["remedy"].is_string(), "{json}");
}

#[test]
fn all_codes_are_listed_when_none_is_named() {
    let home = Home::new("");
    let text = home.run(&["explain"]).exits(0).stdout;
    let json = home.run(&["explain", "--json"]).exits(0).json();
    let listed = json["codes"].as_array().unwrap();
    let listed = listed.iter().map(|it| it["code"].as_str().unwrap()).collect::<Vec<_>>();
    let known = Code::all().map(|it| it.text().to_owned()).collect::<Vec<_>>();
    assert_eq!(listed, known);
    for code in known {
        assert!(text.contains(&code), "{code}");
        home.run(&["explain", &code]).exits(0);
    }
}

#[test]
fn a_wrong_code_is_wrong_usage_with_a_guess() {
    let home = Home::new("");
    let wrong = home.run(&["explain", "vault.wrong_kee"]).exits(2);
    assert!(wrong.stderr.contains("did you mean vault.wrong_key?"), "{wrong:?}");
    assert!(wrong.stderr.contains("keepfresh explain") && wrong.stdout.is_empty(), "{wrong:?}");
    let json = home.run(&["explain", "nonsense", "--json"]).exits(2).json();
    assert_eq!(json["error"]["code"], "usage");
}

#[test]
fn shells_complete_error_codes() {
    let home = Home::new("");
    // Fish completes no arguments of this kind, whatever they are.
    for shell in ["bash", "zsh"] {
        let script = home.run(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("egress.tls_failed"), "{shell}");
    }
}
