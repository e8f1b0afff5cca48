//! A command of the operator's, as a child: run without a shell, with little of our environment, and in a process group
//! of its own, so that what it started ends with it. What it is told, and what it says, is not known here.

use std::ffi::OsString;
use std::io;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use crate::vault::source::variables;

/// What a command gets of our environment, for people.
pub const PASSED: &str = "PATH, HOME, USER, LANG and XDG_*";

/// What a command is run with: where it finds itself, its files and its language. The rest may hold
/// secrets of others.
pub(super) type Environment = Vec<(OsString, OsString)>;

/// What of `all` a command gets.
pub(super) fn environment(all: impl Iterator<Item = (OsString, OsString)>) -> Environment {
    let passed =
        |name: &str| ["PATH", "HOME", "USER", "LANG"].contains(&name) || name.starts_with("XDG_");
    all.filter(|(name, _)| name.to_str().is_some_and(passed)).collect()
}

/// The command, which is started with [`Group::start`].
pub(super) fn command_in(environment: Environment, program: &str, arguments: &[String]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment).process_group(0).kill_on_drop(true);
    command
}

/// The same with what it gets of our environment.
pub fn command(program: &str, arguments: &[String]) -> Command {
    command_in(environment(variables()), program, arguments)
}

/// A command that runs, and what it has started. They are killed when this is dropped before the command has ended:
/// its time is over, or nobody waits for it any more.
pub struct Group(Child);

impl Group {
    /// Starts a command.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    /// The command itself.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // It has no id any more once it was waited for: its number may be that of another by now.
        let group = self.0.id().and_then(|it| Pid::from_raw(it.cast_signed()));
        if let Some(group) = group {
            // An error means that it has just ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_what_it_finds_its_files_with_and_no_more() {
        let all = ["PATH", "HOME", "USER", "LANG", "XDG_RUNTIME_DIR", "CANARY", "HOMES", "AWS_KEY"];
        let passed = environment(all.into_iter().map(|it| (it.into(), "x".into())));
        let names = passed.into_iter().map(|it| it.0).collect::<Vec<_>>();
        assert_eq!(names, all[..5]);
    }
}
