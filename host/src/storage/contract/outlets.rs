//! Outlets, their messages and what they have said; and what is told of ends.

use std::time::Duration;

use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::connection::Problem;
use crate::model::event::{Event, EventKind};
use crate::storage::{Begun, Ending, Failed, Noted, Outlet, Settled, Storage, Trouble};

on_every_engine! {
    what_was_heard_and_what_is_said_of_it_is_one_step
    a_message_waits_until_it_is_delivered_or_given_up
    an_outlet_that_is_forgotten_leaves_nothing_behind
    troubles_are_counted_by_provider_and_problem
    what_waits_for_a_provider_is_in_trouble_with_it
    each_end_is_told_of_once_for_its_generation
}

const OPS: &str = "channel:ops";

fn noted(messages: &[&str]) -> Noted {
    let messages = messages.iter().map(|it| (*it).to_owned()).collect();
    Noted { outlet: OPS.to_owned(), messages, at: at(5), ..Noted::default() }
}

fn settled(message: i64, second: i64, ending: Ending) -> Settled {
    Settled { outlet: OPS.to_owned(), message: Some(message), ending, at: at(second) }
}

/// Ends an attempt of a connection so.
async fn fails(storage: &Storage, number: usize, problem: Option<Problem>) {
    let begun = begin(number, None);
    let attempt = begun.attempt;
    assert_eq!(storage.begin(begun).await.unwrap(), Begun::Yes);
    let event = Event {
        kind: EventKind::Failed,
        connection: id(number),
        at: at(2),
        generation: 0,
        code: None,
    };
    let failed =
        Failed { connection: id(number), problem, events: vec![event], ..failed(attempt, 0) };
    assert_eq!(storage.fail(failed).await.unwrap(), Begun::Yes);
}

async fn what_was_heard_and_what_is_said_of_it_is_one_step(fresh: Fresh) {
    let fresh = fresh.with(1).await;
    let storage = &fresh.storage;
    let ears = storage.listen(OPS, &[EventKind::Failed]).await.unwrap();
    fails(storage, 0, None).await;
    let last = ears.waiting(9).await.unwrap()[0].id;
    let alerts = vec![("failing:x".to_owned(), Some("{}".to_owned()))];
    storage.note(Noted { seen: Some(last), alerts, ..noted(&["a", "b"]) }).await.unwrap();
    assert!(ears.waiting(9).await.unwrap().is_empty());
    let again = fresh.again().await;
    assert_eq!(again.alerts(OPS).await.unwrap(), [("failing:x".to_owned(), "{}".to_owned())]);
    let texts = again.messages(OPS, at(5), 9).await.unwrap();
    assert_eq!(texts.iter().map(|it| &*it.content).collect::<Vec<_>>(), ["a", "b"]);
    assert!(again.messages("channel:other", at(5), 9).await.unwrap().is_empty());
    let over = vec![("failing:x".to_owned(), None)];
    again.note(Noted { alerts: over, ..noted(&[]) }).await.unwrap();
    assert!(again.alerts(OPS).await.unwrap().is_empty());
}

async fn a_message_waits_until_it_is_delivered_or_given_up(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh;
    storage.note(noted(&["a", "b", "c"])).await.unwrap();
    let all = storage.messages(OPS, at(5), 9).await.unwrap();
    let [a, b, c] = [0, 1, 2].map(|it: usize| all[it].id);
    let why = || (crate::model::code::Channel::Status.into(), "why".to_owned());
    let again = Ending::Again(at(90), why().0, why().1);
    storage.settle(settled(a, 6, again)).await.unwrap();
    storage.settle(settled(b, 7, Ending::GivenUp(why().0, why().1))).await.unwrap();
    assert_eq!(storage.messages(OPS, at(89), 9).await.unwrap().len(), 1, "c alone");
    let outlet = &storage.outlets().await.unwrap()[0];
    assert_eq!((outlet.failing_since, outlet.error.clone()), (Some(at(6)), Some(why())));
    assert_eq!((outlet.waiting, outlet.next_at), (2, Some(at(5))));
    storage.settle(settled(c, 8, Ending::Delivered)).await.unwrap();
    let outlet = &storage.outlets().await.unwrap()[0];
    let fine = Outlet {
        delivered_at: Some(at(8)),
        waiting: 1,
        next_at: Some(at(90)),
        ..Outlet::default()
    };
    assert_eq!(*outlet, Outlet { name: OPS.to_owned(), ..fine });
    let late = storage.messages(OPS, at(90), 9).await.unwrap();
    assert_eq!((late[0].id, late[0].tries, late[0].made_at), (a, 1, at(5)));
    storage.settle(settled(a, 91, Ending::Disabled(why().0, why().1))).await.unwrap();
    assert_eq!(storage.outlets().await.unwrap()[0].disabled_at, Some(at(91)));
    assert_eq!(storage.next_message(OPS).await.unwrap(), None);
    storage.note(noted(&["d"])).await.unwrap();
    let d = storage.messages(OPS, at(99), 9).await.unwrap()[0].id;
    assert!(d > c, "no number is given twice");
    storage.settle(settled(d, 99, Ending::Dropped)).await.unwrap();
    assert_eq!(storage.outlets().await.unwrap()[0].delivered_at, Some(at(8)));
}

