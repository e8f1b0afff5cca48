//! Failures of many at once: those that fail alike share a line, with the names of a few and where the others
//! are found.

use crate::cli::render::line::Line;
use crate::cli::render::{door, progress, tone};
use crate::model::attempt::{Attempt, Outcome};
use crate::model::failure::Failure;

/// From so many on, those that fail alike share a line.
const ALIKE: usize = 4;

/// Names in a line that is shared.
const NAMED: usize = 5;

/// Those of `attempts` that failed.
pub(super) fn lines(attempts: Vec<Attempt>) -> Vec<Line> {
    let mut failed = attempts;
    failed.retain(|it| it.outcome() == Some(Outcome::Failed));
    let place = |it: &Attempt| (it.connection.clone(), it.error().map(|it| it.code.to_string()));
    failed.sort_by_cached_key(place);
    failed.sort_by(|one, other| cause(one).cmp(&cause(other)));
    let groups = failed.chunk_by(|one, other| cause(one) == cause(other));
    groups.flat_map(|it| if it.len() < ALIKE { each(it) } else { shared(it) }).collect()
}

/// The provider, and the code of what went wrong.
fn cause(attempt: &Attempt) -> (&str, &str) {
    let code = attempt.error().map(|it| it.code.text()).unwrap_or_default();
    (attempt.connection.provider(), code)
}

fn each(group: &[Attempt]) -> Vec<Line> {
    group
        .iter()
        .flat_map(|it| progress::line(it).folded(door::width_of_messages(), BELOW))
        .collect()
}

/// How far what belongs to a line is indented below it.
const BELOW: usize = 4;

fn shared(group: &[Attempt]) -> Vec<Line> {
    let [first, ..] = group else { return Vec::new() };
    let (count, provider) = (group.len(), first.connection.provider());
    let why = |it: &Failure| format!("[{}] {}", it.code, it.message);
    let why = first.error().map(why).unwrap_or_default();
    let head = tone::mark(false).then(format!(" {count} of {provider} failed  {why}"));
    let names = group.iter().take(NAMED).map(|it| it.connection.name()).collect::<Vec<_>>();
    let more = match count - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names = Line::from(format!("    {}{more}", names.join(", ")));
    let step = format!("    → keepfresh log --provider {provider} --outcome failed");
    let columns = door::width_of_messages();
    let mut lines = head.folded(columns, BELOW);
    lines.extend(names.folded(columns, BELOW));
    lines.push(step.into());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attempt::{Course, Spent, Trigger};
    use crate::model::code;
    use crate::model::failure::Case;
    use crate::model::id::AttemptId;

    fn attempt(id: &str, course: Course) -> Attempt {
        Attempt {
            id: AttemptId::generate(),
            connection: id.parse().unwrap(),
            trigger: Trigger::Manual,
            course,
            started_at: jiff::Timestamp::UNIX_EPOCH,
            duration_ms: Some(1),
            spent: Spent::default(),
            generation: 1,
        }
    }

    fn failed(code: code::Provider, message: &str) -> Course {
        Course::Failed(Failure::new(Case::Unavailable, code, message))
    }

    #[test]
    fn those_that_fail_alike_share_a_line_and_others_have_their_own() {
        let down = (10..30).map(|it| {
            attempt(&format!("rotor/u{it}"), failed(code::Provider::Unavailable, "rotor is down"))
        });
        let odd = attempt("rotor/odd", failed(code::Provider::Unexpected, "odd"));
        let fine = attempt("rotor/fine", Course::Success(None));
        let lines = lines(down.chain([odd, fine]).collect());
        let lines = lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            lines,
            [
                "✕ 20 of rotor failed  [provider.unavailable] rotor is down",
                "    u10, u11, u12, u13, u14 and 15 more",
                "    → keepfresh log --provider rotor --outcome failed",
                "✕ rotor/odd failed 1 ms  generation 1  [provider.unexpected] odd",
            ]
        );
    }
}
