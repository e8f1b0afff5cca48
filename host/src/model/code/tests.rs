//! What holds for every entry of the tables, and for texts that are in none.

use std::collections::HashSet;

use super::*;

fn entries() -> Vec<Entry> {
    Code::all().filter_map(|it| it.entry()).collect()
}

#[test]
fn a_text_is_one_code_for_ever() {
    let mut seen = HashSet::new();
    for entry in entries() {
        assert!(seen.insert(entry.text), "{} stands for two things", entry.text);
        assert!(!RETIRED.contains(&entry.text), "{} was another code once", entry.text);
    }
    assert!(seen.len() > 150, "{}", seen.len());
}

#[test]
fn a_text_is_an_area_and_a_cause() {
    let is_word =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    for entry in entries().iter().filter(|it| it.text != OLDEST) {
        let (area, cause) = entry.text.split_once('.').unwrap();
        assert!(is_word(area) && is_word(cause), "{}", entry.text);
    }
}

/// The only text without an area, which is older than areas.
const OLDEST: &str = "usage";

#[test]
fn a_table_has_one_area() {
    for (about, table) in Code::tables() {
        let areas = table.iter().filter(|it| it.text != OLDEST).map(Entry::area);
        assert_eq!(areas.collect::<HashSet<_>>().len(), 1, "{about}");
        assert!(is_sentence(about), "{about}");
    }
}

#[test]
fn every_code_survives_its_text() {
    for code in Code::all() {
        assert_eq!(Code::read(code.text()), code);
        let json = serde_json::to_string(&code).unwrap();
        assert_eq!(json, format!("\"{code}\""));
        assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), code);
    }
}

#[test]
fn a_code_of_another_version_is_kept_as_it_came() {
    for text in ["egress.quantum_failed", "", "Egress.tls_failed", "usage ", "a\nb"] {
        let code = Code::read(text);
        assert!(matches!(code, Code::Unknown(_)) && code.entry().is_none(), "{text:?}");
        assert_eq!(code.text(), text);
        let json = serde_json::to_string(&code).unwrap();
        assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), code);
        assert_eq!(code.exit(), Exit::Failed);
    }
}

#[test]
fn every_entry_says_what_it_means_and_what_helps_in_one_sentence() {
    for entry in entries() {
        assert!(is_sentence(entry.meaning), "{}: {}", entry.text, entry.meaning);
        assert!(is_sentence(entry.remedy), "{}: {}", entry.text, entry.remedy);
        assert_ne!(entry.meaning, entry.remedy, "{}", entry.text);
    }
}

/// Begins large or with a word of the program, ends with its only full stop, and stays on one line.
fn is_sentence(text: &str) -> bool {
    let begins = text.starts_with(|it: char| it.is_ascii_uppercase() || it == '`' || it == 's');
    let ends = text.ends_with('.') && !text.trim_end_matches('.').contains(". ");
    begins && ends && text.len() > 10 && !text.contains(['\n', '|'])
}

#[test]
fn a_script_tells_kinds_of_errors_apart_by_their_exit() {
    for (exit, codes) in [
        (Exit::Failed, &["egress.client_failed", "egress.tls_failed", "storage.full"][..]),
        (Exit::Usage, &["usage", "plugin.digest_needed"]),
        (Exit::Person, &["provider.grant_expired", "plugin.missing", "egress.host_denied"]),
        (Exit::NoDaemon, &["daemon.unreachable", "daemon.foreign_user"]),
        (Exit::Busy, &["instance.locked", "storage.busy"]),
        (Exit::Config, &["vault.wrong_key", "manifest.syntax", "secret.env_missing"]),
    ] {
        for text in codes {
            assert_eq!(Code::read(text).exit(), exit, "{text}");
        }
    }
}

#[test]
fn exits_agree_with_who_acts() {
    for entry in entries() {
        let Entry { text, exit, acts, .. } = entry;
        // What passes by itself needs nobody, and what needs a person does not pass by itself.
        assert!(acts != Actor::Nobody || exit != Exit::Person, "{text}");
        assert!(!matches!(exit, Exit::Done | Exit::Partly), "{text}: it is an error of one thing");
        assert!(exit != Exit::Config || acts == Actor::Operator, "{text}");
    }
}
