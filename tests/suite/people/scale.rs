//! Many people: imported, half of them due at once, refreshed within the provider's rate, stopped in the
//! middle and gone on with. Two thousand by default; `KEEPFRESH_PEOPLE=100000` for the figures of
//! `docs/performance.md`, which this prints.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use e2e::artifacts;

use crate::people::Crowd;

/// How many people.
#[expect(clippy::disallowed_methods, reason = "how long a test takes is for whoever runs it")]
fn many() -> usize {
    std::env::var("KEEPFRESH_PEOPLE").ok().and_then(|it| it.parse().ok()).unwrap_or(2_000)
}

/// The provider's limit: half of them take some four seconds, or some fifty.
fn rate() -> u32 {
    if many() > 10_000 { 1_000 } else { 250 }
}

#[test]
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints figures, and why it has none"
)]
fn half_of_many_are_refreshed_within_the_rate_through_an_interruption() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `script` to make a terminal with (package bsdutils)");
        return;
    }
    let crowd = Crowd::new(&format!("rate = \"{}/s\"\nconcurrency = 64", rate()));
    crowd.fake.control().limit_journal(many());
    crowd.file("people.csv", &people(&crowd));
    import(&crowd);

    let begun = Instant::now();
    let mut terminal = Terminal::open(&crowd);
    let enough = (many() / 8) as u64;
    while crowd.fake.control().seen() < enough {
        assert!(begun.elapsed() < Duration::from_mins(2), "{}", crowd.fake.control().seen());
        std::thread::sleep(Duration::from_millis(10));
    }
    let shown = terminal.interrupt();
    assert!(shown.contains("ETA"), "no bar with an estimate: {}", tail(&shown));
    assert!(shown.contains("remain; run it again"), "{}", tail(&shown));
    let first = rotated(&crowd);
    assert!(first >= enough as usize && first < many() / 2, "{first}");

    let shown = Terminal::open(&crowd).end();
    assert!(shown.contains(" 0 failed"), "{}", tail(&shown));
    println!(
        "half of {} due: refreshed in {:.1?}, interrupted after {first}",
        many(),
        begun.elapsed()
    );
    assert_eq!(rotated(&crowd), many() / 2, "each that was due, and none twice");
    keeps_to_the_rate(&crowd);
}

/// Half of the tokens have ended, half live for a day.
fn people(crowd: &Crowd) -> String {
    let now = crowd.fake.control().now().as_second();
    let mut text = "name,access_token,refresh_token,expires_at\n".to_owned();
    for number in 0..many() {
        let pair = crowd.fake.control().issue_family(&format!("u{number}"));
        let end = if number % 2 == 0 { now - 1 } else { now + 86_400 };
        let _ = writeln!(text, "u{number},{},{},{end}", pair.access_token, pair.refresh_token);
    }
    text
}

#[expect(clippy::print_stdout, reason = "it prints a figure")]
fn import(crowd: &Crowd) {
    let arguments = ["connection", "import", "rotor", "people.csv"];
    let begun = Instant::now();
    let mut child = crowd.home.command(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut most = 0;
    let status = loop {
        most = most.max(peak_memory(child.id()).unwrap_or_default());
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(status.success() && said.contains(&format!("{} added", many())), "{said}");
    println!("{} imported in {:.1?}, {} MiB at most", many(), begun.elapsed(), most / 1_024);
}

/// Kibibytes that a process held at most.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|it| it.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// How many families have moved on by one; none by more, and none died of a token used twice.
fn rotated(crowd: &Crowd) -> usize {
    let families = crowd.fake.control().families();
    assert!(families.iter().all(|it| !it.revoked_by_reuse && it.rotations <= 1));
    families.iter().filter(|it| it.rotations == 1).count()
}

/// No second has more requests than the manifest allows, wherever it begins, within what one request
/// may overtake another on its way. The stop in the middle begins a new count.
fn keeps_to_the_rate(crowd: &Crowd) {
    let times = crowd.fake.control().journal().iter().map(|it| it.at_us).collect::<Vec<_>>();
    let most = rate() as usize * 5 / 4;
    for (first, over) in times.iter().zip(times.iter().skip(most)) {
        assert!(over - first > 900_000, "{most} in {} us", over - first);
    }
}

/// `keepfresh refresh` on a terminal.
struct Terminal {
    child: Child,
    keys: ChildStdin,
}

impl Terminal {
    fn open(crowd: &Crowd) -> Self {
        let program = artifacts::keepfresh();
        let line = format!("stty cols 100; exec {} refresh", program.display());
        let mut child = Command::new("script")
            .args(["-qefc", &line, "/dev/null"])
            .current_dir(crowd.home.path(""))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let keys = child.stdin.take().unwrap();
        Self { child, keys }
    }

    /// Presses Ctrl-C and waits for the end.
    fn interrupt(&mut self) -> String {
        self.keys.write_all(&[3]).unwrap();
        self.keys.flush().unwrap();
        self.rest()
    }

    fn end(mut self) -> String {
        self.rest()
    }

    fn rest(&mut self) -> String {
        let mut shown = Vec::new();
        self.child.stdout.take().unwrap().read_to_end(&mut shown).unwrap();
        self.child.wait().unwrap();
        String::from_utf8_lossy(&shown).into_owned()
    }
}

fn tail(text: &str) -> &str {
    let from = text.char_indices().rev().nth(600).map_or(0, |(at, _)| at);
    &text[from..]
}
