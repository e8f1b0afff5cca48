//! What is known of a connection, as names and values; and where what is current of it is delivered.

use serde_json::Value;

use crate::dashboard::frame::Frame;
use crate::manifest::Manifest;
use crate::manifest::sink::Of;
use crate::model::id::ConnectionId;
use crate::operator::channels::ChannelState;
use crate::operator::sinks::SinkView;
use crate::operator::view::Details;

/// Members of a profile that are shown.
const MOST: usize = 60;

/// A name and a value.
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) text: String,
    /// Beside it, or instead of it: markup of a moment.
    pub(super) moment: Option<String>,
}

fn fact(name: impl Into<String>, text: impl Into<String>) -> Fact {
    Fact { name: name.into(), text: text.into(), moment: None }
}

/// What is known of the token and its provider.
pub(super) fn facts(frame: &Frame, details: &Details) -> Vec<Fact> {
    let words = &frame.words;
    let moment = |name, at: Option<jiff::Timestamp>| {
        at.map(|it| Fact { name, text: String::new(), moment: Some(frame.when(&it)) })
    };
    let text = |name: String, text: Option<&String>| text.map(|it| fact(name, it));
    let view = &details.view;
    let facts = [
        Some(fact(words.say("fact-provider"), &view.provider)),
        text(words.say("fact-plugin"), details.plugin.as_ref()),
        Some(fact(words.say("fact-generation"), view.generation.to_string())),
        text(words.say("fact-token-type"), details.token_type.as_ref()),
        text(words.say("fact-fingerprint"), details.fingerprint.as_ref()),
        moment(words.say("fact-issued"), details.issued_at),
        moment(words.say("fact-expires"), view.expires_at),
        moment(words.say("fact-next-refresh"), view.next_refresh_at),
        moment(words.say("fact-refresh-expires"), details.refresh_expires_at),
        moment(words.say("fact-active"), details.active_at),
        (details.failures > 0)
            .then(|| fact(words.say("fact-failures"), details.failures.to_string())),
        (details.captured_answers > 0)
            .then(|| fact(words.say("fact-captured"), details.captured_answers.to_string())),
        list(words.say("fact-scopes"), &details.scopes),
        list(words.say("fact-missing-scopes"), &details.missing_scopes),
    ];
    facts.into_iter().flatten().collect()
}

fn list(name: String, all: &[String]) -> Option<Fact> {
    (!all.is_empty()).then(|| fact(name, all.join(", ")))
}

/// Groups of facts that not every connection has.
pub(super) fn groups(frame: &Frame, details: &Details) -> Vec<(String, Vec<Fact>)> {
    let words = &frame.words;
    let pairs = |all: &std::collections::BTreeMap<String, String>| {
        all.iter().map(|(name, value)| fact(name, value)).collect::<Vec<_>>()
    };
    let metadata = details.metadata.iter().map(|(name, value)| fact(name, value)).collect();
    let groups = [
        (words.say("facts-profile"), profile(details.profile.as_ref())),
        (words.say("facts-metadata"), metadata),
        (words.say("facts-settings"), pairs(&details.settings)),
        (words.say("facts-secrets"), pairs(&details.secrets)),
    ];
    groups.into_iter().filter(|(_, facts)| !facts.is_empty()).collect()
}

/// What the plugin's `profile` said, each member on a line of its own.
fn profile(profile: Option<&Value>) -> Vec<Fact> {
    let Some(Value::Object(members)) = profile else { return Vec::new() };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    members.iter().take(MOST).map(|(name, value)| fact(name, text(value))).collect()
}

/// A place that gets it.
pub(super) struct Delivered {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) class: &'static str,
    pub(super) state: String,
    /// When something was delivered there last: markup.
    pub(super) at: Option<String>,
}

/// The sinks that deliver what is current of `id`.
pub(super) fn delivered(
    frame: &Frame,
    manifest: &Manifest,
    id: &ConnectionId,
    details: &Details,
    sinks: &[SinkView],
) -> Vec<Delivered> {
    let gets = |of: &Of| match of {
        Of::Connection(it) => it == id,
        Of::Provider(name) => name == id.provider(),
        Of::Label(label) => details.view.labels.contains(label),
    };
    let named = manifest.sinks.iter().filter(|it| gets(&it.of)).map(|it| it.name.as_str());
    let view = |name: &str| sinks.iter().find(|it| it.name == name);
    named.filter_map(view).map(|it| of_sink(frame, it)).collect()
}

fn of_sink(frame: &Frame, it: &SinkView) -> Delivered {
    let words = &frame.words;
    let (class, state) = match it.state {
        ChannelState::New => ("skipped", words.say("delivered-new")),
        ChannelState::Ok => ("success", words.say("delivered-ok")),
        ChannelState::Failing => ("failed", words.say("delivered-failing")),
        ChannelState::Off => ("failed", words.say("delivered-off")),
    };
    let at = it.delivered_at.map(|it| frame.when(&it));
    Delivered { name: it.name.clone(), kind: it.kind.clone(), class, state, at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_a_list_of_texts() {
        let said = serde_json::json!({ "a": "x", "b": 3, "c": { "d": [1] } });
        let facts = profile(Some(&said));
        let texts = facts.iter().map(|it| it.text.as_str()).collect::<Vec<_>>();
        assert_eq!(texts, ["x", "3", "{\"d\":[1]}"]);
        assert!(profile(None).is_empty() && profile(Some(&Value::Null)).is_empty());
    }
}
