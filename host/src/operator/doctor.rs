//! Whether this deployment is healthy, and if not, what to do: everything that can be looked at
//! without sending anything.

use serde::{Deserialize, Serialize};

use crate::egress::proxy;
use crate::lifecycle::limits;
use crate::manifest;
use crate::model::failure::Failure;
use crate::model::state::State;
use crate::operator::channels::ChannelView;
use crate::operator::examine::Examined;
use crate::operator::plugins::PluginView;
use crate::operator::sinks::SinkView;
use crate::operator::view::ConnectionView;
use crate::operator::{Operator, PageQuery, Reply};
use crate::refresher::sentence;
use crate::storage::Filter;

/// Connections that are named; there may be any number of them.
const NAMED: usize = 5;

/// Rows that cannot be read and say why.
const UNREADABLE: usize = 3;

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// Whether it is in order.
    pub ok: bool,
    /// What was looked at.
    pub what: String,
    /// What was found, and what to do about it.
    pub detail: String,
}

fn fine(what: &str, detail: impl Into<String>) -> Finding {
    Finding { ok: true, what: what.to_owned(), detail: detail.into() }
}

fn wrong(what: &str, detail: impl Into<String>) -> Finding {
    Finding { ok: false, what: what.to_owned(), detail: detail.into() }
}

impl Operator {
    pub(super) async fn doctor(&self) -> Result<Reply, Failure> {
        let mut findings = vec![self.database().await, self.daemon()];
        findings.extend(self.manifest_file());
        findings.extend(self.plugin_files());
        findings.extend(self.examinations().await);
        findings.extend(self.providers());
        findings.extend(limits::too_few_files().map(|it| wrong("open files", it)));
        findings.extend(proxy::in_environment().map(|name| {
            fine(
                "proxy",
                format!("{name} is set, but keepfresh uses no proxy and connects directly"),
            )
        }));
        findings.extend(self.channel_states().await);
        findings.extend(self.sink_states().await);
        findings.push(self.connections().await);
        Ok(Reply::Findings(findings))
    }

    async fn database(&self) -> Finding {
        match self.0.storage.check().await {
            Ok(None) => fine("database", "intact, write-ahead log, synchronous writes"),
            Ok(Some(damage)) => wrong("database", format!("{damage}; restore it from a backup")),
            Err(error) => wrong("database", error.to_string()),
        }
    }

    fn daemon(&self) -> Finding {
        if self.0.daemon {
            return fine("daemon", "running");
        }
        wrong(
            "daemon",
            "not running: nothing is refreshed automatically; start it with: keepfresh serve",
        )
    }

    fn plugin_files(&self) -> Vec<Finding> {
        let files = self.plugins();
        if files.is_empty() {
            let dir = self.manifest().plugins.dir.display().to_string();
            return vec![wrong("plugins", format!("no .wasm file in {dir}; put one there"))];
        }
        // What is refused is told by the examinations.
        let used = files.iter().filter(|it| it.refused.is_none());
        let finding = |file: &PluginView| {
            let version = file.version.as_deref().unwrap_or("not used by any provider");
            fine(&format!("plugin {}", file.file), version)
        };
        used.map(finding).collect()
    }

    /// What an examination finds, and that the rest is in order.
    async fn examinations(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for Examined { what, fine: said, faults } in self.examine().await {
            if faults.is_empty() {
                findings.push(fine(what, said));
            }
            findings.extend(faults.iter().map(|it| wrong(&it.what, it.sentence())));
        }
        findings
    }

    /// The manifest as it is now, where a daemon still uses the one before.
    fn manifest_file(&self) -> Option<Finding> {
        let problems = manifest::load(&self.manifest().path).err()?;
        let (count, first) = (problems.len(), problems.first()?);
        let detail = format!(
            "{first} ({count} in all); the manifest before it is still in use; see: keepfresh check"
        );
        Some(wrong("manifest", detail))
    }

    /// Those that are down, or want to be asked less.
    fn providers(&self) -> Vec<Finding> {
        let manifest = self.manifest();
        let finding = |name: &String| {
            let wait = self.0.refresher.turns.wait_for(name)?;
            Some(wrong(&format!("provider {name}"), sentence(name, wait)))
        };
        manifest.providers.keys().filter_map(finding).collect()
    }

    /// Those that nothing reaches.
    async fn channel_states(&self) -> Vec<Finding> {
        let channels = match self.channels().await {
            Ok(channels) => channels,
            Err(failure) => return vec![wrong("channels", failure.message)],
        };
        let finding = |it: &ChannelView| {
            let what = format!("channel {}", it.name);
            match it.fault() {
                Some(fault) => {
                    wrong(&what, format!("{fault}; see: keepfresh channel test {}", it.name))
                }
                None => fine(&what, it.state.word()),
            }
        };
        channels.iter().map(finding).collect()
    }

    /// Those that do not deliver.
    async fn sink_states(&self) -> Vec<Finding> {
        let sinks = match self.sinks().await {
            Ok(sinks) => sinks,
            Err(failure) => return vec![wrong("sinks", failure.message)],
        };
        let finding = |it: &SinkView| {
            let what = format!("sink {}", it.name);
            match it.fault() {
                Some(fault) => {
                    wrong(&what, format!("{fault}; see: keepfresh sink run {}", it.name))
                }
                None => fine(&what, it.state.word()),
            }
        };
        sinks.iter().map(finding).collect()
    }

    async fn connections(&self) -> Finding {
        let mut found = Found::default();
        let mut page = PageQuery::default();
        loop {
            let rows = match self.page(&Filter::default(), &page).await {
                Ok(found) => found,
                Err(failure) => return wrong("connections", failure.message),
            };
            rows.rows.iter().for_each(|it| found.add(it));
            page.after = rows.next;
            if page.after.is_none() {
                return found.finding();
            }
        }
    }
}

/// What was found of the connections: how many are in which state, and the names of a few.
#[derive(Default)]
struct Found {
    all: usize,
    states: Vec<(State, usize)>,
    named: Vec<String>,
    unreadable: Vec<String>,
}

impl Found {
    fn add(&mut self, view: &ConnectionView) {
        self.all += 1;
        if !view.state.needs_a_person() && view.state != State::Late {
            return;
        }
        match self.states.iter_mut().find(|(state, _)| *state == view.state) {
            Some((_, count)) => *count += 1,
            None => self.states.push((view.state, 1)),
        }
        if self.named.len() < NAMED {
            self.named.push(view.short.clone());
        }
        let unreadable = view.error.as_ref().filter(|_| self.unreadable.len() < UNREADABLE);
        self.unreadable.extend(unreadable.map(|it| it.message.clone()));
    }

    fn finding(self) -> Finding {
        let ill = self.states.iter().map(|(_, count)| count).sum::<usize>();
        if ill == 0 {
            return fine("connections", format!("{} in order", self.all));
        }
        let states = self.states.iter().map(|(state, count)| format!("{count} {state}"));
        let states = states.collect::<Vec<_>>().join(", ");
        let more = match ill - self.named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let unreadable = self.unreadable.iter().map(|it| format!("; {it}"));
        let unreadable = unreadable.collect::<Vec<_>>().concat();
        let detail = format!(
            "{states} of {}: {}{more}{unreadable}; see: keepfresh status",
            self.all,
            self.named.join(", ")
        );
        wrong("connections", detail)
    }
}
