//! Where mail goes through, and to whom.

use std::net::IpAddr;
use std::path::Path;

use toml::de::DeValue;

use crate::manifest::channel::{missing, required};
use crate::manifest::problems::Fault;
use crate::manifest::secret;
use crate::manifest::table::Table;
use crate::manifest::value::{boolean, string};
use crate::model::code;
use crate::vault::source::Source;

/// A channel that sends mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// The server.
    pub smtp: Smtp,
    /// What the server's user is known by.
    pub password: Option<Source>,
    /// Who it is from.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// Whether the person of a connection is told that they have to log in.
    pub notify_person: bool,
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who logs in there.
    pub user: Option<String>,
    /// How what is sent is kept from others.
    pub security: Security,
}

/// How what is sent is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte: `smtps://`.
    Tls,
    /// TLS after a greeting; without it, nothing is sent.
    StartTls,
    /// None: it stays on this machine.
    Loopback,
}

impl Email {
    pub(super) fn read(row: &Table<'_>, folder: &Path) -> Option<Self> {
        let example = "smtp = \"smtp://mailer@smtp.example.com:587\"";
        let smtp = required(row, "smtp", example, server);
        if let (None, Some(node)) = (&smtp, row.node("smtp")) {
            // It may have a password in it.
            secret::hide(row, node);
        }
        let password = row.node("password");
        let password = password.and_then(|it| secret::read(row, it, "password", folder));
        let from = required(row, "from", "from = \"keepfresh@example.com\"", address);
        let to = row.list("to", "to", address);
        if row.node("to").is_none() || row.items("to").is_empty() {
            missing(row, "to", "to = [\"ops@example.com\"]");
        }
        let notify_person = row.read("notify_person", boolean).unwrap_or_default();
        Some(Self { smtp: smtp?, password, from: from?, to, notify_person })
    }
}

const HELP: &str = "write \"smtp://USER@HOST:587\", or \"smtps://USER@HOST\" for TLS from the first byte; the \
                    password goes into `password = { env = \"NAME\" }`";

fn fault(label: &str) -> Fault {
    Fault::new(code::Manifest::Channel, label, HELP)
}

fn server(value: &DeValue<'_>) -> Result<Smtp, Fault> {
    let url = url::Url::parse(string(value)?).map_err(|_| fault("not a URL"))?;
    if url.password().is_some() {
        return Err(Fault::new(
            code::Manifest::SecretLiteral,
            "a secret must not be written here",
            HELP,
        ));
    }
    let host = url.host_str().filter(|it| !it.is_empty()).ok_or_else(|| fault("no host"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(fault("more than a host and a port"));
    }
    let (security, port) = match (url.scheme(), url.query()) {
        ("smtps", None) => (Security::Tls, 465),
        ("smtp", None) if is_loopback(&host) => (Security::Loopback, 25),
        ("smtp", None | Some("starttls=required")) => (Security::StartTls, 587),
        ("smtp" | "smtps", Some(_)) => return Err(fault("not an option")),
        _ => return Err(fault("neither smtp nor smtps")),
    };
    let user = decoded(url.username()).ok_or_else(|| fault("a user that is no text"))?;
    let user = Some(user).filter(|it| !it.is_empty());
    Ok(Smtp { host, port: url.port().unwrap_or(port), user, security })
}

/// A user's name with what the URL has escaped in it: `name%40example.com`.
fn decoded(text: &str) -> Option<String> {
    let pair = format!("user={}", text.replace('+', "%2B"));
    let (_, user) = url::form_urlencoded::parse(pair.as_bytes()).next()?;
    (!user.contains('\u{fffd}') && !user.contains(char::is_control)).then(|| user.into_owned())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|it: IpAddr| it.to_canonical().is_loopback())
}

/// Such as `ops@example.com`, or `Keepfresh <keepfresh@example.com>`.
fn address(value: &DeValue<'_>) -> Result<String, Fault> {
    let text = string(value)?;
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    let is_one = address
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if !is_one || address.contains(char::is_whitespace) || text.contains(char::is_control) {
        let help = "write \"ops@example.com\", or \"Keepfresh <keepfresh@example.com>\"";
        return Err(Fault::new(code::Manifest::Channel, "not an e-mail address", help));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::channel::How;
    use crate::manifest::parse;

    fn email(smtp: &str, more: &str) -> Result<Email, String> {
        let text = format!(
            "[[channels]]\nkind = \"email\"\nsmtp = \"{smtp}\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\n{more}\n"
        );
        let read = parse(&text, Path::new("keepfresh.toml"));
        let read = read.map_err(|it| it.iter().map(|it| it.render(&text)).collect::<String>())?;
        let How::Email(email) = read.channels[0].how.clone() else { panic!("mail") };
        Ok(email)
    }

    #[test]
    fn mail_is_encrypted_unless_it_stays_here() {
        for (url, port, security) in [
            ("smtp://mailer@smtp.example.com", 587, Security::StartTls),
            ("smtp://smtp.example.com:2525", 2525, Security::StartTls),
            ("smtps://smtp.example.com", 465, Security::Tls),
            ("smtp://localhost", 25, Security::Loopback),
            ("smtp://127.0.0.1:2525", 2525, Security::Loopback),
            ("smtp://[::1]:2525", 2525, Security::Loopback),
            ("smtp://localhost:2525?starttls=required", 2525, Security::StartTls),
            ("smtp://localhost.example.com", 587, Security::StartTls),
        ] {
            let smtp = email(url, "").unwrap().smtp;
            assert_eq!((smtp.port, smtp.security), (port, security), "{url}");
        }
        let user = email("smtp://a%40b.example@smtp.example.com", "").unwrap().smtp.user;
        assert_eq!(user.as_deref(), Some("a@b.example"));
    }

    #[test]
    fn a_password_is_not_written_into_the_url_and_not_shown() {
        let why = email("smtp://me:hunter2@smtp.example.com", "").unwrap_err();
        assert!(why.contains("password = { env") && !why.contains("hunter2"), "{why}");
    }

    #[test]
    fn what_is_no_server_or_address_is_refused() {
        for url in [
            "smtp://",
            "https://smtp.example.com",
            "smtp.example.com",
            "smtp://h/x",
            "smtp://h?tls=no",
        ] {
            assert!(email(url, "").is_err(), "{url}");
        }
        for wrong in ["a", "@b", "a@", "a@b@c", "a b@c", "A <a@b", "a@b\\r\\nBcc: c@d"] {
            let value = string_of(wrong);
            assert!(address(value.get_ref()).is_err(), "{wrong}");
        }
        assert!(address(string_of("Keep fresh <a@b.example>").get_ref()).is_ok());
    }

    fn string_of(text: &str) -> toml::Spanned<DeValue<'static>> {
        DeValue::parse(Box::leak(format!("\"{text}\"").into_boxed_str())).unwrap()
    }
}
