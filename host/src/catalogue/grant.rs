//! What an update asks for beyond what the operator has approved. Pure: two lists in, the
//! difference out.

use std::collections::BTreeMap;

use crate::catalogue::lock::LockEntry;

/// Wishes of `new` that `old` did not have, in words; empty when it asks for no more.
pub(super) fn widened(old: &LockEntry, new: &LockEntry) -> Vec<String> {
    let telling = |imports: &[String]| {
        imports.iter().filter(|it| is_telling(it)).cloned().collect::<Vec<_>>()
    };
    let mut found = more("a new import:", &telling(&old.imports), &telling(&new.imports));
    found.extend(requests(old, new));
    found.extend(more("a new secret:", &old.secrets, &new.secrets));
    found.extend(more("to sign with", &old.signs, &new.signs));
    found.extend(more("to read", &old.reads, &new.reads));
    // What was sealed can be read from now on.
    found.extend(more("no longer to seal", &new.sealed, &old.sealed));
    found.extend(changed("the default of", &old.defaults, &new.defaults));
    found.extend(changed("its", &old.terms, &new.terms));
    found
}

fn more(what: &str, old: &[String], new: &[String]) -> Vec<String> {
    let added = new.iter().filter(|it| !old.contains(it));
    added.map(|it| format!("{what} {it}")).collect()
}

/// Requests that are new, and old ones that may carry more.
fn requests(old: &LockEntry, new: &LockEntry) -> Vec<String> {
    let mut found = Vec::new();
    for (request, carries) in &new.access {
        match old.access.get(request) {
            None => found.push(format!("a new request: {request}{}", carrying(carries))),
            Some(before) => {
                let added = carries.iter().filter(|it| !before.contains(it)).cloned();
                let added = added.collect::<Vec<_>>();
                if !added.is_empty() {
                    found.push(format!("to send {} with {request}", added.join(", ")));
                }
            }
        }
    }
    found
}

fn carrying(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(" with {}", names.join(", ")) }
}

/// Values that have changed. New ones are reported elsewhere, if they matter; one that was removed may have
/// been a restriction.
fn changed(
    what: &str,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Vec<String> {
    let word = |it: Option<&String>| it.map_or("none", String::as_str).to_owned();
    let differs = |(name, was): (&String, &String)| {
        let is = new.get(name);
        (is != Some(was)).then(|| format!("{what} {name} to be {}, not {was}", word(is)))
    };
    old.iter().filter_map(differs).collect()
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

    fn entry() -> LockEntry {
        let own = |them: &[&str]| them.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        LockEntry {
            version: "1.0.0".to_owned(),
            digest: "00".to_owned(),
            imports: own(&["keepfresh:provider/http@1.0.0"]),
            access: BTreeMap::from([
                ("GET {x}/a".to_owned(), own(&["access-token"])),
                ("POST {x}/b".to_owned(), own(&["key"])),
            ]),
            defaults: map(&[("x", "https://good.example")]),
            secrets: own(&["key"]),
            signs: Vec::new(),
            reads: own(&["code /error"]),
            sealed: own(&["value"]),
            terms: map(&[("rotation", "strict"), ("schedule", "0 2 * * *")]),
        }
    }

    fn asks(change: impl FnOnce(&mut LockEntry)) -> Vec<String> {
        let mut new = entry();
        change(&mut new);
        widened(&entry(), &new)
    }

    #[test]
    fn asking_for_less_is_no_widening() {
        let less = asks(|it| {
            it.access.remove("GET {x}/a");
            it.reads.clear();
            it.imports.clear();
            it.secrets.clear();
            it.sealed.push("more".to_owned());
            it.digest = "01".to_owned();
            it.version = "1.1.0".to_owned();
        });
        assert!(less.is_empty(), "{less:?}");
        assert!(asks(|_| {}).is_empty());
    }

    #[test]
    fn each_new_wish_is_named() {
        let text = |it: &str| it.to_owned();
        for (asked, wish) in [
            (
                asks(|it| it.imports.push(text("keepfresh:provider/reveal@1.0.0"))),
                "a new import: keepfresh:provider/reveal@1.0.0",
            ),
            (
                asks(|it| {
                    it.access.insert(text("POST https://evil.example/"), vec![text("key")]);
                }),
                "a new request: POST https://evil.example/ with key",
            ),
            (
                asks(|it| it.access.get_mut("GET {x}/a").unwrap().push(text("key"))),
                "to send key with GET {x}/a",
            ),
            (asks(|it| it.secrets.push(text("pin"))), "a new secret: pin"),
            (asks(|it| it.signs.push(text("key"))), "to sign with key"),
            (asks(|it| it.reads.push(text("text /message"))), "to read text /message"),
            (asks(|it| it.sealed.clear()), "no longer to seal value"),
            (
                asks(|it| {
                    it.defaults.insert(text("x"), text("https://evil.example"));
                }),
                "the default of x to be https://evil.example, not https://good.example",
            ),
            (
                asks(|it| {
                    it.defaults.remove("x");
                }),
                "the default of x to be none, not https://good.example",
            ),
            (
                asks(|it| {
                    it.terms.insert(text("rotation"), text("none"));
                }),
                "its rotation to be none, not strict",
            ),
            (
                asks(|it| {
                    it.terms.insert(text("schedule"), text("* * * * *"));
                }),
                "its schedule to be * * * * *, not 0 2 * * *",
            ),
        ] {
            assert_eq!(asked, [wish]);
        }
    }

    #[test]
    fn what_every_plugin_imports_is_no_wish() {
        let usual = ["keepfresh:provider/log@1.0.0", "wasi:cli/environment@0.2.6"];
        assert!(asks(|it| it.imports.extend(usual.map(str::to_owned))).is_empty());
    }
}
