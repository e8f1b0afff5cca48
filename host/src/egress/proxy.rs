//! Proxies of the environment, which are not used: one would see where we go and dial addresses that nobody
//! has judged. They are named where a connection fails, because it may be that nothing is reached otherwise.

use crate::vault::source;

/// Variables that name one, as most programs read them.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The variable that names a proxy, if one does. Its value is not shown: it may hold a password.
pub fn in_environment() -> Option<&'static str> {
    VARIABLES.into_iter().find(|it| source::variable(it).is_some_and(|it| !it.is_empty()))
}

/// What to put behind why `host` was not reached.
pub(super) fn hint() -> String {
    let hint = |name| format!("; {name} is set, but keepfresh uses no proxy and connects directly");
    in_environment().map(hint).unwrap_or_default()
}
