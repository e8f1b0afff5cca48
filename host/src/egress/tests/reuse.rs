//! Connections that are kept for requests that may arrive twice: what becomes of a request when the one it went on had
//! ended, and that no answer is taken for another's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::egress::tests::{LONG, SHORT, assert_in_doubt, leading_to, ok, policy, request};
use crate::egress::{Body, EgressError, Gate, Policy, Request, Response, SENT_AGAIN_WITHIN};

/// What a server does with the next request on a connection. After the last of them it hangs up.
#[derive(Clone)]
enum Turn {
    /// Writes these bytes.
    Says(Vec<u8>),
    /// Reads it, and hangs up.
    HangsUp,
    /// The same after so long.
    HangsUpAfter(Duration),
    /// Reads it, and does nothing.
    Hangs,
}

/// A server whose connections are told apart: each has its turns, in the order in which they are made.
struct Patient {
    port: u16,
    accepted: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

impl Patient {
    async fn with(connections: Vec<Vec<Turn>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, accepted: Arc::default(), asked: Arc::default() };
        let (accepted, asked) = (Arc::clone(&server.accepted), Arc::clone(&server.asked));
        tokio::spawn(async move {
            for turns in connections {
                let (stream, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, turns, Arc::clone(&asked)));
            }
        });
        server
    }

    fn counts(&self) -> (usize, usize) {
        (self.accepted.load(Ordering::SeqCst), self.asked.load(Ordering::SeqCst))
    }
}

async fn serve(mut stream: TcpStream, turns: Vec<Turn>, asked: Arc<AtomicUsize>) {
    let mut buffer = vec![0; 64 * 1024];
    for turn in turns {
        if stream.read(&mut buffer).await.unwrap_or(0) == 0 {
            return;
        }
        asked.fetch_add(1, Ordering::SeqCst);
        match turn {
            Turn::Says(bytes) => stream.write_all(&bytes).await.unwrap(),
            Turn::HangsUp => return,
            Turn::HangsUpAfter(time) => return tokio::time::sleep(time).await,
            Turn::Hangs => std::future::pending().await,
        }
    }
}

fn says(body: &str) -> Turn {
    Turn::Says(ok(body.as_bytes(), ""))
}

/// Who sends to it, one request after the other.
struct Sender {
    gate: Gate,
    policy: Policy,
    url: String,
}

impl Sender {
    fn to(server: &Patient) -> Self {
        let url = format!("http://good.example:{}/t", server.port);
        let policy = policy(&url, &["127.0.0.0/8"]);
        Self { gate: leading_to(&["127.0.0.1"]), policy, url }
    }

    async fn send(&self, asked: Request) -> Result<Response, EgressError> {
        // What is kept is put back by a task of its own.
        tokio::task::yield_now().await;
        let sent = self.gate.send(&self.policy, asked, LONG).await?;
        sent.open("good.example")
    }

    fn repeatable(&self) -> Request {
        Request { repeatable: true, ..request(&self.url) }
    }

    async fn body(&self) -> String {
        String::from_utf8(self.send(self.repeatable()).await.unwrap().body).unwrap()
    }
}

/// A server, and who has had its first answer, which is `1`.
async fn after_one(connections: Vec<Vec<Turn>>) -> (Patient, Sender) {
    let server = Patient::with(connections).await;
    let sender = Sender::to(&server);
    assert_eq!(sender.body().await, "1");
    (server, sender)
}

#[tokio::test]
async fn what_may_arrive_twice_goes_on_a_connection_that_is_kept() {
    let server = Patient::with(vec![vec![says("1"), says("2"), says("3")]]).await;
    let sender = Sender::to(&server);
    for body in ["1", "2", "3"] {
        assert_eq!(sender.body().await, body);
    }
    assert_eq!(server.counts(), (1, 3));
}

#[tokio::test]
async fn what_may_not_arrive_twice_goes_on_none_that_is_kept() {
    let (server, sender) = after_one(vec![vec![says("1"), Turn::HangsUp], vec![says("2")]]).await;
    assert_eq!(sender.send(request(&sender.url)).await.unwrap().body, b"2");
    assert_eq!(server.counts(), (2, 2));
}

#[tokio::test]
async fn a_connection_that_had_ended_costs_no_try() {
    let timed_out =
        b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let no_http = b"<html>too late</html>\r\n\r\n";
    for end in [Turn::HangsUp, Turn::Says(timed_out.to_vec()), Turn::Says(no_http.to_vec())] {
        let (server, sender) = after_one(vec![vec![says("1"), end], vec![says("2")]]).await;
        assert_eq!(sender.body().await, "2");
        assert_eq!(server.counts(), (2, 3));
    }
}

