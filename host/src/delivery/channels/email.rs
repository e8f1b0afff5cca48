//! Mail, in plain text and HTML, through a server of the operator's. It goes where the manifest says, and not through
//! the door of HTTP: that server is the operator's own word, as the database's path is.

use std::error::Error as _;
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::delivery::channels::notice::Notice;
use crate::delivery::channels::sending::Parcel;
use crate::delivery::channels::text::Text;
use crate::delivery::undelivered::{Then, Undelivered};
use crate::manifest::smtp::{Email, Security, Smtp};
use crate::model::code;
use crate::model::connection::Problem;
use crate::model::id::ConnectionId;
use crate::storage::{Storage, StorageError};

/// How long a server may take for one step.
const WITHIN: Duration = Duration::from_secs(20);

type Transport = AsyncSmtpTransport<Tokio1Executor>;

pub(super) async fn send(parcel: &Parcel<'_>, email: &Email) -> Result<(), Undelivered> {
    let to = match parcel.notice {
        Notice::Person(facts) => vec![person(parcel.storage, &facts.connection).await?],
        _ => email.to.clone(),
    };
    let message = message(parcel, &email.from, &to)?;
    let sent = transport(email).await?.send(message).await;
    sent.map(drop).map_err(|error| refused(&email.smtp, &error))
}

/// The message, to all of its recipients at once.
fn message(parcel: &Parcel<'_>, from: &str, to: &[String]) -> Result<Message, Undelivered> {
    let text = parcel.text();
    let from = mailbox(parcel, from)?;
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

async fn transport(email: &Email) -> Result<Transport, Undelivered> {
    let Smtp { host, port, user, security } = &email.smtp;
    let tls = || {
        TlsParameters::new(host.clone())
            .map_err(|_| unreachable(&email.smtp, "TLS cannot be set up"))
    };
    let tls = match security {
        Security::Tls => Tls::Wrapper(tls()?),
        Security::StartTls => Tls::Required(tls()?),
        Security::Loopback => Tls::None,
    };
    let mut transport =
        Transport::builder_dangerous(host.clone()).port(*port).tls(tls).timeout(Some(WITHIN));
    if let (Some(user), Some(source)) = (user, &email.password) {
        let password = source.read().await?.expose_secret().to_owned();
        transport = transport.credentials(Credentials::new(user.clone(), password));
    }
    Ok(transport.build())
}

fn unreachable(smtp: &Smtp, what: &str) -> Undelivered {
    let message = format!("the mail server {}:{}: {what}", smtp.host, smtp.port);
    Undelivered::again(code::Channel::MailUnreachable, message)
}

/// What an error of the library means. Its text may quote the server, so only what an operator can act on is said.
fn refused(smtp: &Smtp, error: &lettre::transport::smtp::Error) -> Undelivered {
    let inner = error.source().map(ToString::to_string).unwrap_or_default();
    if let Some(status) = error.status() {
        let (host, port) = (&smtp.host, smtp.port);
        let message = format!("the mail server {host}:{port} did not take the message ({status})");
        let then = if error.is_permanent() { Then::Never } else { Then::Again(None) };
        // A login that fails is corrected by an operator, and then goes through.
        let is_login = status.to_string().starts_with("53");
        let then = if is_login { Then::Again(None) } else { then };
        return Undelivered { code: code::Channel::MailRefused.into(), message, then };
    }
    let what = if error.is_timeout() || inner.contains("timed out") {
        "it did not answer in time"
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
    let loaded = storage.load(id).await?;
    Ok(loaded.and_then(|it| in_profile(it.connection.profile.as_ref()?)))
}

/// Whether the person still has to log in.
pub(super) async fn still_needed(
    storage: &Storage,
    id: &ConnectionId,
) -> Result<bool, StorageError> {
    let loaded = storage.load(id).await?;
    Ok(loaded.is_some_and(|it| it.connection.problem == Some(Problem::Reconnect)))
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
