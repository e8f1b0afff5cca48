//! How a command ends for a script. The numbers are stable: people script against them.

use std::process::ExitCode;

/// Exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 0.
    Done,
    /// 1.
    Failed,
    /// 2: clap's own code too.
    Usage,
    /// 3: partly failed, or something is late.
    Partly,
    /// 4: a person is needed.
    Person,
    /// 5: the daemon cannot be reached.
    NoDaemon,
    /// 75: another process has the database; try again later.
    Busy,
    /// 78: the manifest or the key is wrong; a service manager need not try again.
    Config,
    /// That of a process that did the work.
    Other(u8),
}

impl Exit {
    /// The number that the shell sees.
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partly => 3,
            Self::Person => 4,
            Self::NoDaemon => 5,
            Self::Busy => 75,
            Self::Config => 78,
            Self::Other(number) => number,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}
