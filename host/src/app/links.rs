//! The way to a file through symbolic links: every name on it that, set anew, leads somewhere else. A
//! deployment changes all at once by one link: `current` of a release folder, `..data` of a ConfigMap.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Links that are followed at most, as many as the system does.
const MOST: usize = 40;

/// Every name that decides what is found at `path`: links on the way by the real folder that they are in, and
/// at the end what is there itself, which need not exist.
pub(super) fn names_on_the_way(path: &Path) -> BTreeSet<PathBuf> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut names = BTreeSet::new();
    let mut here = PathBuf::from("/");
    let mut ahead = parts_of(&path);
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        if part == ".." {
            here.pop();
            continue;
        }
        let name = here.join(&part);
        match std::fs::read_link(&name) {
            Ok(target) if links < MOST => {
                links += 1;
                if target.is_absolute() {
                    here = PathBuf::from("/");
                }
                ahead.extend(parts_of(&target));
                names.insert(name);
            }
            _ => here = name,
        }
    }
    names.insert(here);
    names
}

/// Its names, the first one last.
fn parts_of(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|it| match it {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    names.rev().collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn each_link_on_the_way_and_what_is_at_its_end_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let at = |name: &str| folder.join(name);
        std::fs::create_dir_all(at("releases/1/conf")).unwrap();
        std::fs::create_dir(at("etc")).unwrap();
        symlink("releases/1", at("current")).unwrap();
        symlink("../current/conf", at("etc/..data")).unwrap();
        symlink("..data/keepfresh.toml", at("etc/keepfresh.toml")).unwrap();
        let names = names_on_the_way(&at("etc/keepfresh.toml"));
        let expected =
            ["current", "etc/..data", "etc/keepfresh.toml", "releases/1/conf/keepfresh.toml"];
        assert_eq!(names, expected.map(at).into());
    }

    #[test]
    fn a_circle_of_links_ends() {
        let folder = tempfile::tempdir().unwrap();
        symlink("a", folder.path().join("a")).unwrap();
        assert!(!names_on_the_way(&folder.path().join("a")).is_empty());
    }
}
