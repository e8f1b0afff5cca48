//! What becomes of each answer a server may give: complete, cut, broken, too large or none.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::egress::EgressError;
use crate::egress::tests::{
    LONG, SHORT, Server, Then, assert_in_doubt, assert_unreadable, ok, send_to,
};

#[tokio::test]
async fn silence_after_sending_is_in_doubt() {
    let server = Server::start(Vec::new(), Then::Hang).await;
    let error = send_to(server.port, SHORT).await.unwrap_err();
    assert_in_doubt(&error, "provider.timeout");
    let text = "good.example sent no complete headers within 0.5 s; outcome unknown";
    assert_eq!(error.to_string(), text);

    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec();
    let server = Server::start(half, Then::Hang).await;
    let error = send_to(server.port, SHORT).await.unwrap_err();
    assert_in_doubt(&error, "provider.timeout");
    assert!(error.to_string().contains("no complete body within 0.5 s"), "{error}");
}

#[tokio::test]
async fn a_cut_answer_is_in_doubt_unless_it_says_itself_that_it_is_whole() {
    let body = b"{\"access_token\":\"x\"}";
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for whole in [ok(body, "x-a: b\r\n"), chunked.to_vec()] {
        for end in (0..whole.len()).step_by(3) {
            let error = failure(&whole[..end]).await;
            assert_in_doubt(&error, "provider.connection_lost");
        }
    }
    let head = "HTTP/1.1 200 OK\r\n";
    for bytes in [
        format!("{head}content-length: 200\r\n\r\n{{\"access_token\":\"x\"}}"),
        format!("{head}transfer-encoding: chunked\r\n\r\n14\r\n{{\"access_token\":\"x\"}}\r\n"),
        format!(
            "{head}transfer-encoding: chunked\r\n\r\n14\r\n{{\"access_token\":\"x\"}}\r\nzz\r\n"
        ),
    ] {
        assert_eq!(answer(bytes).await, body);
    }
    let hangs = format!("{head}content-length: 200\r\n\r\n{{\"access_token\":\"x\"}}");
    let server = Server::start(hangs.into_bytes(), Then::Hang).await;
    assert_eq!(send_to(server.port, SHORT).await.unwrap().body, body);
}

/// What a server gets wrong about its own answer, and everybody can see what it meant.
#[tokio::test]
async fn odd_heads_are_read_all_the_same() {
    for head in [
        "200 OK\r\ncontent-length: 2\r\ncontent-length: 2",
        "200 OK\r\ncontent-length: 7\r\ntransfer-encoding: chunked",
        "200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "200 OK\r\ntransfer-encoding: chunked, chunked",
        "200 OK\r\ntransfer-encoding: gzip, chunked",
        "200 OK\r\nbad header\r\ncontent-length: 2",
        "200 OK\r\nx y: z\r\ncontent-length: 2",
        "200 OK\r\nx : z\r\ncontent-length : 2",
        "200 OK\r\nx: a\r\n  folded\r\ncontent-length: 2",
        "200 OK\r\nx: \u{1}\u{7f}\r\ncontent-length: 2",
        "200 \r\ncontent-length: 2",
        "200\r\ncontent-length: 2",
        "200 Très bien, merci: vraiment?\r\ncontent-length: 2",
        "299 Odd\r\ncontent-length: 2",
    ] {
        let body = if head.contains("chunked") { "2\r\nok\r\n0\r\n\r\n" } else { "ok" };
        let bytes = format!("HTTP/1.1 {head}\r\n\r\n{body}");
        assert_eq!(answer(bytes).await, b"ok", "{head}");
    }
}

#[tokio::test]
async fn answers_that_break_http_are_unreadable() {
    for bytes in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ncontent-length: 3, 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        "HTTP/3.0 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "<html>hello</html>\r\n\r\n",
    ] {
        let error = failure(bytes).await;
        assert_unreadable(&error, "provider.http_invalid");
        assert!(!bytes.contains("conflict") && !error.to_string().contains("html"));
    }
}

