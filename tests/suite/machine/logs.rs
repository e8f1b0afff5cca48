//! A log that nobody reads any more stops nothing: lines are dropped and counted.

use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::process::Stdio;
use std::time::{Duration, Instant};

use e2e::daemon::{Daemon, wait_until};
use e2e::stage::Stage;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// A pipe that takes not one byte more.
fn full() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'\n'; 4_096]).is_ok() {}
    while writer.write(b"\n").is_ok() {}
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

fn serve(stage: &Stage, stderr: Stdio) -> Daemon {
    let mut command = stage.home.command(&["serve"]);
    command.env("KEEPFRESH_LOG", "trace");
    let log = stage.home.path("serve.log");
    Daemon::start_with(command, &stage.home.path("keepfresh.sock"), log, stderr)
}

#[test]
fn a_log_that_nobody_reads_stops_neither_refreshing_nor_a_stop() {
    let stage = Stage::eskiz("");
    let (_unread, writer) = full();
    let daemon = serve(&stage, writer.into());
    wait_until("it has logged in", || stage.state() == "fresh");
    for generation in 2..5 {
        assert_eq!(stage.refresh(&["--force", "--sync"])["generation"], generation);
        let _ = stage.token();
    }
    let begun = Instant::now();
    assert!(daemon.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn what_is_read_again_goes_on_with_the_newest_lines() {
    let stage = Stage::eskiz("");
    let (mut reader, writer) = full();
    let daemon = serve(&stage, writer.into());
    wait_until("it has logged in", || stage.state() == "fresh");
    let read = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).map(|_| text).unwrap()
    });
    assert!(daemon.stop().success());
    assert!(read.join().unwrap().contains("stopped"));
}
