//! What `./dev` builds before the tests: the program, the plugins, the ill-behaved guests.

use std::path::{Path, PathBuf};

/// The program under test: `KEEPFRESH_BIN`, else the one that was built beside these tests.
///
/// # Panics
/// When it was not built.
pub fn keepfresh() -> PathBuf {
    std::env::var_os("KEEPFRESH_BIN").map_or_else(|| beside("keepfresh"), PathBuf::from)
}

/// A fake provider as a program of its own.
///
/// # Panics
/// When it was not built.
pub fn fake_provider() -> PathBuf {
    beside("fake-provider")
}

/// The component of a plugin: `eskiz`.
///
/// # Panics
/// When it was not built.
pub fn plugin(name: &str) -> PathBuf {
    // Cargo spells `google-oauth` with an underscore.
    let file = format!("{}.wasm", name.replace('-', "_"));
    built(root().join("target/wasm32-wasip2/plugin").join(file))
}

/// The component of a guest: `spins-forever`.
///
/// # Panics
/// When it was not built.
pub fn guest(name: &str) -> PathBuf {
    let file = format!("{}.wasm", name.replace('-', "_"));
    built(root().join("tests/guests/target/wasm32-wasip2/release/examples").join(file))
}

/// The guest `says-all` with these declarations: lines such as `access POST {base_url}/token with key`.
/// They are written over its own, which are text in its data.
///
/// # Panics
/// When it was not built, or there are too many of them.
pub fn declaring(declarations: &str) -> Vec<u8> {
    const MARK: &[u8] = b"declared:name";
    const ROOM: usize = 8192;
    let mut component = std::fs::read(guest("says-all")).expect("it is there");
    let mut places = component.windows(MARK.len()).enumerate().filter(|(_, it)| *it == MARK);
    let start = places.next().expect("it has declarations").0 + "declared:".len();
    assert!(places.next().is_none(), "and has them once");
    let text = format!("{declarations}\n");
    let room = &mut component[start..start + ROOM - "declared:".len()];
    room.fill(b'\n');
    room[..text.len()].copy_from_slice(text.as_bytes());
    component
}

/// A broken manifest of the collection, by its number.
///
/// # Panics
/// When there is none.
pub fn broken_manifests() -> Vec<PathBuf> {
    let dir = root().join("tests/manifests/broken");
    let entries = std::fs::read_dir(dir).expect("tests/manifests/broken is there");
    let mut all = entries.filter_map(Result::ok).map(|it| it.path()).collect::<Vec<_>>();
    all.sort();
    all
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent")
}

/// A program of the profile that these tests were built with.
fn beside(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own path");
    // target/<profile>/deps/suite-1234
    let profile = own.ancestors().nth(2).expect("tests run from target/<profile>/deps");
    built(profile.join(name))
}

fn built(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} is missing; run the tests with: ./dev test", path.display());
    path
}
