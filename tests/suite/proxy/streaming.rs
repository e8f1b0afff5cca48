//! Large bodies and long ones: whatever their size, they pass in pieces.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;

use super::Passed;

/// More than anybody would hold in memory.
const LARGE: u64 = 1 << 30;

/// What the daemon may take more than before, at its peak.
const ROOM: u64 = 48 << 20;

/// The most memory that the process has had, in bytes.
fn peak(pid: u32) -> u64 {
    let status =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

fn connect(passed: &Passed) -> (TcpStream, String) {
    let key = crate::api::key(&passed.served.stage.home, "stream", &["--scope", "proxy:use"]);
    let head = format!("host: localhost\r\nauthorization: Bearer {key}\r\nconnection: close\r\n");
    (TcpStream::connect(crate::api::address(&passed.served.daemon)).unwrap(), head)
}

fn status_of(stream: &mut impl std::io::BufRead) -> String {
    let mut status = String::new();
    stream.read_line(&mut status).unwrap();
    let mut line = String::new();
    while stream.read_line(&mut line).unwrap() > 2 {
        line.clear();
    }
    status
}

#[test]
fn a_gibibyte_comes_down_in_flat_memory() {
    let passed = Passed::open();
    let (mut stream, head) = connect(&passed);
    let before = peak(passed.served.daemon.pid());
    write!(stream, "GET /proxy/eskiz/bytes/{LARGE} HTTP/1.1\r\n{head}\r\n").unwrap();
    let mut stream = BufReader::with_capacity(1 << 20, stream);
    assert!(status_of(&mut stream).contains(" 200 "));
    let mut came = 0;
    loop {
        let piece = stream.fill_buf().unwrap().len();
        if piece == 0 {
            break;
        }
        came += piece as u64;
        stream.consume(piece);
    }
    assert_eq!(came, LARGE);
    let grown = peak(passed.served.daemon.pid()) - before;
    assert!(grown < ROOM, "{} MiB more", grown >> 20);
}

#[test]
fn a_gibibyte_goes_up_in_flat_memory() {
    let passed = Passed::open();
    let (mut stream, head) = connect(&passed);
    let before = peak(passed.served.daemon.pid());
    write!(stream, "POST /proxy/eskiz/count HTTP/1.1\r\ncontent-length: {LARGE}\r\n{head}\r\n")
        .unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..LARGE >> 20 {
        stream.write_all(&piece).unwrap();
    }
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains(" 200 ") && text.ends_with(&format!("{{\"bytes\":{LARGE}}}")), "{text}");
    let grown = peak(passed.served.daemon.pid()) - before;
    assert!(grown < ROOM, "{} MiB more", grown >> 20);
}

#[test]
fn a_body_in_chunks_arrives_whole() {
    let passed = Passed::open();
    let (mut stream, head) = connect(&passed);
    write!(stream, "POST /proxy/eskiz/count HTTP/1.1\r\ntransfer-encoding: chunked\r\n{head}\r\n")
        .unwrap();
    for _ in 0..100 {
        write!(stream, "a\r\n0123456789\r\n").unwrap();
    }
    write!(stream, "0\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("{\"bytes\":1000}"), "{text}");
}

#[test]
fn events_come_as_they_happen_and_end_with_the_daemon() {
    let passed = Passed::open();
    let (mut stream, head) = connect(&passed);
    write!(stream, "GET /proxy/eskiz/events HTTP/1.1\r\n{head}\r\n").unwrap();
    let mut stream = BufReader::new(stream);
    assert!(status_of(&mut stream).contains(" 200 "));
    for number in 0..5 {
        let text = format!("event {number} of {}", passed.token());
        e2e::daemon::wait_until("somebody listens", || passed.upstream.tell(&text) == 1);
        let mut line = String::new();
        // In pieces with their lengths, each ended by an empty line.
        while !line.starts_with("data: ") {
            line.clear();
            assert!(stream.read_line(&mut line).unwrap() > 0, "the stream has ended");
        }
        assert!(line.starts_with(&format!("data: event {number} of ***")), "{line}");
    }
    let status = passed.served.daemon.stop();
    assert!(status.success(), "{status}");
}
