//! The cookie of a session. Over TLS its name has `__Host-` before it: no other host, and no page without TLS, can set
//! one of that name. Over plain http, which is for this machine alone, a browser takes no such name.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::account::Ticket;

/// Characters of an id.
const LENGTH: usize = 64;

/// A cookie of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dashboard) enum Cookie {
    /// Of a session.
    Session,
    /// Of a login at a provider that is under way.
    Login,
}

impl Cookie {
    fn name(self, encrypted: bool) -> &'static str {
        match (self, encrypted) {
            (Self::Session, true) => "__Host-keepfresh",
            (Self::Session, false) => "keepfresh",
            (Self::Login, true) => "__Host-keepfresh-login",
            (Self::Login, false) => "keepfresh-login-begun",
        }
    }

    /// What the browser has brought under this name. Two of one name are none: one of them may be somebody else's.
    pub(in crate::dashboard) fn read(self, headers: &HeaderMap, encrypted: bool) -> Option<Ticket> {
        let all = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
        let pairs = all.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
        let name = self.name(encrypted);
        let mut ours = pairs.filter(|(it, _)| *it == name).map(|(_, value)| value);
        let value = ours.next().filter(|_| ours.next().is_none())?;
        let fits = value.len() == LENGTH && value.bytes().all(|it| it.is_ascii_hexdigit());
        fits.then(|| Ticket(SecretString::from(value)))
    }

    /// The header that gives it to the browser. It lives as long as the browser is open: when it ends, the server says.
    pub(in crate::dashboard) fn set(self, ticket: &Ticket, encrypted: bool) -> String {
        format!("{}={}{}", self.name(encrypted), ticket.0.expose_secret(), attributes(encrypted))
    }

    /// The header that takes it away.
    pub(in crate::dashboard) fn clear(self, encrypted: bool) -> String {
        format!("{}={}; Max-Age=0", self.name(encrypted), attributes(encrypted))
    }
}

/// Lax and not Strict: whoever follows a link from a mail or a chat would seem to be nobody (decision 0049).
fn attributes(encrypted: bool) -> &'static str {
    if encrypted {
        "; Path=/; HttpOnly; SameSite=Lax; Secure"
    } else {
        "; Path=/; HttpOnly; SameSite=Lax"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cookies: &[&str], encrypted: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        for it in cookies {
            headers.append(COOKIE, it.parse().unwrap());
        }
        let read = Cookie::Session.read(&headers, encrypted);
        read.map(|it| it.0.expose_secret().to_owned())
    }

    #[test]
    fn a_cookie_is_read_by_the_name_that_fits_the_way() {
        let (id, other) = ("a".repeat(64), "b".repeat(64));
        let (plain, host) = (format!("x=y; keepfresh={id}"), format!("__Host-keepfresh={other}"));
        assert_eq!(read(&[&plain, &host], false), Some(id.clone()));
        assert_eq!(read(&[&plain, &host], true), Some(other.clone()));
        assert_eq!(read(&[&plain], true), None, "what plain http has set is worth nothing");
        assert_eq!(read(&[&format!("keepfresh={id}; keepfresh={other}")], false), None);
        for wrong in ["keepfresh=short", "keepfresh=", &format!("keepfresh={}", "g".repeat(64))] {
            assert_eq!(read(&[wrong], false), None, "{wrong}");
        }
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_other_sites() {
        let ticket = Ticket("a".repeat(64).into());
        let set = Cookie::Session.set(&ticket, true);
        assert_eq!(set.find("__Host-keepfresh=aaaa"), Some(0), "{set}");
        for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(set.contains(attribute), "{set}");
        }
        assert!(!set.contains("Domain") && !Cookie::Session.set(&ticket, false).contains("Secure"));
        assert!(Cookie::Session.clear(true).contains("; Max-Age=0"));
    }
}
