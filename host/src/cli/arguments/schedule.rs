//! `schedule`.

use clap::Subcommand;

#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::cli) enum ScheduleVerb {
    /// List schedules with their provider and next runs
    List,
    /// Show how many refreshes are planned in each of the next 24 hours, and where that is too much
    Forecast,
}
