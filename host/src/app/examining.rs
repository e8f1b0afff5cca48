//! What an examination finds, in the daemon's log: all of it at the start, and what is new after a reload.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use tracing::warn;

use crate::app::App;
use crate::operator::examine::Fault;

impl App {
    /// Examines the deployment in a task of its own: a command that prints a secret may take its time.
    pub(super) fn examine(self: &Arc<Self>) {
        let app = Arc::clone(self);
        self.lifecycle.spawn("examination", async move {
            let examined = tokio::select! {
                examined = app.operator.examine() => examined,
                () = app.lifecycle.wait_for_soft_stop() => return,
            };
            app.tell(&examined.into_iter().flat_map(|it| it.faults).collect::<Vec<_>>());
        });
    }

    fn tell(&self, faults: &[Fault]) {
        let now = faults.iter().map(Fault::sentence).collect::<BTreeSet<_>>();
        let before = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *told, now)
        };
        for fault in faults.iter().filter(|it| !before.contains(&it.sentence())) {
            warn!(
                provider.name = fault.provider(),
                error.code = fault.code.text(),
                "{}",
                fault.sentence()
            );
        }
    }
}
