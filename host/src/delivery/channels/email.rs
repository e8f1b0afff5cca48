//! Mail, in plain text and HTML, through a server of the operator's. It goes where the manifest says, and not through
//! the door of HTTP: that server is the operator's own word, as the database's path is.

use std::error::Error as _;
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::{Address, Message};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::delivery::channels::notice::Notice;
use crate::delivery::channels::sending::{Parcel, Sent};
use crate::delivery::channels::text::Text;
use crate::delivery::undelivered::{Then, Undelivered};
use crate::manifest::smtp::{Email, Security, Smtp};
use crate::model::code;
use crate::model::connection::Problem;
use crate::model::id::ConnectionId;
use crate::storage::{Loaded, Storage, StorageError};

/// How long a server may take for one step.
const WITHIN: Duration = Duration::from_secs(20);

/// How long it may take to say goodbye, when it has the mail.
const PARTS_WITHIN: Duration = Duration::from_secs(1);

/// The mailbox is not there, has moved, or has a name that cannot be: what a server says of a person's address.
const NO_SUCH_MAILBOX: [u16; 3] = [550, 551, 553];

/// Why a step failed.
enum Fault {
    Said(smtp::Error),
    Late,
}

impl Fault {
    /// The status that the server has answered with.
    fn status(&self) -> Option<u16> {
        match self {
            Self::Said(error) => error.status().map(u16::from),
            Self::Late => None,
        }
    }
}

pub(super) async fn send(parcel: &Parcel<'_>, email: &Email) -> Result<Sent, Undelivered> {
    if let Notice::Person(facts) = parcel.notice {
        let to = vec![person(parcel.storage, &facts.connection).await?];
        return hand_over(parcel, email, &to, &to).await;
    }
    // Whom the manifest does not name any more gets nothing more.
    let is_left = |it: &&String| parcel.rest.is_none_or(|rest| rest.contains(it));
    let left = email.to.iter().filter(is_left).cloned().collect::<Vec<_>>();
    if left.is_empty() {
        return Ok(Sent::ToAll);
    }
    hand_over(parcel, email, &email.to, &left).await
}

/// Sends it, as one mail that names `all`, to those who are `left`. A mailbox that refuses it keeps it from no other.
async fn hand_over(
    parcel: &Parcel<'_>,
    email: &Email,
    all: &[String],
    left: &[String],
) -> Result<Sent, Undelivered> {
    let fault = |fault| refused(&email.smtp, "the message", &fault);
    let from = mailbox(parcel, &email.from)?;
    let content = message(parcel, &from, all)?.formatted();
    let to = left.iter().map(|it| Ok(mailbox(parcel, it)?.email));
    let to = to.collect::<Result<Vec<_>, Undelivered>>()?;
    let mut server = connect(email).await?;
    let parameters =
        international(&server, &from.email, &to).map_err(|it| unreachable(&email.smtp, it))?;
    step(server.command(Mail::new(Some(from.email), parameters))).await.map_err(fault)?;
    let (mut rest, mut why) = (Vec::new(), None);
    for (name, address) in left.iter().zip(to) {
        let Err(fault) = step(server.command(Rcpt::new(address, Vec::new()))).await else {
            continue;
        };
        let refusal = refused(&email.smtp, &whom(all, name), &fault);
        let Some(status) = fault.status() else { return Err(refusal) };
        why.get_or_insert(Undelivered { then: then(parcel.notice, status), ..refusal });
        rest.push(name.clone());
    }
    if let Some(why) = why.take_if(|_| rest.len() == left.len()) {
        return Err(why);
    }
    step(server.command(Data)).await.map_err(fault)?;
    step(server.message(&content)).await.map_err(fault)?;
    // It is there, whatever the server says to this.
    let _ = tokio::time::timeout(PARTS_WITHIN, server.abort()).await;
    Ok(why.map_or(Sent::ToAll, |why| Sent::ToAllBut(rest, why)))
}

/// One of the receivers, by its place: addresses are in no log.
fn whom(all: &[String], name: &str) -> String {
    let place = all.iter().position(|it| it == name).unwrap_or_default();
    if all.len() == 1 { "its receiver".to_owned() } else { format!("number {} of `to`", place + 1) }
}

/// A person whose mailbox is not there is not looked for again. Mailboxes of the channel are the operator's, who
/// corrects that.
fn then(notice: &Notice, status: u16) -> Then {
    let is_person = matches!(notice, Notice::Person(_));
    let is_gone = is_person && NO_SUCH_MAILBOX.contains(&status);
    if is_gone { Then::Never } else { Then::Again(None) }
}

