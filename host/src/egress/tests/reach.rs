//! What is dialled and what arrives there, and that a refusal dials nothing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use secrecy::SecretString;
use tokio::net::TcpListener;

use crate::egress::tests::{
    LONG, SHORT, Server, Then, assert_not_sent, leading_to, ok, policy, request, send_to,
};
use crate::egress::{Body, EgressError, Gate, Lookup, Request};

#[tokio::test]
async fn a_request_arrives_as_it_was_asked_for() {
    let server = Server::answering(ok(b"{\"a\":1}", "x-a: 1\r\nset-cookie: a=b\r\n")).await;
    let response = send_to(server.port, LONG).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, &b"{\"a\":1}"[..]));
    assert!(response.headers.contains(&("x-a".into(), "1".into())));

    let heard = server.heard().await;
    assert!(heard.starts_with("POST /t?q=s3cret-query HTTP/1.1\r\n"), "{heard}");
    for line in [
        "authorization: Bearer s3cret-header",
        "content-type: application/json",
        concat!("user-agent: keepfresh/", env!("CARGO_PKG_VERSION")),
        &format!("host: good.example:{}", server.port),
    ] {
        assert!(heard.contains(&format!("\r\n{line}\r\n")), "{line} in {heard}");
    }
    for absent in ["accept-encoding", "referer", "cookie", "te:", "proxy"] {
        assert!(!heard.contains(absent), "{absent} in {heard}");
    }
    assert!(heard.ends_with("\r\n\r\n{\"refresh_token\":\"s3cret-body\"}"), "{heard}");
}

#[tokio::test]
async fn the_bodies_arrive_in_their_encodings() {
    for (body, content_type, sent) in [
        (Body::Empty, None, ""),
        (Body::Form(fields()), Some("application/x-www-form-urlencoded"), "a=1%262"),
        (
            Body::Multipart(fields()),
            Some("multipart/form-data; boundary="),
            "name=\"a\"\r\n\r\n1&2",
        ),
    ] {
        let server = Server::answering(ok(b"", "")).await;
        let url = format!("http://good.example:{}/t", server.port);
        let asked = Request { body, ..request(&url) };
        let gate = leading_to(&["127.0.0.1"]);
        gate.send(&policy(&url, &["127.0.0.0/8"]), asked, LONG).await.unwrap();
        let heard = server.heard().await;
        assert!(heard.contains(sent), "{heard}");
        match content_type {
            Some(content_type) => assert!(heard.contains(content_type), "{heard}"),
            None => assert!(heard.contains("content-length: 0"), "{heard}"),
        }
    }
}

