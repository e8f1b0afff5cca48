//! What an update asks for more than the operator has seen. Pure: two lists of wishes in, the
//! difference out.

use crate::catalogue::lock::LockEntry;

/// Wishes of `new` that `old` did not have, in words; empty when it asks for no more.
pub(super) fn widened(old: &LockEntry, new: &LockEntry) -> Vec<String> {
    let more = |what: &str, old: &[String], new: &[String]| {
        let added = new.iter().filter(|it| !old.contains(it));
        added.map(|it| format!("{what} {it}")).collect::<Vec<_>>()
    };
    let telling =
        |imports: &[String]| imports.iter().filter(|it| is_telling(it)).cloned().collect();
    let (was, is): (Vec<_>, Vec<_>) = (telling(&old.imports), telling(&new.imports));
    let mut found = more("a new import:", &was, &is);
    found.extend(more("a new request:", &old.access, &new.access));
    found.extend(more("a new secret:", &old.secrets, &new.secrets));
    found
}

/// What every plugin has anyway says nothing: handles, the way out that `access` limits, the log, and
/// the empty WASI. What is left is `reveal`, and whatever a later contract adds.
fn is_telling(import: &str) -> bool {
    const USUAL: &[&str] = &["http", "log", "secrets", "types"];
    let ours = import.strip_prefix("keepfresh:provider/");
    ours.is_some_and(|it| !USUAL.iter().any(|usual| it.starts_with(&format!("{usual}@"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(imports: &[&str], access: &[&str], secrets: &[&str]) -> LockEntry {
        let own = |them: &[&str]| them.iter().map(|&it| it.to_owned()).collect();
        LockEntry {
            version: "1.0.0".to_owned(),
            digest: "00".to_owned(),
            imports: own(imports),
            access: own(access),
            secrets: own(secrets),
        }
    }

    #[test]
    fn asking_for_less_is_no_widening() {
        let old = entry(&["keepfresh:provider/http@1.0.0"], &["GET {x}/a", "GET {x}/b"], &["key"]);
        assert!(widened(&old, &entry(&[], &["GET {x}/a"], &[])).is_empty());
    }

    #[test]
    fn each_new_wish_is_named() {
        let old = entry(&[], &["GET {x}/a"], &["key"]);
        let new = entry(
            &[
                "keepfresh:provider/reveal@1.0.0",
                "keepfresh:provider/log@1.0.0",
                "wasi:cli/environment@0.2.6",
            ],
            &["GET {x}/a", "POST https://evil.example/"],
            &["key", "pin"],
        );
        assert_eq!(
            widened(&old, &new),
            [
                "a new import: keepfresh:provider/reveal@1.0.0",
                "a new request: POST https://evil.example/",
                "a new secret: pin"
            ]
        );
    }
}
