//! Files: whole, closed to others, and as they should be whatever others do to them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use e2e::daemon::{Daemon, wait_until};

use super::{EACH, add, crowd, file, holds, line, mode, names, set, sink, token};

#[test]
fn a_file_has_its_mode_whatever_the_umask_and_is_read_by_a_shell() {
    for umask in ["0", "077"] {
        let crowd = crowd(&["a", "b"], &format!("{EACH}mode = \"0640\"\n"));
        set(&crowd.home, "a", "it's-a-\"token\"$HOME\\n`id`#;");
        let mut shell = crowd.home.program("sh");
        let program = e2e::artifacts::keepfresh().display().to_string();
        shell.args(["-c", &format!("umask {umask}; exec {program} serve")]);
        let socket = crowd.home.path("keepfresh.sock");
        let daemon = Daemon::start(shell, &socket, crowd.home.path("log"));
        wait_until("both are there", || names(&crowd.home) == ["a.env", "b.env"]);
        let path = crowd.home.path("out/a.env");
        assert_eq!(mode(&path), 0o640, "{umask}");
        let script = format!(". {}; printf %s \"$T\"", path.display());
        let read = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(read.stdout).unwrap(), token(&crowd.home, "a"));
        daemon.stop();
    }
}

#[test]
fn what_others_do_to_a_file_is_undone_at_the_start_and_when_asked() {
    let crowd = crowd(&["a", "b", "c", "d"], EACH);
    let home = &crowd.home;
    let daemon = home.serve();
    for name in ["a", "b", "c", "d"] {
        holds(home, name, &line(home, name));
    }
    let secret = home.path("secret");
    let spoil = || {
        fs::write(home.path("out/a.env"), "T='edited'\n").unwrap();
        fs::remove_file(home.path("out/b.env")).unwrap();
        fs::remove_file(home.path("out/c.env")).unwrap();
        fs::write(&secret, "another file").unwrap();
        std::os::unix::fs::symlink(&secret, home.path("out/c.env")).unwrap();
        let open = fs::Permissions::from_mode(0o644);
        fs::set_permissions(home.path("out/d.env"), open).unwrap();
    };
    let is_whole = || {
        for name in ["a", "b", "c", "d"] {
            holds(home, name, &line(home, name));
            assert_eq!(mode(&home.path(&format!("out/{name}.env"))), 0o600, "{name}");
        }
        assert!(fs::symlink_metadata(home.path("out/c.env")).unwrap().is_file());
        assert_eq!(fs::read_to_string(&secret).unwrap(), "another file", "no link is followed");
    };
    spoil();
    let ran = home.run(&["sink", "run", "each", "--json"]).exits(0).json();
    assert_eq!((&ran["delivered"], &ran["failed"]), (&4.into(), &0.into()), "{ran}");
    is_whole();
    let again = home.run(&["sink", "run", "each", "--json"]).exits(0).json();
    assert_eq!((&again["delivered"], &again["unchanged"]), (&0.into(), &4.into()), "{again}");
    daemon.stop();
    spoil();
    let _daemon = home.serve();
    wait_until("all are restored", || {
        file(home, "a") == line(home, "a") && mode(&home.path("out/d.env")) == 0o600
    });
    is_whole();
}

#[test]
fn a_file_goes_with_its_connection_where_the_sink_says_so() {
    let stays = EACH.replace("each", "stays").replace("out/", "out/stays-");
    let crowd = crowd(&["a", "b"], &format!("{EACH}remove = true\n{stays}"));
    let home = &crowd.home;
    let daemon = home.serve();
    wait_until("all are there", || names(home).len() == 4);
    let _ = home.run(&["connection", "remove", "rotor/a"]).exits(0);
    wait_until("it is gone", || names(home) == ["b.env", "stays-a.env", "stays-b.env"]);
    daemon.stop();
    // Nobody is there when the other one goes.
    let _ = home.run(&["connection", "remove", "rotor/b"]).exits(0);
    assert_eq!(names(home).len(), 3);
    let _daemon = home.serve();
    wait_until("it is gone, too", || names(home) == ["stays-a.env", "stays-b.env"]);
}

#[test]
fn files_move_when_their_template_does() {
    let crowd = crowd(&["a", "b"], &format!("{EACH}remove = true\n"));
    let home = &crowd.home;
    let _daemon = home.serve();
    wait_until("both are there", || names(home) == ["a.env", "b.env"]);
    let text = fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&text.replace("{{ name }}.env", "new-{{ name }}.env"));
    wait_until("both have moved", || names(home) == ["new-a.env", "new-b.env"]);
}

#[test]
fn two_connections_do_not_share_a_file() {
    let crowd = crowd(&["a", "b"], "");
    let home = &crowd.home;
    for (name, of) in [("one", "rotor/a"), ("other", "rotor/b")] {
        add(
            home,
            &format!(
                "\n[[sinks]]\nname = \"{name}\"\nconnection = \"{of}\"\nfile = \"out/{{{{ provider }}}}.env\"\ntemplate = \"{{{{ token }}}}\"\n"
            ),
        );
    }
    let _daemon = home.serve();
    wait_until("one has it", || {
        [sink(home, "one"), sink(home, "other")]
            .iter()
            .any(|it| it["error"]["code"] == "sink.place_taken")
    });
    let text = file(home, "rotor");
    assert!(text == token(home, "a") || text == token(home, "b"));
    std::thread::sleep(std::time::Duration::from_secs(6));
    assert_eq!(file(home, "rotor"), text, "they do not take turns");
}
