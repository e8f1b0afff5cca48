//! One plugin file, and one provider, as whoever decides about them reads them: what a plugin asks for beside what was
//! approved, and what a new connection needs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalogue::{FileReport, LockEntry, Sample};
use crate::manifest::provider::Provider;
use crate::model::code;
use crate::model::descriptor::{Descriptor, Field};
use crate::model::failure::{Case, Failure};
use crate::model::state::Access;
use crate::operator::plugins::PluginView;
use crate::operator::view::access_of;
use crate::operator::{Operator, Reply};

/// A plugin file, with what it does and what it may.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PluginDetails {
    /// The line of `plugin list`.
    pub view: PluginView,
    /// What it says of itself; none where the file cannot be read.
    pub descriptor: Option<Descriptor>,
    /// What each of its requests sends, and where to.
    pub sends: Vec<String>,
    /// What was approved, beside what the file asks for now.
    pub differences: Vec<Difference>,
    /// The command that approves the file, where it waits for that.
    pub approve: Option<String>,
    /// A provider's table for the manifest.
    pub sample: Option<String>,
}

/// One kind of thing that a plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which: `requests`, `reads`.
    pub kind: String,
    /// Each line with whether it was approved, and whether the file asks for it.
    pub lines: Vec<(String, bool, bool)>,
}

impl Difference {
    /// What is asked for and was not approved.
    pub fn is_new(&self) -> bool {
        self.lines.iter().any(|(_, approved, asked)| *asked && !approved)
    }
}

/// What a new connection of a provider needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FormView {
    /// The provider's name in the manifest.
    pub provider: String,
    /// Its name for people.
    pub title: String,
    /// One sentence about it.
    pub about: String,
    /// How a connection gets its first token.
    pub by: By,
    /// What a connection may set for itself.
    pub settings: Vec<FieldView>,
    /// Secrets that it may have for itself.
    pub secrets: Vec<FieldView>,
}

/// How a connection gets its first token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// It logs in by itself.
    Login,
    /// A person logs in.
    Person,
    /// Somebody brings a token.
    Token,
}

/// One field of a form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FieldView {
    /// Its key.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What to put there.
    pub help: String,
    /// Whether the connection lacks it otherwise.
    pub required: bool,
    /// What holds when it is left empty; of a secret only that there is one.
    pub given: Option<String>,
}

impl Operator {
    pub(super) fn inspect(&self, file: &str) -> Result<Reply, Failure> {
        let shelf = self.0.catalogue.shelf();
        let report = shelf.files.iter().find(|it| it.file == file);
        let view = self.plugins().into_iter().find(|it| it.file == file);
        let (Some(report), Some(view)) = (report, view) else {
            let message = format!("{file} is not in the plugin folder; see: keepfresh plugin list");
            return Err(Failure::new(Case::Misconfigured, code::PluginFile::Missing, message));
        };
        let descriptor = report.program.as_ref().map(|it| it.descriptor().clone());
        let sends =
            descriptor.as_ref().map(|it| it.access.iter().map(|one| it.sentence(one)).collect());
        let stem = file.strip_suffix(".wasm").unwrap_or(file);
        Ok(Reply::Plugin(Box::new(PluginDetails {
            sends: sends.unwrap_or_default(),
            sample: descriptor.as_ref().map(|it| Sample::of(stem, stem, it).text),
            differences: differences(report),
            approve: report.approve_command(),
            descriptor,
            view,
        })))
    }

    pub(super) fn form(&self, provider: &str) -> Result<Reply, Failure> {
        let plugin = self.0.catalogue.plugin(provider)?;
        let descriptor = plugin.descriptor();
        let own = |it: &&Field| plugin.admit([it.name.as_str()], []).is_ok();
        let settings = descriptor.settings.iter().filter(own);
        let by = match access_of(Some(&plugin)) {
            Access::LogsIn => By::Login,
            Access::Browser => By::Person,
            Access::Token => By::Token,
        };
        Ok(Reply::Form(Box::new(FormView {
            provider: provider.to_owned(),
            title: descriptor.title.clone(),
            about: descriptor.about.clone(),
            by,
            settings: settings.map(|it| setting(plugin.provider(), it)).collect(),
            secrets: descriptor.secrets.iter().map(|it| secret(plugin.provider(), it)).collect(),
        })))
    }
}

