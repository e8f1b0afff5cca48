//! The rules find what they are made to find, and only that.

use super::*;

fn file(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn an_upward_import_is_found_with_its_line() {
    let file = file("host/src/vault/key.rs", "//! Keys.\nuse crate::refresher::Refresher;");
    assert_eq!(import_faults(&file), ["host/src/vault/key.rs:2: use crate::refresher::Refresher;"]);
}

#[test]
fn imports_downwards_within_a_stage_and_in_comments_are_fine() {
    let text =
        "//! See [`crate::cli`].\nuse crate::model::id::AttemptId;\nuse crate::vault::Vault;";
    assert!(import_faults(&file("host/src/vault/key.rs", text)).is_empty());
    assert!(import_faults(&file("host/src/lib.rs", "use crate::cli::run;")).is_empty());
}

#[test]
fn an_upward_path_inside_an_expression_is_found() {
    let file =
        file("host/src/model/id.rs", "    let _ = crate::model::id::new(crate::app::now());");
    assert_eq!(import_faults(&file).len(), 1);
}

#[test]
fn an_import_that_hides_its_stages_is_found() {
    let file = file("host/src/cli/mod.rs", "use crate::{app, model};");
    assert_eq!(import_faults(&file).len(), 1);
}

#[test]
fn the_way_up_over_the_root_is_found() {
    let upwards = "use super::cli::run;";
    assert_eq!(import_faults(&file("host/src/telemetry.rs", upwards)).len(), 1);
    assert_eq!(import_faults(&file("host/src/vault/mod.rs", upwards)).len(), 1);
    // Here `super` is `vault`, and `cli` would be a file of its own.
    assert!(import_faults(&file("host/src/vault/key.rs", upwards)).is_empty());
}

#[test]
fn a_stage_that_nobody_ranked_is_found() {
    assert_eq!(import_faults(&file("host/src/helpers.rs", "")).len(), 1);
}

#[test]
fn a_driver_outside_of_its_engine_is_found() {
    let text = "//! Why.\nlet it = sqlx::query(\"select 1\");\n// See sqlx::query.";
    let outside = file("host/src/storage/times.rs", text);
    assert_eq!(driver_faults(&outside).len(), 1);
    assert!(driver_faults(&file("host/src/storage/sqlite/times.rs", text)).is_empty());
}

#[test]
fn a_reach_over_two_modules_is_found() {
    let text = ["use super", "super", "Vault;"].join("::");
    assert_eq!(reach_faults(&file("sdk/src/run.rs", &text)).len(), 1);
}

#[test]
fn a_list_of_subjects_is_found() {
    let names = ["eskiz", "jibit", "rotor"];
    assert!(lists("lives! {\n    eskiz, jibit,\n    rotor\n}", &names));
    assert!(!lists("use a::{eskiz, jibit};\nrotor, x", &names));
    assert!(!lists(r#"["eskiz", "jibit", "rotor"]"#, &names));
}

#[test]
fn a_decision_by_the_text_of_a_code_is_found() {
    let found = |line: &str| code_text_faults(&file("host/src/cli/exit.rs", line)).len();
    for line in [
        "if failure.code.text() == wanted {",
        "if failure\n    .code\n    .text()\n    .starts_with(area) {",
        "match error.code().text() {",
        "let text = failure.code.text(); if text == \"egress.tls_failed\" {}",
        "if text.starts_with(\"egress.\") {}",
        "Failure::new(case, Code::read(\"usage\"), message)",
        "Code::read(&format!(\"connect.{cause}\"))",
        "sqlx::query(\"update attempts set error_code = 'refresh.vanished'\")",
        "if failure.code.to_string().contains(\"tls\") {}",
    ] {
        assert_eq!(found(line), 1, "{line}");
    }
    for line in [
        "if failure.code == code::Egress::TlsFailed {}",
        "warn!(error.code = failure.code.text(), \"{failure}\");",
        "// \"egress.tls_failed\"",
        "table.read(\"plugin\"); id(\"connection.id\")",
        "#[cfg(test)]\nmod tests {\nassert_eq!(it.code.text(), \"egress.tls_failed\");",
    ] {
        assert_eq!(found(line), 0, "{line}");
    }
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let manifest = "[workspace.dependencies]\n# Errors.\nanyhow = \"1\"\nserde = \"1\"\n\n[profile.dev]\ndebug = 1";
    assert_eq!(unexplained(manifest), ["Cargo.toml:4: serde = \"1\""]);
}

#[test]
fn the_files_of_a_document_are_found() {
    let text = "See `vault/key.rs`, `keepfresh serve`, [style](docs/style.md#names) and <https://x.y/a.rs>.";
    assert_eq!(named_files(text), ["vault/key.rs", "docs/style.md"]);
    assert!(exists("vault/key.rs", &root()) && !exists("vault/door.rs", &root()));
}
