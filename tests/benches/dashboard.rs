//! What a page of the dashboard costs beside 1,000,000 connections and as many attempts: the time of the server, and
//! the size of the page, plain and compressed. Something changes before each overview, so that it is counted anew as
//! often as it is for somebody who watches. The rows are put into the database past the program.
//!
//! `cargo bench -p e2e --bench dashboard`. `KEEPFRESH_MANY` sets another number of connections.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::print_stdout, reason = "figures go to standard output")]
#![expect(clippy::disallowed_methods, reason = "how long it runs is no secret")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use e2e::home::Home;
use e2e::http::{Http, Place};
use e2e::many;
use e2e::provider::{FakeProvider, Kind, rotor};

/// How often each page is asked for.
const TIMES: usize = 200;

/// Pages, and whether something changes before each of them.
const PAGES: &[(&str, bool)] = &[
    ("/ui/", false),
    ("/ui/", true),
    ("/ui/?search=u0999", false),
    ("/ui/?search=nobody", false),
    ("/ui/?label=gold", false),
    ("/ui/?state=late", false),
    ("/ui/connections/rotor~one", false),
    ("/ui/connections/rotor~u0500000", false),
];

fn main() {
    let many = std::env::var("KEEPFRESH_MANY").ok().and_then(|it| it.parse().ok());
    let many = many.unwrap_or(1_000_000);
    let fake = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
    let home = home(&fake);
    many::fill_with(&home, "rotor", many, 1);
    let size = std::fs::metadata(home.path("keepfresh.db")).unwrap().len();
    println!("{many} connections with one attempt each, {} MiB", size >> 20);
    let daemon = home.serve();
    let caller = Http::at(Place::Socket(home.path("keepfresh.http.sock")));
    let begun = Instant::now();
    caller.get("/ui/").is(200);
    println!("the first overview, which is counted: {:.0?}", begun.elapsed());
    println!("{:<34} {:>9} {:>9} {:>9} {:>9} {:>9}", "page", "p50", "p95", "most", "plain", "gzip");
    for (page, changes) in PAGES {
        measure(&home, &caller, page, *changes);
    }
    let memory = many::peak_memory(daemon.pid()).unwrap_or_default();
    println!("memory of the daemon, at most: {} MiB", memory >> 10);
}

/// One connection with a token that can be opened; the others stand beside it.
fn home(fake: &FakeProvider) -> Home {
    let manifest = format!(
        "[providers.rotor]\nconnections = []\nsettings = {{ base_url = \"{}\" }}\n\
         egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        fake.base_url()
    );
    let home = Home::new(&manifest).with_guest("rotor");
    let pair = fake.control().issue_family("one");
    let row = format!(
        "name,access_token,refresh_token\none,{},{}\n",
        pair.access_token, pair.refresh_token
    );
    std::fs::write(home.path("one.csv"), row).unwrap();
    let _ = home.run(&["connection", "import", "rotor", "one.csv"]).exits(0);
    home
}

fn measure(home: &Home, caller: &Http, page: &str, changes: bool) {
    let (mut times, mut body) = (Vec::with_capacity(TIMES), Vec::new());
    for round in 0..TIMES {
        if changes && round % 10 == 0 {
            let _ = home.run(&["connection", "pause", "rotor/one", "--for", "1h"]).exits(0);
            let _ = home.run(&["connection", "resume", "rotor/one"]).exits(0);
        }
        let begun = Instant::now();
        let answer = caller.get(page).is(200);
        times.push(begun.elapsed());
        body = answer.body;
    }
    times.sort_unstable();
    let at = |percent: usize| milliseconds(times[(times.len() * percent).div_ceil(100) - 1]);
    let name = format!("{page}{}", if changes { " while it changes" } else { "" });
    println!(
        "{name:<34} {:>9} {:>9} {:>9} {:>9} {:>9}",
        at(50),
        at(95),
        at(100),
        format!("{} KB", body.len() / 1_000),
        format!("{} KB", compressed(&body) / 1_000),
    );
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn compressed(body: &[u8]) -> usize {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap().len()
}
