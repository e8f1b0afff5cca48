//! `account`

use clap::Subcommand;

use crate::model::account::Role;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AccountVerb {
    /// Create an account and print a link by which its person chooses a password: once, within 15 minutes
    Add {
        /// What it is called
        name: String,
        /// What it may do: viewer looks, operator does everything
        #[arg(long, value_name = "ROLE", default_value = "viewer")]
        role: Role,
    },
    /// List the accounts
    List,
    /// Print a new link for somebody who has lost the password, or the first link
    Link {
        /// The account
        name: String,
    },
    /// Change what an account may do, and end its logins
    Role {
        /// The account
        name: String,
        /// viewer or operator
        role: Role,
    },
    /// Remove an account, and end its logins
    Remove {
        /// The account
        name: String,
    },
}