fn fields() -> Vec<(String, SecretString)> {
    vec![("a".into(), "1&2".into())]
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let target = Server::answering(ok(b"", "")).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("http://good.example:{}/t", target.port);
        let redirect =
            format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let server = Server::answering(redirect).await;
        let response = send_to(server.port, LONG).await.unwrap();
        assert_eq!(response.status, status);
        assert!(response.headers.contains(&("location".into(), location)));
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn connections_are_not_kept() {
    let server = Server::answering(ok(b"", "connection: keep-alive\r\n")).await;
    let url = format!("http://good.example:{}/t", server.port);
    let (gate, policy) = (leading_to(&["127.0.0.1"]), policy(&url, &["127.0.0.0/8"]));
    for _ in 0..3 {
        gate.send(&policy, request(&url), LONG).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_refused_and_not_dialled() {
    let server = Server::answering(ok(b"", "")).await;
    let url = format!("http://good.example:{}/t", server.port);
    let refused = policy(&url, &[]);
    for addresses in [&["127.0.0.1"][..], &["8.8.8.8", "127.0.0.1"], &["::ffff:127.0.0.1"]] {
        let error = leading_to(addresses).send(&refused, request(&url), LONG).await.unwrap_err();
        assert!(matches!(error, EgressError::Denied { .. }), "{error:?}");
        assert_eq!(error.code().text(), "egress.ip_denied");
        let text = error.to_string();
        assert!(text.starts_with("good.example resolved to a"), "{text}");
        let remedy = "refused; change in [providers.eskiz]: \
                      egress = { networks = [\"127.0.0.0/8\"], plaintext = true }";
        assert!(text.ends_with(remedy), "{text}");
    }
    assert_eq!(server.connections(), 0);

    let granted = policy(&url, &["127.0.0.0/8"]);
    for addresses in [&["127.0.0.1"][..], &["::ffff:127.0.0.1"]] {
        leading_to(addresses).send(&granted, request(&url), LONG).await.unwrap();
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_that_answer_is_dialled() {
    let server = Server::answering(ok(b"", "")).await;
    let url = format!("http://good.example:{}/t", server.port);
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    // The first answer is granted; a second one, which nobody asks for, would not be.
    let gate = Gate::new(Lookup::new(move |_| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        let address = if first { [127, 0, 0, 1] } else { [169, 254, 169, 254] };
        async move { Ok(vec![address.into()]) }
    }));
    gate.send(&policy(&url, &["127.0.0.0/8"]), request(&url), LONG).await.unwrap();
    assert_eq!((asked.load(Ordering::SeqCst), server.connections()), (1, 1));
}

#[tokio::test]
async fn an_address_in_the_url_needs_the_grant_too() {
    let server = Server::answering(ok(b"", "")).await;
    let url = format!("http://127.0.0.1:{}/t", server.port);
    let gate = leading_to(&[]);
    let error = gate.send(&policy(&url, &[]), request(&url), LONG).await.unwrap_err();
    assert_eq!((error.code().text(), server.connections()), ("egress.ip_literal_denied", 0));
    gate.send(&policy(&url, &["127.0.0.0/8"]), request(&url), LONG).await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_policy_refuses_is_not_dialled() {
    let server = Server::answering(ok(b"", "")).await;
    let declared = format!("http://good.example:{}/t", server.port);
    let policy = policy(&declared, &["127.0.0.0/8"]);
    for (url, code) in [
        (format!("http://good.example:{}/other", server.port), "egress.path_denied"),
        (format!("http://evil.example:{}/t", server.port), "egress.host_denied"),
        (format!("http://good.example@evil.example:{}/t", server.port), "egress.url_invalid"),
        (format!("https://good.example:{}/t", server.port), "egress.scheme_denied"),
    ] {
        let error =
            leading_to(&["127.0.0.1"]).send(&policy, request(&url), LONG).await.unwrap_err();
        assert_eq!(error.code().text(), code, "{url}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_failed_lookup_or_connection_was_not_sent() {
    let url = "http://good.example/t";
    let silent = Gate::new(Lookup::new(|_| async { Err(io::Error::other("no such name")) }));
    let error = silent.send(&policy(url, &[]), request(url), LONG).await.unwrap_err();
    assert_not_sent(&error, "egress.dns_failed");
    assert_eq!(error.to_string(), "good.example could not be resolved; nothing was sent");

    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = send_to(free, LONG).await.unwrap_err();
    assert_not_sent(&error, "egress.connect_failed");
    assert_eq!(error.to_string(), "good.example refused the connection; nothing was sent");

    let error = leading_to(&[]).send(&policy(url, &[]), request(url), LONG).await.unwrap_err();
    assert!(matches!(error, EgressError::NotSent { .. }), "{error:?}");
}

#[tokio::test]
async fn a_lookup_that_hangs_was_not_sent_even_with_a_short_deadline() {
    let url = "http://good.example/t";
    let hanging = Gate::new(Lookup::new(|_| std::future::pending()));
    let error = hanging.send(&policy(url, &[]), request(url), SHORT).await.unwrap_err();
    assert_not_sent(&error, "egress.connect_timeout");
}

#[tokio::test]
async fn a_broken_or_hanging_handshake_was_not_sent() {
    for (bytes, then, code) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], Then::Close, "egress.tls_failed"),
        (b"", Then::Close, "egress.connect_failed"),
        (b"", Then::Hang, "egress.connect_timeout"),
    ] {
        let server = Server::start(bytes.to_vec(), then).await;
        let url = format!("https://good.example:{}/t", server.port);
        let policy = policy(&url, &["127.0.0.0/8"]);
        let error =
            leading_to(&["127.0.0.1"]).send(&policy, request(&url), SHORT).await.unwrap_err();
        assert_not_sent(&error, code);
    }
}
