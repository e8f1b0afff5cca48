//! Asking for profiles: each provider has a lane of its own.

use std::time::Duration;

use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::provider::script::{Fate, Scenario};
use e2e::provider::{FakeProvider, Kind, eskiz};
use e2e::stage;

const PROFILE: &str = "/api/auth/user";

#[test]
fn a_provider_that_hangs_holds_up_no_profile_of_another() {
    let [slow, quick] =
        [(); 2].map(|()| FakeProvider::start(Kind::Eskiz(eskiz::Settings::default())));
    let (slow, quick) = (slow.unwrap(), quick.unwrap());
    // Of the one that hangs there are more than are asked at once.
    let home = stage::home(&(section("slow", &slow, 9) + &section("quick", &quick, 3)));
    home.run(&["refresh", "--all"]).exits(0);
    let database = Database::at(&home.path("keepfresh.db"));
    database.run("update connections set probe_at = iif(provider = 'slow', 0, 1)");
    for fake in [&slow, &quick] {
        fake.control().clear_journal();
    }
    slow.control().script(Scenario::from(Fate::Hang).on(PROFILE).always());
    let daemon = home.serve();
    let asked = |fake: &FakeProvider| {
        fake.control().journal().iter().filter(|it| it.path.ends_with(PROFILE)).count()
    };
    wait_until("the slow one was asked", || asked(&slow) >= 4);
    wait_until("the quick one was asked for all", || asked(&quick) >= 3);
    let probed = "select count(*) from connections where provider = 'quick' and probe_at > 1";
    wait_until("its answers are stored", || database.number(probed) == 3);
    let waiting = "select count(*) from connections where provider = 'slow' and probe_at > 1";
    assert_eq!(database.number(waiting), 0, "the slow one hangs as before");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(asked(&slow), 4, "no more of it are asked at once");
    daemon.kill();
}

fn section(name: &str, fake: &FakeProvider, connections: usize) -> String {
    let more = "probe = \"1h\"\ntimeout = \"60s\"\nconcurrency = 8\nplugin = \"eskiz\"";
    let section = stage::eskiz_section(fake, more)
        .replace("[providers.eskiz]", &format!("[providers.{name}]"));
    let rows =
        (0..connections).map(|it| format!("[[providers.{name}.connections]]\nname = \"c{it}\"\n"));
    section + &rows.collect::<String>()
}
