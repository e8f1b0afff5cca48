//! The engine on SQLite: one file, one thread that writes (`writer`), a few connections that read. Each
//! change is a type with the statements that make it; statements stand in the program as texts, so that
//! a test can ask SQLite how it answers each of them (`plans`).

mod access;
mod accounts;
mod audit;
mod captures;
mod cells;
mod claims;
mod connections;
mod db;
mod enrol;
mod error;
mod file;
mod generations;
mod hours;
mod keyring;
mod listeners;
mod listing;
mod log;
mod looks;
mod mending;
mod outcomes;
mod outlets;
mod prune;
mod reader;
mod recent;
mod rooms;
mod rows;
mod sinks;
mod times;
mod troubles;
mod writer;

#[cfg(test)]
mod crowd;

#[cfg(test)]
mod plans;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::sqlite::SqlitePool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::model::attempt::{Attempt, Outcome};
use crate::model::connection::{Due, Problem};
use crate::model::event::EventKind;
use crate::model::id::{AttemptId, ConnectionId};
use crate::storage::engine::{Answer, Engine};
use crate::storage::outlets::{Lane, Place, Queued};
use crate::storage::{
    Abandoned, About, Begin, Begun, Bite, CameOf, Capture, Counted, Departed, Done, Doubtful,
    DuePage, Ends, Enrolment, Examples, Failed, Filter, Forgiven, Held, Loaded, LogEnds, LogFilter,
    LogPage, ManualSet, Mark, Moved, Noted, Outlet, Page, Pausing, Reconcile, Record, Renewal,
    Settled, SinkState, Skipped, Standing, Statistics, StorageError, Stretch, Succeeded, Sweep,
    Tally, ToLookAt, Trouble, Waiting, Wanted,
};
use crate::vault::keyring::WrappedKey;
use reader::Reader;
use recent::Recent;
use writer::Writer;

/// A database in a file that this process has for itself: the instance lock sees to that.
pub(super) struct Sqlite {
    readers: SqlitePool,
    reader: Reader,
    writer: Writer,
    recent: Arc<Recent>,
    /// Cancelled when one of its threads has ended, however it did.
    gone: CancellationToken,
}

impl Engine for Sqlite {
    fn is_shared(&self) -> bool {
        false
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.recent.changes()
    }

    fn under_way(&self) -> Arc<()> {
        self.writer.under_way()
    }

    fn remembered(&self, id: &ConnectionId) -> Option<Arc<Loaded>> {
        self.recent.held(id)
    }

    fn ended(&self) -> CancellationToken {
        self.gone.clone()
    }

