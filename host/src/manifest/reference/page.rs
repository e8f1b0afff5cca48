//! The reference as a page: `docs/manifest.md`, and what `keepfresh manifest reference` prints.

use std::fmt::Write as _;

use crate::manifest::reference::{Key, Section, Usual};

const HEAD: &str = "# The manifest

`keepfresh.toml` says what to run. It is the file that `--config FILE` names, or the first that is there of
`$KEEPFRESH_CONFIG`, `./keepfresh.toml`, `$XDG_CONFIG_HOME/keepfresh/keepfresh.toml` (`~/.config/keepfresh/keepfresh.toml`
where that variable is not set) and `/etc/keepfresh/keepfresh.toml`. Relative paths start from its folder.

- `keepfresh init` writes one to start from, and `keepfresh provider add NAME` prints the table of a provider.
- `keepfresh check` reports every problem, with its line and what helps. A key that is not on this page is a problem.
- `keepfresh check --effective` prints what holds for each provider and connection, and where each value comes from.
- `keepfresh manifest reference` prints this page, and `keepfresh manifest schema` a JSON Schema for editors.

<!-- Made by `cargo run --bin keepfresh -- manifest reference > docs/manifest.md`; change host/src/manifest/reference/keys.rs instead. -->
";

const TYPES: &str = "
## Types

| type | how it is written |
|---|---|
| address and port | an IP address, and a port behind a colon: `\"127.0.0.1:7420\"`, `\"[::1]:7420\"` |
| cron expression | crontab's five fields: minute, hour, day of the month, month, day of the week. A sixth field before them is for seconds. `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` work too |
| database URL | `\"sqlite:PATH\"` |
| duration | a number and its unit, in quotes: `\"90s\"`, `\"5m\"`, `\"12h\"`, `\"2d\"`. A number without a unit is refused |
| e-mail address | `\"ops@example.com\"`, or with a name before it: `\"Keepfresh <keepfresh@example.com>\"` |
| grant | `\"reveal\"` or `\"memory:256MiB\"` |
| name | letters, digits and `. _ - @ + :`; in lower case for a provider or a plugin |
| network | an address and a prefix length: `\"127.0.0.0/8\"` |
| path | text; a relative path starts from the folder of the manifest |
| rate | a number of requests and a unit: `\"10/s\"`, `\"600/m\"`, `\"5000/h\"` |
| secret | where it is, never the secret itself: `{ env = \"NAME\" }`, `{ file = \"PATH\" }`, `{ credential = \"NAME\" }` (of systemd) or `{ exec = [\"COMMAND\", \"ARGUMENT\"] }` |
| time of day | hours and minutes: `\"08:00\"` |
| time zone | a name of the time zone database, such as `\"Asia/Tashkent\"` |
";

/// The whole page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for section in Section::ALL.iter().copied() {
        let heading = match section {
            Section::Root => section.heading().to_owned(),
            _ => format!("`{}`", section.heading()),
        };
        let _ = write!(page, "\n## {heading}\n\n");
        page.push_str("| key | type | unit and range | default | meaning | example |\n|---|---|---|---|---|---|\n");
        section.keys().for_each(|it| page.push_str(&row(it)));
    }
    page + TYPES
}

fn row(key: &Key) -> String {
    let Key { name, kind, usual, meaning, example, .. } = key;
    let usual = match usual {
        Usual::Value(value) => format!("`{value}`"),
        Usual::Words(words) => (*words).to_owned(),
        Usual::Required => "required".to_owned(),
    };
    let (word, unit) = (kind.word(), kind.unit());
    format!("| `{name}` | {word} | {unit} | {usual} | {meaning} | `{name} = {example}` |\n")
}
