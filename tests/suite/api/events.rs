//! Events as they happen: each is told once and in order, to whoever may see it, however often the stream
//! breaks; and whoever does not read them holds up nobody.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::events::Event;
use e2e::http::Http;
use e2e::many::{forget_peak, peak_memory};
use e2e::provider::answer::Answer;
use e2e::stage::{self, Stage};
use serde_json::Value;

use super::Served;
use crate::people::Crowd;

const READS: &[&str] = &["--scope", "connection:read"];

/// Refreshes Eskiz now, and waits until it is done.
fn refresh(served: &Served) {
    let _ = served.stage.home.run(&["refresh", "eskiz", "--force", "--sync"]).exits(0);
}

/// Adds so many events past the program, which then sees them with the next one that it writes itself.
fn add(served: &Served, count: usize) {
    let database = Database::at(&served.stage.home.path("keepfresh.db"));
    let add = "with recursive n (i) as (select 1 union all select i + 1 from n where i < cast(?1 as integer))
               insert into outbox (at, kind, connection, generation, code)
               select unixepoch() * 1000, 'failed', 'eskiz/default', i, 'provider.unavailable' from n";
    let _ = database.texts(add, &[&count.to_string()]);
}

fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|it| it.kind.as_str()).collect()
}

fn numbers(events: &[Event]) -> Vec<u64> {
    events.iter().map(|it| it.id.parse().unwrap()).collect()
}

/// How many streams are open, by `/metrics`.
fn open(caller: &Http) -> u64 {
    let figures = caller.get("/metrics").is(200).text();
    let line = figures.lines().find_map(|it| it.strip_prefix("keepfresh_http_event_streams "));
    line.unwrap().parse().unwrap()
}

#[test]
fn what_happens_to_a_connection_is_told_as_it_happens() {
    let served = Served::eskiz();
    let mut events = served.with_key("web", READS).events("");
    refresh(&served);
    let first = events.next_event().unwrap();
    assert_eq!((first.kind.as_str(), &first.data["kind"]), ("refreshed", &"refreshed".into()));
    assert_eq!(first.data["id"], first.id);
    assert_eq!(first.data["connection"], "eskiz/default");
    assert_eq!(first.data["provider"], "eskiz");
    assert_eq!((&first.data["generation"], &first.data["code"]), (&2.into(), &Value::Null));
    assert!(e2e::home::is_time(&first.data["at"]));
    served.stage.control().script(Answer::bad_gateway());
    let _ = served.stage.home.run(&["refresh", "eskiz", "--force", "--sync"]);
    let failed = events.next_event().unwrap();
    assert_eq!((failed.kind.as_str(), &failed.data["generation"]), ("failed", &2.into()));
    assert_eq!(failed.data["code"], "provider.unavailable");
    refresh(&served);
    assert_eq!(kinds(&events.take(2)), ["refreshed", "recovered"]);
    stage::write_secret(&served.stage.home, "eskiz.password", "wrong");
    let _ = served.stage.home.run(&["token", "clear", "eskiz"]).exits(0);
    let _ = served.stage.home.run(&["refresh", "eskiz", "--force", "--sync"]);
    let person = events.next_event().unwrap();
    assert_eq!(person.kind, "misconfigured");
    assert_eq!(person.data["code"], "provider.invalid_credentials");
}

#[test]
fn a_stream_that_breaks_goes_on_where_it_was_and_tells_each_event_once() {
    let served = Served::eskiz();
    let caller = served.with_key("web", READS);
    // Whoever has seen nothing yet has a place to come back to as well.
    let mut place = caller.events("").last_id;
    add(&served, 3_000);
    refresh(&served);
    let mut seen = Vec::new();
    while seen.len() < 3_001 {
        let mut events = caller.with("last-event-id", &place).events("?after=0");
        // A broken piece in the middle: some arrived that were never looked at.
        let wanted = 700.min(3_001 - seen.len());
        seen.extend(events.take(wanted));
        place = events.last_id;
    }
    let first = seen[0].id.parse::<u64>().unwrap();
    assert_eq!(numbers(&seen), (first..first + 3_001).collect::<Vec<_>>());
    assert_eq!(seen.last().unwrap().kind, "refreshed");
    let all = served.socket().events("?after=0").take(3_001);
    assert_eq!(all, seen, "the query does the same");
    let mut rest = served.socket().events(&format!("?after={place}"));
    refresh(&served);
    assert_eq!(numbers(&rest.take(1)), [first + 3_001], "and nothing of before");
}

#[test]
fn a_place_outlives_the_daemon() {
    let served = Served::eskiz();
    let mut events = served.socket().events("");
    refresh(&served);
    let first = events.next_event().unwrap();
    let Served { stage, daemon } = served;
    assert!(daemon.stop().success());
    assert_eq!(events.next_event(), None, "the stream has ended, and not with an error");
    // A command works on the database alone now.
    let _ = stage.home.run(&["refresh", "eskiz", "--force"]).exits(0);
    let daemon = stage.home.serve();
    let served = Served { stage, daemon };
    let missed = served.socket().with("last-event-id", &events.last_id).events("").take(1);
    assert_eq!((missed[0].kind.as_str(), &missed[0].data["generation"]), ("refreshed", &3.into()));
    assert!(numbers(&missed) > numbers(&[first]));
}