async fn an_outlet_that_is_forgotten_leaves_nothing_behind(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh;
    for outlet in ["channel:a", "channel:b", "sink:a"] {
        let alerts = vec![("s".to_owned(), Some("{}".to_owned()))];
        let noted = Noted { outlet: outlet.to_owned(), alerts, ..noted(&["m"]) };
        storage.note(noted).await.unwrap();
    }
    storage.keep_outlets("channel", vec!["channel:b".to_owned()]).await.unwrap();
    let left = storage.outlets().await.unwrap();
    assert_eq!(left.iter().map(|it| &*it.name).collect::<Vec<_>>(), ["channel:b", "sink:a"]);
    assert!(storage.alerts("channel:a").await.unwrap().is_empty());
    assert_eq!(storage.next_message("channel:a").await.unwrap(), None);
    assert_eq!(storage.next_message("sink:a").await.unwrap(), Some(at(5)));
}

async fn troubles_are_counted_by_provider_and_problem(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(4).await;
    for (number, problem) in [(0, None), (1, Some(Problem::Reconnect)), (2, None)] {
        fails(&storage, number, problem).await;
    }
    let mut found = storage.troubles(at(9), at(99), &[]).await.unwrap();
    found.sort_by_key(|it| it.affected);
    let trouble = |problem, affected| Trouble {
        provider: "x".to_owned(),
        problem,
        affected,
        ending: 0,
        expired: 0,
    };
    assert_eq!(found, [trouble(Some(Problem::Reconnect), 1), trouble(None, 2)]);
    let some = storage.examples("x", None, 1).await.unwrap();
    assert_eq!(some.names, ["c0"]);
    assert_eq!(some.causes, [("x.y".to_owned(), 2, "why".to_owned())]);
}

async fn what_waits_for_a_provider_is_in_trouble_with_it(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(3).await;
    let due = |second| crate::model::connection::Due {
        at: at(second),
        trigger: crate::model::attempt::Trigger::Expiry,
    };
    storage.set_due(&id(0), Some(due(10))).await.unwrap();
    storage.set_due(&id(1), Some(due(500))).await.unwrap();
    let held = [("x".to_owned(), at(20))];
    let found = storage.troubles(at(9), at(99), &held).await.unwrap();
    assert_eq!(found.iter().map(|it| it.affected).collect::<Vec<_>>(), [1]);
    assert!(storage.troubles(at(9), at(99), &[]).await.unwrap().is_empty());
}

async fn each_end_is_told_of_once_for_its_generation(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(2).await;
    let begun = begin(0, None);
    let mut first = super::succeeded(begun.attempt, 0);
    first.token.expires_at = Some(at(1_000));
    storage.begin(begun).await.unwrap();
    storage.succeed(first).await.unwrap();
    let within = Duration::from_mins(5);
    let note = async |second| storage.note_ends(at(second), within, &[]).await.unwrap();
    assert_eq!(note(2_000).await, 0, "nobody listens");
    let ears = storage.listen("ears", &[EventKind::Ending, EventKind::Expired]).await.unwrap();
    assert_eq!(note(800).await, 0, "refreshing it does not fail");

    let again = crate::storage::Begin { generation: 1, ..begin(0, None) };
    let attempt = again.attempt;
    storage.begin(again).await.unwrap();
    storage.fail(Failed { problem: None, ..failed(attempt, 1) }).await.unwrap();
    assert_eq!((note(699).await, note(700).await, note(701).await), (0, 1, 0));
    assert_eq!((note(999).await, note(1_000).await, note(5_000).await), (0, 1, 0));
    let heard = ears.waiting(9).await.unwrap();
    let heard = heard.iter().map(|it| (it.event.kind, it.event.generation, it.event.at));
    let told = [(EventKind::Ending, 1, at(700)), (EventKind::Expired, 1, at(1_000))];
    assert_eq!(heard.collect::<Vec<_>>(), told);
}
