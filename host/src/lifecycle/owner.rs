//! Whose files are, for messages: a file of another user is the usual reason that a daemon cannot start,
//! and the system says no more of it than "permission denied".

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Whether the file at `path` belongs to the user of this process; so does one that is not there.
pub fn is_ours(path: &Path) -> bool {
    owner(path).is_none_or(|it| it == own())
}

/// What helps when the file at `path` belongs to somebody else: to be put behind why it cannot be used.
pub fn remedy(path: &Path) -> Option<String> {
    let (owner, own) = (owner(path)?, own());
    let path = path.display();
    (owner != own).then(|| {
        format!(
            "; {path} belongs to user {owner}, and this is user {own}: run keepfresh as user {owner}, or give it away with: chown {own} {path}"
        )
    })
}

fn owner(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|it| it.uid())
}

/// The user of this process.
pub fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_ones_own_needs_no_remedy_and_one_of_another_names_both() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(remedy(folder.path()), None);
        assert!(is_ours(folder.path()) && is_ours(&folder.path().join("absent")));
        if own() == 0 {
            std::os::unix::fs::chown(folder.path(), Some(65_534), None).unwrap();
            let remedy = remedy(folder.path()).unwrap();
            assert!(remedy.contains("belongs to user 65534, and this is user 0"), "{remedy}");
        }
    }
}
