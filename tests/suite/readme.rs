//! What the README tells people to type, typed. The only thing that is added is where the provider is:
//! here, and not at the vendor's.

use e2e::home::Home;
use e2e::provider::{FakeProvider, Kind, eskiz};

const README: &str = include_str!("../../README.md");

/// The blocks of one language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    let block = |it: &'static str| it.split("```").next().unwrap_or_default();
    README.split(start.as_str()).skip(1).map(block).collect()
}

/// Lines that start the program, as arguments, without their comments.
fn commands() -> Vec<Vec<&'static str>> {
    let lines = blocks("sh").into_iter().flat_map(str::lines);
    let arguments = |it: &'static str| it.split('#').next().unwrap_or_default().split_whitespace();
    lines.filter_map(|it| it.strip_prefix("keepfresh ")).map(|it| arguments(it).collect()).collect()
}

#[test]
fn the_first_provider_of_the_readme_gets_its_token() {
    let settings = eskiz::Settings::default();
    let [section] = blocks("toml")[..] else { panic!("one manifest is expected") };
    let provider = FakeProvider::start(Kind::Eskiz(settings.clone())).unwrap();
    let here = format!(
        "settings = {{ base_url = \"{}\" }}\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        provider.base_url()
    );
    let home = Home::new(&format!("{section}{here}"))
        .with_plugin("eskiz")
        .with_env("ESKIZ_EMAIL", &settings.email)
        .with_env("ESKIZ_PASSWORD", &settings.password);
    let commands = commands();
    for verb in ["init", "check", "refresh", "token", "serve"] {
        assert!(commands.iter().any(|it| it[0] == verb), "{verb} is missing: {commands:?}");
    }
    for arguments in commands.iter().filter(|it| it[0] != "serve") {
        home.run(arguments).exits(0);
    }
    assert_eq!(provider.control().seen(), 1);
}

#[test]
fn every_command_of_the_readme_is_there() {
    let home = Home::new("");
    let rows = README.lines().filter_map(|it| it.strip_prefix("| `"));
    let rows =
        rows.skip_while(|it| !it.starts_with("init`")).take_while(|it| !it.starts_with("eskiz"));
    let mut seen = 0;
    for row in rows {
        let command = row.split('`').next().unwrap_or_default();
        let is_word = |it: &&str| it.chars().all(|it| it.is_ascii_lowercase() || it == '-');
        let words = command.split_whitespace().filter(is_word);
        let mut arguments = words.collect::<Vec<_>>();
        arguments.push("--help");
        home.run(&arguments).exits(0);
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}
