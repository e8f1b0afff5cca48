//! Whether this deployment is healthy, and if not, what to do: everything that can be looked at
//! without sending anything.

use serde::{Deserialize, Serialize};

use crate::egress::proxy;
use crate::lifecycle::limits;
use crate::model::failure::Failure;
use crate::model::state::State;
use crate::operator::{Operator, PageQuery, Reply};
use crate::refresher::sentence;
use crate::storage::Filter;

/// Connections that are named; there may be any number of them.
const NAMED: usize = 20;

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
        findings.extend(self.plugin_files());
        findings.extend(self.secrets().await);
        findings.extend(self.providers());
        findings.extend(limits::too_few_files().map(|it| wrong("open files", it)));
        findings.extend(proxy::in_environment().map(|name| {
            fine(
                "proxy",
                format!("{name} is set, but keepfresh uses no proxy and connects directly"),
            )
        }));
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
        let finding = |file: &crate::operator::plugins::PluginView| match &file.refused {
            Some(error) => wrong(&format!("plugin {}", file.file), error.message.clone()),
            None => fine(
                &format!("plugin {}", file.file),
                file.version.as_deref().unwrap_or("not used by any provider"),
            ),
        };
        files.iter().map(finding).collect()
    }

    async fn secrets(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (provider, connection) in self.manifest().connections() {
            for (name, source) in provider.secrets_of(connection.id.name()) {
                if let Err(error) = source.read().await {
                    let what = format!("secret {name} of {}", connection.id);
                    findings.push(wrong(&what, error.to_string()));
                }
            }
        }
        findings
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

    async fn connections(&self) -> Finding {
        let (mut all, mut ill, mut named) = (0, 0, Vec::new());
        let mut page = PageQuery::default();
        loop {
            let found = match self.page(&Filter::default(), &page).await {
                Ok(found) => found,
                Err(failure) => return wrong("connections", failure.message),
            };
            all += found.rows.len();
            for it in &found.rows {
                if it.state.needs_a_person() || it.state == State::Late {
                    ill += 1;
                    let what = match &it.error {
                        Some(error) => error.message.clone(),
                        None => format!("{} is {}", it.id, it.state),
                    };
                    named.extend((ill <= NAMED).then_some(what));
                }
            }
            page.after = found.next;
            if page.after.is_none() {
                break;
            }
        }
        if ill == 0 {
            return fine("connections", format!("{all} in order"));
        }
        let more = if ill > NAMED { format!(", and {} more", ill - NAMED) } else { String::new() };
        wrong("connections", format!("{}{more}; see: keepfresh status", named.join(", ")))
    }
}
