//! `keepfresh connect`: sends a browser to the provider and waits on this machine for it to come back,
//! or shows a code that a person types in elsewhere. Knows nothing of OAuth: the operator does.

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::time::Instant;

use crate::cli::arguments::Connect;
use crate::cli::callback::{Callback, Page};
use crate::cli::exit::Exit;
use crate::cli::patience::Patience;
use crate::cli::render::{self, people};
use crate::cli::visiting::Visiting;
use crate::cli::{browser, found, paste};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::command::Plain;
use crate::operator::reply::ConnectStep;
use crate::operator::{Command, Reply, Wish};

/// A poll at the very end of a code finds it ended.
const LAST_POLL: Duration = Duration::from_secs(1);

/// Connects an account and prints how it is then.
pub(super) async fn run(config: &Path, wanted: Connect, json: bool) -> Exit {
    let found = match found::find(config, json).await {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let mut visiting = Visiting::new(found);
    let result = connect(&mut visiting, &wanted).await;
    visiting.close().await;
    match result {
        Ok(reply) => render::reply(&reply, json, false),
        Err(failure) => render::failure(&failure, json),
    }
}

async fn connect(visiting: &mut Visiting, wanted: &Connect) -> Result<Reply, Failure> {
    let patience = Patience::new(Duration::from_secs(wanted.wait))?;
    let mut login = Login { id: named(wanted)?, visiting, patience };
    if wanted.device { login.by_code(wanted).await } else { login.by_browser(wanted).await }
}

/// `google-oauth --name ads` is `google-oauth/ads`.
fn named(wanted: &Connect) -> Result<ConnectionId, Failure> {
    let Some(name) = &wanted.name else { return Ok(wanted.connection.clone()) };
    let id = ConnectionId::new(wanted.connection.provider(), name);
    id.map_err(|it| Failure::new(Case::Misconfigured, code::Command::Usage, it.to_string()))
}

fn wish(wanted: &Connect) -> Wish {
    Wish { scopes: wanted.scope.clone(), other_account: wanted.other_account }
}

/// A login under way.
struct Login<'a> {
    id: ConnectionId,
    visiting: &'a mut Visiting,
    patience: Patience,
}

impl Login<'_> {
    async fn by_browser(&mut self, wanted: &Connect) -> Result<Reply, Failure> {
        let mut callback = Callback::listen(&wanted.host, wanted.port).await?;
        if wanted.paste {
            callback.take_pasted();
        }
        let (id, redirect_uri) = (self.id.clone(), callback.address());
        let start = Command::ConnectStart { id, redirect_uri, wish: wish(wanted) };
        let mut reply = self.patience.wait(self.visiting.look(start)).await??;
        loop {
            let Reply::Connect(step) = &reply else { return Ok(reply) };
            let ConnectStep::Browser { visit, url, again } = step else { return Ok(reply) };
            callback.answer(if *again { Page::Again(url.0.clone()) } else { Page::Nothing });
            // The address is always shown: the browser may open where the person does not see it.
            people::to_do(step).into_iter().for_each(render::hint);
            if wanted.paste {
                render::hint(paste::TO_DO);
            } else if !again && !wanted.no_browser {
                browser::open(url.0.expose_secret()).await;
            }
            reply = self.come_back(&mut callback, visit).await?;
        }
    }

    /// Waits for the browser. What anybody else sends is refused, and the person is waited for.
    async fn come_back(
        &mut self,
        callback: &mut Callback,
        visit: &Plain,
    ) -> Result<Reply, Failure> {
        loop {
            let query = Plain(self.patience.wait(callback.next()).await??);
            let finish = Command::ConnectFinish { visit: visit.clone(), query };
            match self.patience.finish(&self.id, self.visiting.settle(finish)).await {
                Err(failure) if failure.code == code::Connect::StateMismatch => {
                    callback.answer(Page::Failed(failure.message));
                }
                Err(failure) => {
                    callback.end(Page::Failed(failure.message.clone())).await;
                    return Err(failure);
                }
                Ok(reply @ Reply::Connect(ConnectStep::Connected { .. })) => {
                    callback.end(Page::Connected).await;
                    return Ok(reply);
                }
                Ok(reply) => return Ok(reply),
            }
        }
    }

    async fn by_code(&mut self, wanted: &Connect) -> Result<Reply, Failure> {
        let start = Command::DeviceStart { id: self.id.clone(), wish: wish(wanted) };
        let begun = Instant::now();
        let reply = self.patience.wait(self.visiting.look(start)).await??;
        let Reply::Connect(step) = reply else { return Ok(reply) };
        people::to_do(&step).into_iter().for_each(render::hint);
        let ConnectStep::Device { mut visit, interval_s, expires_in_s, .. } = step else {
            return Ok(Reply::Connect(step));
        };
        let (mut wait, mut told) = (interval_s, None);
        loop {
            let lived = begun.elapsed().as_secs();
            let Some(pause) = next_poll(wait, expires_in_s.saturating_sub(lived)) else {
                return Err(code_ended(told.as_deref()));
            };
            self.patience.wait(tokio::time::sleep(pause)).await?;
            let poll = Command::DevicePoll { visit: visit.clone() };
            match self.patience.finish(&self.id, self.visiting.settle(poll)).await? {
                Reply::Connect(ConnectStep::Waiting { visit: next, interval_s, trouble }) => {
                    tell(trouble.as_deref(), told.as_deref());
                    (visit, wait, told) = (next, interval_s, trouble);
                }
                reply => return Ok(reply),
            }
        }
    }
}

/// How long to wait for the next poll: never past the end of the code, which has so many seconds `left`.
fn next_poll(wait: u64, left: u64) -> Option<Duration> {
    let before_the_end = Duration::from_secs(left).checked_sub(LAST_POLL)?;
    Some(Duration::from_secs(wait).min(before_the_end.max(LAST_POLL)))
}

/// Says why polls are not answered, once for each reason.
fn tell(trouble: Option<&str>, before: Option<&str>) {
    if let Some(trouble) = trouble.filter(|it| Some(*it) != before) {
        render::hint(format!("{trouble}; still waiting for the login"));
    }
}

fn code_ended(trouble: Option<&str>) -> Failure {
    let last = trouble.map(|it| format!(" (the last poll: {it})")).unwrap_or_default();
    let message = format!("the code expired before it was confirmed{last}; connect again");
    Failure::new(Case::GrantExpired, code::Connect::Expired, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_waits_as_told_and_not_past_the_end_of_the_code() {
        let pause = |wait, left| next_poll(wait, left).map(|it| it.as_secs());
        assert_eq!(pause(5, 600), Some(5));
        assert_eq!(pause(32, 20), Some(19));
        assert_eq!(pause(5, 2), Some(1));
        assert_eq!(pause(5, 1), Some(1));
        assert_eq!(pause(5, 0), None);
        assert_eq!(pause(u64::MAX, u64::MAX).map(|it| it > 1 << 60), Some(true));
    }
}
