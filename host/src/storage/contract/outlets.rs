//! Outlets, their messages and what they have said; and what is told of ends.

use std::time::Duration;

use super::{Fresh, at, begin, failed, id, on_every_engine};
use crate::model::code::{self, Code};
use crate::model::connection::Problem;
use crate::model::event::{Event, EventKind};
use crate::model::failure::{Case, Failure};
use crate::storage::{Begun, Ending, Failed, Noted, Outlet, Reconcile, Settled, Storage, Trouble};

on_every_engine! {
    what_was_heard_and_what_is_said_of_it_is_one_step
    a_message_waits_until_it_is_delivered_or_given_up
    a_message_that_waits_holds_up_those_behind_it
    what_is_new_is_not_held_up_for_long_unless_the_receiver_asked_for_time
    what_is_apart_neither_waits_for_others_nor_holds_them_up
    those_who_have_it_do_not_wait_for_the_rest
    what_a_clock_that_was_ahead_has_put_off_is_due
    an_outlet_that_is_forgotten_leaves_nothing_behind
    troubles_are_counted_by_provider_and_problem
    what_a_person_has_acted_on_is_the_same_trouble_until_it_is_tried
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
    let case = problem.map_or(Case::Unavailable, |_| Case::GrantExpired);
    let failed = Failed {
        connection: id(number),
        problem,
        failure: Failure::new(case, Code::read("x.y"), "why"),
        events: vec![event],
        ..failed(attempt, 0)
    };
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

fn why() -> (Code, String) {
    (code::Channel::Status.into(), "why".to_owned())
}

fn again(second: i64) -> Ending {
    Ending::Again(at(second), why().0, why().1)
}

/// Contents of what is to be tried then.
async fn due(storage: &Storage, second: i64) -> Vec<String> {
    let due = storage.messages(OPS, at(second), 9).await.unwrap();
    due.into_iter().map(|it| it.content).collect()
}

async fn ids(storage: &Storage) -> Vec<i64> {
    storage.messages(OPS, at(5), 9).await.unwrap().iter().map(|it| it.id).collect()
}

async fn a_message_waits_until_it_is_delivered_or_given_up(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh;
    storage.note(noted(&["a", "b"])).await.unwrap();
    let [a, b] = ids(&storage).await[..] else { panic!("two") };
    storage.settle(settled(a, 6, again(90))).await.unwrap();
    let outlet = &storage.outlets().await.unwrap()[0];
    assert_eq!((outlet.failing_since, outlet.error.clone()), (Some(at(6)), Some(why())));
    assert_eq!((outlet.waiting, outlet.next_at), (2, Some(at(90))));
    let late = storage.messages(OPS, at(90), 9).await.unwrap();
    assert_eq!((late[0].id, late[0].tries, late[0].made_at), (a, 1, at(5)));
    storage.settle(settled(a, 91, Ending::GivenUp(why().0, why().1))).await.unwrap();
    storage.settle(settled(b, 92, Ending::Delivered)).await.unwrap();
    let fine = Outlet { name: OPS.to_owned(), delivered_at: Some(at(92)), ..Outlet::default() };
    assert_eq!(storage.outlets().await.unwrap(), [fine]);
    assert_eq!(storage.next_message(OPS).await.unwrap(), None);
    storage.note(noted(&["c", "d"])).await.unwrap();
    let [c, d] = ids(&storage).await[..] else { panic!("two") };
    assert!(c > b, "no number is given twice");
    assert!(!storage.is_disabled(OPS).await.unwrap());
    storage.settle(settled(c, 93, Ending::Disabled(why().0, why().1))).await.unwrap();
    assert!(storage.is_disabled(OPS).await.unwrap());
    assert_eq!(storage.outlets().await.unwrap()[0].disabled_at, Some(at(93)));
    storage.settle(settled(d, 99, Ending::Dropped)).await.unwrap();
    assert_eq!(storage.outlets().await.unwrap()[0].delivered_at, Some(at(92)));
}

async fn a_message_that_waits_holds_up_those_behind_it(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh;
    storage.note(noted(&["a", "b", "c"])).await.unwrap();
    let first = ids(&storage).await[0];
    storage.settle(settled(first, 6, again(90))).await.unwrap();
    assert!(due(&storage, 89).await.is_empty());
    assert_eq!(storage.next_message(OPS).await.unwrap(), Some(at(90)));
    assert_eq!(due(&storage, 90).await, ["a", "b", "c"]);
    assert_eq!(storage.messages(OPS, at(90), 1).await.unwrap()[0].content, "a");
    storage.settle(settled(first, 90, Ending::Delivered)).await.unwrap();
    assert_eq!(due(&storage, 90).await, ["b", "c"]);
}

async fn what_is_new_is_not_held_up_for_long_unless_the_receiver_asked_for_time(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh;
    storage.note(noted(&["a"])).await.unwrap();
    let first = ids(&storage).await[0];
    let at_ten = |message| Noted { at: at(10), ..noted(&[message]) };
    storage.settle(settled(first, 6, again(30))).await.unwrap();
    storage.note(at_ten("b")).await.unwrap();
    assert_eq!(storage.next_message(OPS).await.unwrap(), Some(at(30)), "it is soon enough");
    storage.settle(settled(first, 6, again(36_000))).await.unwrap();
    storage.note(Noted { messages: Vec::new(), ..at_ten("c") }).await.unwrap();
    assert_eq!(storage.next_message(OPS).await.unwrap(), Some(at(36_000)), "nothing is new");
    storage.note(at_ten("c")).await.unwrap();
    assert_eq!(storage.next_message(OPS).await.unwrap(), Some(at(70)));
    assert_eq!(due(&storage, 70).await, ["a", "b", "c"]);
    let told = Ending::Told(at(3_600), why().0, why().1);
    storage.settle(settled(first, 70, told)).await.unwrap();
    storage.note(at_ten("d")).await.unwrap();
    assert_eq!(storage.next_message(OPS).await.unwrap(), Some(at(3_600)));
    storage.settle(settled(first, 3_600, again(36_000))).await.unwrap();
    storage.note(at_ten("e")).await.unwrap();
    assert_eq!(storage.next_message(OPS).await.unwrap(), Some(at(70)), "that time is over");
}

async fn what_is_apart_neither_waits_for_others_nor_holds_them_up(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh;
    let apart = vec!["x".to_owned(), "y".to_owned(), "z".to_owned()];
    storage.note(Noted { apart, ..noted(&["a"]) }).await.unwrap();
    assert_eq!(due(&storage, 5).await, ["a", "x", "y", "z"]);
    let [a, x, y, _] = ids(&storage).await[..] else { panic!("four") };
    storage.settle(settled(a, 6, again(90))).await.unwrap();
    storage.settle(settled(x, 6, again(80))).await.unwrap();
    storage.settle(settled(y, 6, again(70))).await.unwrap();
    assert_eq!(due(&storage, 6).await, ["z"]);
    assert_eq!(due(&storage, 80).await, ["z", "y", "x"]);
    assert_eq!(due(&storage, 90).await[0], "a");
    assert_eq!(storage.outlets().await.unwrap()[0].next_at, Some(at(90)));
    storage.settle(settled(a, 91, Ending::Delivered)).await.unwrap();
    assert_eq!(storage.outlets().await.unwrap()[0].next_at, Some(at(5)));
}

async fn those_who_have_it_do_not_wait_for_the_rest(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh;
    storage.note(noted(&["a", "b"])).await.unwrap();
    let first = ids(&storage).await[0];
    let rest = vec!["left@example.com".to_owned()];
    let (code, text) = why();
    let partly = Ending::Partly { rest: rest.clone(), next: at(90), code, why: text };
    storage.settle(settled(first, 6, partly)).await.unwrap();
    assert_eq!(due(&storage, 6).await, ["b"]);
    let outlet = &storage.outlets().await.unwrap()[0];
    assert_eq!((outlet.delivered_at, outlet.failing_since), (Some(at(6)), Some(at(6))));
    assert_eq!((outlet.error.clone(), outlet.waiting), (Some(why()), 2));
    let later = storage.messages(OPS, at(90), 9).await.unwrap();
    assert_eq!((later[1].content.as_str(), later[1].rest.clone()), ("a", Some(rest)));
}

async fn what_a_clock_that_was_ahead_has_put_off_is_due(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh;
    let (day, year) = (86_400, 365 * 86_400);
    storage.note(noted(&["a"])).await.unwrap();
    let first = ids(&storage).await[0];
    storage.settle(settled(first, 6, Ending::Told(at(year), why().0, why().1))).await.unwrap();
    storage.note(Noted { at: at(year), ..noted(&["b"]) }).await.unwrap();
    let recall = async |second| {
        let ahead = Duration::from_hours(24);
        storage.recall(OPS, at(second), ahead).await.unwrap();
        storage.recall("channel:other", at(second), ahead).await.unwrap();
    };
    recall(20).await;
    let due = storage.messages(OPS, at(20), 9).await.unwrap();
    assert_eq!(due.iter().map(|it| it.made_at).collect::<Vec<_>>(), [at(5), at(20)]);
    storage.settle(settled(first, 21, again(20 + day))).await.unwrap();
    recall(20).await;
    let next = storage.next_message(OPS).await.unwrap();
    assert_eq!(next, Some(at(20 + day)), "what may wait for so long does");
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

async fn what_a_person_has_acted_on_is_the_same_trouble_until_it_is_tried(fresh: Fresh) {
    let Fresh { storage, dir: _dir } = fresh.with(1).await;
    fails(&storage, 0, Some(Problem::Reconnect)).await;
    let before = storage.troubles(at(9), at(99), &[]).await.unwrap();
    let forgiven = Reconcile { forgive: true, ..super::steps::wanted(id(0)) };
    storage.reconcile(forgiven).await.unwrap();
    assert_eq!(storage.load(&id(0)).await.unwrap().unwrap().connection.problem, None);
    assert_eq!(storage.troubles(at(9), at(99), &[]).await.unwrap(), before);
    let some = storage.examples("x", Some(Problem::Reconnect), 1).await.unwrap();
    assert_eq!(some.names, ["c0"]);
    assert_eq!(some.causes.len(), 1);
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
