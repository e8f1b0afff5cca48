//! `sink`

use clap::Subcommand;

use crate::model::id::ConnectionId;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SinkVerb {
    /// List the sinks with their state and the last error
    List,
    /// Deliver what is current now, whether it has changed or not; without CONNECTION, of all that the sink is for
    Run {
        /// Its name
        name: String,
        /// Only of this connection
        connection: Option<ConnectionId>,
    },
}
