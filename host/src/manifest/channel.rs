//! `[[channels]]`, `[alerts]` and `[heartbeat]`: who is told of what happens, of what, and how. What a message says
//! is not known here.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use toml::de::DeValue;

use crate::manifest::access::Egress;
use crate::manifest::problems::Fault;
use crate::manifest::reference::Section;
use crate::manifest::smtp::Email;
use crate::manifest::table::{Node, Table};
use crate::manifest::value::{check_name, string};
use crate::manifest::wording::Wording;
use crate::manifest::{secret, timing};
use crate::model::alert::AlertKind;
use crate::model::code;
use crate::vault::source::Source;

/// `[alerts]`: what holds for all channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// A token that ends within this time, while refreshing fails, is critical.
    pub critical_within: Duration,
}

/// One of `[[channels]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// What people call it.
    pub name: String,
    /// How it is told.
    pub how: How,
    /// Of what.
    pub on: BTreeSet<AlertKind>,
    /// How long something must be wrong before it is told.
    pub after: Duration,
    /// When the summary of a day is sent, if one is.
    pub summary_at: Option<Time>,
    /// The time zone of that.
    pub timezone: TimeZone,
    /// In which words.
    pub wording: Wording,
}

/// How a channel is told.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// JSON, signed.
    Webhook {
        /// Where to.
        to: Endpoint,
        /// What it is signed with.
        secret: Option<Source>,
    },
    /// What Slack and its kin take.
    Slack(Endpoint),
    /// Mail.
    Email(Email),
}

/// Where requests go, and which addresses that may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The URL, or where it is: some are secrets.
    pub url: Url,
    /// Addresses that would be refused otherwise.
    pub egress: Egress,
}

/// A URL, or where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Url {
    /// In the manifest.
    Plain(String),
    /// Elsewhere.
    Secret(Source),
}

/// `[heartbeat]`: a sign of life for a service that notices when it does not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Where to.
    pub to: Endpoint,
    /// How often.
    pub every: Duration,
}

impl Alerts {
    pub(super) fn read(table: Table<'_>) -> Self {
        let table = table.with(Section::Alerts, "");
        let usual = Duration::from_hours(2);
        Self { critical_within: table.time("critical_within").unwrap_or(usual) }
    }
}

pub(super) fn read_all(root: &Table<'_>, folder: &Path) -> Vec<Channel> {
    let mut all: Vec<Channel> = Vec::new();
    for node in root.items("channels") {
        let row = root.open(node, "channel", "a channel").with(Section::Channel, "");
        all.extend(Channel::read(&row, &all, folder));
    }
    all
}

impl Channel {
    fn read(row: &Table<'_>, others: &[Self], folder: &Path) -> Option<Self> {
        let kind = required(row, "kind", "kind = \"email\"", kind)?;
        row.leave_out(kind.foreign(), &format!("a channel of the kind \"{}\"", kind.word()));
        let name = match row.node("name") {
            Some(_) => row.read("name", |it| unused(string(it)?, others)),
            None => row.read("kind", |_| unused(kind.word(), others)),
        };
        let (how, wanted) = (kind.read(row, folder), row.list("on", "on", alert_kind));
        let mut on: BTreeSet<_> = wanted.into_iter().collect();
        if row.node("on").is_none() {
            on = AlertKind::ALL.iter().copied().filter(|it| *it != AlertKind::Summary).collect();
        }
        let summary_at = row.read("summary_at", time_of_day);
        if summary_at.is_some() {
            on.insert(AlertKind::Summary);
        }
        let morning = on.contains(&AlertKind::Summary).then_some(Time::constant(8, 0, 0, 0));
        let after = row.time("after").unwrap_or(Duration::from_mins(1));
        let timezone = row.read("timezone", timing::zone).unwrap_or(TimeZone::UTC);
        let summary_at = summary_at.or(morning);
        let wording = Wording::read(row);
        Some(Self { name: name?, how: how?, on, after, summary_at, timezone, wording })
    }

    /// What the parts of the program call it.
    pub fn outlet(&self) -> String {
        format!("channel:{}", self.name)
    }

    /// Its kind, as it is written.
    pub fn kind(&self) -> &'static str {
        match self.how {
            How::Webhook { .. } => "webhook",
            How::Slack(_) => "slack",
            How::Email(_) => "email",
        }
    }
}

