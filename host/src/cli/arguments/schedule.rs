//! `schedule`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ScheduleVerb {
    /// List schedules with their provider and next runs
    List,
}
