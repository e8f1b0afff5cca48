//! Where a database is, read from its URL. The URL is a secret, so no part of it is ever told. Without TLS, nothing goes
//! to another machine unless the URL says so.

use std::net::IpAddr;
use std::path::Path;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::SqliteConnectOptions;
use url::Url;

use crate::delivery::undelivered::Undelivered;
use crate::model::code;

/// A database, and how it is reached.
pub(super) enum Place {
    Postgres(Box<PgConnectOptions>),
    Mysql(Box<MySqlConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

/// Parameters that the driver of PostgreSQL knows. Others are of other drivers, whose URL this may be as well; this one
/// would write them to the log, with their values.
const KNOWN: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

impl Place {
    /// The database of this URL.
    pub(super) fn of(url: &SecretString) -> Result<Self, Undelivered> {
        let text = url.expose_secret().trim();
        let place = match text.split_once(':') {
            Some(("postgres" | "postgresql", _)) => postgres(text).map(Self::Postgres),
            Some(("mysql" | "mariadb", _)) => mysql(text).map(Self::Mysql),
            Some(("sqlite", path)) => sqlite(path).map(Self::Sqlite),
            _ => None,
        };
        place.ok_or_else(|| {
            let message = "the URL of the database is not postgres://..., mysql://..., or sqlite: with an absolute path";
            Undelivered::again(code::Sink::DatabaseUrl, message)
        })
    }
}

/// Without a word about TLS in the URL, it is required, with a certificate that is accepted, unless this machine itself
/// is called.
fn postgres(text: &str) -> Option<Box<PgConnectOptions>> {
    let url = with_known_parameters(parse(text)?);
    let way = PgConnectOptions::from_url(&url).ok()?.application_name("keepfresh");
    let is_here = way.get_socket().is_some() || is_here(way.get_host());
    let mode = if is_here { PgSslMode::Prefer } else { PgSslMode::VerifyFull };
    let way = if says_of_tls(&url) { way } else { way.ssl_mode(mode) };
    Some(Box::new(way.disable_statement_logging()))
}

fn mysql(text: &str) -> Option<Box<MySqlConnectOptions>> {
    let url = parse(text)?;
    let way = MySqlConnectOptions::from_url(&url).ok()?;
    let is_here = way.get_socket().is_some() || is_here(way.get_host());
    let mode = if is_here { MySqlSslMode::Preferred } else { MySqlSslMode::VerifyIdentity };
    let way = if says_of_tls(&url) { way } else { way.ssl_mode(mode) };
    Some(Box::new(way.timezone("+00:00".to_owned()).disable_statement_logging()))
}

/// An absolute path: a relative one would depend on where the program was started.
fn sqlite(path: &str) -> Option<Box<SqliteConnectOptions>> {
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let way = SqliteConnectOptions::new().filename(&*path).create_if_missing(false);
    Path::new(&*path).is_absolute().then(|| Box::new(way.disable_statement_logging()))
}

/// A URL whose host stands in its query, as that of a socket does, may have none before: `postgres://a:b@/app?host=/run`.
fn parse(text: &str) -> Option<Url> {
    let with_host = || Url::parse(&text.replacen("@/", "@localhost/", 1));
    Url::parse(text).or_else(|_| with_host()).ok()
}

fn with_known_parameters(mut url: Url) -> Url {
    let is_known = |name: &str| KNOWN.contains(&name) || name.starts_with("options[");
    let kept = url.query_pairs().into_owned().filter(|(name, _)| is_known(name));
    let kept = kept.collect::<Vec<_>>();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    url
}

fn says_of_tls(url: &Url) -> bool {
    url.query_pairs().any(|(name, _)| matches!(&*name, "sslmode" | "ssl-mode"))
}

/// Whether it is this machine: its loopback, or the folder of a socket.
fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |it: IpAddr| it.to_canonical().is_loopback();
    host == "localhost" || host.starts_with('/') || host.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str) -> String {
        match Place::of(&url.into()) {
            Ok(Place::Postgres(way)) => format!("{:?}", way.get_ssl_mode()),
            Ok(Place::Mysql(way)) => format!("{:?}", way.get_ssl_mode()),
            Ok(Place::Sqlite(way)) => way.get_filename().display().to_string(),
            Err(error) => format!("{} {}", error.code, error.message),
        }
    }

    #[test]
    fn another_machine_is_called_with_tls_and_a_certificate_that_is_accepted() {
        for (url, mode) in [
            ("postgres://a:b@db.example/app", "VerifyFull"),
            ("postgresql://a:b@10.0.0.1/app?ssl=false", "VerifyFull"),
            ("postgres://a:b@db.example/app?sslmode=require", "Require"),
            ("postgres://a:b@db.example/app?ssl-mode=disable", "Disable"),
            ("postgres://a:b@localhost:5433/app", "Prefer"),
            ("postgres://a:b@[::1]/app", "Prefer"),
            ("postgres:///app?host=/run/postgresql", "Prefer"),
            ("postgres://a:b@/app?host=/run/postgresql", "Prefer"),
            ("postgres://a:b@/app?host=db.example", "VerifyFull"),
            ("postgres://localhost/app?host=db.example", "VerifyFull"),
            ("postgres://localhost/app?hostaddr=10.0.0.1", "VerifyFull"),
            ("postgres://localhost.evil.example/app", "VerifyFull"),
            ("mysql://a:b@db.example/app", "VerifyIdentity"),
            ("mariadb://a:b@127.0.0.1/app", "Preferred"),
            ("mysql://a:b@db.example/app?ssl-mode=REQUIRED", "Required"),
            ("mysql://a@db.example/app?socket=/run/mysqld/mysqld.sock", "Preferred"),
        ] {
            assert_eq!(check(url), mode, "{url}");
        }
    }

    #[test]
    fn a_file_has_an_absolute_path() {
        for (url, path) in [
            ("sqlite:/var/lib/app.db", "/var/lib/app.db"),
            ("sqlite:///var/lib/a%20b.db?mode=rwc", "/var/lib/a b.db"),
        ] {
            assert_eq!(check(url), path, "{url}");
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_not_quoted() {
        for url in [
            "",
            "CANARY",
            "postgres",
            "postgres://CANARY@h:99999/x",
            "mongodb://CANARY@h/x",
            "sqlite:CANARY.db",
            "sqlite::memory:",
            "postgres://a:b@h/x?sslmode=CANARY",
            "http://CANARY",
        ] {
            let said = check(url);
            assert!(said.starts_with("sink.database_url ") && !said.contains("CANARY"), "{said}");
        }
    }

    #[test]
    fn parameters_of_other_drivers_are_left_out_and_not_logged() {
        let url = "postgres://h/x?pgbouncer=true&sslmode=require&pasword=CANARY&options[a]=b";
        let kept = with_known_parameters(Url::parse(url).unwrap());
        assert_eq!(kept.query(), Some("sslmode=require&options%5Ba%5D=b"));
    }
}
