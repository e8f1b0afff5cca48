//! A secret that a command prints: a key service, a password manager. No shell, no environment but
//! `PATH`, and nothing of the output is ever shown.

use std::ffi::OsString;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::SecretString;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::vault::source::error::SourceError;
use crate::vault::source::{LARGEST, without_line_end};

const LIMIT: Duration = Duration::from_secs(10);

/// Runs the command and takes its output without the last line end.
pub(super) async fn read(
    argv: &[String],
    path: Option<OsString>,
) -> Result<SecretString, SourceError> {
    let (program, arguments) = argv.split_first().ok_or(SourceError::Form)?;
    run(program, arguments, path, LIMIT).await
}

/// The command as errors name it.
pub(super) fn label(program: &str) -> String {
    format!("the secret command {program}")
}

async fn run(
    program: &str,
    arguments: &[String],
    path: Option<OsString>,
    limit: Duration,
) -> Result<SecretString, SourceError> {
    let mut child = start(program, arguments, path)
        .map_err(|cause| failed(program, format!("could not be started: {cause}")))?;
    match timeout(limit, finish(&mut child)).await {
        Ok(Ok((status, output))) => judge(program, status, &output),
        Ok(Err(cause)) => Err(failed(program, format!("could not be read: {cause}"))),
        Err(_) => {
            kill(&child);
            Err(SourceError::ExecTimeout { program: program.to_owned(), seconds: limit.as_secs() })
        }
    }
}

/// In a process group of its own, so that what the command started ends with it.
fn start(program: &str, arguments: &[String], path: Option<OsString>) -> io::Result<Child> {
    Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(path.map(|it| ("PATH", it)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

async fn finish(child: &mut Child) -> io::Result<(ExitStatus, Zeroizing<Vec<u8>>)> {
    let mut output = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    if let Some(stdout) = child.stdout.take() {
        stdout.take(LARGEST as u64 + 1).read_to_end(&mut output).await?;
    }
    Ok((child.wait().await?, output))
}

fn judge(program: &str, status: ExitStatus, output: &[u8]) -> Result<SecretString, SourceError> {
    let origin = || label(program);
    if output.len() > LARGEST {
        return Err(SourceError::TooLarge { origin: origin() });
    }
    match status.code() {
        Some(0) => without_line_end(output, origin),
        Some(code) => Err(failed(program, format!("exited with code {code}"))),
        None => Err(failed(program, "was killed by a signal".to_owned())),
    }
}

fn kill(child: &Child) {
    let group = child.id().and_then(|it| Pid::from_raw(it.cast_signed()));
    if let Some(group) = group {
        // An error means that it has just ended by itself.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn failed(program: &str, reason: String) -> SourceError {
    SourceError::ExecFailed { program: program.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use secrecy::ExposeSecret;

    use super::*;

    async fn shell(script: &str, limit: Duration) -> Result<SecretString, SourceError> {
        let arguments = ["-c".to_owned(), script.to_owned()];
        run("/bin/sh", &arguments, Some("/usr/bin:/bin".into()), limit).await
    }

    #[tokio::test]
    async fn the_output_is_the_secret() {
        let secret = shell("echo secret", LIMIT).await.unwrap();
        assert_eq!(secret.expose_secret(), "secret");
    }

    #[tokio::test]
    async fn the_environment_is_empty_but_for_the_path() {
        let names = shell("env", LIMIT).await.unwrap();
        let inherited = |line: &&str| line.starts_with("CARGO") || line.starts_with("HOME");
        assert_eq!(names.expose_secret().lines().find(inherited), None);
        assert!(names.expose_secret().contains("PATH=/usr/bin:/bin"));
    }

    #[tokio::test]
    async fn a_failure_tells_its_exit_code_and_not_its_output() {
        let error = shell("echo CANARY; echo CANARY >&2; exit 3", LIMIT).await.unwrap_err();
        assert_eq!(error.code().text(), "secret.exec_failed");
        assert!(error.to_string().contains("exited with code 3"));
        assert!(!format!("{error:?} {error}").contains("CANARY"));
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_killed_with_its_children() {
        let started = Instant::now();
        let error = shell("sleep 30 & sleep 30", Duration::from_millis(200)).await.unwrap_err();
        assert_eq!(error.code().text(), "secret.exec_timeout");
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn a_command_that_is_not_there_is_named() {
        let error = read(&["/nonexistent/unwrap".to_owned()], None).await.unwrap_err();
        assert_eq!(error.code().text(), "secret.exec_failed");
        assert!(error.to_string().contains("/nonexistent/unwrap"));
    }

    #[tokio::test]
    async fn a_command_without_output_is_named_without_its_arguments() {
        let argv = ["/bin/true".to_owned(), "CANARY".to_owned()];
        let error = crate::vault::source::Source::Exec(argv.into()).read().await.unwrap_err();
        assert_eq!(error.code().text(), "secret.empty");
        assert!(!error.to_string().contains("CANARY"));
    }

    #[tokio::test]
    async fn endless_output_is_cut_off() {
        let error = shell("yes", LIMIT).await.unwrap_err();
        assert_eq!(error.code().text(), "secret.too_large");
    }
}
