//! Whole manifests: the broken ones of `tests/manifests`, the template, and one with every key.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::manifest::access::Grant;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::place::Place;
use crate::manifest::server::Server;
use crate::manifest::template::TEMPLATE;
use crate::manifest::timing::{Rate, Retry};
use crate::manifest::{Manifest, load, parse};
use crate::model::code;
use crate::model::rotation::Rotation;
use crate::vault::source::Source;

fn read(text: &str) -> Result<Manifest, Vec<Diagnostic>> {
    parse(text, Path::new("/etc/keepfresh/keepfresh.toml"))
}

/// The problems of a text as `code line:column`. Each has a help, and none shows a secret.
fn problems(text: &str) -> Vec<String> {
    let found = read(text).expect_err("the manifest has problems");
    for it in &found {
        assert!(!it.help.is_empty() && !it.message.is_empty(), "{it:?}");
        let shown = it.render(text) + &it.to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let line = |it: &Diagnostic| format!("{} {}:{}", it.code, it.place.line, it.place.column);
    found.iter().map(line).collect()
}

macro_rules! broken {
    ($($test:ident: $file:literal => [$($problem:literal),+ $(,)?];)+) => {$(
        #[test]
        fn $test() {
            let text = include_str!(concat!("../../../tests/manifests/broken/", $file, ".toml"));
            assert_eq!(problems(text), [$($problem),+]);
        }
    )+};
}

broken! {
    unknown_keys: "01-unknown-key" => ["manifest.unknown_key 3:1", "manifest.unknown_key 4:1"];
    wrong_kinds: "02-wrong-kind" => [
        "manifest.type 3:15",
        "manifest.type 4:12",
        "manifest.type 5:23",
        "manifest.type 5:50",
    ];
    a_minute_out_of_range: "03-minute-out-of-range" => ["manifest.schedule 4:12"];
    a_schedule_that_never_fires: "04-never-fires" => ["manifest.schedule 4:19"];
    an_unknown_time_zone: "05-time-zone" => ["manifest.timezone 3:12"];
    a_literal_secret: "06-literal-secret" => [
        "manifest.secret_literal 3:57",
        "manifest.secret_literal 6:12",
    ];
    bad_durations: "07-duration" => [
        "manifest.duration 2:18",
        "manifest.duration 3:11",
        "manifest.duration 4:10",
        "manifest.duration 5:9",
        "manifest.range 6:22",
        "manifest.duration 6:36",
    ];
    two_connections_of_one_name: "08-duplicate-connection" => [
        "manifest.duplicate_connection 9:8",
        "manifest.missing_key 12:1",
    ];
    bad_networks_and_grants: "09-network" => [
        "manifest.network 3:24",
        "manifest.network 3:51",
        "manifest.grant 4:21",
    ];
    a_text_that_is_not_closed: "10-unclosed-string" => ["manifest.syntax 2:25"];
    many_problems_at_once: "11-many-at-once" => [
        "manifest.storage_url 2:7",
        "manifest.listen 5:10",
        "manifest.name 7:12",
        "manifest.schedule 8:12",
        "manifest.rate 9:8",
        "manifest.rotation 10:12",
        "manifest.missing_key 12:1",
    ];
    a_key_twice_does_not_hide_the_rest: "12-twice-and-unknown" => [
        "manifest.unknown_key 1:2",
        "manifest.duplicate_key 6:1",
        "manifest.type 7:26",
        "manifest.type 7:42",
    ];
}

#[test]
fn a_problem_looks_like_one_of_the_compiler() {
    let text = "[providers.eskiz]\nplugin = \"eskiz\"\n\nschedule = \"61 * * * *\"\n";
    let found = parse(text, Path::new("keepfresh.toml")).unwrap_err();
    let expected = "\
error[manifest.schedule]: provider `eskiz` has an invalid schedule
 --> keepfresh.toml:4:12
  |
4 | schedule = \"61 * * * *\"
  |            ^^^^^^^^^^^^ minutes run from 0 to 59
  |
  = help: try `1 * * * *`
";
    assert_eq!(found[0].render(text), expected);
    assert_eq!(
        serde_json::to_string(&found[0]).unwrap(),
        "{\"code\":\"manifest.schedule\",\
         \"message\":\"provider `eskiz` has an invalid schedule: minutes run from 0 to 59\",\
         \"file\":\"keepfresh.toml\",\"line\":4,\"column\":12,\"remedy\":\"try `1 * * * *`\"}"
    );
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let texts = [
        "[vault]\nkey = \"hunter2\"",
        "[vault]\nkey = \"base64:hunter2\"",
        "[vault]\nkey = { text = \"hunter2\" }",
        "[providers.x]\npassword = \"hunter2\"",
        "[providers.x]\nsettings = { api_key = \"hunter2\", page = 1.5 }",
        "[providers.x]\nfallback_token = \"hunter2\"",
        "[providers.x]\nsecrets = { user = \"hunter2\" }",
        "[providers.x]\nsecrets = { user = [\"hunter2\"] }",
        "[providers.x]\nsecrets = { user = { env = \"hunter2!\" } }",
        "[providers.x]\nsecrets = { user = { env = \"A\", value = \"hunter2\" } }",
        "[providers.x]\nsecrets = { user = { exec = \"hunter2\" } }",
        "[providers.x]\nsecrets = { password = \"hunter2 }",
        "[providers.x]\nsecrets = { password = 'hunter2' ",
        "[providers.x]\nsecrets = { password = \"\"\"\nhunter2\"\"\" }\nx = 1",
    ];
    for text in texts {
        assert!(!problems(text).is_empty(), "{text}");
    }
}

#[test]
fn a_later_check_does_not_show_a_secret_either() {
    let text = "[providers.x]\nsettings = { password = \"hunter2\" }";
    let path = ["providers", "x", "settings", "password"];
    let problem = read(text).unwrap().diagnostic(
        &path,
        code::Manifest::SettingInvalid,
        "no such",
        "remove it",
    );
    assert!(problem.render(text).contains("settings = { password = ********* }"));
}

#[test]
fn an_empty_manifest_has_the_defaults() {
    let manifest = read("").unwrap();
    assert_eq!(manifest.folder, Path::new("/etc/keepfresh"));
    assert_eq!(manifest.storage.path, Path::new("/etc/keepfresh/keepfresh.db"));
    assert_eq!(manifest.vault.key, Source::File("/etc/keepfresh/keepfresh.key".into()));
    assert_eq!(manifest.plugins.dir, Path::new("/etc/keepfresh/plugins"));
    assert_eq!(manifest.server, Server::default());
    assert!(manifest.providers.is_empty());
    assert_eq!(parse("", Path::new("keepfresh.toml")).unwrap().folder, Path::new("."));
}

#[test]
fn an_empty_provider_has_the_defaults() {
    let manifest = read("[providers.eskiz]").unwrap();
    let eskiz = &manifest.providers["eskiz"];
    assert_eq!((eskiz.plugin.as_str(), eskiz.concurrency), ("eskiz", 8));
    assert_eq!(eskiz.retry, Retry { attempts: 3, backoff: Duration::from_mins(1) });
    assert_eq!((eskiz.timeout, eskiz.jitter), (Duration::from_secs(30), Duration::from_secs(30)));
    assert_eq!((&eskiz.schedule, eskiz.refresh_before, eskiz.probe), (&None, None, None));
    assert_eq!(eskiz.timezone.iana_name(), Some("UTC"));
    let ids: Vec<String> = manifest.connections().map(|(_, it)| it.id.to_string()).collect();
    assert_eq!(ids, ["eskiz"]);
}

const EVERY_KEY: &str = r#"
[storage]
url = "sqlite:///var/lib/keepfresh/tokens.db"
[vault]
key = { exec = ["/usr/bin/kms", "unwrap"] }
[plugins]
dir = "/usr/lib/keepfresh"
[server]
listen = "[::1]:7420"
[providers.finnotech]
plugin = "oauth2"
schedule = "0 */12 * * *"
backup_schedule = "30 6,18 * * *"
timezone = "Asia/Tehran"
refresh_before = "1h 30m"
retry = { attempts = 0, backoff = "5m" }
timeout = "60s"
jitter = "0s"
concurrency = 1024
rate = "600/m"
settings = { scopes = "all", page = 0x10, strict = true }
secrets = { id = { env = "FINNOTECH_ID" }, secret = { file = "finnotech.secret" } }
egress = { networks = ["127.0.0.1/8", "::1/128"], plaintext = true }
grants = ["reveal", "memory:256MiB"]
rotation = { grace = "30s" }
fallback_token = { credential = "finnotech" }
# A comment is no key.
probe = "10s"
[[providers.finnotech.connections]]
name = "reports"
settings = { scopes = "kyc:read" }
[[providers.finnotech.connections]]
name = "Ann@example.com"
secrets = { secret = { exec = ["pass", "show", "ann"] } }
"#;

#[test]
fn every_key_is_read() {
    let manifest = read(EVERY_KEY).unwrap();
    assert_eq!(manifest.storage.path, Path::new("/var/lib/keepfresh/tokens.db"));
    assert_eq!(manifest.vault.key, Source::Exec(vec!["/usr/bin/kms".into(), "unwrap".into()]));
    let provider = &manifest.providers["finnotech"];
    assert_eq!(provider.plugin, "oauth2");
    assert_eq!(provider.schedule.as_ref().unwrap().timezone(), &provider.timezone);
    assert_eq!(provider.refresh_before, Some(Duration::from_mins(90)));
    assert_eq!(provider.retry, Retry { attempts: 0, backoff: Duration::from_mins(5) });
    let rate = Rate { count: NonZeroU32::new(600).unwrap(), per: Duration::from_mins(1) };
    assert_eq!(provider.rate, Some(rate));
    let networks: Vec<String> = provider.egress.networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["127.0.0.0/8", "::1/128"]);
    assert_eq!(provider.grants, [Grant::Reveal, Grant::Memory]);
    assert_eq!(provider.rotation, Some(Rotation::Grace(30)));
    assert_eq!(provider.fallback_token, Some(Source::Credential("finnotech".into())));
}

