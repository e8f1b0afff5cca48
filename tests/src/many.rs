//! A database with many connections, filled past the program: what it costs to have them is measured, and
//! not what it costs to add them.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::home::Home;

/// Attempts of each connection.
pub const ATTEMPTS: u32 = 3;

/// Adds `count` connections to a provider, `NAME/u0000000` and so on, each with a token set that nobody
/// can open, and three attempts, of which one in a hundred has failed. None is due for a month.
pub fn fill(home: &Home, provider: &str, count: u32) {
    fill_with(home, provider, count, ATTEMPTS);
}

/// The same with so many attempts each.
pub fn fill_with(home: &Home, provider: &str, count: u32, attempts: u32) {
    let database = Database::at(&home.path("keepfresh.db"));
    let arguments = [provider.to_owned(), count.to_string(), attempts.to_string()];
    let arguments = arguments.each_ref().map(String::as_str);
    for statement in [CONNECTIONS, GENERATIONS, ATTEMPT_ROWS, LAST_ATTEMPTS, HOURS] {
        let _ = database.texts(statement, &arguments);
    }
}

const CONNECTIONS: &str = "
    with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < cast(?2 as integer))
    insert into connections (id, provider, name, origin, generation, token_type, issued_at, expires_at,
                             fingerprint, scopes, metadata, labels, due_at, due_trigger, created_at)
    select printf('%s/u%07d', ?1, i), ?1, printf('u%07d', i), 'added', 1, 'Bearer',
           unixepoch() * 1000, unixepoch() * 1000 + 5184000000, 'abcdef01', '[\"read\"]', '[]',
           iif(i % 100 = 7, '[\"gold\"]', '[]'), unixepoch() * 1000 + 2592000000 + i, 'expiry',
           unixepoch() * 1000
    from n";

const GENERATIONS: &str = "
    insert into generations (connection, generation, sealed, attempt, created_at)
    select id, 1, randomblob(700), null, created_at from connections
    where provider = ?1
      and not exists (select 1 from generations where connection = connections.id)";

/// Ids of version 7: the time comes first.
const ATTEMPT_ROWS: &str = "
    with recursive n (k) as (select 0 union all select k + 1 from n where k + 1 < cast(?3 as integer))
    insert into attempts (id, connection, provider, trigger, outcome, error_code, error_message, error_case,
                          rotation, digest, generation, started_at, duration_ms, ended)
    select printf('%08x-%04x-7%03x-8%03x-%s',
                  at >> 16, at & 65535, abs(random() % 4096), abs(random() % 4096), lower(hex(randomblob(6)))),
           id, ?1, 'expiry', iif(bad, 'failed', 'success'), iif(bad, 'provider.unavailable', null),
           iif(bad, 'the provider is down', null), iif(bad, 'unavailable', null), '\"strict\"', 'd', 1, at,
           abs(random() % 900), at * 1000
    from (select c.id, c.created_at - (?3 - k) * 3600000 as at, (cast(substr(c.id, -3) as integer) + k * 331) % 100 = 0 as bad
          from n cross join connections c
          where c.provider = ?1 and c.last_attempt is null)";

const LAST_ATTEMPTS: &str = "
    update connections
    set last_attempt = (select max(id) from attempts where connection = connections.id)
    where provider = ?1 and last_attempt is null";

/// What is counted of them, with durations as they are spread in a busy hour.
const HOURS: &str = "
    insert or ignore into hours (hour, provider, outcome, code, at_most, count)
    select started_at / 3600000, provider, outcome, coalesce(error_code, ''), 100 + duration_ms / 100 * 100, count(*)
    from attempts where provider = ?1 group by 1, 3, 4, 5";

/// What a command took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// From start to end.
    pub time: Duration,
    /// The most memory that it held, in kibibytes.
    pub memory: u64,
    /// Bytes of its result.
    pub output: u64,
}

/// Runs a command to its end, reads all that it prints, and says what it took.
///
/// # Panics
/// When it fails, but for exits that name the state of connections.
pub fn cost(mut command: Command) -> Cost {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut printed = child.stdout.take().expect("its output is a pipe");
    let reader = std::thread::spawn(move || {
        let (mut piece, mut output) = (vec![0; 1 << 16], 0);
        while let Ok(read @ 1..) = printed.read(&mut piece) {
            output += read as u64;
        }
        output
    });
    let mut memory = 0;
    let status = loop {
        memory = memory.max(peak_memory(child.id()).unwrap_or_default());
        if let Some(status) = child.try_wait().expect("the program can be asked") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let time = begun.elapsed();
    assert!(matches!(status.code(), Some(0 | 3 | 4 | 5)), "{command:?}: {status}");
    Cost { time, memory, output: reader.join().expect("its output is read") }
}

/// Kibibytes that a process held at most.
pub fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|it| it.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Begins to count anew what a process holds at most.
///
/// # Panics
/// When there is no such process.
pub fn forget_peak(process: u32) {
    fs::write(format!("/proc/{process}/clear_refs"), "5").expect("the process is there");
}

/// Bytes that this process has read so far, from whatever it reads.
///
/// # Panics
/// When the system does not say.
pub fn bytes_read() -> u64 {
    let counters = fs::read_to_string("/proc/self/io").expect("the system counts");
    let line = counters.lines().find_map(|it| it.strip_prefix("rchar: "));
    line.and_then(|it| it.parse().ok()).expect("what was read")
}