#[tokio::test]
async fn a_request_is_sent_again_once_and_only_where_the_connection_was_kept() {
    let server = Patient::with(vec![vec![Turn::HangsUp], vec![says("never")]]).await;
    let sender = Sender::to(&server);
    let error = sender.send(sender.repeatable()).await.unwrap_err();
    assert_in_doubt(&error, "provider.connection_lost");
    assert_eq!(server.counts(), (1, 1));

    let ends = vec![vec![says("1"), Turn::HangsUp], vec![Turn::HangsUp], vec![says("never")]];
    let (server, sender) = after_one(ends).await;
    let error = sender.send(sender.repeatable()).await.unwrap_err();
    assert_in_doubt(&error, "provider.connection_lost");
    assert_eq!(server.counts(), (2, 3));
}

/// The first may have been acted on, whatever is said of the second.
#[tokio::test]
async fn a_second_try_that_is_turned_away_does_not_settle_the_first() {
    for status in ["408 Request Timeout", "429 Too Many Requests", "503 Service Unavailable"] {
        let away = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        let turns = vec![vec![says("1"), Turn::HangsUp], vec![Turn::Says(away.into_bytes())]];
        let (server, sender) = after_one(turns).await;
        let error = sender.send(sender.repeatable()).await.unwrap_err();
        assert_in_doubt(&error, "provider.connection_lost");
        assert_eq!(server.counts(), (2, 3), "{status}");
    }
}

#[tokio::test]
async fn a_provider_that_hangs_up_after_long_is_not_asked_again() {
    let slow = Turn::HangsUpAfter(SENT_AGAIN_WITHIN + Duration::from_millis(100));
    let (server, sender) = after_one(vec![vec![says("1"), slow], vec![says("never")]]).await;
    let error = sender.send(sender.repeatable()).await.unwrap_err();
    assert_in_doubt(&error, "provider.connection_lost");
    assert_eq!(server.counts(), (1, 2));
}

/// Whoever takes it for the answer to the next request gives one connection the token of another.
#[tokio::test]
async fn a_second_answer_to_one_request_is_nobodys() {
    let (first, second) = (ok(b"1", ""), ok(b"of another", ""));
    let whole = Turn::Says([first.clone(), second.clone()].concat());
    let longer = Turn::Says([ok(b"1", ""), b"\r\n".to_vec(), second].concat());
    for twice in [whole, longer] {
        let (server, sender) = after_one(vec![vec![twice, says("3")], vec![says("2")]]).await;
        assert_eq!(sender.body().await, "2");
        assert_eq!(server.counts().0, 2);
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_short_by_its_length_leaves_no_connection() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"whole\":1}";
    let cut = Turn::Says(head.as_bytes().to_vec());
    let server = Patient::with(vec![vec![cut], vec![says("2")]]).await;
    let sender = Sender::to(&server);
    assert_eq!(sender.body().await, "{\"whole\":1}");
    assert_eq!(sender.body().await, "2");
    assert_eq!(server.counts(), (2, 2));
}

#[tokio::test]
async fn a_body_that_cannot_be_copied_is_sent_once_on_a_connection_of_its_own() {
    let (server, sender) =
        after_one(vec![vec![says("1"), says("never")], vec![Turn::HangsUp]]).await;
    let body = Body::Multipart(vec![("a".into(), "1".into())]);
    let parts = Request { body, ..sender.repeatable() };
    let error = sender.send(parts).await.unwrap_err();
    assert_in_doubt(&error, "provider.connection_lost");
    assert_eq!(server.counts(), (2, 2));
}

#[tokio::test]
async fn a_second_try_that_sends_nothing_does_not_settle_the_first() {
    let (server, sender) = after_one(vec![vec![says("1"), Turn::HangsUp]]).await;
    // Nobody accepts any more.
    let error = sender.send(sender.repeatable()).await.unwrap_err();
    assert_in_doubt(&error, "provider.connection_lost");
    assert_eq!(server.counts(), (1, 2));
}

#[tokio::test]
async fn one_deadline_is_for_both_tries() {
    let server = Patient::with(vec![vec![says("1"), Turn::HangsUp], vec![Turn::Hangs]]).await;
    let sender = Sender::to(&server);
    let send = || sender.gate.send(&sender.policy, sender.repeatable(), SHORT);
    assert_eq!(send().await.unwrap().body, b"1");
    tokio::task::yield_now().await;
    assert_in_doubt(&send().await.unwrap_err(), "provider.timeout");
    assert_eq!(server.counts(), (2, 3));
}
