//! Files of the plugin folder that are no plugins: each is listed with its reason, and stops nobody.

use std::fs::{self, File};
use std::process::Command;

use e2e::artifacts;
use e2e::home::Home;
use serde_json::Value;

use crate::hostile::{Stage, attempt, stops_in};

/// The header of a core module: the magic word, version 1, layer 0.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0";

#[test]
fn a_program_of_another_kind_is_no_component() {
    refused(|home| write(home, ELF))
        .is("plugin.not_wasm", "odd.wasm is not a WebAssembly component (first bytes 7f 45 4c 46)");
}

#[test]
fn a_text_is_no_component() {
    refused(|home| write(home, b"hello"))
        .is("plugin.not_wasm", "odd.wasm is not a WebAssembly component (first bytes 68 65 6c 6c)");
}

#[test]
fn an_empty_file_is_no_component() {
    refused(|home| write(home, b""))
        .is("plugin.not_wasm", "odd.wasm is not a WebAssembly component (it is empty)");
}

#[test]
fn a_core_module_is_refused_with_what_makes_a_component_of_it() {
    refused(|home| write(home, CORE_MODULE)).is(
        "plugin.core_module",
        "odd.wasm is a core module; a component is needed (wasm-tools component new)",
    );
}

#[test]
fn half_a_component_is_refused() {
    let whole = fs::read(artifacts::plugin("eskiz")).unwrap();
    let refusal = refused(|home| write(home, &whole[..whole.len() / 2]));
    assert_eq!(refusal.code, "plugin.compile_failed");
    // The rest is the compiler's own sentence.
    let start = "odd.wasm could not be compiled: failed to parse WebAssembly module: ";
    assert!(refusal.message.starts_with(start), "{}", refusal.message);
}

#[test]
fn a_component_over_32_mib_is_not_even_read() {
    refused(|home| grow(home, 33 << 20))
        .is("plugin.too_large", "odd.wasm is 33.0 MiB; the limit is 32 MiB");
}

#[test]
fn a_component_that_is_over_the_limit_by_a_byte_is_not_said_to_be_at_it() {
    refused(|home| grow(home, (32 << 20) + 1))
        .is("plugin.too_large", "odd.wasm is 32.1 MiB; the limit is 32 MiB");
}

#[test]
fn a_pipe_in_the_folder_is_not_waited_for() {
    let refusal = refused(|home| {
        let made = Command::new("mkfifo").arg(home.path("plugins/odd.wasm")).status().unwrap();
        assert!(made.success());
    });
    assert_eq!(refusal.code, "plugin.unreadable");
    let end = "plugins/odd.wasm cannot be read: it is not a file";
    assert!(refusal.message.ends_with(end), "{}", refusal.message);
}

#[test]
fn a_folder_and_a_broken_link_are_listed_with_their_reason() {
    let refusal = refused(|home| fs::create_dir(home.path("plugins/odd.wasm")).unwrap());
    assert_eq!(refusal.code, "plugin.unreadable");
    let gone = |home: &Home| std::os::unix::fs::symlink("/nowhere", home.path("plugins/odd.wasm"));
    let refusal = refused(|home| gone(home).unwrap());
    assert_eq!(refusal.code, "plugin.unreadable");
    assert!(refusal.message.ends_with("No such file or directory (os error 2)"));
}

#[test]
fn a_plugin_that_becomes_unusable_keeps_running_as_it_was() {
    let stage = Stage::new();
    let home = stage.home("");
    // Looking approves nothing; what runs for the first time is approved.
    let _ = home.run(&["refresh", "--json"]).exits(0);
    let approved = listed(&home, "eskiz.wasm")["digest"].clone();
    for breakage in [ELF, &vec![0; (32 << 20) + 1][..], b""] {
        fs::write(home.path("plugins/eskiz.wasm"), breakage).unwrap();
        let plugin = listed(&home, "eskiz.wasm");
        assert!(plugin["refused"]["code"].is_string(), "{plugin:#}");
        assert_eq!(plugin["running"], approved, "{plugin:#}");
        let run = home.run(&["refresh", "--force", "--json"]).exits(0);
        assert_eq!(attempt(&run.json()["attempts"], "eskiz")["outcome"], "success");
    }
}

/// Why `plugin list` says a file is not used, after a neighbour has refreshed beside it.
pub(super) fn refused(put: impl FnOnce(&Home)) -> crate::hostile::Ending {
    let stage = Stage::new();
    let section = stage.section("odd");
    let home = stage.home(&section);
    put(&home);
    let view = listed(&home, "odd.wasm");
    assert_eq!(view["running"], Value::Null);
    let text = |name| view["refused"][name].as_str().unwrap().to_owned();
    let (code, message) = (text("code"), text("message"));
    stops_in(&home, "odd").is(&code, &message);
    crate::hostile::Ending { code, message }
}

pub(super) fn listed(home: &Home, file: &str) -> Value {
    let list = home.run(&["plugin", "list", "--json"]).exits(0).json();
    let plugins = list["plugins"].as_array().unwrap();
    plugins.iter().find(|it| it["file"] == file).unwrap_or_else(|| panic!("{list:#}")).clone()
}

pub(super) fn write(home: &Home, bytes: &[u8]) {
    fs::write(home.path("plugins/odd.wasm"), bytes).unwrap();
}

/// A file of this length that takes no room on the disk.
fn grow(home: &Home, length: u64) {
    File::create(home.path("plugins/odd.wasm")).unwrap().set_len(length).unwrap();
}
