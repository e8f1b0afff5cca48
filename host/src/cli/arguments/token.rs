//! `token`.

use clap::Subcommand;

use crate::cli::arguments::value::duration;
use crate::model::id::ConnectionId;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TokenVerb {
    /// Print the access token, refreshed first if necessary
    Get {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// Minimum time that the token must remain valid: 5m
        #[arg(long, value_parser = duration, default_value = "0s", value_name = "TIME")]
        min_ttl: u64,
        /// Print it as an Authorization header
        #[arg(long)]
        header: bool,
    },
    /// Store a token from standard input: the bare token, or the JSON of a token endpoint
    Set {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
    /// Report that the provider rejected a token, and print a new one
    Rejected {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
        /// Generation of the rejected token; the current one by default
        #[arg(long, value_name = "NUMBER")]
        generation: Option<u64>,
    },
    /// Delete the tokens
    Clear {
        /// PROVIDER or PROVIDER/NAME
        connection: ConnectionId,
    },
}