async fn step<T>(work: impl Future<Output = Result<T, smtp::Error>>) -> Result<T, Fault> {
    let done = tokio::time::timeout(WITHIN, work).await;
    done.map_err(|_| Fault::Late)?.map_err(Fault::Said)
}

/// What has to be said before addresses that ASCII does not have.
fn international(
    server: &AsyncSmtpConnection,
    from: &Address,
    to: &[Address],
) -> Result<Vec<MailParameter>, &'static str> {
    let is_plain = |it: &Address| AsRef::<str>::as_ref(it).is_ascii();
    if is_plain(from) && to.iter().all(is_plain) {
        return Ok(Vec::new());
    }
    let can = server.server_info().supports_feature(Extension::SmtpUtfEight);
    if can { Ok(vec![MailParameter::SmtpUtfEight]) } else { Err("it takes ASCII addresses alone") }
}

/// The message, which names all of its receivers.
fn message(parcel: &Parcel<'_>, from: &Mailbox, to: &[String]) -> Result<Message, Undelivered> {
    let text = parcel.text();
    let mut message = Message::builder().from(from.clone());
    for one in to {
        message = message.to(mailbox(parcel, one)?);
    }
    // The same id at every try: what arrives twice is shown once.
    let id = format!("<{}@{}>", parcel.id, from.email.domain());
    let subject = match parcel.notice {
        Notice::Person(_) => text.title.clone(),
        _ => format!("[keepfresh] {}", text.title),
    };
    let message = message.message_id(Some(id)).subject(subject);
    let both = MultiPart::alternative_plain_html(text.plain() + "\n", html(&text));
    message.multipart(both).map_err(|_| invalid(parcel))
}

fn mailbox(parcel: &Parcel<'_>, text: &str) -> Result<Mailbox, Undelivered> {
    text.parse().map_err(|_| invalid(parcel))
}

fn invalid(parcel: &Parcel<'_>) -> Undelivered {
    let message = format!("an address of {} cannot be used for mail", parcel.whose());
    Undelivered { code: code::Channel::MailInvalid.into(), message, then: Then::Never }
}

/// A connection that mail may go through: encrypted, unless it stays here, and logged in.
async fn connect(email: &Email) -> Result<AsyncSmtpConnection, Undelivered> {
    let Smtp { host, port, user, security } = &email.smtp;
    let fault = |fault| refused(&email.smtp, "the connection", &fault);
    let tls = || {
        TlsParameters::new(host.clone())
            .map_err(|_| unreachable(&email.smtp, "TLS cannot be set up"))
    };
    let at_once = if *security == Security::Tls { Some(tls()?) } else { None };
    let (place, me) = ((host.as_str(), *port), ClientId::default());
    let server = AsyncSmtpConnection::connect_tokio1(place, Some(WITHIN), &me, at_once, None);
    let mut server = step(server).await.map_err(fault)?;
    if *security == Security::StartTls {
        step(server.starttls(tls()?, &me)).await.map_err(fault)?;
    }
    if let (Some(user), Some(source)) = (user, &email.password) {
        let password = source.read().await?.expose_secret().to_owned();
        let login = Credentials::new(user.clone(), password);
        let ways = [Mechanism::Plain, Mechanism::Login];
        let logged_in = step(server.auth(&ways, &login)).await;
        logged_in.map_err(|it| refused(&email.smtp, "the login", &it))?;
    }
    Ok(server)
}

fn unreachable(smtp: &Smtp, what: &str) -> Undelivered {
    let message = format!("the mail server {}:{}: {what}", smtp.host, smtp.port);
    Undelivered::again(code::Channel::MailUnreachable, message)
}

/// What a fault means. The library's text may quote the server, so only what an operator can act on is said. All of
/// it is corrected by an operator, and then goes through.
fn refused(smtp: &Smtp, what: &str, fault: &Fault) -> Undelivered {
    let Fault::Said(error) = fault else { return unreachable(smtp, LATE) };
    if let Some(status) = error.status() {
        let (host, port) = (&smtp.host, smtp.port);
        let message = format!("the mail server {host}:{port} did not take {what} ({status})");
        return Undelivered::again(code::Channel::MailRefused, message);
    }
    let inner = error.source().map(ToString::to_string).unwrap_or_default();
    let what = if error.is_timeout() || inner.contains("timed out") {
        LATE
    } else if inner.contains("certificate") {
        "its certificate is not accepted"
    } else if error.is_tls() {
        "TLS was not agreed on"
    } else if error.is_client() {
        "it does not offer STARTTLS, or no login that is supported"
    } else {
        "it could not be reached"
    };
    unreachable(smtp, what)
}

