//! The dashboard of the real daemon, over real sockets.

/// How somebody gets in, stays in and leaves.
mod login;

/// Sessions, and their ends.
mod sessions;

/// What other sites cannot do.
mod sites;

/// Who may get in.
mod accounts;

/// A token in clear.
mod revealing;

/// Logging in at a provider.
mod openid;

/// What they are asked with.
mod facts;

/// How all connections are.
mod overview;

/// The order of its table.
mod sorting;

/// Refreshing many at once.
mod refreshing;

/// One connection, and what its forms do.
mod connection;

/// One attempt.
mod attempt;

/// Many of them, as a file.
mod download;

/// The other pages.
mod pages;

/// All of it in a real browser.
mod browser;

use std::net::SocketAddr;

use e2e::daemon::Daemon;
use e2e::database::Database;
use e2e::home::Home;
use e2e::surfer::Surfer;

use crate::api::address;

/// A password that fits.
pub(crate) const PASSWORD: &str = "CANARY correct horse battery";

/// A daemon with a dashboard.
pub(crate) struct Desk {
    pub(crate) home: Home,
    pub(crate) daemon: Daemon,
}

impl Desk {
    /// One at a loopback address.
    pub(crate) fn open() -> Self {
        Self::with("")
    }

    /// The same with `more` lines of the manifest, the first ones in `[server]`.
    pub(crate) fn with(more: &str) -> Self {
        Self::at(Home::new(&format!("[server]\nlisten = \"127.0.0.1:0\"\n{more}\n")))
    }

    /// The daemon of a home.
    pub(crate) fn at(home: Home) -> Self {
        let daemon = home.serve();
        Self { home, daemon }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        address(&self.daemon)
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Surfer {
        Surfer::new(self.address())
    }

    /// A new account, and the path of its link.
    pub(crate) fn invited(&self, name: &str, role: &str) -> String {
        let made = self.home.run(&["account", "add", name, "--role", role]).exits(0);
        path_of(&made.stdout)
    }

    /// The browser of somebody with an account, who has just chosen the password.
    pub(crate) fn person(&self, name: &str, role: &str) -> Surfer {
        let link = self.invited(name, role);
        let mut browser = self.browser();
        welcomed(&mut browser, &link);
        browser
    }

    pub(crate) fn database(&self) -> Database {
        Database::at(&self.home.path("keepfresh.db"))
    }
}

/// The path in an address: the daemon of a test has another port than its manifest says.
pub(crate) fn path_of(url: &str) -> String {
    let place = url.find("/ui/welcome/").unwrap_or_else(|| panic!("no link: {url}"));
    url[place..].split(|it: char| it.is_whitespace() || it == '"').next().unwrap().to_owned()
}

/// Chooses the password.
pub(crate) fn welcomed(browser: &mut Surfer, link: &str) {
    browser.submit(link, &[("password", PASSWORD), ("again", PASSWORD)]).leads_to("/ui/");
}

/// Logs in with a password.
pub(crate) fn log_in(browser: &mut Surfer, name: &str, password: &str) -> e2e::surfer::Shown {
    browser.submit("/ui/login", &[("name", name), ("password", password)])
}

/// Fails unless the browser is logged in.
pub(crate) fn is_in(browser: &mut Surfer) {
    browser.get("/ui/account").is(200);
}

/// Fails unless it is not.
pub(crate) fn is_out(browser: &mut Surfer) {
    browser.get("/ui/account").leads_to("/ui/login?");
}
