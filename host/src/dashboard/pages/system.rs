//! What this installation runs on, how refreshes went, and what the doctor finds when it is asked.

use std::path::Path;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::dashboard::Dashboard;
use crate::dashboard::frame::{Frame, Section, page};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::model::said::for_a_shell;
use crate::operator::doctor::Finding;
use crate::operator::reply::{FiguresView, StatsView};
use crate::operator::system::SystemView;
use crate::operator::{Command, Reply};

const DAY: u64 = 86_400;

#[derive(Template)]
#[template(path = "system.html")]
struct System {
    frame: Frame,
    view: SystemView,
    /// What makes a copy of the database.
    copy: String,
    stats: Vec<(String, StatsView)>,
}

#[derive(Template)]
#[template(path = "doctor.html")]
struct Doctor {
    frame: Frame,
    findings: Vec<Finding>,
}

/// The page.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    person: Person,
) -> Result<Response, Refused> {
    let Reply::System(system) = dashboard.ask(person.actor(), Command::System).await? else {
        return Err(Refused::Fault);
    };
    let frame = Frame::new(&dashboard, &person, Section::System, String::new());
    let words = frame.words.clone();
    let periods = [
        (words.say("attempts-24h"), DAY),
        (words.say("attempts-7d"), 7 * DAY),
        (words.say("attempts-30d"), 30 * DAY),
    ];
    let mut stats = Vec::new();
    for (name, since_s) in periods {
        let asked =
            dashboard.ask(person.actor(), Command::Stats { provider: None, since_s }).await?;
        let Reply::Stats(found) = asked else { return Err(Refused::Fault) };
        stats.push((name, found));
    }
    let copy = copy_of(&system.database);
    page(&System { frame: frame.called("system-title").live(), view: *system, copy, stats })
}

/// A copy of one moment, whatever is written meanwhile, for its owner alone. `cp` would leave out what is in the
/// write-ahead log, and `.backup` begins anew with each write of another process.
fn copy_of(database: &Path) -> String {
    let database = for_a_shell(&database.to_string_lossy());
    format!("umask 077\nsqlite3 {database} \"vacuum into 'keepfresh-copy.db'\"")
}

/// Looks at everything: for who asks, because it reads the whole database.
pub(in crate::dashboard) async fn doctor(
    State(dashboard): State<Dashboard>,
    person: Person,
) -> Result<Response, Refused> {
    person.may_change()?;
    let Reply::Findings(findings) = dashboard.ask(person.actor(), Command::Doctor).await? else {
        return Err(Refused::Fault);
    };
    let frame = Frame::new(&dashboard, &person, Section::System, String::new());
    page(&Doctor { frame: frame.called("doctor-title"), findings })
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "templates give references"
)]
impl System {
    /// A share as a percentage; none of nothing.
    fn rate(figures: &FiguresView) -> String {
        figures.success_rate.map_or_else(|| "–".to_owned(), |it| format!("{:.1} %", it * 100.0))
    }

    fn ms(&self, ms: &Option<u64>) -> String {
        ms.map_or_else(|| "–".to_owned(), |it| self.frame.took(&it))
    }

    /// `12.3 MiB`.
    fn bytes(count: &u64) -> String {
        let (mut unit, mut left, mut rest) = (0, *count, 0);
        while left >= 1024 && unit < 4 {
            (rest, left, unit) = (left % 1024, left / 1024, unit + 1);
        }
        format!("{left}.{} {}", rest * 10 / 1024, ["B", "KiB", "MiB", "GiB", "TiB"][unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_copies_can_be_pasted_whatever_the_path_is() {
        let check = |path: &str| copy_of(Path::new(path)).lines().last().unwrap().to_owned();
        let into = "\"vacuum into 'keepfresh-copy.db'\"";
        assert_eq!(check("/var/lib/k.db"), format!("sqlite3 /var/lib/k.db {into}"));
        assert_eq!(check("/a b/it's.db"), format!(r"sqlite3 '/a b/it'\''s.db' {into}"));
    }
}
