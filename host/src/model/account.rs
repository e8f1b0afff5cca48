//! People who use the dashboard: an account, what it may do, how it logs in, and its sessions. What is kept
//! of a password, a session's id or the word of a link is a digest; the thing itself is known to the person alone.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Without a request for so long, a session is over.
const IDLE: SignedDuration = SignedDuration::from_mins(30);

/// So long after its login it is over in any case.
const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// For so long the password need not be typed again.
const CONFIRMED_FOR: SignedDuration = SignedDuration::from_mins(5);

/// When a session was used last is written down no more often than this.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Two clocks of one machine may differ by so much: what began later than that was begun by a clock that was wrong.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Sessions that an account has at once; the oldest makes room.
pub const MOST_SESSIONS: u32 = 5;

/// How long a one-time link works.
pub const LINK_FOR: SignedDuration = SignedDuration::from_mins(15);

/// The fewest characters of a password.
pub const SHORTEST_PASSWORD: usize = 12;

/// The most bytes of a password: more is a file that was pasted by mistake.
pub const LONGEST_PASSWORD: usize = 1024;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looking.
    Viewer,
    /// Everything.
    Operator,
}

impl Role {
    /// The word that SQL, commands and JSON have.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "operator" => Ok(Self::Operator),
            _ => Err(format!("`{text}` is not a role; use viewer or operator")),
        }
    }
}

/// How an account logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// Not yet: its person has a link, or needs one.
    Link,
    /// With a password, of which this is the argon2id digest in PHC form.
    Password(PasswordHash),
    /// At a provider of `OpenID` Connect, which calls the person so.
    OpenId {
        /// Who says so.
        issuer: String,
        /// How the person is called there, for ever.
        subject: String,
    },
}

/// What is kept of a password. It does not print: whoever has it can guess at it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PasswordHash")
    }
}

impl Login {
    /// In a word, for lists.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Password(_) => "password",
            Self::OpenId { .. } => "openid",
        }
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What it is called, in the audit log as well.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// How it logs in.
    pub login: Login,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its person logged in last.
    pub last_login_at: Option<Timestamp>,
}

impl Account {
    /// What a keyed digest covers: a row that was changed by hand opens nothing.
    pub fn covered(&self) -> String {
        let login = match &self.login {
            Login::Link => json_of(&["link"]),
            Login::Password(hash) => json_of(&["password", &hash.0]),
            Login::OpenId { issuer, subject } => json_of(&["openid", issuer, subject]),
        };
        json_of(&[&self.name, self.role.as_str(), &login])
    }
}

/// Texts with their ends, so that two lists are never the same text.
fn json_of(texts: &[&str]) -> String {
    serde_json::to_string(texts).unwrap_or_default()
}

/// An account as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// `password`, `openid`, or `link` while no password was chosen.
    pub login: String,
    /// The issuer that logs it in.
    pub issuer: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its person logged in last.
    pub last_login_at: Option<Timestamp>,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        let issuer = match &account.login {
            Login::OpenId { issuer, .. } => Some(issuer.clone()),
            Login::Link | Login::Password(_) => None,
        };
        Self {
            name: account.name.clone(),
            role: account.role,
            login: account.login.as_str().to_owned(),
            issuer,
            created_at: account.created_at,
            last_login_at: account.last_login_at,
        }
    }
}

/// A login that goes on, without its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// To name it by.
    pub number: i64,
    /// Whose.
    pub account: String,
    /// When it was begun, by a login.
    pub begun_at: Timestamp,
    /// When it was used last, to the minute.
    pub seen_at: Timestamp,
    /// When its person has last shown to be the one who logged in.
    pub confirmed_at: Timestamp,
    /// Where it was begun from.
    pub address: Option<String>,
    /// What its browser calls itself.
    pub agent: Option<String>,
}

impl Session {
    /// Whether it goes on at `now`.
    pub fn goes_on(&self, now: Timestamp) -> bool {
        let was_not_yet = now + AHEAD < self.begun_at;
        !was_not_yet && now < self.seen_at + IDLE && now < self.ends_at()
    }

    /// When it is over in any case.
    pub fn ends_at(&self) -> Timestamp {
        self.begun_at + LONGEST
    }

