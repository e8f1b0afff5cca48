//! Kills at random moments, and whatever else may happen between them: in the end every file holds what is current.
//! `KEEPFRESH_KILLS` says how many, and `KEEPFRESH_SEED` repeats them.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use e2e::chance::{Chance, from_environment};
use e2e::daemon::{Daemon, wait_until};
use e2e::home::Home;

use super::{EACH, crowd, mode, names, set, sink};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// What a file may hold, whole: one of the tokens that its connection has had.
type Had = BTreeMap<String, Vec<String>>;

#[test]
fn whatever_happens_every_file_is_whole_and_holds_what_is_current_in_the_end() {
    let mut chance = Chance::new();
    let seed = chance.seed();
    let kills = from_environment("KEEPFRESH_KILLS", 12_u64);
    let crowd = crowd(&NAMES, &format!("{EACH}remove = true\n"));
    let (home, mut had) = (&crowd.home, Had::new());
    for name in NAMES {
        had.entry(name.to_owned()).or_default().push(super::line(home, name));
    }
    for round in 0..kills {
        let daemon = (round % 4 != 3).then(|| home.serve());
        for _ in 0..=chance.below(4) {
            happen(home, &mut chance, &mut had, round);
        }
        std::thread::sleep(chance.shorter_than(Duration::from_millis(150)));
        if let Some(daemon) = daemon {
            daemon.kill();
        }
        all_whole(home, &had, seed);
    }
    come_back(home);
    let _daemon = home.serve();
    settled(home, &had, seed);
}

/// Something that people and machines do.
fn happen(home: &Home, chance: &mut Chance, had: &mut Had, round: u64) {
    let name = NAMES[usize::try_from(chance.below(NAMES.len() as u64)).unwrap()];
    let path = home.path(&format!("out/{name}.env"));
    match chance.below(8) {
        0..=3 => {
            let token = format!("tok-{round}-{}", chance.below(1_000_000));
            set(home, name, &token);
            had.entry(name.to_owned()).or_default().push(format!("T='{token}'\n"));
        }
        4 => {
            let _ = home.run(&["token", "clear", &format!("rotor/{name}")]).exits(0);
            had.entry(name.to_owned()).or_default().push("T=''\n".to_owned());
        }
        5 => drop(fs::remove_file(path)),
        6 => drop(fs::rename(home.path("out"), home.path("away"))),
        _ => come_back(home),
    }
}

/// The folder is there again.
fn come_back(home: &Home) {
    if !home.path("out").exists() {
        fs::rename(home.path("away"), home.path("out")).unwrap();
    }
}

fn folder(home: &Home) -> &'static str {
    if home.path("out").exists() { "out" } else { "away" }
}

/// No half file, none that others can read, and nothing that a connection never had.
fn all_whole(home: &Home, had: &Had, seed: u64) {
    let folder = folder(home);
    for entry in fs::read_dir(home.path(folder)).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "KEEPFRESH_SEED={seed} {}", path.display());
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(name) = name.strip_suffix(".env") else { continue };
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            had[name].contains(&text),
            "KEEPFRESH_SEED={seed} {name}: {text:?} of {:?}",
            had[name]
        );
    }
}

fn settled(home: &Home, had: &Had, seed: u64) {
    let is_current =
        || had.iter().all(|(name, all)| super::file(home, name) == *all.last().unwrap());
    let begun = std::time::Instant::now();
    while !is_current() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "KEEPFRESH_SEED={seed}: {} {:?}",
            sink(home, "each"),
            names(home)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let left = names(home).into_iter().filter(|it| it.starts_with('.')).collect::<Vec<_>>();
    assert_eq!(left, [""; 0], "KEEPFRESH_SEED={seed}: nothing is left of the kills");
}

#[test]
fn what_a_kill_leaves_is_closed_to_others_and_removed_at_the_next_start() {
    let crowd = crowd(&["a", "b"], EACH);
    let home = &crowd.home;
    let daemon: Daemon = home.serve();
    wait_until("both are there", || names(home).len() == 2);
    daemon.kill();
    // As a kill between the write and the move leaves it.
    fs::write(home.path("out/.a.env.keepfresh"), "T='half").unwrap();
    let _daemon = home.serve();
    wait_until("it is removed", || names(home) == ["a.env", "b.env"]);
}
