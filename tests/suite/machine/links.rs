//! A deployment that is changed by setting one link anew: a release folder, a `ConfigMap`.

use std::fs;
use std::os::unix::fs::symlink;

use e2e::daemon::{Daemon, wait_until};
use e2e::provider::{FakeProvider, Kind, jibit};
use e2e::stage::{self, Stage};

/// Sets a link anew in one step, as deployments do.
fn set(stage: &Stage, link: &str, target: &str) {
    symlink(target, stage.home.path("link.new")).unwrap();
    fs::rename(stage.home.path("link.new"), stage.home.path(link)).unwrap();
}

/// A daemon whose manifest is `conf/keepfresh.toml`, where `conf` leads as the link says.
fn serve(stage: &Stage, config: &str) -> Daemon {
    let command = stage.home.command(&["serve", "--config", config]);
    Daemon::start(command, &stage.home.path("keepfresh.sock"), stage.home.path("serve.log"))
}

/// Writes a manifest that keeps everything else where it is.
fn write(stage: &Stage, folder: &str, sections: &str) {
    let home = stage.home.path("");
    let home = home.display();
    let places = format!(
        "[storage]\nurl = \"sqlite:{home}keepfresh.db\"\n[vault]\nkey = \"file:{home}keepfresh.key\"\n[plugins]\ndir = \"{home}plugins\"\n"
    );
    let sections = sections.replace("file = \"", &format!("file = \"{home}"));
    fs::create_dir_all(stage.home.path(folder)).unwrap();
    fs::write(stage.home.path(folder).join("keepfresh.toml"), places + &sections).unwrap();
}

#[test]
fn a_link_that_is_set_anew_is_noticed_wherever_it_is_on_the_way() {
    let other = FakeProvider::start(Kind::Jibit(jibit::Settings::default())).unwrap();
    for config in ["current/conf/keepfresh.toml", "etc/keepfresh.toml"] {
        let stage = Stage::eskiz("").logged_in();
        let one = stage::eskiz_section(&stage.fake, "");
        let both = one.clone() + &stage::jibit_section(&other, "");
        write(&stage, "releases/1/conf", &one);
        write(&stage, "releases/2/conf", &both);
        symlink("releases/1", stage.home.path("current")).unwrap();
        // As a ConfigMap is mounted: the file is a link that never changes.
        fs::create_dir(stage.home.path("etc")).unwrap();
        symlink("../current/conf", stage.home.path("etc/..data")).unwrap();
        symlink("..data/keepfresh.toml", stage.home.path("etc/keepfresh.toml")).unwrap();
        let daemon = serve(&stage, config);
        set(&stage, "current", "releases/2");
        wait_until("the other one is there", || {
            let status = stage.home.run(&["status", "jibit", "--json"]);
            status.code == 0 && status.json()["connections"][0]["state"] == "fresh"
        });
        assert!(daemon.log().contains("reloaded"), "{}", daemon.log());
    }
}
