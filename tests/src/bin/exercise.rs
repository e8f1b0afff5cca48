//! What a daemon does most, for a few seconds: many connections are imported and refreshed, few at once and many at
//! once, and tokens are asked for. `./dev build --profiled` has it done by a binary that notes what it runs through.
//!
//! `KEEPFRESH_BIN` says which binary; it stops as a service does, so that its notes are written.

#![expect(clippy::print_stdout, reason = "how far it is goes to standard output")]
#![expect(clippy::disallowed_methods, reason = "when tokens end is no part of the program")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use e2e::crowd::{self, Claim, Provider, Row};
use e2e::daemon::{Daemon, wait_until};
use e2e::home::Home;
use jiff::Timestamp;

/// Connections; each is refreshed once, and more often by those who hurry.
const MANY: u32 = 10_000;

/// Seconds that a token lives.
const LIFE: u32 = 3_600;

/// How long tokens are asked for.
const ASKING: Duration = Duration::from_secs(2);

fn main() {
    // This program is the provider as well.
    if crowd::serves() {
        return;
    }
    for at_once in [16, 256] {
        let provider = Provider::start();
        let home = home(&provider, at_once);
        let daemon = home.serve();
        home.run(&["refresh", "--all", "--force"]).exits(0);
        wait_until("all are refreshed", || provider.counts().renewed >= u64::from(MANY));
        let asked = ask(&home, &daemon);
        let ended = daemon.stop();
        assert!(ended.success(), "{ended}");
        println!("{MANY} refreshed, {at_once} at once; {asked} tokens");
    }
}

fn home(provider: &Provider, at_once: u32) -> Home {
    let home = Home::new(&format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[providers.rotor]\nconnections = []\nrotation = \"strict\"\nconcurrency = {at_once}\n\
         refresh_before = \"1m\"\nsettings = {{ base_url = \"{}\" }}\n\
         egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        provider.base_url()
    ));
    let home = home.with_guest("rotor");
    let expires_at = Timestamp::now() + Duration::from_hours(24);
    let row = |grant| Row { claim: Claim::first(grant, LIFE), expires_at };
    crowd::write(&home.path("many.csv"), (0..MANY).map(row)).expect("a file of rows");
    home.run(&["connection", "import", "rotor", "many.csv"]).exits(0);
    fs::remove_file(home.path("many.csv")).expect("the file is there");
    home
}

/// Asks for one token again and again; how often.
fn ask(home: &Home, daemon: &Daemon) -> u64 {
    let key = home.run(&["api-key", "create", "exercise", "--scope", "token:read"]).stdout;
    let log = daemon.log();
    let (_, address) = log.split_once("the HTTP API listens at http://").expect("it listens");
    let address = address.split_whitespace().next().expect("an address");
    let request = format!(
        "GET /api/v1/connections/rotor~u0000001/token?min_ttl=60 HTTP/1.1\r\nhost: localhost\r\n\
         authorization: Bearer {}\r\n\r\n",
        key.trim()
    );
    let mut stream = TcpStream::connect(address).expect("a connection");
    let (begun, mut count, mut answer) = (Instant::now(), 0, [0; 4_096]);
    while begun.elapsed() < ASKING {
        stream.write_all(request.as_bytes()).expect("it is sent");
        let came = stream.read(&mut answer).expect("an answer");
        assert!(
            answer[..came].starts_with(b"HTTP/1.1 200 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        count += 1;
    }
    count
}
