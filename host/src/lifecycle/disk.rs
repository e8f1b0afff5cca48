//! How much room is left where something is stored: a disk that is full is noticed before a token is lost.

use std::path::Path;

use rustix::fs::{StatVfs, statvfs};

/// Less is a full disk: the database's log alone takes four at times.
const ENOUGH: u64 = 8 << 20;

/// Said when the disk of `file` is full, or nearly.
pub fn too_full(file: &Path) -> Option<String> {
    let found = file.ancestors().skip(1).find_map(|it| {
        let folder = if it.as_os_str().is_empty() { Path::new(".") } else { it };
        statvfs(folder).ok()
    });
    let room = Room::of(&found?);
    room.sentence(file)
}

/// What is left for this user.
struct Room {
    bytes: u64,
    /// More files; `None` where the file system does not count them.
    files: Option<u64>,
}

impl Room {
    fn of(found: &StatVfs) -> Self {
        let bytes = found.f_bavail.saturating_mul(found.f_frsize);
        Self { bytes, files: (found.f_files > 0).then_some(found.f_favail) }
    }

    fn sentence(&self, file: &Path) -> Option<String> {
        let file = file.display();
        if self.files == Some(0) {
            return Some(format!("the disk of {file} has room for no more files"));
        }
        let left = match self.bytes {
            ENOUGH.. => return None,
            it => format!("{} KiB", it >> 10),
        };
        Some(format!("the disk of {file} is full, or nearly: {left} are left"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_is_named_and_one_with_room_is_not() {
        let said = |bytes, files| Room { bytes, files }.sentence(Path::new("keepfresh.db"));
        assert_eq!((said(ENOUGH, None), said(1 << 40, Some(1))), (None, None));
        assert!(said(5 << 10, None).unwrap().ends_with("is full, or nearly: 5 KiB are left"));
        assert!(said(1 << 40, Some(0)).unwrap().ends_with("has room for no more files"));
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_on_the_disk_of_the_one_around_it() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(too_full(&home.path().join("not/there/keepfresh.db")), None);
    }
}