const LATE: &str = "it did not answer in time";

/// The same as HTML, for those who read mail with a mouse.
fn html(text: &Text) -> String {
    let lines = text.lines.iter().map(|it| format!("<p>{}</p>", escaped(it)));
    let lines = lines.collect::<Vec<_>>().concat();
    let command = text.command.iter().map(|it| format!("<p>See: <code>{}</code></p>", escaped(it)));
    let command = command.collect::<String>();
    format!(
        "<!doctype html><html><body style=\"font-family:sans-serif\"><h2>{}</h2>{lines}{command}</body></html>",
        escaped(&text.title)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The address of the person of a connection, as its profile has it.
pub(super) async fn address_of(
    storage: &Storage,
    id: &ConnectionId,
) -> Result<Option<String>, StorageError> {
    let loaded = load(storage, id).await?;
    Ok(loaded.and_then(|it| in_profile(it.connection.profile.as_ref()?)))
}

/// Whether the person still has to log in.
pub(super) async fn still_needed(
    storage: &Storage,
    id: &ConnectionId,
) -> Result<bool, StorageError> {
    let loaded = load(storage, id).await?;
    Ok(loaded.is_some_and(|it| it.connection.problem == Some(Problem::Reconnect)))
}

/// A connection whose row cannot be read is nobody's: it keeps no message from the others.
async fn load(storage: &Storage, id: &ConnectionId) -> Result<Option<Loaded>, StorageError> {
    match storage.load(id).await {
        Err(error @ StorageError::Row { .. }) => {
            storage.report(&error);
            Ok(None)
        }
        loaded => loaded,
    }
}

async fn person(storage: &Storage, id: &ConnectionId) -> Result<String, Undelivered> {
    let found = address_of(storage, id).await;
    let found = found.map_err(|it| Undelivered::again(it.code(), it.to_string()))?;
    found.ok_or_else(|| {
        let message = format!("the profile of {id} has no e-mail address");
        Undelivered { code: code::Channel::NoAddress.into(), message, then: Then::Never }
    })
}

/// `email`, at the top or within one of its objects.
fn in_profile(profile: &Value) -> Option<String> {
    let members = profile.as_object()?;
    let here = members.get("email").and_then(Value::as_str);
    let within = || members.values().find_map(|it| it.get("email").and_then(Value::as_str));
    let found = here.or_else(within).filter(|it| it.parse::<lettre::Address>().is_ok());
    found.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::delivery::channels::notice::{PersonFacts, TestFacts};

    #[test]
    fn the_address_of_a_person_is_in_the_profile_or_it_is_none() {
        for (profile, found) in [
            (json!({ "email": "a@b.example" }), Some("a@b.example")),
            (json!({ "user": { "email": "a@b.example" } }), Some("a@b.example")),
            (json!({ "email": "a@b.example\r\nBcc: c@d.example" }), None),
            (json!({ "email": "a@b.example, c@d.example" }), None),
            (json!({ "email": 5 }), None),
            (json!([]), None),
        ] {
            assert_eq!(in_profile(&profile).as_deref(), found, "{profile}");
        }
    }

    #[test]
    fn a_person_without_a_mailbox_is_given_up_and_all_else_is_tried_again() {
        let (at, connection) = (crate::model::fixture::at(0), "x/y".parse().unwrap());
        let person = Notice::Person(PersonFacts { connection, at });
        let test = Notice::Test(TestFacts { channel: "ops".to_owned(), at });
        for status in [550, 551, 553] {
            assert_eq!(then(&person, status), Then::Never, "{status}");
            assert_eq!(
                then(&test, status),
                Then::Again(None),
                "the operator corrects it: {status}"
            );
        }
        for status in [421, 450, 452, 530, 535, 552, 554] {
            assert_eq!(then(&person, status), Then::Again(None), "{status}");
        }
    }

    #[test]
    fn nothing_of_a_text_is_markup() {
        let text = Text {
            title: "<b>".to_owned(),
            lines: vec!["a & \"b\"".to_owned()],
            command: Some("<i>".to_owned()),
        };
        let html = html(&text);
        assert!(html.contains("&lt;b&gt;") && html.contains("a &amp; &quot;b&quot;"), "{html}");
        assert!(!html.contains("<b>") && !html.contains("<i>"), "{html}");
    }
}
