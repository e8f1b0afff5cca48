//! A file, whole or not at all: it is written beside its place under another name, closed to others from its first
//! moment, made durable, and then takes the place of the one before. A link in its place is replaced, and not followed.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::delivery::undelivered::Undelivered;
use crate::lifecycle::owner;
use crate::manifest::sink::{self, User};
use crate::model::code;

/// What a file is to be like.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) owner: Option<u32>,
    pub(super) group: Option<u32>,
}

impl Wanted {
    /// The file at `path`, as the sink wants it.
    pub(super) fn of(sink: &sink::File, path: &Path) -> Result<Self, Undelivered> {
        let owner = sink.owner.as_ref().map(|it| number(it, "/etc/passwd", "user")).transpose()?;
        let group = sink.group.as_ref().map(|it| number(it, "/etc/group", "group")).transpose()?;
        Ok(Self { path: path.to_owned(), mode: sink.mode, owner, group })
    }

    /// Has `text` be in the file, and says whether it was written: one that is as it should be is left alone.
    pub(super) fn put(&self, text: &SecretString) -> Result<bool, Undelivered> {
        let text = text.expose_secret().as_bytes();
        let place = Place::of(&self.path).map_err(|it| failed(&self.path, &it))?;
        place.clean_up();
        if self.is_there(&place, text) {
            return Ok(false);
        }
        let written = self.write(&place, text);
        if written.is_err() {
            place.clean_up();
        }
        written.map(|()| true)
    }

    /// Only what is as it should be in everything is left: another link to it would be a way to read it.
    fn is_there(&self, place: &Place, text: &[u8]) -> bool {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = rustix::fs::openat(&place.folder, &place.name, flags, Mode::empty()) else {
            return false;
        };
        let Ok(stat) = rustix::fs::fstat(&file) else { return false };
        let is_file = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
        let mode = stat.st_mode & 0o7777;
        let is_ours = stat.st_uid == self.owner.unwrap_or_else(owner::own)
            && self.group.is_none_or(|it| it == stat.st_gid);
        let length = u64::try_from(stat.st_size).ok();
        let looks_so = is_file && mode == self.mode && is_ours && stat.st_nlink == 1;
        if !looks_so || length != Some(text.len() as u64) {
            return false;
        }
        let mut found = Zeroizing::new(Vec::with_capacity(text.len() + 1));
        let most = text.len() as u64 + 1;
        File::from(file).take(most).read_to_end(&mut found).is_ok() && found.as_slice() == text
    }

    fn write(&self, place: &Place, text: &[u8]) -> Result<(), Undelivered> {
        let fails = |error: io::Error| failed(&self.path, &error);
        let mut file = place.create().map_err(fails)?;
        file.write_all(text).map_err(fails)?;
        if self.owner.is_some() || self.group.is_some() {
            let (user, group) = (self.owner.map(Uid::from_raw), self.group.map(Gid::from_raw));
            rustix::fs::fchown(&file, user, group).map_err(|it| self.not_given(it))?;
        }
        // After it was given away: its new group reads it, and the one before does not.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(self.mode)).map_err(|it| fails(it.into()))?;
        file.sync_all().map_err(fails)?;
        place.take().map_err(fails)
    }

    fn not_given(&self, error: Errno) -> Undelivered {
        let error = io::Error::from(error);
        let message =
            format!("{} cannot be given to its user and group: {error}", self.path.display());
        Undelivered::again(code::Sink::Owner, message)
    }
}

/// Removes the file at `path`, and says whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool, Undelivered> {
    let place = match Place::of(path) {
        Ok(place) => place,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(path, &error)),
    };
    place.clean_up();
    match rustix::fs::unlinkat(&place.folder, &place.name, AtFlags::empty()) {
        Ok(()) => place.sync().map(|()| true).map_err(|it| failed(path, &it)),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(failed(path, &error.into())),
    }
}

/// Removes what a kill has left beside the file at `path`.
pub(super) fn clean_up(path: &Path) {
    if let Ok(place) = Place::of(path) {
        place.clean_up();
    }
}

/// Whether files can be made in the folder of `path`.
pub fn is_writable(path: &Path) -> Result<(), Undelivered> {
    let place = Place::of(path).map_err(|it| failed(path, &it))?;
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::accessat(&place.folder, ".", access, AtFlags::EACCESS)
        .map_err(|it| failed(path, &it.into()))
}

/// A folder that stays the same one while a file in it is replaced, and the two names in it.
struct Place {
    folder: OwnedFd,
    name: PathBuf,
    beside: PathBuf,
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(folder, flags, Mode::empty())?;
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(".keepfresh");
        Ok(Self { folder, name: name.into(), beside: beside.into() })
    }

    /// The name beside it is always the same: what a kill has left is found by it.
    fn create(&self) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        Ok(rustix::fs::openat(&self.folder, &self.beside, flags, mode)?.into())
    }

    fn clean_up(&self) {
        let _ = rustix::fs::unlinkat(&self.folder, &self.beside, AtFlags::empty());
    }

    fn take(&self) -> io::Result<()> {
        rustix::fs::renameat(&self.folder, &self.beside, &self.folder, &self.name)?;
        self.sync()
    }

    /// A name is durable when its folder is.
    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.folder)?)
    }
}