#[test]
fn a_connection_goes_over_its_provider() {
    let manifest = read(EVERY_KEY).unwrap();
    let ids: Vec<String> = manifest.connections().map(|(_, it)| it.id.to_string()).collect();
    assert_eq!(ids, ["finnotech/reports", "finnotech/Ann@example.com"]);
    let provider = &manifest.providers["finnotech"];
    let settings = provider.settings_of("reports");
    assert_eq!(settings["scopes"], "kyc:read");
    assert_eq!((settings["page"].as_str(), settings["strict"].as_str()), ("16", "true"));
    assert_eq!(provider.settings_of("somebody")["scopes"], "all");
    let file = Source::File(PathBuf::from("/etc/keepfresh/finnotech.secret"));
    assert_eq!(provider.secrets_of("reports")["secret"], file);
    assert!(matches!(provider.secrets_of("Ann@example.com")["secret"], Source::Exec(_)));
}

#[test]
fn an_empty_list_means_no_fixed_connection() {
    let manifest = read("[providers.propelauth]\nconnections = []").unwrap();
    assert_eq!(manifest.connections().count(), 0);
}

#[test]
fn the_key_has_four_places() {
    let key = |text: &str| read(&format!("[vault]\nkey = {text}")).unwrap().vault.key;
    assert_eq!(key("\"env:KEY\""), Source::Env("KEY".into()));
    assert_eq!(key("\"credential:key\""), Source::Credential("key".into()));
    assert_eq!(key("\"file:/key\""), Source::File("/key".into()));
    assert_eq!(key("'exec:[\"kms\", \"x\"]'"), Source::Exec(vec!["kms".into(), "x".into()]));
    assert_eq!(key("{ env = \"KEY\" }"), Source::Env("KEY".into()));
}

