//! Homes whose screens look the same at any time: ends and durations are set, and what cannot be, such as a
//! date, is replaced by one of the same width.

use e2e::database::Database;
use e2e::home::Home;
use e2e::provider::answer::Answer;
use e2e::provider::{FakeProvider, Kind, eskiz, jibit};
use e2e::stage;

use crate::people::Crowd;

/// A manifest with mistakes of several kinds.
pub(super) const WRONG: &str = "[providers.eskiz]
shedule = \"0 2 * * *\"
timezone = \"Asia/Tashkend\"
refresh_before = 5
secrets = { email = \"ann@example.com\" }
";

/// Two providers.
pub(super) struct Two {
    pub(super) home: Home,
    eskiz: FakeProvider,
    jibit: FakeProvider,
}

/// Two providers whose tokens were refreshed a while ago.
pub(super) fn well() -> Two {
    let eskiz = FakeProvider::start(Kind::Eskiz(eskiz::Settings::default())).unwrap();
    let jibit = FakeProvider::start(Kind::Jibit(jibit::Settings::default())).unwrap();
    let times = "schedule = \"0 2 * * *\"\ntimezone = \"Asia/Tashkent\"";
    let names = "[[providers.jibit.connections]]\nname = \"reports-of-the-night\"\n[[providers.jibit.connections]]\nname = \"default\"";
    let manifest = stage::eskiz_section(&eskiz, times) + &stage::jibit_section(&jibit, names);
    let home = stage::home(&manifest);
    // One after the other, so that the log has them in this order.
    for id in ["eskiz", "jibit", "jibit/reports-of-the-night"] {
        let _ = home.run(&["refresh", id]).exits(0);
    }
    let two = Two { home, eskiz, jibit };
    two.settle();
    two
}

/// The same with a provider that was down, one whose secret is wrong, and one that is paused.
pub(super) fn ill() -> Two {
    let two = well();
    two.jibit.control().script(Answer::bad_gateway());
    let _ = two.home.run(&["refresh", "jibit", "--force"]);
    let pause = [
        "connection",
        "pause",
        "jibit/reports-of-the-night",
        "--reason",
        "the night shift is on leave",
    ];
    let _ = two.home.run(&pause).exits(0);
    stage::write_secret(&two.home, "eskiz.password", "wrong");
    let _ = two.home.run(&["token", "clear", "eskiz"]).exits(0);
    let _ = two.home.run(&["refresh", "eskiz", "--force"]);
    two.settle();
    two
}

/// Two thousand people, some of whom have trouble.
pub(super) fn thousands() -> Crowd {
    let crowd = Crowd::new("");
    let names = (1_000..3_000).map(|it| format!("u{it}")).collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    crowd.file("people.csv", &crowd.roster(&names, 30 * 86_400 + 1_800));
    let _ = crowd.import(&["people.csv"]).exits(0);
    let database = Database::at(&crowd.home.path("keepfresh.db"));
    database.run(
        "update connections
         set problem = 'reconnect', failures = 1, error_code = 'provider.grant_expired',
             error_message = 'the provider no longer accepts the refresh token', due_at = null,
             due_trigger = null
         where name < 'u1018'",
    );
    database.run(
        "update connections
         set failures = 3, error_code = 'provider.unavailable', error_message = 'rotor is down',
             due_at = (strftime('%s', 'now') + 3 * 86400 + 1800) * 1000, due_trigger = 'retry'
         where name > 'u2994'",
    );
    crowd
}

impl Two {
    /// Ends and durations that are read the same for the next half an hour.
    fn settle(&self) {
        let database = Database::at(&self.home.path("keepfresh.db"));
        let _ = database.spoil("attempts", "duration_ms", "123", "1 = 1");
        database.run(
            "delete from hours;
             insert into hours (hour, provider, outcome, code, at_most, count)
             select unixepoch() / 3600, provider, outcome, '', 120, count(*) from attempts group by 2, 3",
        );
        database.run(
            "update connections
             set expires_at = (strftime('%s', 'now') + 30 * 86400 + 1800) * 1000,
                 due_at = iif(due_at is null, null, (strftime('%s', 'now') + 20 * 86400 + 1800) * 1000)
             where issued_at is not null",
        );
        assert!(self.eskiz.control().seen() > 0 && self.jibit.control().seen() > 0);
    }
}

/// The same text with the same dates, ports and digests every time.
pub(super) fn stable(text: &str) -> String {
    let text = replaced(text, "dddd-dd-dd dd:dd:dd UTC", "2026-01-02 03:04:05 UTC");
    // Jibit's next tick, before noon and after it.
    let text = text.replace("12:00 in UTC", "00:00 in UTC");
    let text = replaced(&text, "127.0.0.1:ddddd", "127.0.0.1:12345");
    let text = replaced(&text, "xxxxxxxxxxxx", "0123456789ab");
    let text = replaced(&text, "sha256:xxxxxxxx", "sha256:01234567");
    // What took some time now; what is in the database has taken 123 ms.
    let text = replaced(&text, "success ddd ms", "success 12 ms");
    let text = replaced(&text, "success d ms", "success 12 ms");
    let text = replaced(&text, "success dd ms", "success 12 ms");
    text.lines().map(within_a_day).collect::<Vec<_>>().join("\n") + "\n"
}

/// The time to a tick depends on the time of the day.
fn within_a_day(line: &str) -> String {
    let Some((before, after)) = line.split_once("Next tick: in ") else { return line.to_owned() };
    let dots = after.len();
    let before = before.trim_end_matches(['.', ' ']);
    let wide = line.chars().count() - before.chars().count() - "Next tick: in 1h 23m".len();
    debug_assert!(dots > 0);
    format!("{before} {} Next tick: in 1h 23m", ".".repeat(wide.saturating_sub(2)))
}

/// Replaces what looks like `pattern`, in which `d` is a digit and `x` one of hexadecimal.
fn replaced(text: &str, pattern: &str, with: &str) -> String {
    let (text, pattern) = (text.chars().collect::<Vec<_>>(), pattern.chars().collect::<Vec<_>>());
    let fits = |at: usize| {
        let Some(part) = text.get(at..at + pattern.len()) else { return false };
        part.iter().zip(&pattern).all(|(it, wanted)| match wanted {
            'd' => it.is_ascii_digit(),
            'x' => it.is_ascii_digit() || ('a'..='f').contains(it),
            same => it == same,
        })
    };
    let (mut out, mut at) = (String::new(), 0);
    while at < text.len() {
        if fits(at) {
            out.push_str(with);
            at += pattern.len();
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}
