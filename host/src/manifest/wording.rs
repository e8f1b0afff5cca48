//! The words of a channel's messages, where the operator writes them. Which facts there are, and what they say, is not
//! known here.

use crate::manifest::problems::Fault;
use crate::manifest::table::Table;
use crate::manifest::value::string;
use crate::model::code;
use crate::model::nearest::nearest;
use crate::model::template::{Form, Template};

/// What a template may name. What a message does not have is nothing.
pub const NAMES: &[&str] = &[
    "title",
    "text",
    "command",
    "channel",
    "what",
    "kind",
    "cause",
    "provider",
    "connection",
    "since",
    "at",
    "affected",
    "ending",
    "expired",
    "connections",
    "causes",
];

/// Templates in place of the usual words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// The first line, or the subject of a mail.
    pub title: Option<Template>,
    /// What follows it.
    pub text: Option<Template>,
}

impl Wording {
    pub(super) fn read(row: &Table<'_>) -> Self {
        let template = |key| row.read(key, |it| template(string(it)?));
        Self { title: template("title"), text: template("text") }
    }
}

fn template(text: &str) -> Result<Template, Fault> {
    let help =
        "templates are those of Jinja: `{{ title }}`, `{% if provider %}`; see docs/alerts.md";
    let template = Template::parse(text, Form::Value).map_err(|it| fault(it.to_string(), help))?;
    let names = template.names().into_iter();
    let head = |it: &String| it.split('.').next().unwrap_or_default().to_owned();
    match names.map(|it| head(&it)).find(|it| !NAMES.contains(&it.as_str())) {
        None => Ok(template),
        Some(unknown) => {
            let near = nearest(&unknown, NAMES.iter().copied());
            let help = near.map_or_else(
                || format!("what is there: {}", NAMES.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            Err(fault(format!("`{unknown}` is not there"), help))
        }
    }
}

fn fault(label: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault::new(code::Manifest::Channel, label, help)
}
