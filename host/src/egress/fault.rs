//! What an error of the HTTP client means: refused, not sent, in doubt or unreadable. When it is not
//! clear, it is in doubt: a token that is checked once too often is better than one that is lost.
//! Errors of the client are never shown, because they may hold URLs; they are put in our own words.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::egress::error::EgressError;
use crate::egress::lookup::Refused;
use crate::egress::policy::Policy;
use crate::egress::proxy;
use crate::egress::upload::Stalled;
use crate::model::code;

/// The client gave up before the headers of the answer were complete.
pub(super) fn of_sending(policy: &Policy, host: &str, error: &reqwest::Error) -> EgressError {
    if let Some(Refused { word, special }) = find(error) {
        return policy.addresses_denied(host, word, special);
    }
    if let Some(stalled) = find::<Stalled>(error) {
        return EgressError::in_doubt(code::Http::Timeout, format!("{stalled}; outcome unknown"));
    }
    if error.is_builder() {
        return EgressError::not_sent(
            code::Egress::RequestInvalid,
            format!("the request to {host} cannot be written as HTTP; nothing was sent"),
        );
    }
    // With TLS 1.3 it comes after the request was written, and means that nothing of it was read.
    if error.is_connect() || texts(error).iter().any(|it| it.contains("CertificateRequired")) {
        return of_connecting(host, error);
    }
    of_answer(host, error)
}

/// The client gave up after the request was sent.
pub(super) fn of_answer(host: &str, error: &reqwest::Error) -> EgressError {
    if faults(error).any(|fault| fault.kind() == io::ErrorKind::UnexpectedEof) {
        return lost(host);
    }
    let texts = texts(error);
    let says = |words: &str| texts.iter().any(|text| text.contains(words));
    if says("message head is too large") || says("header list size") {
        return headers_too_large(host);
    }
    if says("content-length") {
        return invalid(host, "conflicting lengths");
    }
    // The last two are how HTTP/2 words what it detected itself, unlike what it received.
    if says("invalid HTTP")
        || says("chunk")
        || says("unexpected transfer-encoding")
        || says("error detected")
        || says("malformed")
    {
        return invalid(host, "an answer that is not HTTP");
    }
    lost(host)
}

fn lost(host: &str) -> EgressError {
    EgressError::in_doubt(
        code::Provider::ConnectionLost,
        format!("{host} closed the connection before the answer was complete; outcome unknown"),
    )
}

/// The deadline passed while waiting for `part` of the answer.
pub(super) fn late(host: &str, part: &str, deadline: Duration) -> EgressError {
    let seconds = deadline.as_secs_f64();
    EgressError::in_doubt(
        code::Provider::Timeout,
        format!("{host} sent no complete {part} within {seconds} s; outcome unknown"),
    )
}

/// The rest of a request was not read in time.
pub(super) fn unread(host: &str, deadline: Duration) -> EgressError {
    let seconds = deadline.as_secs_f64();
    EgressError::in_doubt(
        code::Provider::Timeout,
        format!("{host} read nothing more of the request for {seconds} s; outcome unknown"),
    )
}

/// The answer breaks HTTP; `what` finishes `HOST sent ...`.
pub(super) fn invalid(host: &str, what: &str) -> EgressError {
    EgressError::unreadable(
        code::Provider::HttpInvalid,
        format!("{host} sent {what}; outcome unknown"),
    )
}

/// The answer has more or longer headers than anybody needs.
pub(super) fn headers_too_large(host: &str) -> EgressError {
    EgressError::unreadable(
        code::Provider::HeadersTooLarge,
        format!("{host} answered with more than 64 headers or 32 KiB of them; outcome unknown"),
    )
}

fn of_connecting(host: &str, error: &reqwest::Error) -> EgressError {
    let (code, what) = if no_files_left(error) {
        (code::Egress::ConnectFailed, NO_FILES_LEFT)
    } else if error.is_dns() {
        (code::Egress::DnsFailed, "could not be resolved")
    } else if error.is_timeout() {
        (code::Egress::ConnectTimeout, "could not be reached in time")
    } else if let Some(what) = tls_fault(error) {
        (code::Egress::TlsFailed, what)
    } else {
        (code::Egress::ConnectFailed, connect_fault(error))
    };
    let hint = if code == code::Egress::TlsFailed { String::new() } else { proxy::hint() };
    EgressError::not_sent(code, format!("{host} {what}; nothing was sent{hint}"))
}

const NO_FILES_LEFT: &str = "could not be reached: this process has no open files left; raise the limit (`ulimit -n`, LimitNOFILE= in a unit)";

/// `EMFILE` and `ENFILE`, wherever in it.
fn no_files_left(error: &reqwest::Error) -> bool {
    faults(error).any(|fault| matches!(fault.raw_os_error(), Some(23 | 24)))
}

fn connect_fault(error: &reqwest::Error) -> &'static str {
    let kinds = faults(error).map(io::Error::kind);
    match kinds.filter(|kind| *kind != io::ErrorKind::Other).last() {
        Some(io::ErrorKind::ConnectionRefused) => "refused the connection",
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            "could not be reached: no route"
        }
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => {
            "closed the connection while it was set up"
        }
        _ => "could not be reached",
    }
}

/// TLS errors come as I/O errors of this kind. Their text may quote the certificate, which is the
/// other side's to choose, so only the kinds that an operator can act on are named.
fn tls_fault(error: &reqwest::Error) -> Option<&'static str> {
    let fault = faults(error).find(|fault| fault.kind() == io::ErrorKind::InvalidData)?;
    let text = fault.to_string().to_ascii_lowercase();
    let kinds = [
        (
            "not valid yet",
            "presented a certificate that is not valid yet; is the clock of this machine right?",
        ),
        ("expired", "presented a certificate that has expired"),
        ("certificaterequired", "wants a client certificate, which keepfresh does not have"),
        (
            "alert: handshakefailure",
            "refused the TLS handshake; it may want a client certificate, which keepfresh does not have",
        ),
        ("unknownissuer", "presented a certificate from an unknown authority"),
        ("not valid for name", "presented a certificate for another name"),
        ("certificate", "presented a certificate that is not accepted"),
    ];
    let named = kinds.iter().find(|(sign, _)| text.contains(sign)).map(|(_, what)| *what);
    Some(named.unwrap_or("did not agree on TLS 1.2 or newer"))
}

fn faults<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a io::Error> {
    chain(error).filter_map(|cause| cause.downcast_ref())
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|cause| cause.downcast_ref())
}

/// The HTTP implementation hides its kinds behind texts, and it is not ours to depend on; the socket
/// tests hold these texts in place.
fn texts(error: &reqwest::Error) -> Vec<String> {
    // The outermost error is the one that holds the URL.
    chain(error).skip(1).map(ToString::to_string).collect()
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| inside(cause))
}

/// An I/O error made of another error names that one's source as its own, and so hides it.
fn inside<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}
