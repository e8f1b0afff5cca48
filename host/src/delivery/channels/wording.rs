//! A message in the words of the operator, where the channel has templates. What cannot be evaluated is said in the
//! usual words: a message that is not sent would be worse than one in other words.

use secrecy::ExposeSecret as _;
use tracing::warn;

use crate::delivery::channels::notice::Notice;
use crate::delivery::channels::text::{self, Text};
use crate::manifest::channel::Channel;
use crate::model::code;
use crate::model::plain::escaped;
use crate::model::template::{Template, Values};

/// The words of `channel` for `notice`.
pub(super) fn of(channel: &Channel, notice: &Notice) -> Text {
    let usual = text::of(notice, &channel.timezone);
    let (title, body) = (&channel.wording.title, &channel.wording.text);
    if title.is_none() && body.is_none() {
        return usual;
    }
    let values = values(channel, notice, &usual);
    let said = |template: &Option<Template>| written(channel, template.as_ref()?, &values);
    let title = said(title).and_then(|it| it.into_iter().next());
    match said(body) {
        // Whoever writes the text says in it what to do.
        Some(lines) => Text { title: title.unwrap_or(usual.title), lines, command: None },
        None => Text { title: title.unwrap_or(usual.title), ..usual },
    }
}

/// What a template comes to, line by line.
fn written(channel: &Channel, template: &Template, values: &Values) -> Option<Vec<String>> {
    let said = template.render(values).inspect_err(|error| {
        let (name, code) = (&channel.name, code::Channel::Template);
        warn!(
            error.code = code.text(),
            "a template of the channel {name} has no result, so the usual words are sent: {error}"
        );
    });
    let said = said.ok()?;
    let lines = said.expose_secret().lines();
    let lines = lines.map(|it| escaped(it).into_owned()).collect::<Vec<_>>();
    Some(lines).filter(|it| it.iter().any(|it| !it.trim().is_empty()))
}

/// The facts, by the names that the manifest knows.
fn values(channel: &Channel, notice: &Notice, usual: &Text) -> Values {
    let values = Values::default()
        .text("title", Some(&usual.title))
        .text("text", Some(&usual.lines.join("\n")))
        .text("command", usual.command.as_deref())
        .text("channel", Some(&channel.name));
    let json = serde_json::to_value(notice).unwrap_or_default();
    let word = |name: &str| json.get(name).and_then(|it| it.as_str()).map(str::to_owned);
    let time = |name: &str| word(name).and_then(|it| it.parse().ok());
    let count = |name: &str| json.get(name).and_then(serde_json::Value::as_u64);
    let list = |name: &str| json.get(name).cloned().unwrap_or_else(|| serde_json::json!([]));
    let what = word("tell").or_else(|| word("about"));
    values
        .text("what", what.as_deref())
        .text("kind", word("kind").as_deref())
        .text("cause", word("cause").as_deref())
        .text("provider", word("provider").as_deref())
        .text("connection", word("connection").as_deref())
        .time("since", time("since"))
        .time("at", time("at"))
        .number("affected", count("affected"))
        .number("ending", count("ending"))
        .number("expired", count("expired"))
        .json("connections", &list("connections"))
        .json("causes", &list("causes"))
}