#[test]
fn events_that_are_no_longer_kept_are_said_to_be_gone() {
    let served = Served::eskiz();
    refresh(&served);
    add(&served, 100);
    let database = Database::at(&served.stage.home.path("keepfresh.db"));
    database.run("update outbox set at = 0");
    refresh(&served);
    let _ = served.stage.home.run(&["prune", "--older-than", "30d"]).exits(0);
    let caller = served.with_key("web", READS);
    for place in ["0", "1", "100"] {
        let gone = caller.get(&format!("/api/v1/events?after={place}")).is(410);
        assert_eq!(gone.code(), "http.events_gone", "{place}");
        assert!(gone.text().contains("after=101"), "{}", gone.text());
    }
    assert_eq!(kinds(&caller.events("?after=101").take(1)), ["refreshed"]);
    let never = caller.with("last-event-id", "5000").get("/api/v1/events").is(410);
    assert_eq!(never.code(), "http.events_gone", "it is of another database");
    assert!(never.text().contains("after=102"), "{}", never.text());
    for wrong in ["after=x", "after=-1", "kind=odd", "kind=", "kinds=failed"] {
        let refused = caller.get(&format!("/api/v1/events?{wrong}")).is(400);
        assert_eq!(refused.code(), "http.query_invalid", "{wrong}");
    }
}

/// Eskiz and Jibit behind one daemon.
fn both() -> (Served, Stage) {
    let (eskiz, jibit) = (Stage::eskiz(""), Stage::jibit(""));
    let sections = [stage::eskiz_section(&eskiz.fake, ""), stage::jibit_section(&jibit.fake, "")];
    let joined = Stage::of(stage::home(&sections.concat()), eskiz.fake, "eskiz");
    let _ = joined.home.run(&["connection", "add", "eskiz/second", "--label", "gold"]).exits(0);
    let _ = joined.home.run(&["refresh"]).exits(0);
    (Served::over(joined, ""), jibit)
}

#[test]
fn a_reader_gets_what_it_asks_for() {
    let (served, _jibit) = both();
    let caller = served.with_key("all", READS);
    for (query, told) in [
        ("?after=0", vec!["eskiz/default", "eskiz/second", "jibit/default"]),
        ("?after=0&provider=jibit", vec!["jibit/default"]),
        ("?after=0&connection=eskiz~second", vec!["eskiz/second"]),
        ("?after=0&connection=eskiz&kind=refreshed,failed", vec!["eskiz/default"]),
    ] {
        for id in ["eskiz/default", "eskiz/second", "jibit/default"] {
            let _ = served.stage.home.run(&["refresh", id, "--force", "--sync"]).exits(0);
        }
        let mut events = caller.events(query).take(told.len());
        events.sort_by_key(|it| it.data["connection"].to_string());
        let ids = events.iter().map(|it| it.data["connection"].as_str().unwrap());
        assert_eq!(ids.collect::<Vec<_>>(), told, "{query}");
    }
    let mut critical = caller.events("?kind=reconnect,critical");
    let _ = served.stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    assert!(served.daemon.stop().success());
    assert_eq!(critical.next_event(), None, "nothing of the kind has happened");
}