#[tokio::test]
async fn headers_beyond_what_anybody_needs_are_left_out_and_the_body_stays() {
    for headers in
        ["a: b\r\n".repeat(70), "a: b\r\n".repeat(400), format!("a: {}\r\n", "b".repeat(40 * 1024))]
    {
        let server = Server::answering(ok(b"ok", &headers)).await;
        let response = send_to(server.port, LONG).await.unwrap();
        assert_eq!(response.body, b"ok");
        let bytes = response.headers.iter().map(|(name, value)| name.len() + value.len());
        assert!(response.headers.len() <= 64 && bytes.sum::<usize>() <= 32 * 1024);
    }
}

#[tokio::test]
async fn too_many_or_too_long_headers_are_unreadable() {
    for headers in ["a: b\r\n".repeat(10_000), format!("a: {}\r\n", "b".repeat(1024 * 1024))] {
        let error = failure(ok(b"", &headers)).await;
        assert_unreadable(&error, "provider.headers_too_large");
    }
    assert!(
        send_to(Server::answering(ok(b"", &"a: b\r\n".repeat(60))).await.port, LONG).await.is_ok()
    );
}

#[tokio::test]
async fn long_bodies_are_cut_off() {
    let long = vec![b'a'; 2 * 1024 * 1024];
    let endless = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &long].concat();
    for bytes in [ok(&long, ""), endless] {
        let error = failure(bytes).await;
        assert_unreadable(&error, "provider.body_too_large");
        let text = "good.example answered with more than 1 MiB; outcome unknown";
        assert_eq!(error.to_string(), text);
    }
    let most = ok(&vec![b'a'; 1024 * 1024], "");
    let response = send_to(Server::answering(most).await.port, LONG).await.unwrap();
    assert_eq!(response.body.len(), 1024 * 1024);
}

#[tokio::test]
async fn compressed_answers_are_undone_and_bombs_are_not() {
    let server = Server::answering(ok(&gzip(b"{\"a\":1}"), "content-encoding: gzip\r\n")).await;
    let response = send_to(server.port, LONG).await.unwrap();
    assert_eq!(response.body, b"{\"a\":1}");
    assert!(response.headers.iter().all(|(name, _)| !name.starts_with("content-")));

    let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
    assert!(bomb.len() < 128 * 1024);
    let error = failure(ok(&bomb, "content-encoding: gzip\r\n")).await;
    assert_unreadable(&error, "provider.body_too_large");

    for encoding in ["br", "zstd", "compress"] {
        let header = format!("content-encoding: {encoding}\r\n");
        let error = failure(ok(b"\x0b\x02\x80\x61\xff\x03", &header)).await;
        assert_unreadable(&error, "provider.encoding_unsupported");
    }
    let cut = &gzip(b"not all of it")[..20];
    let error = failure(ok(cut, "content-encoding: gzip\r\n")).await;
    assert_unreadable(&error, "provider.encoding_invalid");
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_chunked_answer_is_read_in_any_spelling() {
    for name in ["chunked", "Chunked", "CHUNKED"] {
        let bytes =
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: {name}\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        let response = send_to(Server::answering(bytes).await.port, LONG).await.unwrap();
        assert_eq!(response.body, b"ok");
    }
}

#[tokio::test]
async fn interim_answers_are_skipped() {
    let bytes =
        [b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(3), ok(b"end", "")].concat();
    let response = send_to(Server::answering(bytes).await.port, LONG).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, &b"end"[..]));
}

async fn answer(bytes: impl Into<Vec<u8>>) -> Vec<u8> {
    let server = Server::answering(bytes).await;
    send_to(server.port, LONG).await.unwrap_or_else(|error| panic!("{error}")).body
}

async fn failure(bytes: impl Into<Vec<u8>>) -> EgressError {
    let server = Server::answering(bytes).await;
    send_to(server.port, LONG).await.unwrap_err()
}