/// The kinds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Webhook,
    Slack,
    Email,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Email => "email",
        }
    }

    /// Keys that only others have.
    fn foreign(self) -> &'static [&'static str] {
        match self {
            Self::Webhook => &["smtp", "password", "from", "to", "notify_person", "title", "text"],
            Self::Slack => &["secret", "smtp", "password", "from", "to", "notify_person"],
            Self::Email => &["url", "secret", "egress"],
        }
    }

    fn read(self, row: &Table<'_>, folder: &Path) -> Option<How> {
        match self {
            Self::Webhook => {
                let secret = row.node("secret");
                let secret = secret.and_then(|it| secret::read(row, it, "secret", folder));
                Endpoint::read(row, folder).map(|to| How::Webhook { to, secret })
            }
            Self::Slack => Endpoint::read(row, folder).map(How::Slack),
            Self::Email => Email::read(row, folder).map(How::Email),
        }
    }
}

impl Endpoint {
    pub(super) fn read(row: &Table<'_>, folder: &Path) -> Option<Self> {
        let egress = Egress::read(row.part("egress"));
        let example = "url = \"https://hooks.example.com/keepfresh\"";
        let Some(node) = row.node("url") else {
            missing(row, "url", example);
            return None;
        };
        Some(Self { url: Url::read(row, node, folder)?, egress })
    }
}

impl Url {
    /// Where it is, if that is elsewhere.
    pub fn source(&self) -> Option<&Source> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(source) => Some(source),
        }
    }

    fn read(row: &Table<'_>, node: Node<'_>, folder: &Path) -> Option<Self> {
        Self::read_as(row, node, folder, web_address)
    }

    /// The same for a URL of another kind.
    pub(super) fn read_as(
        row: &Table<'_>,
        node: Node<'_>,
        folder: &Path,
        address: impl FnOnce(&DeValue<'_>) -> Result<String, Fault>,
    ) -> Option<Self> {
        match node.get_ref() {
            DeValue::String(_) => {
                let url = row.convert(node, "url", address);
                if url.is_none() {
                    // It may have a password in it.
                    secret::hide(row, node);
                }
                url.map(Self::Plain)
            }
            _ => secret::read(row, node, "url", folder).map(Self::Secret),
        }
    }
}

impl Heartbeat {
    pub(super) fn read(table: Table<'_>, is_there: bool, folder: &Path) -> Option<Self> {
        let table = table.with(Section::Heartbeat, "");
        let every = table.time("every").unwrap_or(Duration::from_mins(5));
        if !is_there {
            // Asked for all the same: the reference is held to what is read.
            let _ = (table.node("url"), Egress::read(table.part("egress")));
            return None;
        }
        Some(Self { to: Endpoint::read(&table, folder)?, every })
    }
}