#[test]
fn a_key_is_told_nothing_of_what_it_does_not_reach() {
    let (served, _jibit) = both();
    let bound = |name: &str, to: &[&str]| served.with_key(name, &[READS, to].concat());
    let eskiz = bound("eskiz", &["--provider", "eskiz"]);
    let gold = bound("gold", &["--label", "gold"]);
    let mut streams = [eskiz.events("?after=0"), gold.events("?after=0"), eskiz.events("")];
    for id in ["jibit/default", "eskiz/default", "eskiz/second"] {
        let _ = served.stage.home.run(&["refresh", id, "--force", "--sync"]).exits(0);
    }
    let ids = |events: Vec<Event>| {
        let ids = events.iter().map(|it| it.data["connection"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(streams[0].take(2)), ["eskiz/default", "eskiz/second"]);
    assert_eq!(ids(streams[1].take(1)), ["eskiz/second"]);
    assert_eq!(ids(streams[2].take(2)), ["eskiz/default", "eskiz/second"]);
    let unknown = eskiz.get("/api/v1/events?connection=jibit").is(404);
    let absent = eskiz.get("/api/v1/events?connection=jibit~none").is(404);
    assert_eq!((unknown.code(), absent.code()), (absent.code(), "connection.unknown".to_owned()));
    assert_eq!(eskiz.get("/api/v1/events?provider=jibit").is(403).code(), "auth.scope");
    assert_eq!(
        served.socket().get("/api/v1/events?provider=jibt").is(404).code(),
        "connection.provider_unknown"
    );
    let tokens = served.with_key("tokens", &["--scope", "token:read"]);
    assert_eq!(tokens.get("/api/v1/events").is(403).code(), "auth.scope");
    assert!(served.daemon.stop().success());
    assert!(streams.iter_mut().all(|it| it.next_event().is_none()), "nothing more was told");
}

#[test]
fn a_stream_ends_with_its_key() {
    let served = Served::eskiz();
    let revoked = served.with_key("web", READS);
    let mut events = revoked.events("");
    let mut other = served.with_key("other", READS).events("");
    let mut short = served.with_key("short", &[READS, &["--expires-in", "2s"]].concat()).events("");
    refresh(&served);
    assert_eq!(kinds(&events.take(1)), ["refreshed"]);
    served.stage.home.run(&["api-key", "revoke", "web"]).exits(0);
    assert_eq!(events.next_event(), None);
    revoked.get("/api/v1/events").is(401);
    assert_eq!(kinds(&short.take(1)), ["refreshed"]);
    assert_eq!(short.next_event(), None, "its time was over");
    refresh(&served);
    assert_eq!(kinds(&other.take(2)), ["refreshed", "refreshed"], "others go on");
}

#[test]
fn fifty_readers_are_told_the_same_and_one_key_has_its_share_of_streams() {
    let served = Served::eskiz();
    let caller = served.with_key("web", READS);
    let mut streams = (0..50).map(|_| caller.events("")).collect::<Vec<_>>();
    for _ in 0..5 {
        refresh(&served);
    }
    let told = streams.iter_mut().map(|it| numbers(&it.take(5))).collect::<Vec<_>>();
    assert!(told.iter().all(|it| *it == told[0] && it.is_sorted()), "{told:?}");
    streams.extend((0..14).map(|_| caller.events("")));
    let refused = caller.get("/api/v1/events").is(503);
    assert_eq!((refused.code().as_str(), refused.header("retry-after")), ("http.busy", "5"));
    let _other = served.with_key("other", READS).events("");
    assert_eq!(open(&caller), 65);
    drop(streams);
    wait_until("places are free again", || open(&caller) == 1);
    caller.events("");
}

/// Asks for all events and reads none.
fn asleep(served: &Served) -> UnixStream {
    let mut stream = UnixStream::connect(served.stage.home.path("keepfresh.http.sock")).unwrap();
    stream.write_all(b"GET /api/v1/events?after=0 HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    // It has begun.
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stream
}

#[test]
fn a_reader_who_does_not_read_holds_no_memory_delays_nobody_and_is_cut_off() {
    let served = Served::eskiz();
    let mut awake = served.socket().events("");
    add(&served, 60_000);
    refresh(&served);
    // Those that are written past the program are read by everybody: this is about who does not.
    assert_eq!(awake.take(60_001).len(), 60_001);
    forget_peak(served.daemon.pid());
    let before = peak_memory(served.daemon.pid()).unwrap();
    let mut sleepers = (0..20).map(|_| asleep(&served)).collect::<Vec<_>>();
    refresh(&served);
    assert_eq!(kinds(&awake.take(1)), ["refreshed"], "others are told");
    let after = peak_memory(served.daemon.pid()).unwrap();
    assert!(after < before + (12 << 10), "from {before} to {after} KiB for 20 of them");
    wait_until("they are cut off", || open(&served.socket()) == 1);
    // What was on its way is there, and then the end: most was never sent.
    let mut rest = Vec::new();
    let _ = sleepers[0].read_to_end(&mut rest);
    assert!(rest.len() < 2 << 20, "{}", rest.len());
    refresh(&served);
    assert_eq!(kinds(&awake.take(1)), ["refreshed"]);
}

#[test]
fn a_stop_ends_streams_at_once_whether_they_are_read_or_not() {
    let served = Served::eskiz();
    add(&served, 60_000);
    refresh(&served);
    let mut idle = served.with_key("web", READS).events("");
    let asleep = asleep(&served);
    let (mut before, mut now) = (0, 0);
    wait_until("no more fits in between", || {
        before = std::mem::replace(&mut now, rustix::io::ioctl_fionread(&asleep).unwrap());
        now > 100_000 && now == before
    });
    let begun = Instant::now();
    assert!(served.daemon.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(idle.next_event(), None);
}

#[test]
fn many_refreshes_at_once_are_each_told_once_to_every_reader() {
    let crowd = Crowd::new("concurrency = 8");
    let names = (0..120).map(|it| format!("u{it}")).collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    crowd.file("people.csv", &crowd.roster(&names, 86_400));
    let _ = crowd.import(&["people.csv"]).exits(0);
    let _daemon = crowd.home.serve();
    let caller = Http::at(e2e::http::Place::Socket(crowd.home.path("keepfresh.http.sock")));
    let mut readers = (0..5).map(|_| caller.events("?kind=refreshed")).collect::<Vec<_>>();
    let _ = crowd.home.run(&["refresh", "--force", "--sync"]).exits(0);
    let mut told = readers.iter_mut().map(|it| it.take(120));
    let first = told.next().unwrap();
    assert!(numbers(&first).is_sorted());
    let mut ids = first.iter().map(|it| it.data["connection"].to_string()).collect::<Vec<_>>();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 120);
    assert!(told.all(|it| it == first));
}
