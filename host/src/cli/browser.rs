//! Opens an address in the person's browser. A child of this program starts the browser: in a session of its
//! own, so that neither Ctrl-C nor a closed terminal ends it, and with what a browser needs of our environment,
//! because the rest may hold secrets. The child gets the address on standard input.

use std::io::{self, IsTerminal as _, Read as _};
use std::process::{Command, ExitCode, Stdio};

use tokio::io::AsyncWriteExt as _;
use tokio::process::Child;

use crate::cli::exit::Exit;
use crate::cli::render;
use crate::vault::source;

/// What the program is called with to be the child.
const VERB: &str = "open-browser";

/// What a browser gets of our environment: where it finds itself, its files, its display and its language.
const PASSED: [&str; 17] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "DISPLAY",
    "XAUTHORITY",
    "WAYLAND_DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DESKTOP_SESSION",
    "BROWSER",
    "WSL_DISTRO_NAME",
    "WSL_INTEROP",
];

/// The same for names that begin so.
const PASSED_PREFIXES: [&str; 4] = ["LC_", "XDG_", "KDE_", "GNOME_"];

/// No address is longer.
const LONGEST: u64 = 1 << 16;

/// What helps where there is no browser.
const BY_HAND: &str = "no browser could be opened; open the address above by hand. If the browser is on \
                       another machine, stop this and use --paste, or --device where the provider has it";

/// Opens `url`, and says so later if that does not work.
#[expect(
    clippy::disallowed_methods,
    reason = "a command has no lifecycle; it ends with the process"
)]
pub(super) async fn open(url: &str) {
    match start(url).await {
        Ok(child) => drop(tokio::spawn(watch(child))),
        Err(_) => render::hint(BY_HAND),
    }
}

async fn start(url: &str) -> io::Result<Child> {
    let mut child = tokio::process::Command::new(std::env::current_exe()?)
        .arg(VERB)
        .env_clear()
        .envs(source::variables_named(is_passed))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(url.as_bytes()).await?;
    }
    Ok(child)
}

async fn watch(mut child: Child) {
    if !child.wait().await.is_ok_and(|it| it.success()) {
        render::hint(BY_HAND);
    }
}

fn is_passed(name: &str) -> bool {
    PASSED.contains(&name) || PASSED_PREFIXES.iter().any(|it| name.starts_with(it))
}

/// Whether this process is to be the child.
pub(super) fn is_asked_for() -> bool {
    std::env::args_os().nth(1).is_some_and(|it| it == VERB)
}

/// Starts one browser after the other, until one says that it is well.
pub(super) fn run() -> ExitCode {
    let mut url = String::new();
    let input = io::stdin().lock();
    if input.is_terminal() || input.take(LONGEST).read_to_string(&mut url).is_err() {
        return Exit::Usage.into();
    }
    // It fails only where this process has a session of its own already.
    let _ = rustix::process::setsid();
    let wanted = source::variable("BROWSER");
    let opened = browsers(wanted.as_deref(), &url).iter().any(|it| is_opened_by(it));
    if opened { Exit::Done.into() } else { Exit::Failed.into() }
}

/// Programs with their arguments. `BROWSER` is a list with colons between; `%s` stands for the address, which
/// comes last where nothing does.
fn browsers(wanted: Option<&str>, url: &str) -> Vec<Vec<String>> {
    let usual = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let wanted = wanted.filter(|it| !it.trim().is_empty()).unwrap_or(usual);
    wanted.split(':').filter(|it| !it.trim().is_empty()).map(|it| arguments(it, url)).collect()
}

fn arguments(browser: &str, url: &str) -> Vec<String> {
    let mut all = browser.split_whitespace().map(|it| it.replace("%s", url)).collect::<Vec<_>>();
    if !browser.contains("%s") {
        all.push(url.to_owned());
    }
    all
}

fn is_opened_by(browser: &[String]) -> bool {
    let Some((program, arguments)) = browser.split_first() else { return false };
    let ended = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    ended.is_ok_and(|it| it.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_names_programs_in_their_order() {
        let url = "https://a.example/?x=1:2";
        let usual = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        for (wanted, expected) in [
            (None, vec![vec![usual, url]]),
            (Some(" "), vec![vec![usual, url]]),
            (Some("w3m"), vec![vec!["w3m", url]]),
            (Some("a -n %s --x::b"), vec![vec!["a", "-n", url, "--x"], vec!["b", url]]),
            (Some("c --url=%s"), vec![vec!["c", "--url=https://a.example/?x=1:2"]]),
        ] {
            assert_eq!(browsers(wanted, url), expected, "{wanted:?}");
        }
    }

    #[test]
    fn a_browser_gets_its_display_and_no_secret() {
        for name in ["PATH", "DISPLAY", "XDG_RUNTIME_DIR", "LC_ALL", "BROWSER"] {
            assert!(is_passed(name), "{name}");
        }
        for name in
            ["KEEPFRESH_KEY", "CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "PATHS", "LD_PRELOAD"]
        {
            assert!(!is_passed(name), "{name}");
        }
    }
}
