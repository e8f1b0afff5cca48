//! What the pages, the template and the messages say is what holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use e2e::home::Home;
use e2e::stage::{self, Stage};

use crate::tidy::plugins;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The manifests that a page shows.
fn manifests(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for language in ["```toml\n", "```toml example\n"] {
        let blocks = page.split(language).skip(1).filter_map(|it| it.split("\n```").next());
        found.extend(blocks.filter(|it| it.contains("[providers.")).map(str::to_owned));
    }
    found
}

/// A template with all of its lines, those that are commented out among them.
fn uncommented(template: &str) -> String {
    let code = |line: &str| match line.strip_prefix('#') {
        Some(code) if !code.starts_with(' ') => code.to_owned(),
        _ => line.to_owned(),
    };
    template.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// What stands in quotes behind each `mark`.
fn quoted(text: &str, mark: &str) -> BTreeSet<String> {
    let parts = text.split(mark).skip(1).filter_map(|it| it.split('"').next());
    parts.map(str::to_owned).collect()
}

/// A home with every plugin and every secret that `manifest` names.
fn home(manifest: &str) -> Home {
    let here = manifest.replace("\"/run/secrets/", "\"secrets-");
    let mut home = Home::new(&here);
    for plugin in plugins() {
        home = home.with_plugin(&plugin);
    }
    for name in quoted(&here, "env = \"") {
        home.set_env(&name, "something");
    }
    for name in quoted(&here, "file = \"") {
        stage::write_secret(&home, &name, "something");
    }
    home
}

/// The template with all of its lines, and the manifests of every page, with where they stand.
pub(super) fn examples() -> Vec<(String, String)> {
    let template = uncommented(&page("host/src/manifest/template.toml"));
    let mut all = vec![("the template".to_owned(), template)];
    let pages = plugins().into_iter().map(|it| format!("plugins/{it}/README.md"));
    for name in pages.chain(["README.md".to_owned()]) {
        all.extend(manifests(&page(&name)).into_iter().map(|it| (name.clone(), it)));
    }
    all
}

#[test]
fn every_template_and_every_example_passes_check_once_its_secrets_are_set() {
    let all = examples();
    assert!(all.len() > plugins().len(), "each plugin has an example: {}", all.len());
    for (name, manifest) in all {
        let checked = home(&manifest).run(&["check"]);
        assert_eq!(checked.code, 0, "{name}:\n{manifest}\n{}", checked.stderr);
    }
}

#[test]
fn a_schedule_of_the_plugins_own_holds_and_is_told_so() {
    let stage = Stage::eskiz("");
    let checked = stage.home.run(&["check"]).exits(0).stdout;
    assert!(checked.contains("(the plugin's own schedule, 0 2 */10 * *)"), "{checked}");
    let listed = stage.home.run(&["schedule", "list"]).exits(0).stdout;
    assert!(listed.contains("0 2 */10 * *"), "{listed}");
    let readme = page("README.md");
    assert!(
        readme.contains("neither the manifest nor the plugin has a schedule"),
        "the README says so"
    );
}

#[test]
fn a_refresh_before_that_is_too_long_for_the_token_is_told_with_what_holds() {
    let stage = Stage::eskiz("refresh_before = \"20d\"").logged_in();
    let checked = stage.home.run(&["check"]).exits(0).stderr;
    let told = "eskiz: refresh_before is 20d, but its token lives for 30d: it is refreshed 10d before its expiry";
    assert!(checked.contains(told), "{checked}");
    let json = stage.home.run(&["check", "--json"]).exits(0).json();
    let capped = &json["shorter_than_refresh_before"][0];
    assert_eq!(
        (&capped["connection"], &capped["used"]),
        (&"eskiz/default".into(), &"10d".into()),
        "{capped}"
    );
    stage.home.write_manifest(&stage::eskiz_section(&stage.fake, "refresh_before = \"2d\""));
    assert!(!stage.home.run(&["check"]).exits(0).stderr.contains("refresh_before"));
}

#[test]
fn five_fields_of_a_schedule_and_a_sixth_for_seconds_are_promised_and_taken() {
    for schedule in ["0 2 * * *", "30 0 2 * * *", "@daily"] {
        let stage = Stage::eskiz(&format!("schedule = \"{schedule}\""));
        let _ = stage.home.run(&["check"]).exits(0);
    }
    let reference = page("docs/manifest.md");
    assert!(
        reference.contains("crontab's five fields")
            && reference.contains("A sixth field before them is for seconds")
    );
    let stage = Stage::eskiz("");
    stage.home.write_manifest(&stage::eskiz_section(&stage.fake, "schedule = \"0 0 2 * * * *\""));
    let refused = stage.home.run(&["check"]).exits(78);
    assert!(refused.stderr.contains("fields"), "{refused:?}");
}

#[test]
fn the_command_that_lists_the_settings_of_a_plugin_is_one_that_does() {
    let stage = Stage::eskiz("");
    let broken = stage::eskiz_section(&stage.fake, "").replace("http://", "nonsense//");
    stage.home.write_manifest(
        &broken.replace("[providers.eskiz]", "[providers.sms]\nplugin = \"eskiz\""),
    );
    let refused = stage.home.run(&["check"]).exits(78).stderr;
    let command = refused.split("its settings are listed by: keepfresh ").nth(1).unwrap();
    let command = command.lines().next().unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(command, ["provider", "add", "sms", "--plugin", "eskiz"]);
    assert!(stage.home.run(&command).exits(0).stdout.contains("base_url"));
}
