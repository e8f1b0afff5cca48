//! `channel`

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ChannelVerb {
    /// List the channels with their state and the last error
    List,
    /// Send a test message now; a channel that was turned off by its receiver is on again if it arrives
    Test {
        /// Its name
        name: String,
    },
}
