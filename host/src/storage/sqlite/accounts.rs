//! People who use the dashboard, and their sessions.

use rusqlite::params;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::account::{Account, Login, MOST_SESSIONS, PasswordHash, Session};
use crate::storage::accounts::Accounts;
use crate::storage::engine::Answer;
use crate::storage::error::StorageError;
use crate::storage::sqlite::Sqlite;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, millis, signed};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{Change, NewSession, Present, SessionStep, StoredAccount, StoredLink};

impl Accounts for Sqlite {
    fn accounts(&self) -> Answer<'_, Vec<StoredAccount>> {
        Box::pin(all(&self.readers))
    }

    fn account<'a>(&'a self, name: &'a str) -> Answer<'a, Option<StoredAccount>> {
        Box::pin(one(&self.readers, name))
    }

    fn account_of<'a>(
        &'a self,
        issuer: &'a str,
        subject: &'a str,
    ) -> Answer<'a, Option<StoredAccount>> {
        Box::pin(of_subject(&self.readers, issuer, subject))
    }

    fn account_of_link<'a>(&'a self, digest: &'a [u8]) -> Answer<'a, Option<StoredAccount>> {
        Box::pin(of_link(&self.readers, digest))
    }

    fn add_account(&self, account: StoredAccount) -> Answer<'_, bool> {
        self.writer.write(Add(account))
    }

    fn change_account(&self, change: Change) -> Answer<'_, bool> {
        self.writer.write(Changed(change))
    }

    fn remove_account<'a>(&'a self, name: &'a str) -> Answer<'a, bool> {
        self.writer.write(Remove(name.to_owned()))
    }

    fn begin_session(&self, session: NewSession) -> Answer<'_, bool> {
        self.writer.write(Begin(session))
    }

    fn session<'a>(&'a self, digest: &'a [u8]) -> Answer<'a, Option<Present>> {
        Box::pin(present(&self.readers, digest))
    }

    fn sessions<'a>(&'a self, account: &'a str) -> Answer<'a, Vec<Session>> {
        Box::pin(of_account(&self.readers, account))
    }

    fn step_session<'a>(&'a self, digest: &'a [u8], step: SessionStep) -> Answer<'a, bool> {
        self.writer.write(Step { digest: digest.to_vec(), step })
    }

    fn end_session<'a>(&'a self, account: &'a str, number: i64) -> Answer<'a, bool> {
        self.writer.write(End { account: account.to_owned(), number })
    }
}

/// All accounts, by name.
async fn all(readers: &SqlitePool) -> Result<Vec<StoredAccount>, StorageError> {
    let rows = sqlx::query("select * from accounts order by name").fetch_all(readers).await?;
    rows.iter().map(read).collect()
}

/// One of them.
async fn one(readers: &SqlitePool, name: &str) -> Result<Option<StoredAccount>, StorageError> {
    let query = sqlx::query("select * from accounts where name = ?").bind(name);
    query.fetch_optional(readers).await?.as_ref().map(read).transpose()
}

/// The account that is called so by an issuer.
async fn of_subject(
    readers: &SqlitePool,
    issuer: &str,
    subject: &str,
) -> Result<Option<StoredAccount>, StorageError> {
    let query = sqlx::query("select * from accounts where issuer = ? and subject = ?");
    let row = query.bind(issuer).bind(subject).fetch_optional(readers).await?;
    row.as_ref().map(read).transpose()
}

/// The account whose link has this digest.
async fn of_link(
    readers: &SqlitePool,
    digest: &[u8],
) -> Result<Option<StoredAccount>, StorageError> {
    let query = sqlx::query("select * from accounts where link = ?").bind(digest);
    query.fetch_optional(readers).await?.as_ref().map(read).transpose()
}

fn read(row: &SqliteRow) -> Result<StoredAccount, StorageError> {
    let fields = Fields::new(row, "accounts", "name");
    let account = Account {
        name: fields.key().to_owned(),
        role: fields.required("role", fields.word("role")?)?,
        login: login(&fields)?,
        created_at: fields.required("created_at", fields.time("created_at")?)?,
        last_login_at: fields.time("last_login_at")?,
    };
    let link = match (fields.blob("link")?, fields.time("link_until")?) {
        (Some(digest), Some(until)) => Some(StoredLink { digest, until }),
        _ => None,
    };
    let mac = fields.required("mac", fields.blob("mac")?)?;
    Ok(StoredAccount { account, version: fields.count("version")?, mac, link })
}

fn login(fields: &Fields<'_>) -> Result<Login, StorageError> {
    let openid = (fields.text("issuer")?, fields.text("subject")?);
    Ok(match (fields.text("password")?, openid) {
        (Some(hash), _) => Login::Password(PasswordHash(hash)),
        (None, (Some(issuer), Some(subject))) => Login::OpenId { issuer, subject },
        (None, _) => Login::Link,
    })
}

/// Password, issuer and subject, as columns.
fn columns(login: &Login) -> [Option<&str>; 3] {
    match login {
        Login::Link => [None; 3],
        Login::Password(hash) => [Some(&hash.0), None, None],
        Login::OpenId { issuer, subject } => [None, Some(issuer), Some(subject)],
    }
}

/// A new account; nothing is written, and false, if there is one of its name or its subject.
struct Add(StoredAccount);

