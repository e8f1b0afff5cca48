//! A provider's table for the manifest, made of what its plugin says of itself: ready to paste, with a comment for
//! each value. Knows nothing of what the manifest has already.

use crate::model::descriptor::{Descriptor, Field};

/// A table to paste.
#[derive(Debug)]
pub struct Sample {
    /// Its text.
    pub text: String,
    /// Variables of the environment that it names.
    pub variables: Vec<String>,
    /// Settings that somebody has to fill in.
    pub blank: Vec<String>,
}

impl Sample {
    /// The table of the provider `name`, which runs on the plugin file `plugin`, without `.wasm`.
    pub fn of(name: &str, plugin: &str, descriptor: &Descriptor) -> Self {
        let heading = key(name);
        let mut lines = vec![comment(&format!("{}: {}", descriptor.title, descriptor.about))];
        lines.push(format!("[providers.{heading}]"));
        lines.extend((plugin != name).then(|| format!("plugin = {}", text(plugin))));
        lines.push(match &descriptor.schedule {
            Some(schedule) => format!("#schedule = {}   # the plugin's own, which holds without this line", text(schedule)),
            None => "#schedule = \"0 2 * * *\"   # without a schedule, two thirds of a token's lifetime decide".to_owned(),
        });
        if !descriptor.unattended {
            lines.push("connections = []   # only those that people connect".to_owned());
        }
        let is_blank = |it: &&Field| it.required && it.default.is_none();
        let blank = descriptor.settings.iter().filter(is_blank).map(|it| it.name.clone());
        let blank = blank.collect();
        lines.extend(table(&heading, "settings", &descriptor.settings, setting));
        let variable = |it: &Field| variable(name, &it.name);
        lines.extend(table(&heading, "secrets", &descriptor.secrets, |it| {
            secret(it, &variable(it))
        }));
        let needed = descriptor.secrets.iter().filter(|it| it.required);
        Self { text: lines.join("\n") + "\n", variables: needed.map(variable).collect(), blank }
    }
}

/// The lines of a table within the provider's; none where it would be empty.
fn table(
    heading: &str,
    name: &str,
    fields: &[Field],
    line: impl Fn(&Field) -> String,
) -> Vec<String> {
    if fields.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), format!("[providers.{heading}.{name}]")];
    for field in fields {
        lines.push(comment(&format!("{}: {}", field.title, field.help)));
        lines.push(line(field));
    }
    lines
}

/// What holds anyway is there to be uncommented; what must be given is blank.
fn setting(field: &Field) -> String {
    let name = key(&field.name);
    match &field.default {
        Some(default) => format!("#{name} = {}", text(default)),
        None if field.required => format!("{name} = \"...\""),
        None => format!("#{name} = \"...\""),
    }
}

fn secret(field: &Field, variable: &str) -> String {
    let comment = if field.required { "" } else { "#" };
    format!("{comment}{} = {{ env = {} }}", key(&field.name), text(variable))
}

/// `ESKIZ_PASSWORD`.
fn variable(provider: &str, secret: &str) -> String {
    let name = format!("{provider}_{secret}").to_ascii_uppercase();
    name.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '_' }).collect()
}

fn key(name: &str) -> String {
    let bare = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
    if name.chars().all(bare) && !name.is_empty() { name.to_owned() } else { text(name) }
}

/// A TOML string.
fn text(value: &str) -> String {
    let escaped = value.chars().map(|it| match it {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        it if it.is_control() => format!("\\u{:04X}", u32::from(it)),
        it => it.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// One line, whatever is in it.
fn comment(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("# {line}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn field(name: &str, required: bool, default: Option<&str>) -> Field {
        let help = "What it is.\nOn two lines.".to_owned();
        let (title, default) = (name.to_uppercase(), default.map(str::to_owned));
        Field { name: name.to_owned(), title, help, required, default }
    }

    #[test]
    fn the_table_can_be_read_whatever_the_plugin_says() {
        let descriptor = Descriptor {
            title: "A \"provider\"".to_owned(),
            about: "It\nsends.".to_owned(),
            schedule: Some("0 2 * * *".to_owned()),
            settings: vec![
                field("base_url", true, Some("https://a.example/\"\\\u{7}")),
                field("client_id", true, None),
                field("scope.s", false, None),
            ],
            secrets: vec![field("key", true, None), field("pin", false, None)],
            ..Descriptor::unknown()
        };
        let sample = Sample::of("a@b", "oauth2", &descriptor);
        assert_eq!(sample.variables, ["A_B_KEY"]);
        assert_eq!(sample.blank, ["client_id"]);
        let all = sample.text.lines().map(|it| match it.strip_prefix('#') {
            Some(code) if !code.starts_with(' ') => code,
            _ => it,
        });
        let all = all.collect::<Vec<_>>().join("\n");
        for text in [&sample.text, &all] {
            let manifest = crate::manifest::parse(text, Path::new("keepfresh.toml"));
            let manifest = manifest.unwrap_or_else(|it| panic!("{text}: {it:?}"));
            let provider = &manifest.providers["a@b"];
            assert_eq!(provider.plugin, "oauth2");
            assert_eq!(provider.settings["client_id"], "...");
            assert!(provider.connections.is_empty());
        }
    }
}
