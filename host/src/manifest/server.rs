//! `[server]`: where the HTTP API listens, and for whom. Without it, only the socket beside the database
//! answers. An address that other machines reach needs TLS, or a proxy in front that has it: keys and tokens
//! would cross the network in clear.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use crate::manifest::problems::Fault;
use crate::manifest::reference::Section;
use crate::manifest::table::Table;
use crate::manifest::value::{boolean, string};
use crate::model::code;

/// Where the HTTP API listens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// The address; none but the socket when not set.
    pub listen: Option<SocketAddr>,
    /// Names that it is called by, besides its address and `localhost`; lower case.
    pub hosts: Vec<String>,
    /// Whether a proxy in front has TLS and says who calls, in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Its certificate, if it has TLS itself.
    pub tls: Option<Tls>,
    /// Where browsers reach it, without a slash at the end.
    pub url: Option<String>,
    /// Where a person may be sent after a login.
    pub return_to: Vec<String>,
}

/// Files in PEM form. They are read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, with those between it and the authority behind it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Server {
    pub(super) fn read(table: Table<'_>, folder: &Path) -> Self {
        let table = table.with(Section::Server, "");
        let server = Self {
            listen: table.read("listen", address),
            hosts: table.list("hosts", "host", host),
            behind_proxy: table.read("behind_proxy", boolean).unwrap_or_default(),
            tls: Tls::read(table.part("tls"), table.node("tls").is_some(), folder),
            url: table.read("url", web_address).map(|it| it.trim_end_matches('/').to_owned()),
            return_to: table.list("return_to", "return_to", web_address),
        };
        server.refuse_clear_text(&table);
        server
    }

    /// Where a browser reaches the root of this server, without a slash at the end; `None` where nothing listens.
    pub fn root(&self) -> Option<String> {
        let listen = self.listen?;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let here = || {
            if listen.ip().is_unspecified() {
                format!("{scheme}://localhost:{}", listen.port())
            } else {
                format!("{scheme}://{listen}")
            }
        };
        Some(self.url.clone().unwrap_or_else(here))
    }

    /// The path below which it is, if a proxy has put it below one: `/keepfresh`.
    pub fn sub_path(&self) -> String {
        let url = self.url.as_deref().and_then(|it| url::Url::parse(it).ok());
        url.map_or_else(String::new, |it| it.path().trim_end_matches('/').to_owned())
    }

    /// Whether browsers reach it over TLS, its own or that of a proxy in front.
    pub fn is_encrypted(&self) -> bool {
        let by_url = self.url.as_deref().is_some_and(|it| it.starts_with("https://"));
        self.tls.is_some() || self.behind_proxy || by_url
    }

    /// Whether `name` is one that it is called by: an address, `localhost`, or what the manifest says.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_address = bare == "localhost" || bare.parse::<IpAddr>().is_ok();
        is_address || self.hosts.contains(&name) || self.url_host().is_some_and(|it| it == name)
    }

    fn url_host(&self) -> Option<String> {
        let url = url::Url::parse(self.url.as_deref()?).ok()?;
        url.host().map(|it| it.to_string().to_lowercase())
    }

    /// Whether keys and tokens stay on this machine, or are encrypted on their way.
    fn is_private(&self) -> bool {
        let here = self.listen.is_none_or(|it| it.ip().to_canonical().is_loopback());
        here || self.behind_proxy || self.tls.is_some()
    }

    fn refuse_clear_text(&self, table: &Table<'_>) {
        let Some(node) = table.node("listen").filter(|_| !self.is_private()) else { return };
        let help = "add `tls = { certificate = \"cert.pem\", key = \"key.pem\" }`, or `behind_proxy = true` if a proxy in front has TLS";
        let label = "other machines reach this address, and keys would cross the network in clear";
        table.report(node.span(), "listen", &Fault::new(code::Manifest::Listen, label, help));
    }
}

impl Tls {
    fn read(table: Table<'_>, is_there: bool, folder: &Path) -> Option<Self> {
        let table = table.with(Section::Tls, "");
        let file = |name| {
            if is_there && table.node(name).is_none() {
                let help = "write `tls = { certificate = \"cert.pem\", key = \"key.pem\" }`";
                let fault = Fault::new(code::Manifest::Path, format!("`{name}` is missing"), help);
                table.report(table.place(), name, &fault);
            }
            table.read(name, path).map(|it| folder.join(it))
        };
        let (certificate, key) = (file("certificate"), file("key"));
        Some(Self { certificate: certificate?, key: key? })
    }
}

fn path(value: &DeValue<'_>) -> Result<PathBuf, Fault> {
    match string(value)? {
        "" => Err(Fault::new(code::Manifest::Path, "an empty path", "write \"cert.pem\"")),
        path => Ok(PathBuf::from(path)),
    }
}

fn address(value: &DeValue<'_>) -> Result<SocketAddr, Fault> {
    let wrong = || {
        let help = "write \"127.0.0.1:7420\", or \"[::1]:7420\"";
        Fault::new(code::Manifest::Listen, "not an IP address and a port", help)
    };
    string(value)?.parse().map_err(|_| wrong())
}

