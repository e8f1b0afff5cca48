//! One request from the journal to the answer, as the script wants it.
//!
//! It runs to its end even when the client goes away: a real provider that has read a refresh token rotates it,
//! whether or not somebody waits for the answer.

use std::time::Duration;

use tokio::time::sleep;

use crate::provider::{
    answer::Answer,
    call::Call,
    ledger::Handed,
    script::{Fate, Scenario},
    service::Reply,
    shared::Shared,
};

/// What is to be sent.
pub(crate) struct Delivery {
    pub(crate) sequence: u64,
    pub(crate) answer: Answer,
    pub(crate) handed: Option<Handed>,
    pub(crate) line: Line,
}

/// How far it gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Whole,
    CutBody,
    CutNow,
    Silent,
}

pub(crate) async fn exchange(shared: &Shared, call: Call) -> Delivery {
    let (sequence, scenario) = admit(shared, &call);
    let delivery = match scenario {
        None => sending(sequence, act(shared, sequence, &call)),
        Some(scenario) => follow(shared, sequence, &call, scenario).await,
    };
    if matches!(delivery.line, Line::Whole | Line::CutBody) {
        shared.state().journal.answered(sequence, delivery.answer.status);
    }
    delivery
}

fn admit(shared: &Shared, call: &Call) -> (u64, Option<Scenario>) {
    let mut state = shared.state();
    let sequence = state.journal.note(call, shared.started.elapsed());
    (sequence, state.script.take(&call.path))
}

async fn follow(shared: &Shared, sequence: u64, call: &Call, scenario: Scenario) -> Delivery {
    pause(scenario.before()).await;
    let mut delivery = match &scenario.fate {
        Fate::Answer(answer) => sending(sequence, answer.clone().into()),
        Fate::Hang => ending(sequence, Line::Silent),
        Fate::CutBefore => ending(sequence, Line::CutNow),
        fate => {
            prepare(shared, fate);
            sending(sequence, act(shared, sequence, call))
        }
    };
    pause(scenario.after()).await;
    spoil(&mut delivery, scenario.fate);
    delivery
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        sleep(duration).await;
    }
}

/// One lock for the whole act, so that no two requests see the same generation as current.
fn act(shared: &Shared, sequence: u64, call: &Call) -> Reply {
    let mut state = shared.state();
    let now = state.clock.now();
    state.journal.acted(sequence);
    state.service.act(call, now)
}

fn prepare(shared: &Shared, fate: &Fate) {
    let mut state = shared.state();
    match fate {
        Fate::RejectCredentials => state.service.credentials().reject(true),
        Fate::RevokeEverything => state.service.revoke_everything(),
        _ => {}
    }
}

/// Does to the answer what its fate says. An answer that does not carry the tokens hands nothing out.
fn spoil(delivery: &mut Delivery, fate: Fate) {
    match fate {
        Fate::ActThenAnswer(answer) => {
            delivery.answer = answer;
            delivery.handed = None;
        }
        Fate::Merge(extra) => replace(delivery, |answer| answer.merged(&extra)),
        Fate::Truncate => {
            replace(delivery, Answer::halved);
            delivery.handed = None;
        }
        Fate::ActThenHang => delivery.line = Line::Silent,
        Fate::CutAfter => delivery.line = Line::CutNow,
        Fate::CutBody => delivery.line = Line::CutBody,
        Fate::Act
        | Fate::Answer(_)
        | Fate::Hang
        | Fate::CutBefore
        | Fate::RejectCredentials
        | Fate::RevokeEverything => {}
    }
}

fn replace(delivery: &mut Delivery, change: impl FnOnce(Answer) -> Answer) {
    delivery.answer = change(delivery.answer.clone());
}

fn sending(sequence: u64, reply: Reply) -> Delivery {
    Delivery { sequence, answer: reply.answer, handed: reply.handed, line: Line::Whole }
}

fn ending(sequence: u64, line: Line) -> Delivery {
    Delivery { sequence, answer: Answer::new(500, "text/plain", ""), handed: None, line }
}
