//! Where requests go: addresses of the operator's settings and paths on the same server, never another
//! one. Knows no secret and no format.

use sdk::{Failure, Settings, origin};

/// Where many servers have their login, tried in this order.
const COMMON: [&str; 6] = [
    "/oauth/token",
    "/api/oauth/token",
    "/auth/oauth/token",
    "/api/auth/token",
    "/api/login",
    "/api/auth/login",
];

/// One place that the plugin may send to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Address {
    /// The setting `login_url` as it is.
    Login,
    /// The setting `refresh_url` as it is.
    Refresh,
    /// A path on the server of `login_url`.
    Path(String),
}

/// Where a redirect points.
#[derive(Debug, PartialEq)]
pub(crate) enum Redirect {
    /// The same path with a slash more or less, on the same server.
    Slash(Address),
    /// The same path on another server.
    Away,
    /// Something else, such as a page for people.
    Elsewhere,
}

impl Address {
    /// The URL template of a request.
    pub(crate) fn template(&self) -> String {
        match self {
            Self::Login => "{login_url}".to_owned(),
            Self::Refresh => "{refresh_url}".to_owned(),
            Self::Path(path) => format!("{{login_url.origin}}{path}"),
        }
    }

    /// The whole address, for people and for memory.
    pub(crate) fn full(&self, settings: &Settings) -> Result<String, Failure> {
        settings.fill(&self.template())
    }

    /// The path of the address, without a query.
    pub(crate) fn path(&self, settings: &Settings) -> String {
        self.full(settings).map_or_else(|_| "/".to_owned(), |full| path(&full).to_owned())
    }

    /// The address that `full` names, if it is on the server of `login_url` or is `refresh_url`.
    pub(crate) fn of(full: &str, settings: &Settings) -> Option<Self> {
        let known = |name| settings.optional(name) == Some(full);
        if known("login_url") {
            return Some(Self::Login);
        }
        if known("refresh_url") {
            return Some(Self::Refresh);
        }
        let rest = full.strip_prefix(origin(settings.optional("login_url")?))?;
        Self::at(rest)
    }

    /// A path that can stand in a URL template as it is.
    pub(crate) fn at(path: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"{}?#\\".contains(&byte);
        let fits = path.starts_with('/') && !path.starts_with("//") && path.bytes().all(plain);
        fits.then(|| Self::Path(path.to_owned()))
    }

    /// What a redirect from here to `location` means.
    pub(crate) fn redirected(&self, location: &str, settings: &Settings) -> Redirect {
        let here = self.full(settings).unwrap_or_default();
        let (server, target) = match location.find("://") {
            Some(_) => (origin(location), path(location)),
            None => (origin(&here), path_only(location)),
        };
        let from = path(&here);
        if from.trim_end_matches('/') != target.trim_end_matches('/') {
            return Redirect::Elsewhere;
        }
        if server != origin(&here) {
            return Redirect::Away;
        }
        match Self::at(target) {
            Some(address) if from != target && *self != Self::Refresh => Redirect::Slash(address),
            _ => Redirect::Elsewhere,
        }
    }
}

/// The configured login, if `login_url` is more than a server, and the usual paths after it.
pub(crate) fn candidates(settings: &Settings) -> Vec<Address> {
    let own = Address::Login.path(settings);
    let configured = (own != "/").then_some(Address::Login);
    let is_new = |path: &&&str| path.trim_end_matches('/') != own.trim_end_matches('/');
    let common = COMMON.iter().filter(is_new).map(|path| Address::Path((*path).to_owned()));
    configured.into_iter().chain(common).collect()
}

fn path(full: &str) -> &str {
    match full.get(origin(full).len()..) {
        Some(rest) if rest.starts_with('/') => path_only(rest),
        _ => "/",
    }
}

fn path_only(text: &str) -> &str {
    text.split(['?', '#']).next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::context;

    fn settings(login: &str) -> Settings {
        let given = [("login_url", login), ("refresh_url", "https://b.example/r")];
        context::<crate::Plugin>(&given).settings
    }

    fn urls(login: &str) -> Vec<String> {
        let settings = settings(login);
        candidates(&settings).iter().map(|it| it.full(&settings).unwrap()).collect()
    }

    #[test]
    fn a_whole_address_is_tried_before_the_usual_paths() {
        let urls = urls("http://192.0.2.35:9055/api/login/");
        assert_eq!(urls[0], "http://192.0.2.35:9055/api/login/");
        assert_eq!(urls[1], "http://192.0.2.35:9055/oauth/token");
        assert_eq!(urls.len(), 6);
    }

    #[test]
    fn of_a_server_only_the_usual_paths_are_tried() {
        for login in ["https://a.example", "https://a.example/"] {
            let urls = urls(login);
            assert_eq!(urls.len(), 6);
            assert_eq!(urls[0], "https://a.example/oauth/token");
            assert_eq!(urls[5], "https://a.example/api/auth/login");
        }
    }

    #[test]
    fn a_redirect_is_followed_to_a_slash_and_nowhere_else() {
        let settings = settings("https://a.example/api/login");
        let to = |location: &str| Address::Login.redirected(location, &settings);
        let slash = Redirect::Slash(Address::Path("/api/login/".to_owned()));
        for location in ["/api/login/", "https://a.example/api/login/", "/api/login/?next=1"] {
            assert_eq!(to(location), slash, "{location}");
        }
        for location in ["https://b.example/api/login/", "http://a.example/api/login"] {
            assert_eq!(to(location), Redirect::Away, "{location}");
        }
        for location in ["/login", "https://a.example/", "", "//b.example/api/login/", "login/"] {
            assert_eq!(to(location), Redirect::Elsewhere, "{location}");
        }
    }

    #[test]
    fn a_remembered_address_must_be_one_of_the_settings_or_on_their_server() {
        let settings = settings("https://a.example/login");
        let of = |full: &str| Address::of(full, &settings);
        assert_eq!(of("https://a.example/login"), Some(Address::Login));
        assert_eq!(of("https://b.example/r"), Some(Address::Refresh));
        assert_eq!(of("https://a.example/x/"), Some(Address::Path("/x/".to_owned())));
        for full in [
            "https://a.example.evil/x",
            "https://a.example",
            "https://b.example/x",
            "https://a.example/{x}",
            "https://a.example//b",
            "",
        ] {
            assert_eq!(of(full), None, "{full}");
        }
    }
}