impl Write for Add {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let StoredAccount { account, version, mac, link } = &self.0;
        let [password, issuer, subject] = columns(&account.login);
        let added = change(
            db,
            "insert into accounts (name, role, password, issuer, subject, created_at, last_login_at,
                                   version, mac, link, link_until)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             on conflict do nothing",
            params![
                account.name,
                account.role.as_str(),
                password,
                issuer,
                subject,
                millis(account.created_at),
                account.last_login_at.map(millis),
                signed(*version),
                mac,
                link.as_ref().map(|it| &it.digest),
                link.as_ref().map(|it| millis(it.until)),
            ],
        )?;
        Ok(added > 0)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// What is different about an account; false, and nothing written, if it is not the one that was read.
struct Changed(Change);

impl Write for Changed {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let Change { account: stored, ends_sessions } = &self.0;
        let StoredAccount { account, version, mac, link } = stored;
        let [password, issuer, subject] = columns(&account.login);
        let changed = change(
            db,
            "update accounts set role = ?3, password = ?4, issuer = ?5, subject = ?6, mac = ?7, link = ?8,
                                 link_until = ?9, version = version + 1
             where name = ?1 and version = ?2",
            params![
                account.name,
                signed(*version),
                account.role.as_str(),
                password,
                issuer,
                subject,
                mac,
                link.as_ref().map(|it| &it.digest),
                link.as_ref().map(|it| millis(it.until)),
            ],
        )?;
        if changed > 0 && *ends_sessions {
            change(db, "delete from sessions where account = ?1", params![account.name])?;
        }
        Ok(changed > 0)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// An account goes, and its sessions with it; false if there is none.
struct Remove(String);

impl Write for Remove {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        change(db, "delete from sessions where account = ?1", params![self.0])?;
        Ok(change(db, "delete from accounts where name = ?1", params![self.0])? > 0)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// The session with this digest, and its account, whether it is over or not.
async fn present(readers: &SqlitePool, digest: &[u8]) -> Result<Option<Present>, StorageError> {
    let query = sqlx::query("select * from sessions where digest = ?").bind(digest);
    let Some(row) = query.fetch_optional(readers).await? else { return Ok(None) };
    let session = session(&row)?;
    let mac = sqlx::Row::try_get(&row, "mac")?;
    let account = one(readers, &session.account).await?;
    let digest = digest.to_vec();
    Ok(account.map(|account| Present { session, digest, mac, account }))
}

/// The sessions of an account, the oldest first, those that are over as well.
async fn of_account(readers: &SqlitePool, account: &str) -> Result<Vec<Session>, StorageError> {
    let query = sqlx::query("select * from sessions where account = ? order by number");
    query.bind(account).fetch_all(readers).await?.iter().map(session).collect()
}

fn session(row: &SqliteRow) -> Result<Session, StorageError> {
    let number: i64 = sqlx::Row::try_get(row, "number")?;
    let fields = Fields::new(row, "sessions", "account");
    let time = |name| fields.required(name, fields.time(name)?);
    Ok(Session {
        number,
        account: fields.key().to_owned(),
        begun_at: time("begun_at")?,
        seen_at: time("seen_at")?,
        confirmed_at: time("confirmed_at")?,
        address: fields.text("address")?,
        agent: fields.text("agent")?,
    })
}

/// A login: a session more, and the oldest ones fewer if there are too many. False, and nothing written, if the
/// account is not the one that has logged in.
struct Begin(NewSession);

impl Write for Begin {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let NewSession { digest, mac, account, version, at, address, agent } = &self.0;
        let noted = change(
            db,
            "update accounts set last_login_at = ?3 where name = ?1 and version = ?2",
            params![account, signed(*version), millis(*at)],
        )?;
        if noted == 0 {
            return Ok(false);
        }
        change(
            db,
            "insert into sessions (digest, mac, account, begun_at, seen_at, confirmed_at, address, agent)
             values (?1, ?2, ?3, ?4, ?4, ?4, ?5, ?6)",
            params![digest, mac, account, millis(*at), address, agent],
        )?;
        change(
            db,
            "delete from sessions where account = ?1 and number <= (
                 select number from sessions where account = ?1
                 order by number desc limit 1 offset ?2)",
            params![account, MOST_SESSIONS],
        )?;
        Ok(true)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// What becomes of the session with a digest; false if there is none.
struct Step {
    digest: Vec<u8>,
    step: SessionStep,
}

impl Write for Step {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let done = match &self.step {
            SessionStep::Seen(at) => {
                let seen = "update sessions set seen_at = max(seen_at, ?2) where digest = ?1";
                change(db, seen, params![self.digest, millis(*at)])
            }
            SessionStep::Confirmed { digest, mac, at } => change(
                db,
                "update sessions set digest = ?2, mac = ?3, seen_at = ?4, confirmed_at = ?4 where digest = ?1",
                params![self.digest, digest, mac, millis(*at)],
            ),
            SessionStep::Ended => {
                change(db, "delete from sessions where digest = ?1", params![self.digest])
            }
        };
        Ok(done? > 0)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// One session of an account is over; false if it has none of that number.
struct End {
    account: String,
    number: i64,
}

impl Write for End {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let end = "delete from sessions where account = ?1 and number = ?2";
        Ok(change(db, end, params![self.account, self.number])? > 0)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}