/// The value of a key that must be there.
pub(super) fn required<T>(
    row: &Table<'_>,
    key: &str,
    example: &str,
    convert: impl FnOnce(&DeValue<'_>) -> Result<T, Fault>,
) -> Option<T> {
    if row.node(key).is_none() {
        missing(row, key, example);
    }
    row.read(key, convert)
}

pub(super) fn missing(row: &Table<'_>, key: &str, example: &str) {
    let message = format!("{} has no `{key}`", row.subject());
    let fault =
        Fault::new(code::Manifest::MissingKey, format!("no `{key}`"), format!("add `{example}`"));
    row.problems().report(row.place(), &message, &fault);
}

fn fault(label: &str, help: &str) -> Fault {
    Fault::new(code::Manifest::Channel, label, help)
}

fn kind(value: &DeValue<'_>) -> Result<Kind, Fault> {
    let text = string(value)?;
    let kinds = [Kind::Email, Kind::Webhook, Kind::Slack];
    let known = kinds.into_iter().find(|it| it.word() == text);
    known.ok_or_else(|| fault("no such kind", "write \"email\", \"webhook\" or \"slack\""))
}

fn alert_kind(value: &DeValue<'_>) -> Result<AlertKind, Fault> {
    let all = AlertKind::ALL.iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(", ");
    string(value)?
        .parse()
        .map_err(|_| fault("nothing that is told of", &format!("write some of {all}")))
}

fn unused(name: &str, others: &[Channel]) -> Result<String, Fault> {
    check_name(name)?;
    if others.iter().any(|it| it.name == name) {
        let label = format!("another channel is called `{name}`");
        return Err(fault(&label, "give it another name: `name = \"night-shift\"`"));
    }
    Ok(name.to_owned())
}

/// "08:00".
fn time_of_day(value: &DeValue<'_>) -> Result<Time, Fault> {
    let wrong = || fault("not a time of day", "write \"08:00\"");
    let (hour, minute) = string(value)?.split_once(':').ok_or_else(wrong)?;
    let is_short = |it: &str| it.len() == 2 && it.bytes().all(|it| it.is_ascii_digit());
    if !is_short(hour) || !is_short(minute) {
        return Err(wrong());
    }
    let (hour, minute) = (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
    Time::new(hour, minute, 0, 0).map_err(|_| wrong())
}

fn web_address(value: &DeValue<'_>) -> Result<String, Fault> {
    let help =
        "write \"https://hooks.example.com/keepfresh\", or { env = \"NAME\" } if it is secret";
    let text = string(value)?;
    let Ok(url) = url::Url::parse(text) else { return Err(fault("not a URL", help)) };
    let has_user = !url.username().is_empty() || url.password().is_some();
    match url.scheme() {
        _ if has_user => Err(fault("a URL with a user in it", help)),
        "https" | "http" => Ok(text.to_owned()),
        _ => Err(fault("neither https nor http", help)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::manifest::parse;

    fn read(text: &str) -> Result<Manifest, String> {
        let path = Path::new("/etc/keepfresh/keepfresh.toml");
        parse(text, path).map_err(|it| it.iter().map(|it| it.render(text)).collect())
    }

    fn channel(lines: &str) -> Result<Channel, String> {
        read(&format!("[[channels]]\n{lines}\n")).map(|it| it.channels[0].clone())
    }

    const SLACK: &str = "kind = \"slack\"\nurl = { env = \"SLACK_URL\" }";

    #[test]
    fn a_channel_hears_of_all_but_the_summary_and_is_called_by_its_kind() {
        let slack = channel(SLACK).unwrap();
        assert_eq!((slack.name.as_str(), slack.outlet().as_str()), ("slack", "channel:slack"));
        assert_eq!(slack.on.len(), AlertKind::ALL.len() - 1);
        assert_eq!((slack.after, slack.summary_at), (Duration::from_mins(1), None));
        let url = Url::Secret(Source::Env("SLACK_URL".to_owned()));
        assert_eq!(slack.how, How::Slack(Endpoint { url, egress: Egress::default() }));
    }

    #[test]
    fn a_summary_comes_when_a_time_is_given_or_it_is_asked_for() {
        let given =
            channel(&format!("{SLACK}\nsummary_at = \"07:30\"\non = [\"expired\"]")).unwrap();
        assert_eq!(given.summary_at, Some(Time::constant(7, 30, 0, 0)));
        assert_eq!(given.on, [AlertKind::Expired, AlertKind::Summary].into());
        let asked = channel(&format!("{SLACK}\non = [\"summary\"]")).unwrap();
        assert_eq!(asked.summary_at, Some(Time::constant(8, 0, 0, 0)));
        for wrong in ["7:30", "24:00", "07:30:00", "noon", "+7:30"] {
            let read = channel(&format!("{SLACK}\nsummary_at = \"{wrong}\""));
            assert!(read.unwrap_err().contains("write \"08:00\""), "{wrong}");
        }
    }

    #[test]
    fn what_a_kind_does_not_have_or_lacks_is_a_problem() {
        for (lines, says) in [
            ("", "add `kind = \"email\"`"),
            ("kind = \"pigeon\"", "write \"email\", \"webhook\" or \"slack\""),
            ("kind = \"webhook\"", "add `url = "),
            ("kind = \"slack\"\nurl = \"https://u:p@hooks.example\"", "a user in it"),
            ("kind = \"slack\"\nurl = \"ftp://hooks.example\"", "neither https nor http"),
            ("kind = \"slack\"\nurl = \"https://h.example\"\nsecret = { env = \"A\" }", "`secret`"),
            ("kind = \"slack\"\nurl = \"https://h.example\"\non = [\"failure\"]", "\"failed\""),
            ("kind = \"slack\"\nurl = \"https://h.example\"\nname = \"A b\"", "invalid name"),
        ] {
            let read = channel(lines);
            assert!(read.as_ref().is_err_and(|it| it.contains(says)), "{lines}: {read:?}");
        }
    }

    #[test]
    fn two_channels_have_two_names() {
        let two = format!("[[channels]]\n{SLACK}\n[[channels]]\n{SLACK}\n");
        assert!(read(&two).unwrap_err().contains("another channel is called `slack`"));
        assert_eq!(read(&format!("{two}name = \"night\"")).unwrap().channels[1].name, "night");
    }

    #[test]
    fn a_heartbeat_has_somewhere_to_go() {
        assert_eq!(read("").unwrap().heartbeat, None);
        let beat = read("[heartbeat]\nurl = { env = \"PING\" }").unwrap().heartbeat.unwrap();
        assert_eq!(beat.every, Duration::from_mins(5));
        assert!(read("[heartbeat]\nevery = \"1m\"").unwrap_err().contains("add `url = "));
    }
}
