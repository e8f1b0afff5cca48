//! A disk that fills up while an answer is on its way. It is a real one, in memory; mounting it needs
//! root.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::daemon::wait_until;
use e2e::provider::family::Class;
use e2e::provider::script::Scenario;
use keepfresh::model::attempt::Trigger;

use super::Bench;

/// A file system of 4 MiB, gone with its guard.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None`, with a line that says why, where nothing can be mounted.
    fn mounted() -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        let made = mount(&["-t", "tmpfs", "-o", "size=4m", "keepfresh-test"], disk.path());
        if !made {
            e2e::say("skipped: a disk that fills up can be mounted by root alone");
            return None;
        }
        Some(disk)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn fill(&self) {
        // It fails when nothing is left, and that is what it is for.
        let _ = fs::write(self.path().join("ballast"), vec![1; 8 << 20]);
    }

    fn empty(&self) {
        fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn mount(options: &[&str], at: &Path) -> bool {
    let mut command = Command::new("mount");
    command.args(options).arg(at).stderr(std::process::Stdio::null());
    command.status().is_ok_and(|it| it.success())
}

#[test]
fn an_answer_that_arrives_at_a_full_disk_is_stored_when_there_is_room() {
    let Some(disk) = Disk::mounted() else { return };
    let database = disk.path().join("keepfresh.db");
    let bench = Bench::with(Class::Strict, "\"strict\"", "rotor", database.to_str().unwrap());
    let before = bench.served();
    bench.control().script(Scenario::default().delay_after(300));
    std::thread::scope(|scope| {
        let flying = scope.spawn(|| bench.refresh(Trigger::Forced));
        wait_until("the request arrived", || bench.control().seen() == 1);
        disk.fill();
        let ended = flying.join().unwrap();
        assert!(ended.is_err() || ended.unwrap().error().is_some(), "nothing could be stored");
    });
    assert_eq!(bench.served(), before, "what is stored is served");
    assert_eq!(bench.refresh(Trigger::Forced).unwrap_err().code.text(), "storage.answer_held");
    disk.empty();
    wait_until("the answer is stored", || bench.loaded().captures.len() == 1);
    let attempt = bench.succeed(Trigger::Recovery);
    assert_eq!(attempt.reason(), Some("recovered the answer of an earlier attempt"));
    assert_eq!(bench.control().seen(), 1);
    assert!(!bench.control().family("first").unwrap().revoked);
}
