//! A provider is added without a look into its source, and the manifest is where people look for it.

use std::fs;

use e2e::home::Home;
use e2e::stage::Stage;

use crate::tidy::plugins;

/// What a setting is given that a person has to fill in.
fn filled(table: &str) -> String {
    let line = |it: &str| match it.split_once(" = \"...\"") {
        Some((name, _)) if name.ends_with("url") => {
            format!("{name} = \"https://auth.example.com\"")
        }
        Some((name, _)) => format!("{name} = \"something\""),
        None => it.to_owned(),
    };
    table.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_table_of_every_plugin_can_be_pasted_and_passes_check() {
    for plugin in plugins() {
        let mut home = Home::new("").with_plugin(&plugin);
        let added = home.run(&["provider", "add", &plugin]).exits(0);
        let json = home.run(&["provider", "add", &plugin, "--json"]).exits(0).json();
        assert_eq!(json["table"], added.stdout, "{json:#}");
        assert_eq!(json["file"], format!("./plugins/{plugin}.wasm"));
        for variable in json["variables"].as_array().unwrap() {
            let variable = variable.as_str().unwrap();
            assert!(added.stderr.contains(variable), "{added:?}");
            home.set_env(variable, "something");
        }
        assert!(
            added.stderr.contains(&format!("it needs ./plugins/{plugin}.wasm, which is there"))
        );
        assert!(added.stderr.contains("next: paste it into keepfresh.toml"), "{added:?}");
        home.write_manifest(&filled(&added.stdout));
        let checked = home.run(&["check"]);
        assert_eq!(checked.code, 0, "{plugin}:\n{}\n{}", added.stdout, checked.stderr);
    }
}

#[test]
fn a_plugin_file_that_is_not_there_is_named_with_its_place() {
    let home = Home::new("[plugins]\ndir = \"lib\"\n");
    let refused = home.run(&["provider", "add", "eskiz"]);
    assert!(
        refused.stderr.contains("error[plugin.missing]: ./lib/eskiz.wasm is not there"),
        "{refused:?}"
    );
    assert!(refused.stderr.contains("there is no plugin in ./lib yet"), "{refused:?}");
    home.write_manifest("");
    let home = home.with_plugin("eskiz");
    let near = home.run(&["provider", "add", "eskis"]);
    assert!(near.stderr.contains("did you mean `eskiz`?"), "{near:?}");
    let other = home.run(&["provider", "add", "a-provider"]);
    assert!(other.stderr.contains("these are there: eskiz; name one with --plugin"), "{other:?}");
    let named = home.run(&["provider", "add", "sms", "--plugin", "eskiz"]).exits(0).stdout;
    assert!(
        named.contains("[providers.sms]\nplugin = \"eskiz\"\n") && named.contains("SMS_PASSWORD")
    );
    let wrong = home.run(&["provider", "add", "No Name", "--plugin", "eskiz"]).exits(2);
    assert!(wrong.stderr.contains("invalid name"), "{wrong:?}");
}

#[test]
fn a_provider_that_the_manifest_has_is_told() {
    let stage = Stage::eskiz("");
    let added = stage.home.run(&["provider", "add", "eskiz"]).exits(0);
    assert!(added.stderr.contains("keepfresh.toml has [providers.eskiz] already"), "{added:?}");
}

#[test]
fn the_manifest_is_found_where_people_look() {
    let mut home = Home::new("").with_plugin("eskiz");
    let folders = ["named", "xdg/keepfresh", "home/.config/keepfresh"];
    for folder in folders {
        fs::create_dir_all(home.path(folder)).unwrap();
        fs::write(home.path(folder).join("keepfresh.toml"), "").unwrap();
        fs::copy(home.path("keepfresh.key"), home.path(folder).join("keepfresh.key")).unwrap();
    }
    let used = |home: &Home| {
        let said = home.run(&["check"]).exits(0).stderr;
        said.lines().last().unwrap().trim_end_matches(" is valid").to_owned()
    };
    let text = |home: &Home, path: &str| home.path(path).display().to_string();
    let variables = [
        ("HOME", "home"),
        ("XDG_CONFIG_HOME", "xdg"),
        ("KEEPFRESH_CONFIG", "named/keepfresh.toml"),
    ];
    let [of_user, of_xdg, named] = variables.map(|(name, path)| (name, text(&home, path)));
    home.set_env(of_user.0, &of_user.1);
    home.set_env(of_xdg.0, &of_xdg.1);
    home.set_env(named.0, &named.1);
    assert_eq!(used(&home), named.1, "the one that is named");
    home.set_env(named.0, "");
    assert_eq!(used(&home), "keepfresh.toml", "the one that is here");
    fs::remove_file(home.path("keepfresh.toml")).unwrap();
    assert_eq!(used(&home), format!("{}/keepfresh/keepfresh.toml", of_xdg.1));
    home.set_env(of_xdg.0, "");
    assert_eq!(used(&home), format!("{}/.config/keepfresh/keepfresh.toml", of_user.1));
    let help =
        home.run(&["--help"]).exits(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let places =
        ["$KEEPFRESH_CONFIG", "./keepfresh.toml", "$XDG_CONFIG_HOME/keepfresh", "/etc/keepfresh"];
    let found = places.map(|it| help.find(it).unwrap_or_else(|| panic!("{it}: {help}")));
    assert!(found.is_sorted(), "the help names them in order: {help}");
}
