//! `log --follow`: the last attempts, then each one as it ends. It goes on behind a place in the order of
//! ends, so that an attempt that began early and ended late is met, and none is met twice.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::cli::exit::Exit;
use crate::cli::found::{self, Found};
use crate::cli::render::pages::Following;
use crate::cli::render::{self, door};
use crate::cli::run::carry_out;
use crate::model::attempt::Attempt;
use crate::model::failure::Failure;
use crate::model::id::AttemptId;
use crate::operator::reply::Followed;
use crate::operator::{Command, LogQuery, Reply};

/// The time between two looks.
const BETWEEN: Duration = Duration::from_secs(1);

/// Prints attempts, and new ones as they end, until it is interrupted.
pub(super) async fn run(config: &Path, query: LogQuery, json: bool) -> Exit {
    let mut found = match found::find(config, json).await {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let (mut place, mut following) = (None, Following::new(json));
    loop {
        let looked = match place {
            None => first(found, &query).await,
            Some(ref place) => behind(found, &query, place).await,
        };
        let (attempts, next) = match looked {
            Ok(looked) => looked,
            Err(failure) => return render::failure(&failure, json),
        };
        following.attempts(&attempts);
        if door::is_closed() {
            return Exit::Done;
        }
        if !next.more {
            tokio::select! {
                () = tokio::time::sleep(BETWEEN) => {}
                _ = tokio::signal::ctrl_c() => return Exit::Done,
            }
        }
        place = Some(next);
        found = match found::look(config).await {
            Ok(found) => found,
            Err(problems) => return render::problems(config, &problems, json),
        };
    }
}

/// Where to go on.
struct Place {
    behind: i64,
    more: bool,
    /// Those that were printed before the order was followed, and may come once more.
    printed: HashSet<AttemptId>,
}

/// The last attempts that have ended, as `log` has them. Where the order ends is asked first: what ends
/// between the two questions is then in both answers, and in neither by no chance.
async fn first(found: Found, query: &LogQuery) -> Result<(Vec<Attempt>, Place), Failure> {
    let (nobody, _) = mpsc::unbounded_channel();
    let end = Command::Follow { query: query.clone(), after: None };
    let end = followed(carry_out(found.clone(), end, &nobody).await?);
    let mut attempts = match carry_out(found, Command::Log(query.clone()), &nobody).await? {
        Reply::Attempts(attempts) => attempts,
        _ => Vec::new(),
    };
    // Those that are open are printed when they end.
    attempts.retain(|it| it.outcome().is_some());
    attempts.reverse();
    let printed = attempts.iter().map(|it| it.id).collect();
    Ok((attempts, Place { behind: end.next, more: false, printed }))
}

/// Those that have ended behind `place`.
async fn behind(
    found: Found,
    query: &LogQuery,
    place: &Place,
) -> Result<(Vec<Attempt>, Place), Failure> {
    let (nobody, _) = mpsc::unbounded_channel();
    let wanted = Command::Follow { query: query.clone(), after: Some(place.behind) };
    let mut ended = followed(carry_out(found, wanted, &nobody).await?);
    ended.attempts.retain(|it| !place.printed.contains(&it.id));
    // What ended before the first look was over has come by now, unless there is more of it.
    let printed = if ended.more { place.printed.clone() } else { HashSet::new() };
    Ok((ended.attempts, Place { behind: ended.next, more: ended.more, printed }))
}

fn followed(reply: Reply) -> Followed {
    match reply {
        Reply::Followed(followed) => followed,
        _ => Followed::default(),
    }
}