    /// The writer last: whoever closes a file of SQLite last moves the log into it.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.readers.close().await;
            self.reader.close().await;
            self.writer.close().await;
        })
    }

    #[cfg(test)]
    fn break_writer(&self) -> Answer<'_, ()> {
        self.writer.write(tests::Broken)
    }

    fn load<'a>(&'a self, id: &'a ConnectionId) -> Answer<'a, Option<Loaded>> {
        let id = id.clone();
        self.reader.ask(move |db| connections::load(db, &id))
    }

    fn recent<'a>(&'a self, id: &'a ConnectionId) -> Answer<'a, Option<Arc<Loaded>>> {
        Box::pin(self.recent.get(id, self.load(id)))
    }

    fn begin(&self, begin: Begin) -> Answer<'_, Begun> {
        self.writer.write(begin)
    }

    fn renew(&self, renewal: Renewal) -> Answer<'_, Begun> {
        self.writer.write(renewal)
    }

    fn succeed(&self, succeeded: Succeeded) -> Answer<'_, Begun> {
        self.writer.write(succeeded)
    }

    fn fail(&self, failed: Failed) -> Answer<'_, Begun> {
        self.writer.write(failed)
    }

    fn abandon(&self, abandoned: Abandoned) -> Answer<'_, Begun> {
        self.writer.write(abandoned)
    }

    fn skip(&self, skipped: Skipped) -> Answer<'_, ()> {
        self.writer.write(skipped)
    }

    fn capture(&self, capture: Capture) -> Answer<'_, ()> {
        self.writer.write(capture)
    }

    fn depart(&self, request: Departed) -> Answer<'_, ()> {
        self.writer.write(request)
    }

    fn problem_config<'a>(&'a self, id: &'a ConnectionId) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(connections::problem_config(&self.readers, id))
    }

    fn set_profile(
        &self,
        id: &ConnectionId,
        profile: Option<String>,
        probe_at: Option<Timestamp>,
    ) -> Answer<'_, ()> {
        self.writer.write(connections::Profile { id: id.clone(), said: profile, probe_at })
    }

    fn touch(&self, id: &ConnectionId, at: Timestamp) -> Answer<'_, ()> {
        self.writer.write(connections::Touch { id: id.clone(), at })
    }

    fn reconcile(&self, reconcile: Reconcile) -> Answer<'_, ()> {
        self.writer.write(reconcile)
    }

    fn set_pause(&self, pausing: Pausing) -> Answer<'_, bool> {
        self.writer.write(pausing)
    }

    fn set_manually(&self, set: ManualSet) -> Answer<'_, bool> {
        self.writer.write(set)
    }

    fn remove(&self, id: &ConnectionId, listed: bool) -> Answer<'_, bool> {
        self.writer.write(connections::Removal { id: id.clone(), listed })
    }

    fn make_room(&self, id: &ConnectionId, at: Timestamp) -> Answer<'_, bool> {
        self.writer.write(rooms::MakeRoom { id: id.clone(), at })
    }

    fn forget_rooms(&self) -> Answer<'_, ()> {
        self.writer.write(rooms::ForgetRooms)
    }

    fn standing<'a>(
        &'a self,
        ids: &'a [ConnectionId],
    ) -> Answer<'a, HashMap<ConnectionId, Result<Standing, StorageError>>> {
        Box::pin(enrol::standing(&self.readers, ids))
    }

    fn enrol(&self, enrolment: Enrolment) -> Answer<'_, bool> {
        self.writer.write(enrolment)
    }

    fn due<'a>(
        &'a self,
        provider: &'a str,
        now: Timestamp,
        after: Option<Mark>,
    ) -> Answer<'a, DuePage> {
        Box::pin(times::due(&self.readers, provider, now, after))
    }

    fn next_due(&self, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        Box::pin(times::next_due(&self.readers, now))
    }

    fn providers(&self) -> Answer<'_, Vec<String>> {
        Box::pin(times::providers(&self.readers))
    }

    fn tally(&self) -> Answer<'_, Tally> {
        Box::pin(times::tally(&self.readers))
    }

    fn probes_due<'a>(
        &'a self,
        provider: &'a str,
        now: Timestamp,
        after: Option<Mark>,
    ) -> Answer<'a, DuePage> {
        Box::pin(times::probes_due(&self.readers, provider, now, after))
    }

    fn next_probe<'a>(&'a self, provider: &'a str) -> Answer<'a, Option<Timestamp>> {
        Box::pin(times::next_probe(&self.readers, provider))
    }

    fn probe_within(&self, provider: &str, period: Duration, now: Timestamp) -> Answer<'_, ()> {
        self.writer.write(mending::ProbeWithin { provider: provider.to_owned(), period, now })
    }

    fn set_due(&self, id: &ConnectionId, due: Option<Due>) -> Answer<'_, ()> {
        self.writer.write(times::SetDue { id: id.clone(), due })
    }

    fn put_off(&self, provider: &str, until: Timestamp, spread: Duration) -> Answer<'_, ()> {
        self.writer.write(times::PutOff { provider: provider.to_owned(), until, spread })
    }

    fn wake(&self, id: &ConnectionId, now: Timestamp) -> Answer<'_, ()> {
        self.writer.write(times::Wake { id: id.clone(), now })
    }

    fn wake_interrupted(&self, owner: &str, now: Timestamp) -> Answer<'_, ()> {
        self.writer.write(times::WakeInterrupted { owner: owner.to_owned(), now })
    }

    fn doubtful<'a>(
        &'a self,
        now: Timestamp,
        ahead: Duration,
        scheduled: &'a [String],
        after: Option<&'a str>,
    ) -> Answer<'a, (Vec<Doubtful>, Option<String>)> {
        Box::pin(mending::doubtful(&self.readers, now, ahead, scheduled, after))
    }

    fn move_due(&self, all: Vec<Moved>) -> Answer<'_, u64> {
        self.writer.write(mending::Moves(all))
    }

    fn forget_the_future(&self, now: Timestamp, ahead: Duration) -> Answer<'_, ()> {
        self.writer.write(mending::Future { now, late: now + ahead })
    }

    fn waits_for_correction<'a>(&'a self, provider: &'a str) -> Answer<'a, bool> {
        Box::pin(mending::waits_for_correction(&self.readers, provider))
    }

    fn forgive(&self, forgiven: Forgiven) -> Answer<'_, u64> {
        self.writer.write(forgiven)
    }

    fn look_at_all(&self, provider: &str, step: Duration, at: Timestamp) -> Answer<'_, ()> {
        self.writer.write(mending::LookAtAll { provider: provider.to_owned(), step, at })
    }

    fn came_of(&self) -> Answer<'_, Vec<CameOf>> {
        Box::pin(mending::came_of(&self.readers))
    }

    fn counted(&self) -> Answer<'_, Vec<Counted>> {
        Box::pin(listing::counted(&self.readers))
    }

    fn page<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<&'a str>,
        limit: u32,
    ) -> Answer<'a, Page> {
        Box::pin(listing::page(&self.readers, filter, after, limit))
    }

    fn selected<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<&'a str>,
        limit: u32,
    ) -> Answer<'a, Page> {
        Box::pin(listing::selected(&self.readers, filter, after, limit))
    }

    fn log_page<'a>(&'a self, filter: &'a LogFilter) -> Answer<'a, LogPage> {
        Box::pin(log::page(&self.readers, filter))
    }

    fn attempt(&self, id: AttemptId) -> Answer<'_, Option<Attempt>> {
        Box::pin(log::attempt(&self.readers, id))
    }

    fn statistics<'a>(
        &'a self,
        provider: Option<&'a str>,
        since: Timestamp,
    ) -> Answer<'a, Statistics> {
        Box::pin(hours::statistics(&self.readers, provider, since))
    }

    fn ends<'a>(&'a self, filter: &'a LogFilter, after: Option<i64>) -> Answer<'a, LogEnds> {
        Box::pin(log::ends(&self.readers, filter, after))
    }

    fn prune_attempts(
        &self,
        before: Timestamp,
        outcome: Option<Outcome>,
        after: String,
    ) -> Answer<'_, Bite<String>> {
        Box::pin(prune::attempts(self, before, outcome, after))
    }

    fn prune_audit(&self, before: Timestamp, after: i64) -> Answer<'_, Bite<i64>> {
        Box::pin(prune::audit(self, before, after))
    }

    fn prune_hours(&self, before: Timestamp) -> Answer<'_, u64> {
        self.writer.write(hours::Forget { before })
    }

    fn prune_events(&self, before: Timestamp, after: i64) -> Answer<'_, Bite<i64>> {
        Box::pin(prune::events(self, before, after))
    }

    fn listen(&self, name: String, kinds: Vec<EventKind>) -> Answer<'_, ()> {
        self.writer.write(listeners::Listen { name, kinds })
    }

    fn keep_listeners(&self, names: Vec<String>) -> Answer<'_, ()> {
        self.writer.write(listeners::Keep { names })
    }

    fn heard(&self) -> Answer<'_, BTreeSet<EventKind>> {
        Box::pin(listeners::heard(&self.readers))
    }

    fn waiting<'a>(&'a self, name: &'a str, after: i64, limit: u32) -> Answer<'a, Waiting> {
        Box::pin(listeners::waiting(&self.readers, name, after, limit))
    }

    fn events_after(&self, after: i64, limit: u32) -> Answer<'_, Stretch> {
        Box::pin(listeners::after(&self.readers, after, limit))
    }

    fn told(&self, name: &str, id: i64) -> Answer<'_, ()> {
        self.writer.write(listeners::Told { name: name.to_owned(), id })
    }

    fn note_ends(&self, ends: Ends) -> Answer<'_, u64> {
        self.writer.write(ends)
    }

    fn note_alive(&self, now: Timestamp) -> Answer<'_, ()> {
        self.writer.write(outlets::Alive(now))
    }

    fn outlets(&self) -> Answer<'_, Vec<Outlet>> {
        Box::pin(outlets::all(&self.readers))
    }

    fn keep_outlets(&self, kind: &str, names: Vec<String>) -> Answer<'_, ()> {
        self.writer.write(outlets::Keep { kind: kind.to_owned(), names })
    }

    fn is_disabled<'a>(&'a self, outlet: &'a str) -> Answer<'a, bool> {
        Box::pin(outlets::is_disabled(&self.readers, outlet))
    }

    fn recall(&self, outlet: &str, now: Timestamp, ahead: Duration) -> Answer<'_, ()> {
        self.writer.write(outlets::Recall { outlet: outlet.to_owned(), now, ahead })
    }

    fn queued<'a>(
        &'a self,
        outlet: &'a str,
        lane: Lane,
        after: Place,
        limit: u32,
    ) -> Answer<'a, Queued> {
        Box::pin(outlets::queued(&self.readers, outlet, lane, after, limit))
    }

    fn settle(&self, settled: Settled) -> Answer<'_, ()> {
        self.writer.write(settled)
    }

    fn alerts<'a>(
        &'a self,
        outlet: &'a str,
    ) -> Answer<'a, Vec<Result<(String, String), StorageError>>> {
        Box::pin(outlets::alerts(&self.readers, outlet))
    }

    fn note(&self, noted: Noted) -> Answer<'_, ()> {
        self.writer.write(noted)
    }

    fn troubles<'a>(
        &'a self,
        now: Timestamp,
        soon: Timestamp,
        held: &'a [Held],
    ) -> Answer<'a, Vec<Trouble>> {
        Box::pin(troubles::all(&self.readers, now, soon, held))
    }

    fn examples<'a>(
        &'a self,
        provider: &'a str,
        problem: Option<Problem>,
        limit: u32,
    ) -> Answer<'a, Examples> {
        Box::pin(troubles::examples(&self.readers, provider, problem, limit))
    }

    fn want_sinks(&self, all: Vec<Wanted>) -> Answer<'_, ()> {
        self.writer.write(sinks::Want(all))
    }

    fn sink_state<'a>(&'a self, sink: &'a str, now: Timestamp) -> Answer<'a, Option<SinkState>> {
        Box::pin(sinks::state(&self.readers, sink, now))
    }

    fn to_sweep<'a>(&'a self, sweep: Sweep<'a>, limit: u32) -> Answer<'a, Vec<String>> {
        Box::pin(sinks::to_sweep(&self.readers, sweep, limit))
    }

    fn changed_behind(&self, seen: i64, limit: u32) -> Answer<'_, ToLookAt> {
        Box::pin(sinks::changed_behind(&self.readers, seen, limit))
    }

    fn sink_record<'a>(&'a self, about: About<'a>) -> Answer<'a, Record> {
        Box::pin(sinks::record(&self.readers, about))
    }

    fn note_done(&self, done: Done) -> Answer<'_, ()> {
        self.writer.write(done)
    }

    fn keyring(&self) -> Answer<'_, Vec<WrappedKey>> {
        Box::pin(keyring::all(&self.readers))
    }

    fn holds_sealed(&self) -> Answer<'_, bool> {
        Box::pin(keyring::holds_sealed(&self.readers))
    }

    fn add_key(&self, key: WrappedKey, at: Timestamp) -> Answer<'_, ()> {
        self.writer.write(keyring::AddKey { key, at })
    }

    fn instance_id(&self) -> Answer<'_, String> {
        Box::pin(keyring::instance_id(self))
    }

    fn check(&self) -> Answer<'_, Option<String>> {
        Box::pin(file::check(&self.readers))
    }
}