    /// Whether it is to be written down at `now` that it is used.
    pub fn is_to_be_noted(&self, now: Timestamp) -> bool {
        now >= self.seen_at + NOTED_EVERY
    }

    /// Whether the password was typed a moment ago.
    pub fn is_confirmed(&self, now: Timestamp) -> bool {
        now < self.confirmed_at + CONFIRMED_FOR && now + AHEAD >= self.confirmed_at
    }
}

/// What a browser presents: 256 bits that nobody guesses, in hexadecimal.
#[derive(Clone, Debug)]
pub struct Ticket(pub SecretString);

/// Why a password cannot be one, in a sentence for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It has too few characters.
    #[error(
        "use at least {SHORTEST_PASSWORD} characters; a few words that belong to you alone are good"
    )]
    Short,
    /// It has too many.
    #[error("use at most {LONGEST_PASSWORD} characters")]
    Long,
    /// It says whose it is.
    #[error("use something else than the name of the account")]
    Name,
}

/// Whether `password` may be that of the account `name`. There are no rules of what it is made of.
pub fn fits(name: &str, password: &str) -> Result<(), Unfit> {
    if password.len() > LONGEST_PASSWORD {
        return Err(Unfit::Long);
    }
    if password.chars().count() < SHORTEST_PASSWORD {
        return Err(Unfit::Short);
    }
    let is_name = password.trim().eq_ignore_ascii_case(name);
    if is_name { Err(Unfit::Name) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    fn session() -> Session {
        let (account, begun, seen, confirmed) = ("ann".to_owned(), at(0), at(600), at(0));
        Session {
            number: 1,
            account,
            begun_at: begun,
            seen_at: seen,
            confirmed_at: confirmed,
            address: None,
            agent: None,
        }
    }

    #[test]
    fn a_session_ends_by_idleness_and_by_age() {
        assert!(session().goes_on(at(600 + 1_799)) && !session().goes_on(at(600 + 1_800)));
        let busy = |seen| Session { seen_at: at(seen), ..session() };
        assert!(busy(43_000).goes_on(at(43_199)) && !busy(43_000).goes_on(at(43_200)));
        assert!(!session().goes_on(at(-301)), "begun by a clock that was ahead");
        assert!(session().goes_on(at(-300)));
    }

    #[test]
    fn a_password_holds_for_five_minutes() {
        assert!(session().is_confirmed(at(299)) && !session().is_confirmed(at(300)));
        assert!(!session().is_confirmed(at(-301)));
    }

    #[test]
    fn use_is_noted_once_a_minute() {
        assert!(!session().is_to_be_noted(at(659)) && session().is_to_be_noted(at(660)));
    }

    #[test]
    fn a_password_is_long_and_nothing_else() {
        assert_eq!(fits("ann", "elevenchars"), Err(Unfit::Short));
        assert_eq!(fits("ann", "twelve chars"), Ok(()));
        assert_eq!(fits("ann", "пароль на русском"), Ok(()));
        assert_eq!(fits("ann", &"x".repeat(1025)), Err(Unfit::Long));
        assert_eq!(fits("ann@example.com", " Ann@Example.com"), Err(Unfit::Name));
    }

    #[test]
    fn what_is_covered_tells_accounts_apart() {
        let account = |name: &str, login| Account {
            name: name.to_owned(),
            role: Role::Viewer,
            login,
            created_at: at(0),
            last_login_at: None,
        };
        let hash = |it: &str| Login::Password(PasswordHash(it.to_owned()));
        let open = |issuer: &str, subject: &str| {
            let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
            Login::OpenId { issuer, subject }
        };
        let mut all = [
            account("ann", Login::Link),
            account("ann", hash("x")),
            account("ann", hash("y")),
            account("bob", hash("x")),
            account("ann", open("x", "y")),
            account("ann", open("x\",\"y", "")),
            Account { role: Role::Operator, ..account("ann", hash("x")) },
        ]
        .map(|it| it.covered())
        .to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 7);
        assert!(!format!("{:?}", account("ann", hash("HASH"))).contains("HASH"));
    }
}
