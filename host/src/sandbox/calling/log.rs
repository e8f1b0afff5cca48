//! The host's side of `log`: lines that have been cleaned, and not too many of them.

use tracing::{debug, error, info, trace, warn};

use crate::sandbox::bindings::imports::log::{self, Level};
use crate::sandbox::calling::state::CallState;
use crate::sandbox::machine::limits::{MAX_LOG_LINE, MAX_LOG_LINES};

impl log::Host for CallState {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let start = self.begin_work();
        self.log_lines += 1;
        if self.log_lines <= MAX_LOG_LINES {
            let message = self.known.clean(&message, MAX_LOG_LINE);
            self.write(level, &message);
        }
        Ok(self.end_work(start)?)
    }
}

impl CallState {
    /// Tells what was odd and did no harm.
    pub(in crate::sandbox) fn tell(&self, message: &str) {
        self.write(Level::Warn, message);
    }

    fn write(&self, level: Level, message: &str) {
        let (plugin, connection) = (self.plugin.as_str(), self.connection.as_str());
        macro_rules! line {
            ($level:ident) => {
                $level!(plugin.name = plugin, connection.id = connection, "{message}")
            };
        }
        match level {
            Level::Trace => line!(trace),
            Level::Debug => line!(debug),
            Level::Info => line!(info),
            Level::Warn => line!(warn),
            Level::Error => line!(error),
        }
    }
}
