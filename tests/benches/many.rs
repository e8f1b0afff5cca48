//! What a command costs beside 300,000 connections with three attempts each: time from start to end, the
//! most memory that it and the daemon held, with a daemon and without. The rows are put into the database
//! past the program.
//!
//! `cargo bench -p e2e --bench many`. `KEEPFRESH_MANY` sets another number of connections.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::print_stdout, reason = "figures go to standard output")]
#![expect(clippy::disallowed_methods, reason = "how long it runs is no secret")]
#![expect(clippy::cast_precision_loss, reason = "figures have three digits")]

use std::time::{Duration, Instant};

use e2e::daemon::Daemon;
use e2e::home::Home;
use e2e::many::{self, Cost};
use e2e::provider::{FakeProvider, Kind, rotor};

/// Runs of each command on one connection; the median counts.
const RUNS: usize = 5;

const ONE: &[&[&str]] = &[
    &["status", "rotor/one"],
    &["connection", "show", "rotor/one"],
    &["log", "rotor/one"],
    &["token", "get", "rotor/one"],
    &["refresh", "rotor/one", "--dry-run"],
    &["connection", "pause", "rotor/one"],
    &["connection", "resume", "rotor/one"],
    &["log", "--outcome", "failed"],
    &["connection", "list", "--label", "none"],
];

/// What reads everything is run once.
const ALL: &[&[&str]] = &[
    &["stats"],
    &["status", "--json"],
    &["connection", "list", "--json"],
    &["log", "--limit", "900000", "--json"],
    &["check"],
];

fn main() {
    let many = std::env::var("KEEPFRESH_MANY").ok().and_then(|it| it.parse().ok());
    let many = many.unwrap_or(300_000);
    let fake = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
    let home = home(&fake);
    let begun = Instant::now();
    many::fill(&home, "rotor", many);
    let size = std::fs::metadata(home.path("keepfresh.db")).unwrap().len();
    println!("{many} connections in {:.0?}, {} MiB", begun.elapsed(), size >> 20);
    println!("{:<36} {:>10} {:>9} {:>9}", "without a daemon", "time", "memory", "output");
    for (command, runs) in commands() {
        print(command, &median(&home, command, runs), None);
    }
    println!(
        "{:<36} {:>10} {:>9} {:>9} {:>9}",
        "with a daemon", "time", "memory", "output", "daemon"
    );
    let begun = Instant::now();
    let daemon = home.serve();
    println!("ready after {:.0?}", begun.elapsed());
    for (command, runs) in commands() {
        many::forget_peak(daemon.pid());
        let cost = median(&home, command, runs);
        print(command, &cost, many::peak_memory(daemon.pid()));
    }
    prune(&home, daemon);
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

fn commands() -> impl Iterator<Item = (&'static [&'static str], usize)> {
    let (one, all) = (ONE.iter().map(|it| (*it, RUNS)), ALL.iter().map(|it| (*it, 1)));
    one.chain(all)
}

fn median(home: &Home, command: &[&str], runs: usize) -> Cost {
    let mut all = (0..runs).map(|_| many::cost(home.command(command))).collect::<Vec<_>>();
    all.sort_unstable_by_key(|it| it.time);
    let memory = all.iter().map(|it| it.memory).max().unwrap();
    Cost { memory, ..all[runs / 2] }
}

fn print(command: &[&str], cost: &Cost, daemon: Option<u64>) {
    let mebibytes = |kibibytes: u64| format!("{:.0} MiB", kibibytes as f64 / 1024.0);
    println!(
        "{:<36} {:>10} {:>9} {:>9} {:>9}",
        command.join(" "),
        format!("{:.0} ms", cost.time.as_secs_f64() * 1e3),
        mebibytes(cost.memory),
        mebibytes(cost.output >> 10),
        daemon.map(mebibytes).unwrap_or_default(),
    );
}

/// Two of three attempts of each connection are forgotten, while somebody asks for tokens and is refreshed.
fn prune(home: &Home, daemon: Daemon) {
    let begun = Instant::now();
    let mut pruning = home.command(&["prune", "--older-than", "0s"]).spawn().unwrap();
    let mut waits = Vec::new();
    while pruning.try_wait().unwrap().is_none() {
        waits.push(many::cost(home.command(&["refresh", "rotor/one", "--force", "--sync"])).time);
        std::thread::sleep(Duration::from_millis(20));
    }
    waits.sort_unstable();
    println!("prune of everything old              {:.1?}", begun.elapsed());
    println!(
        "a refresh beside it                  median {:.0?}, at most {:.0?}",
        waits[waits.len() / 2],
        waits[waits.len() - 1]
    );
    let alone = median(home, &["refresh", "rotor/one", "--force", "--sync"], RUNS);
    println!("a refresh alone                      median {:.0?}", alone.time);
    drop(daemon);
}
