//! What a database must do for us: each step is all or nothing, and durable when it returns. The list is
//! the contract of an engine; `contract` is the suite that each one has to pass.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::model::attempt::{Attempt, Outcome};
use crate::model::connection::{Due, Problem};
use crate::model::event::EventKind;
use crate::model::id::{AttemptId, ConnectionId};
use crate::storage::access::Access;
use crate::storage::accounts::Accounts;
use crate::storage::looks::Looks;
use crate::storage::outlets::{Lane, Place, Queued};
use crate::storage::{
    Abandoned, About, Begin, Begun, Bite, CameOf, Capture, Counted, Departed, Done, Doubtful,
    DuePage, Ends, Enrolment, Examples, Failed, Filter, Forgiven, Held, Loaded, LogEnds, LogFilter,
    LogPage, ManualSet, Mark, Moved, Noted, Outlet, Page, Pausing, Reconcile, Record, Renewal,
    Settled, SinkState, Skipped, Standing, Statistics, Storage, StorageError, Stretch, Succeeded,
    Sweep, Tally, ToLookAt, Trouble, Waiting, Wanted,
};
use crate::vault::keyring::WrappedKey;

/// What a step comes to, later.
pub(super) type Answer<'a, T> = BoxFuture<'a, Result<T, StorageError>>;

