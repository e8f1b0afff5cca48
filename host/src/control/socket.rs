//! Where the socket of a database is: always beside it, never in a folder that others share. A path
//! that is longer than a socket's may be is reached through its folder, which is opened first.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// The longest path that a Unix socket can have on every system, less the zero at its end.
const LONGEST_PATH: usize = 100;

/// Where the socket of a database is.
pub(super) fn path_of(database: &Path) -> PathBuf {
    let database = std::path::absolute(database).unwrap_or_else(|_| database.to_owned());
    database.with_extension("sock")
}

/// Connects to the socket at `path`.
pub(super) async fn connect(path: &Path) -> io::Result<UnixStream> {
    let short = Short::of(path)?;
    UnixStream::connect(&short.path).await
}

/// Listens at `path`, for the owner alone, in place of what a dead process has left there.
pub fn bind_private(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = listen(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Listens at `path`.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let short = Short::of(path)?;
    UnixListener::bind(&short.path)
}

/// A path that a socket can have, good for as long as this is held.
struct Short {
    path: PathBuf,
    _folder: Option<File>,
}

impl Short {
    fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= LONGEST_PATH {
            return Ok(Self { path: path.to_owned(), _folder: None });
        }
        let parent = path.parent().unwrap_or(Path::new("/"));
        let folder = File::open(parent)?;
        let name = path.file_name().unwrap_or_default();
        let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
        // Other systems than Linux have no such door.
        if !cfg!(target_os = "linux") || short.as_os_str().len() > LONGEST_PATH {
            return Err(too_long(path));
        }
        Ok(Self { path: short, _folder: Some(folder) })
    }
}

fn too_long(path: &Path) -> io::Error {
    let length = path.as_os_str().len();
    let what = format!(
        "the path is {length} bytes long, and a socket path may have at most {LONGEST_PATH}; shorten `storage.url` in the manifest"
    );
    io::Error::new(io::ErrorKind::InvalidFilename, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_beside_its_database_however_long_the_path() {
        for database in ["/a/keepfresh.db".to_owned(), format!("/{}/keepfresh.db", "a".repeat(300))]
        {
            let path = path_of(Path::new(&database));
            assert_eq!(path.to_str(), Some(database.replace(".db", ".sock").as_str()));
        }
    }

    #[tokio::test]
    async fn a_long_path_is_listened_at_and_connected_to() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a".repeat(200));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("keepfresh.sock");
        let missing = connect(&path).await.unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let listener = listen(&path).unwrap();
        assert!(path.exists());
        let (ours, theirs) = tokio::join!(connect(&path), listener.accept());
        assert!(ours.is_ok() && theirs.is_ok());
    }

    #[test]
    fn a_name_that_is_too_long_itself_is_refused_with_what_helps() {
        let home = tempfile::tempdir().unwrap();
        let error = Short::of(&home.path().join("a".repeat(120))).err().unwrap();
        assert!(error.to_string().contains("shorten `storage.url`"), "{error}");
    }
}
