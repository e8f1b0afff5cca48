//! How many files this process may have open: each reader of the database, each caller and each request is one.
//! A limit that is too low fails in another place each time, so it is named wherever something cannot be opened.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Fewer are too few: a daemon at rest has about forty.
const ENOUGH: u64 = 128;

/// Takes as many as the system grants: the usual limit is there for programs that are older than files by number.
pub fn raise() {
    let limit = getrlimit(Resource::Nofile);
    // Where that is refused, the limit stays what it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Said when too few files may be open: to be put behind why something cannot be opened.
pub fn too_few_files() -> Option<String> {
    sentence(getrlimit(Resource::Nofile).current)
}

fn sentence(most: Option<u64>) -> Option<String> {
    let most = most.filter(|it| *it < ENOUGH)?;
    Some(format!(
        "this process may have only {most} files open; raise the limit (`ulimit -n`, LimitNOFILE= in a unit) to {ENOUGH} or more"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_limit_that_is_too_low_is_named() {
        assert_eq!((sentence(None), sentence(Some(ENOUGH))), (None, None));
        assert!(
            sentence(Some(26))
                .unwrap()
                .contains("only 26 files open; raise the limit (`ulimit -n`")
        );
    }
}