#[test]
fn a_later_check_points_at_the_key_or_at_what_is_around_it() {
    let manifest = read(EVERY_KEY).unwrap();
    let line = |path: &[&str]| manifest.places.find(path).map(|it| (it.line, it.column));
    assert_eq!(line(&["providers", "finnotech"]), Some((10, 12)));
    assert_eq!(line(&["providers", "finnotech", "settings", "page"]), Some((21, 30)));
    assert_eq!(line(&["providers", "finnotech", "connections", "1", "name"]), Some((33, 1)));
    assert_eq!(line(&["providers", "eskiz"]), None);
    let missing = ["providers", "finnotech", "secrets", "password"];
    let problem = manifest.diagnostic(&missing, code::Manifest::Secret, "no password", "add one");
    assert_eq!(problem.place, Place { line: 22, column: 1, width: 7 });
    assert_eq!(
        manifest.diagnostic(&["nothing"], code::Manifest::Name, "m", "h").place,
        Place::START
    );
}

#[test]
fn the_template_has_no_problems_as_it_stands_and_uncommented() {
    assert!(read(TEMPLATE).unwrap().providers.is_empty());
    let uncomment = |line: &'static str| match line.strip_prefix('#') {
        Some(code) if !code.starts_with(' ') => code,
        _ => line,
    };
    let text: Vec<&str> = TEMPLATE.lines().map(uncomment).collect();
    let manifest = read(&text.join("\n")).unwrap();
    let names: Vec<&str> = manifest.providers.keys().map(String::as_str).collect();
    assert_eq!(names, ["eskiz", "finnotech", "jibit", "sandbox"]);
    assert_eq!(manifest.connections().count(), 5);
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem_too() {
    let found = load(Path::new("/nowhere/keepfresh.toml")).unwrap_err();
    assert_eq!(found[0].code.text(), "manifest.unreadable");
    assert!(found[0].render("").ends_with(
        " --> /nowhere/keepfresh.toml:1:1\n  |\n  = help: write one with `keepfresh init`, or name it with `--config`\n"
    ));
}

#[test]
fn no_text_makes_it_panic() {
    let whole = EVERY_KEY.to_owned() + TEMPLATE;
    for at in (0..whole.len()).step_by(3).filter(|it| whole.is_char_boundary(*it)) {
        for text in [
            whole[..at].to_owned(),
            whole[at..].to_owned(),
            "\u{feff}é\t".to_owned() + &whole[at..],
        ] {
            for problem in read(&text).err().into_iter().flatten() {
                assert!(problem.render(&text).starts_with("error["));
            }
        }
    }
}
