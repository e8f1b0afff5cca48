//! Somebody at a browser, without the window: keeps cookies, sends forms, and says of each request which site it comes
//! from, as browsers do. Follows nothing by itself, so that a test sees each step.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take: a password is hashed slowly on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser.
#[derive(Clone, Debug)]
pub struct Surfer {
    address: SocketAddr,
    host: String,
    /// Its cookies, by name.
    pub cookies: BTreeMap<String, String>,
    headers: Vec<(String, String)>,
    site: Option<&'static str>,
}

/// What came.
#[derive(Debug)]
pub struct Shown {
    /// The status.
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    /// The page.
    pub body: String,
}

impl Surfer {
    /// A browser without cookies.
    pub fn new(address: SocketAddr) -> Self {
        let host = address.to_string();
        let (cookies, headers) = (BTreeMap::new(), Vec::new());
        Self { address, host, cookies, headers, site: Some("same-origin") }
    }

    /// The same, calling the server by another name.
    #[must_use]
    pub fn calling(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, saying that a form comes from there; an old browser says nothing.
    #[must_use]
    pub fn from_site(mut self, site: Option<&'static str>) -> Self {
        self.site = site;
        self
    }

    /// The value of a cookie.
    ///
    /// # Panics
    /// When it has none of that name.
    pub fn cookie(&self, name: &str) -> String {
        let found = self.cookies.get(name);
        found.unwrap_or_else(|| panic!("no cookie {name}: {:?}", self.cookies.keys())).clone()
    }

    /// Fetches a page.
    pub fn get(&mut self, path: &str) -> Shown {
        self.ask("GET", path, None)
    }

    /// Fetches a page by its whole address at this server.
    ///
    /// # Panics
    /// When it is at another one.
    pub fn open(&mut self, url: &str) -> Shown {
        let rest = url.strip_prefix("http://").expect("plain http on this machine");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        assert!(host.starts_with("127.0.0.1"), "it is at this machine: {url}");
        self.get(&format!("/{path}"))
    }

    /// Sends a form.
    pub fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let fields = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        self.ask("POST", path, Some(&fields.collect::<Vec<_>>().join("&")))
    }

    /// Sends a request and keeps what cookies come.
    ///
    /// # Panics
    /// When nobody answers.
    pub fn ask(&mut self, method: &str, path: &str, form: Option<&str>) -> Shown {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
        stream.write_all(self.request(method, path, form).as_bytes()).expect("it leaves");
        let mut came = Vec::new();
        stream.read_to_end(&mut came).expect("an answer");
        let shown = Shown::read(&String::from_utf8_lossy(&came));
        for (_, set) in shown.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, attributes) = set.split_once(';').unwrap_or((set, ""));
            let (name, value) = pair.split_once('=').expect("a cookie has a name and a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        shown
    }

    fn request(&self, method: &str, path: &str, form: Option<&str>) -> String {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.host);
        if let Some(site) = self.site {
            let _ = write!(request, "sec-fetch-site: {site}\r\n");
        }
        for (name, value) in &self.headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        if !cookies.is_empty() {
            let _ = write!(request, "cookie: {cookies}\r\n");
        }
        if let Some(form) = form {
            let kind = "application/x-www-form-urlencoded";
            let length = form.len();
            let _ = write!(request, "content-type: {kind}\r\ncontent-length: {length}\r\n");
        }
        format!("{request}\r\n{}", form.unwrap_or_default())
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                write!(encoded, "{}", char::from(byte))
            }
            _ => write!(encoded, "%{byte:02X}"),
        };
        encoded
    })
}

impl Shown {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|it| it.split(' ').nth(1)?.parse().ok());
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.filter_map(header).collect();
        Self { status: status.expect("a status"), headers, body: body.to_owned() }
    }

    /// A header.
    ///
    /// # Panics
    /// When it is not there.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value);
        found.unwrap_or_else(|| panic!("no {name}: {self:#?}"))
    }

    /// The cookie of this name as it was set, with its attributes.
    ///
    /// # Panics
    /// When it was not set.
    pub fn set_cookie(&self, name: &str) -> &str {
        let beginning = format!("{name}=");
        let all = self.headers.iter().filter(|(it, _)| it == "set-cookie").map(|(_, it)| it);
        let found = all.into_iter().find(|it| it.starts_with(&beginning));
        found.unwrap_or_else(|| panic!("no cookie {name}: {self:#?}"))
    }

    /// Itself, if it has this status.
    ///
    /// # Panics
    /// When it has another.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "a check may be all that is wanted"
    )]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// Itself, if it leads to a place that begins so.
    ///
    /// # Panics
    /// When it does not.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "a check may be all that is wanted"
    )]
    pub fn leads_to(self, place: &str) -> Self {
        assert_eq!(self.status, 303, "{self:#?}");
        assert!(self.header("location").starts_with(place), "{self:#?}");
        self
    }

    /// Itself, if the page says so.
    ///
    /// # Panics
    /// When it does not.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "a check may be all that is wanted"
    )]
    pub fn says(self, text: &str) -> Self {
        assert!(self.body.contains(text), "{text:?}: {self:#?}");
        self
    }
}