fn failed(path: &Path, error: &io::Error) -> Undelivered {
    let code = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => code::Sink::FolderMissing,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            code::Sink::FileRefused
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => code::Sink::DiskFull,
        _ => code::Sink::File,
    };
    Undelivered::again(code, format!("{} cannot be written: {error}", path.display()))
}

/// The number of a user or a group of this machine.
fn number(user: &User, list: &str, what: &str) -> Result<u32, Undelivered> {
    let name = match user {
        User::Id(id) => return Ok(*id),
        User::Name(name) => name,
    };
    let list = std::fs::read(list).unwrap_or_default();
    let found = list.split(|it| *it == b'\n').find_map(|line| {
        let mut fields = line.split(|it| *it == b':');
        let is_it = fields.next() == Some(name.as_bytes());
        let number = fields.nth(1).and_then(|it| std::str::from_utf8(it).ok()?.parse().ok());
        number.filter(|_| is_it)
    });
    found.ok_or_else(|| {
        let message =
            format!("this machine has no {what} {name} in its own list; write its number");
        Undelivered::again(code::Sink::Owner, message)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    struct Desk {
        folder: tempfile::TempDir,
        wanted: Wanted,
    }

    impl Desk {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.env");
            Self { folder, wanted: Wanted { path, mode: 0o600, owner: None, group: None } }
        }

        fn put(&self, text: &str) -> bool {
            self.wanted.put(&text.into()).unwrap()
        }

        fn found(&self) -> String {
            fs::read_to_string(&self.wanted.path).unwrap()
        }

        fn names(&self) -> usize {
            fs::read_dir(self.folder.path()).unwrap().count()
        }
    }

    #[test]
    fn a_file_is_written_when_it_is_not_as_it_should_be_and_only_then() {
        let mut desk = Desk::new();
        assert!(desk.put("one") && !desk.put("one"));
        for text in ["two", "tw", "", "three"] {
            assert!(desk.put(text) && !desk.put(text), "{text}");
            assert_eq!((desk.found(), desk.names()), (text.to_owned(), 1));
        }
        fs::set_permissions(&desk.wanted.path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(desk.put("three") && !desk.put("three"), "others could read it");
        fs::hard_link(&desk.wanted.path, desk.folder.path().join("b")).unwrap();
        assert!(desk.put("three") && !desk.put("three"), "another name led to it");
        desk.wanted.mode = 0o640;
        assert!(desk.put("three"));
        let mode = fs::metadata(&desk.wanted.path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o640);
    }

    #[test]
    fn a_link_is_replaced_and_nothing_is_written_through_it() {
        let desk = Desk::new();
        let other = desk.folder.path().join("other");
        fs::write(&other, "other").unwrap();
        for name in ["a.env", ".a.env.keepfresh"] {
            symlink(&other, desk.folder.path().join(name)).unwrap();
            assert!(desk.put("token"), "{name}");
            assert_eq!((desk.found().as_str(), desk.names()), ("token", 2));
            assert_eq!(fs::read_to_string(&other).unwrap(), "other");
            fs::remove_file(&desk.wanted.path).unwrap();
        }
    }

    #[test]
    fn what_stands_in_the_way_says_what_it_is_and_leaves_nothing_behind() {
        let desk = Desk::new();
        fs::create_dir(&desk.wanted.path).unwrap();
        let error = desk.wanted.put(&"CANARY".into()).unwrap_err();
        assert_eq!((error.code.text(), desk.names()), ("sink.file", 1));
        let path = desk.folder.path().join("missing/a.env");
        let wanted = Wanted { path, ..desk.wanted.clone() };
        let error = wanted.put(&"CANARY".into()).unwrap_err();
        assert_eq!(error.code.text(), "sink.folder_missing");
        assert!(!format!("{error:?}").contains("CANARY"));
    }

    #[test]
    fn each_reason_of_the_system_has_its_code() {
        for (errno, code) in [
            (Errno::NOSPC, "sink.disk_full"),
            (Errno::DQUOT, "sink.disk_full"),
            (Errno::ROFS, "sink.file_refused"),
            (Errno::ACCESS, "sink.file_refused"),
            (Errno::PERM, "sink.file_refused"),
            (Errno::NOENT, "sink.folder_missing"),
            (Errno::NOTDIR, "sink.folder_missing"),
            (Errno::NAMETOOLONG, "sink.file"),
        ] {
            let found = failed(Path::new("a"), &errno.into()).code;
            assert_eq!(found.text(), code, "{errno}");
        }
    }

    #[test]
    fn a_user_is_found_by_name_or_number() {
        let number = |name: &str| number(&User::Name(name.to_owned()), "/etc/passwd", "user");
        assert_eq!(number("root").unwrap(), 0);
        assert_eq!(number("nobody-of-this-name").unwrap_err().code.text(), "sink.owner");
    }

    #[test]
    fn a_file_is_removed_once_and_with_it_what_a_kill_has_left() {
        let desk = Desk::new();
        desk.put("one");
        fs::write(desk.folder.path().join(".a.env.keepfresh"), "half").unwrap();
        assert!(remove(&desk.wanted.path).unwrap() && !remove(&desk.wanted.path).unwrap());
        assert_eq!(desk.names(), 0);
        assert!(!remove(Path::new("/nonexistent/a")).unwrap());
    }
}