/// `https://...`, or `http://` on this machine: a code or a name in it crosses no network in clear.
fn web_address(value: &DeValue<'_>) -> Result<String, Fault> {
    let wrong = |label: &str| {
        let help = "write \"https://keepfresh.example.com\"";
        Err(Fault::new(code::Manifest::Listen, label, help))
    };
    let text = string(value)?;
    let Ok(url) = url::Url::parse(text) else { return wrong("not a URL") };
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let has_user = !url.username().is_empty() || url.password().is_some();
    match url.scheme() {
        _ if has_user => wrong("a URL with a user in it"),
        "https" => Ok(text.to_owned()),
        "http" if is_here => Ok(text.to_owned()),
        "http" => wrong("http crosses the network in clear"),
        _ => wrong("neither https nor http"),
    }
}

/// A name without scheme, port or path.
fn host(value: &DeValue<'_>) -> Result<String, Fault> {
    let text = string(value)?;
    if let Ok(host) = url::Host::parse(text) {
        Ok(host.to_string().to_lowercase())
    } else {
        let help = "write a name alone: \"keepfresh.example.com\"";
        Err(Fault::new(code::Manifest::Listen, "not the name of a host", help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn server(lines: &str) -> Result<Server, String> {
        let text = format!("[server]\n{lines}\n");
        let path = Path::new("/etc/keepfresh/keepfresh.toml");
        parse(&text, path).map(|it| it.server).map_err(|it| it[0].render(&text))
    }

    #[test]
    fn nothing_listens_unless_an_address_is_given() {
        assert_eq!(server(""), Ok(Server::default()));
        let local = server("listen = \"[::1]:7420\"").unwrap();
        assert_eq!(local.listen.unwrap().to_string(), "[::1]:7420");
    }

    #[test]
    fn an_address_that_others_reach_needs_tls_or_a_proxy_with_it() {
        for (lines, is_accepted) in [
            ("listen = \"0.0.0.0:7420\"", false),
            ("listen = \"[::]:7420\"", false),
            ("listen = \"192.0.2.7:7420\"\nbehind_proxy = false", false),
            ("listen = \"127.0.0.2:7420\"", true),
            ("listen = \"[::ffff:127.0.0.1]:7420\"", true),
            ("listen = \"0.0.0.0:7420\"\nbehind_proxy = true", true),
            ("listen = \"0.0.0.0:7420\"\ntls = { certificate = \"c\", key = \"k\" }", true),
        ] {
            let read = server(lines);
            assert_eq!(read.is_ok(), is_accepted, "{lines}: {read:?}");
            if let Err(why) = read {
                assert!(why.contains("behind_proxy = true") && why.contains("in clear"), "{why}");
            }
        }
    }

    #[test]
    fn files_of_tls_are_relative_to_the_manifest_and_both_are_needed() {
        let both = server("tls = { certificate = \"c.pem\", key = \"/k.pem\" }").unwrap().tls;
        let (certificate, key) = ("/etc/keepfresh/c.pem".into(), "/k.pem".into());
        assert_eq!(both, Some(Tls { certificate, key }));
        assert!(
            server("tls = { certificate = \"c.pem\" }").unwrap_err().contains("`key` is missing")
        );
    }

    #[test]
    fn a_person_is_sent_over_https_or_on_this_machine() {
        let read = |it: &str| server(&format!("url = \"{it}\"\nreturn_to = [\"{it}\"]"));
        assert_eq!(read("https://keep.example/").unwrap().url.unwrap(), "https://keep.example");
        assert_eq!(read("https://a.example/x").unwrap().return_to, ["https://a.example/x"]);
        assert!(read("http://localhost:7420").is_ok() && read("http://[::1]/x").is_ok());
        for wrong in
            ["http://keep.example", "javascript:alert(1)", "//evil", "https://good@evil", "x", ""]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_browser_goes_to_the_url_or_to_the_address() {
        let root = |lines: &str| server(lines).unwrap().root();
        assert_eq!(root(""), None);
        assert_eq!(root("listen = \"127.0.0.1:7420\"").unwrap(), "http://127.0.0.1:7420");
        let tls = "tls = { certificate = \"c\", key = \"k\" }";
        let open = format!("listen = \"0.0.0.0:7420\"\n{tls}");
        assert_eq!(root(&open).unwrap(), "https://localhost:7420");
        let url = "listen = \"127.0.0.1:7420\"\nurl = \"https://keep.example/fresh/\"";
        assert_eq!(root(url).unwrap(), "https://keep.example/fresh");
        assert_eq!(server(url).unwrap().sub_path(), "/fresh");
        assert_eq!(server("url = \"https://keep.example\"").unwrap().sub_path(), "");
    }

    #[test]
    fn it_is_called_by_the_name_in_its_url() {
        let server = server("url = \"https://Keep.example/fresh\"").unwrap();
        assert!(server.is_called("keep.example") && server.is_called("KEEP.EXAMPLE"));
        assert!(!server.is_called("fresh.example") && !server.is_called(""));
    }

    #[test]
    fn a_host_is_a_name_alone() {
        assert_eq!(server("hosts = [\"Keep.Example\"]").unwrap().hosts, ["keep.example"]);
        for wrong in ["https://keep.example", "keep.example:7420", "a/b", ""] {
            assert!(server(&format!("hosts = [\"{wrong}\"]")).is_err(), "{wrong}");
        }
    }
}
