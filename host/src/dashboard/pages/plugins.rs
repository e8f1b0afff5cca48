//! Plugin files: what each may reach and read, and what waits to be approved. Approving is for whoever has the
//! machine: a stolen session must not be able to let a plugin send passwords elsewhere.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::dashboard::Dashboard;
use crate::dashboard::frame::{Frame, Section, page};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::operator::inspected::PluginDetails;
use crate::operator::plugins::PluginView;
use crate::operator::{Command, Reply};
use crate::sandbox::{DEFAULT_MEMORY, MAX_CPU_MS, MAX_MEMORY, MAX_REQUESTS, MOST_REQUESTS};

#[derive(Template)]
#[template(path = "plugins.html")]
struct Plugins {
    frame: Frame,
    rows: Vec<PluginView>,
}

#[derive(Template)]
#[template(path = "plugin.html")]
struct Plugin {
    frame: Frame,
    details: PluginDetails,
}

/// All of them.
pub(in crate::dashboard) async fn list(
    State(dashboard): State<Dashboard>,
    person: Person,
) -> Result<Response, Refused> {
    let reply = dashboard.ask(person.actor(), Command::Plugins).await?;
    let Reply::Plugins(rows) = reply else { return Err(Refused::Fault) };
    let frame = Frame::new(&dashboard, &person, Section::Plugins, String::new());
    page(&Plugins { frame: frame.called("plugins-title").live(), rows })
}

/// One of them.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(file): Path<String>,
) -> Result<Response, Refused> {
    let reply = dashboard.ask(person.actor(), Command::Plugin { file: file.clone() }).await;
    let reply = reply.map_err(|_| Refused::NotFound)?;
    let Reply::Plugin(details) = reply else { return Err(Refused::Fault) };
    let frame = Frame::new(&dashboard, &person, Section::Plugins, file).live();
    page(&Plugin { frame, details: *details })
}

impl Plugin {
    /// The file without `.wasm`.
    fn stem(&self) -> &str {
        let file = &self.details.view.file;
        file.strip_suffix(".wasm").unwrap_or(file)
    }

    /// What each of its calls may use.
    fn limits(&self) -> String {
        let [memory, granted] = [DEFAULT_MEMORY, MAX_MEMORY].map(|it| (it >> 20).to_string());
        let (cpu, requests) = (MAX_CPU_MS.to_string(), MAX_REQUESTS.to_string());
        let most = MOST_REQUESTS.to_string();
        let all = [
            ("memory", &*memory),
            ("granted", &*granted),
            ("cpu", &*cpu),
            ("requests", &*requests),
            ("most", &*most),
        ];
        self.frame.words.with("plugin-limits-text", &all)
    }

    fn kind(&self, kind: &str) -> String {
        let words = &self.frame.words;
        match kind {
            "version" => words.say("plugin-version"),
            "file" => words.say("plugin-file"),
            "requests" => words.say("plugin-requests"),
            "reads" => words.say("plugin-reads"),
            "seals" => words.say("plugin-seals"),
            "secrets" => words.say("plugin-secrets"),
            "signs" => words.say("plugin-signs"),
            "imports" => words.say("plugin-imports"),
            "settings" => words.say("plugin-settings"),
            _ => words.say("plugin-terms"),
        }
    }
}
