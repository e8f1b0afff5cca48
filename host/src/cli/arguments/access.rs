//! `api-key` and `audit`.

use clap::{Args, Subcommand};

use crate::cli::arguments::value::duration;
use crate::model::api_key::Scope;
use crate::model::audit::Action;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ApiKeyVerb {
    /// Create a key and print it; it cannot be shown again
    Create {
        /// A name to know it by: the program that uses it
        name: String,
        /// What it allows: token:read, connection:read, connection:write or admin; can be repeated
        #[arg(long, value_name = "SCOPE", required = true)]
        scope: Vec<Scope>,
        /// Only for connections of this provider; can be repeated
        #[arg(long, value_name = "NAME")]
        provider: Vec<String>,
        /// Only for connections with this label; can be repeated
        #[arg(long, value_name = "LABEL")]
        label: Vec<String>,
        /// When it expires: 90d, 24h; by default never
        #[arg(long, value_parser = duration, value_name = "TIME")]
        expires_in: Option<u64>,
    },
    /// List the keys, without their secrets
    List,
    /// Revoke a key; programs that use it are refused at once
    Revoke {
        /// Its name or its id
        key: String,
    },
}

/// `audit`
#[derive(Debug, Args)]
pub(in crate::cli) struct Audit {
    /// Only entries of this connection, provider, key, plugin or account
    pub(in crate::cli) subject: Option<String>,
    /// Only entries of this actor: key:ID, user:UID or account:NAME
    #[arg(long, value_name = "ACTOR")]
    pub(in crate::cli) actor: Option<String>,
    /// Only this action, for example token.read
    #[arg(long, value_name = "ACTION")]
    pub(in crate::cli) action: Option<Action>,
    /// Only entries of the last TIME: 24h, 7d
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub(in crate::cli) since: Option<u64>,
    /// Maximum number of entries
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(in crate::cli) limit: u32,
}
