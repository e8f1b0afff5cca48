//! What is wrong, in one line for each provider and cause, however many connections it is about: the same troubles
//! that alerts tell of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::alert::Cause;
use crate::model::clock;
use crate::model::code::Code;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::model::said::count;
use crate::operator::Operator;
use crate::refresher::host_fault;
use crate::storage::{Examples, Trouble};

/// Causes and connections that a line names.
const NAMED: u32 = 3;

/// Lines with causes; there are as many as providers in trouble.
const EXPLAINED: usize = 50;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleView {
    /// Whose.
    pub provider: String,
    /// What has to be done.
    pub cause: Cause,
    /// How many connections.
    pub connections: u64,
    /// How many of them have a token that ends soon.
    pub ending: u64,
    /// How many of them have a token that has ended.
    pub expired: u64,
    /// What is wrong.
    pub sentence: String,
    /// A command that helps.
    pub next_step: String,
    /// What helps with the most frequent cause, in words.
    pub remedy: Option<String>,
    /// The most frequent causes.
    pub causes: Vec<CauseView>,
    /// Names of some of the connections.
    pub names: Vec<String>,
}

/// A cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseView {
    /// `area.cause`.
    pub code: Code,
    /// Of how many.
    pub count: u64,
    /// What one of them says.
    pub message: String,
}

impl Operator {
    /// What is wrong at `now`, the worst first.
    pub(super) async fn troubles(&self, now: Timestamp) -> Result<Vec<TroubleView>, Failure> {
        let manifest = self.manifest();
        let soon = clock::after(now, manifest.alerts.critical_within);
        let held = self.0.refresher.turns.held(manifest.providers.keys());
        let storage = &self.0.storage;
        let found = storage.troubles(now, soon, &held).await;
        let mut found = found.map_err(|it| host_fault(&it))?;
        found.sort_by_key(rank);
        let mut views = Vec::with_capacity(found.len());
        for (place, trouble) in found.into_iter().enumerate() {
            let examples = if place < EXPLAINED {
                let (provider, problem) = (&trouble.provider, trouble.problem);
                let examples = storage.examples(provider, problem, NAMED).await;
                examples.map_err(|it| host_fault(&it))?
            } else {
                Examples::default()
            };
            views.push(TroubleView::of(trouble, examples));
        }
        Ok(views)
    }
}

/// What only a person can mend comes first, then what callers feel; of each, what concerns most.
fn rank(trouble: &Trouble) -> (bool, bool, std::cmp::Reverse<u64>, String) {
    let Trouble { provider, problem, affected, expired, .. } = trouble;
    (problem.is_none(), *expired == 0, std::cmp::Reverse(*affected), provider.clone())
}

impl TroubleView {
    fn of(trouble: Trouble, examples: Examples) -> Self {
        let Examples { names, causes } = examples;
        let cause = |(code, count, message): (String, u64, String)| CauseView {
            code: Code::read(&code),
            count,
            message,
        };
        let causes = causes.into_iter().filter(|it| !it.0.is_empty()).map(cause);
        let causes = causes.collect::<Vec<_>>();
        Self {
            sentence: sentence(&trouble, causes.first()),
            next_step: next_step(&trouble, &names),
            remedy: causes.first().and_then(|it| it.code.remedy()).map(str::to_owned),
            provider: trouble.provider,
            cause: Cause::of(trouble.problem),
            connections: trouble.affected,
            ending: trouble.ending,
            expired: trouble.expired,
            causes,
            names,
        }
    }
}

fn sentence(trouble: &Trouble, cause: Option<&CauseView>) -> String {
    let Trouble { provider, affected, ending, expired, .. } = trouble;
    let many = count(*affected, "connection");
    let verb = if *affected == 1 { "needs" } else { "need" };
    let what = match Cause::of(trouble.problem) {
        Cause::Reconnect => format!("{many} of {provider} {verb} a person to log in"),
        Cause::Misconfigured | Cause::Approval => {
            format!("{many} of {provider} {verb} a correction")
        }
        Cause::Failing if *expired > 0 => {
            format!("{many} of {provider} cannot be refreshed; callers of {expired} fail")
        }
        Cause::Failing if *ending > 0 => {
            format!("{many} of {provider} cannot be refreshed; callers of {ending} fail soon")
        }
        Cause::Failing => {
            format!("{many} of {provider} cannot be refreshed; callers have tokens that work")
        }
    };
    let why = cause.map(|it| it.message.trim().trim_end_matches('.')).filter(|it| !it.is_empty());
    why.map_or_else(|| format!("{what}."), |why| format!("{what}: {why}."))
}

fn next_step(trouble: &Trouble, names: &[String]) -> String {
    let provider = &trouble.provider;
    let only = names.first().filter(|_| trouble.affected == 1);
    let only = only.and_then(|it| ConnectionId::new(provider, it).ok());
    match (Cause::of(trouble.problem), only) {
        (Cause::Reconnect, Some(id)) => format!("keepfresh connect {id}"),
        (Cause::Failing, Some(id)) => format!("keepfresh refresh {id}"),
        (Cause::Failing, None) => format!("keepfresh refresh --failed --provider {provider}"),
        (_, Some(id)) => format!("keepfresh connection show {id}"),
        (_, None) => format!("keepfresh status --provider {provider}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connection::Problem;

    fn trouble(problem: Option<Problem>, counts: [u64; 3]) -> Trouble {
        let [affected, ending, expired] = counts;
        Trouble { provider: "google".to_owned(), problem, affected, ending, expired }
    }

    fn view(problem: Option<Problem>, counts: [u64; 3]) -> TroubleView {
        let causes = vec![("provider.rejected".to_owned(), 2, "the grant is gone.".to_owned())];
        let examples = Examples { names: vec!["a".to_owned()], causes };
        TroubleView::of(trouble(problem, counts), examples)
    }

    #[test]
    fn a_line_says_how_many_of_whom_need_what_and_why() {
        let reconnect = view(Some(Problem::Reconnect), [300, 0, 300]);
        assert_eq!(
            reconnect.sentence,
            "300 connections of google need a person to log in: the grant is gone."
        );
        assert_eq!(reconnect.next_step, "keepfresh status --provider google");
        let one = view(Some(Problem::Reconnect), [1, 0, 0]);
        assert_eq!(
            one.sentence,
            "1 connection of google needs a person to log in: the grant is gone."
        );
        assert_eq!(one.next_step, "keepfresh connect google/a");
        let failing = view(None, [168, 0, 12]);
        assert_eq!(
            failing.sentence,
            "168 connections of google cannot be refreshed; callers of 12 fail: the grant is gone."
        );
        assert_eq!(failing.next_step, "keepfresh refresh --failed --provider google");
    }

    #[test]
    fn the_worst_comes_first() {
        let mut all = [
            trouble(None, [900, 0, 0]),
            trouble(None, [3, 0, 1]),
            trouble(Some(Problem::Misconfigured), [1, 0, 0]),
            trouble(Some(Problem::Reconnect), [5, 0, 0]),
        ];
        all.sort_by_key(rank);
        assert_eq!(all.map(|it| it.affected), [5, 1, 3, 900]);
    }
}