/// Declares each step once. Those that are passed on become methods of [`Storage`] as well; to the others
/// it adds something of its own, in the file of their subject.
macro_rules! steps {
    (
        passed on {$($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*}
        added to {$($(#[$more:meta])* $other:ident($($given:ident: $sort:ty),*) -> $back:ty;)*}
    ) => {
        /// A database. Steps that are waiting at the same time may share a commit, and share no fate.
        /// Dropping the future of a change neither cancels nor undoes it.
        #[expect(clippy::elidable_lifetime_names, reason = "steps that borrow need the name")]
        pub(super) trait Engine: Access + Accounts + Looks + Send + Sync {
            /// Whether other processes may work on the same connections at the same time.
            fn is_shared(&self) -> bool;

            /// Changes whenever a connection may have, in this process.
            fn changes(&self) -> watch::Receiver<u64>;

            /// To be held by an attempt while it is under way.
            fn under_way(&self) -> Arc<()>;

            /// What `recent` would say, if it is in memory.
            fn remembered(&self, id: &ConnectionId) -> Option<Arc<Loaded>>;

            /// Cancelled when nothing can be written any more.
            fn ended(&self) -> CancellationToken;

            /// Finishes what was handed in and lets go of the database, which then lies on its disk whole
            /// and is no longer used. Nothing can be written or read afterwards.
            fn close(&self) -> BoxFuture<'_, ()>;

            /// Ends the writer as a mistake in it would.
            #[cfg(test)]
            fn break_writer(&self) -> Answer<'_, ()>;

            $($(#[$doc])* fn $name<'a>(&'a self, $($argument: $kind),*) -> Answer<'a, $answer>;)*
            $($(#[$more])* fn $other<'a>(&'a self, $($given: $sort),*) -> Answer<'a, $back>;)*
        }

        #[expect(clippy::needless_lifetimes, reason = "steps that borrow need the name")]
        impl Storage {
            $($(#[$doc])* pub async fn $name<'a>(
                &'a self, $($argument: $kind),*
            ) -> Result<$answer, StorageError> {
                self.engine.$name($($argument),*).await
            })*
        }
    };
}

steps! {
    passed on {
        /// All that a refresh needs of one connection, in one look; `None` if there is no such connection.
        /// Its last attempt is not filled in: that is for those who list.
        load(id: &'a ConnectionId) -> Option<Loaded>;

        /// The same, remembered from an earlier look where nothing has changed since: for tokens that are asked
        /// for all the time.
        recent(id: &'a ConnectionId) -> Option<Arc<Loaded>>;

        /// Writes the intent to send, which is the claim on the connection. `Lost`, and nothing written, if
        /// another attempt is open or the generation has moved on.
        begin(begin: Begin) -> Begun;

        /// Moves the end of a claim's lease to a later time. `Lost` if the claim is no longer that attempt's.
        renew(renewal: Renewal) -> Begun;

        /// Makes an answer durable, unless its generation is over. Never refused for being late: it is worth
        /// more than a neat order.
        capture(capture: Capture) -> ();

        /// Makes it durable that a request leaves: until its answer is there, its outcome is in doubt.
        depart(request: Departed) -> ();

        /// Records that nothing was sent, and why.
        skip(skipped: Skipped) -> ();

        /// What the connection was configured with when it became a person's problem.
        problem_config(id: &'a ConnectionId) -> Option<Vec<u8>>;

        /// Stores what `profile` said, if anything, and when to ask again.
        set_profile(id: &'a ConnectionId, profile: Option<String>, probe_at: Option<Timestamp>) -> ();

        /// Notes that a caller has asked for the token of `id`.
        touch(id: &'a ConnectionId, at: Timestamp) -> ();

        /// Has an empty connection be there, for what a person consents to; false if there is one that was not
        /// made for that.
        make_room(id: &'a ConnectionId, at: Timestamp) -> bool;

        /// Forgets such connections where nothing came of the consent. For whoever has just got the database
        /// for itself: those that made them are dead.
        forget_rooms() -> ();

        /// What is there under those ids, or why it cannot be read.
        standing(ids: &'a [ConnectionId]) -> HashMap<ConnectionId, Result<Standing, StorageError>>;

        /// When the next connection after `now` is due.
        next_due(now: Timestamp) -> Option<Timestamp>;

        /// Every provider that has connections, whether the manifest knows it or not.
        providers() -> Vec<String>;

        /// How many connections there are.
        tally() -> Tally;

        /// When the next profile of `provider` is to be asked.
        next_probe(provider: &'a str) -> Option<Timestamp>;

        /// Asks for the profiles of `provider` within `period`, where a clock that was ahead has said later.
        probe_within(provider: &'a str, period: Duration, now: Timestamp) -> ();

        /// Puts off what is due for `provider` up to `until`, to moments spread over `spread` after it: all
        /// in one statement, however many they are.
        put_off(provider: &'a str, until: Timestamp, spread: Duration) -> ();

        /// A page of connections after `after` whose next look is not what a clock that goes right would
        /// have given them at `now`, and where the next page begins. `scheduled` are providers with a
        /// schedule: nothing of theirs is without a next look for want of an end.
        doubtful(
            now: Timestamp, ahead: Duration, scheduled: &'a [String], after: Option<&'a str>
        ) -> (Vec<Doubtful>, Option<String>);

        /// Whether some connection that was added to `provider` waits for a person to correct something.
        waits_for_correction(provider: &'a str) -> bool;

        /// What the tokens came of, those of the manifest each for itself, the others together.
        came_of() -> Vec<CameOf>;

        /// How many connections each provider has, and how many of them need a person.
        counted() -> Vec<Counted>;

        /// Up to `limit` connections whose keys come after `after`, by id.
        page(filter: &'a Filter, after: Option<&'a str>, limit: u32) -> Page;

        /// The same without their last attempts, for whoever does something with all of them.
        selected(filter: &'a Filter, after: Option<&'a str>, limit: u32) -> Page;

        /// Attempts that match, open ones too, newest first.
        log_page(filter: &'a LogFilter) -> LogPage;

        /// One attempt, open or finished.
        attempt(id: AttemptId) -> Option<Attempt>;

        /// Attempts that match and have ended after that place in the order of ends, oldest first; with no
        /// place, none, and where the order ends now.
        ends(filter: &'a LogFilter, after: Option<i64>) -> LogEnds;

        /// Counts, causes and durations of attempts since the hour of `since`, of one provider or all.
        statistics(provider: Option<&'a str>, since: Timestamp) -> Statistics;

        /// The wrapped data keys, oldest first; empty in a new database.
        keyring() -> Vec<WrappedKey>;

        /// Whether anything in the database was sealed with a data key.
        holds_sealed() -> bool;

        /// Adds a wrapped data key.
        add_key(key: WrappedKey, at: Timestamp) -> ();

        /// Who this database is; made once. Sealed values open only in the database they were sealed in.
        instance_id() -> String;

        /// Notes that this process is at work: a write like any other.
        note_alive(now: Timestamp) -> ();

        /// Outlets that have a state, by name.
        outlets() -> Vec<Outlet>;

        /// Forgets outlets of this kind, `channel`, but those with these names, with all that is theirs.
        keep_outlets(kind: &'a str, names: Vec<String>) -> ();

        /// Whether the other side of an outlet has said that it wants nothing any more.
        is_disabled(outlet: &'a str) -> bool;

        /// Has messages of an outlet be due that a clock which was ahead has put off: those that were made behind
        /// `now`, and those that wait for longer than `ahead`.
        recall(outlet: &'a str, now: Timestamp, ahead: Duration) -> ();

        /// Notes how a delivery ended.
        settle(settled: Settled) -> ();

        /// Notes what an outlet has heard, with what it has to say of it.
        note(noted: Noted) -> ();

        /// What is wrong now: where refreshing fails or only a person can help. `soon` is when a token ends that
        /// ends soon. Where a provider is held, what is due there counts as failing.
        troubles(now: Timestamp, soon: Timestamp, held: &'a [Held]) -> Vec<Trouble>;

        /// Some of those in trouble.
        examples(provider: &'a str, problem: Option<Problem>, limit: u32) -> Examples;

        /// Has these sinks be there, and no others: what belongs to the others is forgotten. A new one, or one
        /// whose section has changed, looks at everything that is there.
        want_sinks(all: Vec<Wanted>) -> ();

        /// How far a sink has got, with some of what waits there and is to be tried at `now`; `None` if there is no
        /// such sink.
        sink_state(sink: &'a str, now: Timestamp) -> Option<SinkState>;

        /// Some connections behind `after` that are selected, or were delivered once.
        to_sweep(sweep: Sweep<'a>, limit: u32) -> Vec<String>;

        /// Some connections that have changed behind `seen`.
        changed_behind(seen: i64, limit: u32) -> ToLookAt;

        /// What is known of one connection, or one attempt, at a sink.
        sink_record(about: About<'a>) -> Record;

        /// Notes what a sink has done.
        note_done(done: Done) -> ();

        /// What is damaged in the database, if anything is.
        check() -> Option<String>;
    }
    added to {
        /// Up to `limit` messages of a lane of an outlet, behind `after`.
        queued(outlet: &'a str, lane: Lane, after: Place, limit: u32) -> Queued;
        /// What an outlet has said of each subject, each as far as it can be read.
        alerts(outlet: &'a str) -> Vec<Result<(String, String), StorageError>>;
        /// Up to `limit` events with numbers above `after`, of all kinds, oldest first.
        events_after(after: i64, limit: u32) -> Stretch;
        /// See [`Storage::succeed`].
        succeed(succeeded: Succeeded) -> Begun;
        /// See [`Storage::fail`].
        fail(failed: Failed) -> Begun;
        /// See [`Storage::abandon`].
        abandon(abandoned: Abandoned) -> Begun;
        /// See [`Storage::set_manually`].
        set_manually(set: ManualSet) -> bool;
        /// See [`Storage::reconcile`].
        reconcile(reconcile: Reconcile) -> ();
        /// See [`Storage::set_pause`].
        set_pause(pausing: Pausing) -> bool;
        /// See [`Storage::enrol`].
        enrol(enrolment: Enrolment) -> bool;
        /// See [`Storage::remove`].
        remove(id: &'a ConnectionId, listed: bool) -> bool;
        /// Some of what is due for `provider` at `now`, behind `after`: what was interrupted, then the others,
        /// of each the longest waiting first.
        due(provider: &'a str, now: Timestamp, after: Option<Mark>) -> DuePage;
        /// The same of profiles that are to be asked.
        probes_due(provider: &'a str, now: Timestamp, after: Option<Mark>) -> DuePage;
        /// See [`Storage::set_due`].
        set_due(id: &'a ConnectionId, due: Option<Due>) -> ();
        /// See [`Storage::wake`].
        wake(id: &'a ConnectionId, now: Timestamp) -> ();
        /// See [`Storage::wake_interrupted`].
        wake_interrupted(owner: &'a str, now: Timestamp) -> ();
        /// See [`Storage::move_due`].
        move_due(all: Vec<Moved>) -> u64;
        /// See [`Storage::forget_the_future`].
        forget_the_future(now: Timestamp, ahead: Duration) -> ();
        /// See [`Storage::forgive`].
        forgive(forgiven: Forgiven) -> u64;
        /// See [`Storage::look_at_all`].
        look_at_all(provider: &'a str, step: Duration, at: Timestamp) -> ();
        /// Removes a few old attempts behind the one with the id `after`, or those of them that ended so.
        prune_attempts(
            before: Timestamp, outcome: Option<Outcome>, after: String
        ) -> Bite<String>;
        /// Removes a few old entries of the audit log behind the one with the number `after`.
        prune_audit(before: Timestamp, after: i64) -> Bite<i64>;
        /// Forgets a few counts of hours before that time; how many those were.
        prune_hours(before: Timestamp) -> u64;
        /// Removes a few old events behind the one with the number `after`.
        prune_events(before: Timestamp, after: i64) -> Bite<i64>;
        /// See [`Storage::listen`].
        listen(name: String, kinds: Vec<EventKind>) -> ();
        /// See [`Storage::keep_listeners`].
        keep_listeners(names: Vec<String>) -> ();
        /// The kinds that somebody listens to.
        heard() -> BTreeSet<EventKind>;
        /// Up to `limit` events with numbers above `after` that the listener was not told of, oldest
        /// first.
        waiting(name: &'a str, after: i64, limit: u32) -> Waiting;
        /// Notes that a listener was told of everything up to the event `id`.
        told(name: &'a str, id: i64) -> ();
        /// Writes an event for some ends of tokens; how many that were.
        note_ends(ends: Ends) -> u64;
    }
}
