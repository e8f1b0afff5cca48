//! Which manifest is used: the one that is named, else the first that is found where people look.

use std::path::{Path, PathBuf};

use crate::vault::source;

/// What a manifest is called, wherever it is.
const NAME: &str = "keepfresh.toml";

/// The manifest to use. `named` is what was typed; a new manifest is made in the current folder.
pub(super) fn chosen(named: Option<PathBuf>, is_new: bool) -> PathBuf {
    let here = PathBuf::from(NAME);
    if let Some(named) = named.or_else(|| setting("KEEPFRESH_CONFIG")) {
        return named;
    }
    let mut places = places(setting("XDG_CONFIG_HOME"), setting("HOME")).into_iter();
    if is_new {
        return here;
    }
    places.find(|it| it.is_file()).unwrap_or(here)
}

/// An empty variable is one that is not set.
fn setting(name: &str) -> Option<PathBuf> {
    source::variable(name).filter(|it| !it.is_empty()).map(PathBuf::from)
}

/// Where a manifest may be, in order.
fn places(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Vec<PathBuf> {
    let of_user = xdg.or_else(|| home.map(|it| it.join(".config")));
    let of_user = of_user.map(|it| it.join("keepfresh").join(NAME));
    let of_machine = Path::new("/etc/keepfresh").join(NAME);
    [Some(PathBuf::from(NAME)), of_user, Some(of_machine)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn a_manifest_is_looked_for_here_then_at_the_user_s_and_then_at_the_machine_s() {
        let found = |xdg: Option<&str>, home: Option<&str>| {
            let places = places(xdg.map(Into::into), home.map(Into::into));
            places.iter().map(|it| it.display().to_string()).collect::<Vec<_>>()
        };
        let machine = "/etc/keepfresh/keepfresh.toml";
        assert_eq!(
            found(Some("/x"), Some("/h")),
            ["keepfresh.toml", "/x/keepfresh/keepfresh.toml", machine]
        );
        assert_eq!(
            found(None, Some("/h")),
            ["keepfresh.toml", "/h/.config/keepfresh/keepfresh.toml", machine]
        );
        assert_eq!(found(None, None), ["keepfresh.toml", machine]);
    }
}