fn setting(provider: &Provider, field: &Field) -> FieldView {
    let given = provider.settings.get(&field.name).or(field.default.as_ref()).cloned();
    FieldView { required: field.required && given.is_none(), given, ..view(field) }
}

fn secret(provider: &Provider, field: &Field) -> FieldView {
    let given = provider.secrets.contains_key(&field.name).then(String::new);
    FieldView { required: field.required && given.is_none(), given, ..view(field) }
}

fn view(field: &Field) -> FieldView {
    let Field { name, title, help, required, .. } = field.clone();
    FieldView { name, title, help, required, given: None }
}

/// Kind by kind, without what is the same on both sides.
fn differences(report: &FileReport) -> Vec<Difference> {
    // The first file of its name was taken as the operator has put it there.
    let Some(approved) = report.approved.as_ref().map(lines) else { return Vec::new() };
    let asked = report.asks.as_ref().map(lines).unwrap_or_default();
    let kinds = approved.keys().chain(asked.keys()).collect::<BTreeSet<_>>();
    let none = BTreeSet::new();
    let of = |kind: &&'static str| {
        let [old, new] = [&approved, &asked].map(|it| it.get(*kind).unwrap_or(&none));
        let lines = old.union(new).map(|it| (it.clone(), old.contains(it), new.contains(it)));
        Difference { kind: (*kind).to_owned(), lines: lines.collect() }
    };
    let all = kinds.into_iter().map(of);
    all.filter(|it| it.lines.iter().any(|(_, old, new)| old != new)).collect()
}

/// What an entry says, by kind.
fn lines(entry: &LockEntry) -> BTreeMap<&'static str, BTreeSet<String>> {
    let pairs = |all: &BTreeMap<String, String>| {
        all.iter().map(|(name, value)| format!("{name} = {value}")).collect::<BTreeSet<_>>()
    };
    let set = |all: &[String]| all.iter().cloned().collect::<BTreeSet<_>>();
    let requests = entry.access.iter().map(|(request, carries)| match carries.as_slice() {
        [] => request.clone(),
        carries => format!("{request} ← {}", carries.join(", ")),
    });
    BTreeMap::from([
        ("version", BTreeSet::from([entry.version.clone()])),
        ("file", BTreeSet::from([crate::model::said::digest(&entry.digest)])),
        ("requests", requests.collect()),
        ("reads", set(&entry.reads)),
        ("seals", set(&entry.sealed)),
        ("secrets", set(&entry.secrets)),
        ("signs", set(&entry.signs)),
        ("imports", set(&entry.imports)),
        ("settings", pairs(&entry.defaults)),
        ("terms", pairs(&entry.terms)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(requests: &[&str]) -> LockEntry {
        let access = requests.iter().map(|it| ((*it).to_owned(), vec!["password".to_owned()]));
        LockEntry {
            version: "1.0.0".to_owned(),
            digest: "aa".to_owned(),
            imports: Vec::new(),
            access: access.collect(),
            defaults: BTreeMap::new(),
            secrets: vec!["password".to_owned()],
            signs: Vec::new(),
            reads: Vec::new(),
            sealed: Vec::new(),
            terms: BTreeMap::new(),
        }
    }

    fn report(approved: Option<LockEntry>, asks: Option<LockEntry>) -> FileReport {
        FileReport { approved, asks, ..FileReport::of("x.wasm") }
    }

    #[test]
    fn only_what_differs_is_shown_and_on_which_side() {
        let both = report(
            Some(entry(&["GET https://a", "GET https://b"])),
            Some(entry(&["GET https://b", "GET https://c"])),
        );
        let found = differences(&both);
        assert_eq!(found.len(), 1, "{found:?}");
        let lines = &found[0].lines;
        assert_eq!(found[0].kind, "requests");
        assert_eq!(lines[0], ("GET https://a ← password".to_owned(), true, false));
        assert_eq!(lines[1], ("GET https://b ← password".to_owned(), true, true));
        assert_eq!(lines[2], ("GET https://c ← password".to_owned(), false, true));
        assert!(found[0].is_new());
    }

    #[test]
    fn what_is_as_it_was_approved_has_no_difference() {
        let same = entry(&["GET https://a"]);
        assert!(differences(&report(Some(same.clone()), Some(same.clone()))).is_empty());
        assert!(differences(&report(None, Some(same))).is_empty());
    }
}
