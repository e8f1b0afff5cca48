//! A secret that a command prints: a key service, a password manager. No shell, little of the
//! environment, and nothing of the output is ever shown; of its complaints the first line is.

use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;
use tokio::process::Child;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::vault::source::child::{Environment, Group, command_in};
use crate::vault::source::complaint;
use crate::vault::source::error::SourceError;
use crate::vault::source::{LARGEST, as_secret};

const LIMIT: Duration = Duration::from_secs(10);

/// How long a complaint is waited for after the command has ended: what it started may still hold the pipe.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Runs the command and takes its output.
pub(super) async fn read(
    argv: &[String],
    environment: Environment,
) -> Result<SecretString, SourceError> {
    let (program, arguments) = argv.split_first().ok_or(SourceError::Form)?;
    run(program, arguments, environment, LIMIT).await
}

/// The command as errors name it.
pub(super) fn label(program: &str) -> String {
    format!("the secret command {program}")
}

async fn run(
    program: &str,
    arguments: &[String],
    environment: Environment,
    limit: Duration,
) -> Result<SecretString, SourceError> {
    let mut group = start(program, arguments, environment)
        .map_err(|cause| failed(program, format!("could not be started: {cause}")))?;
    // On the heap: whoever reads secrets is part of every attempt, and few of them are printed.
    match timeout(limit, Box::pin(finish(group.child()))).await {
        Ok(Ok(ended)) => judge(program, &ended),
        Ok(Err(cause)) => Err(failed(program, format!("could not be read: {cause}"))),
        Err(_) => {
            Err(SourceError::ExecTimeout { program: program.to_owned(), seconds: limit.as_secs() })
        }
    }
}

fn start(program: &str, arguments: &[String], environment: Environment) -> io::Result<Group> {
    let mut command = command_in(environment, program, arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Group::start(&mut command)
}

/// A command that has ended.
struct Ended {
    status: ExitStatus,
    output: Zeroizing<Vec<u8>>,
    complaint: Zeroizing<Vec<u8>>,
}

async fn finish(child: &mut Child) -> io::Result<Ended> {
    let mut complaint = Zeroizing::new(Vec::new());
    let ended = {
        let mut listening = pin!(complaint::listen(child.stderr.take(), &mut complaint));
        let mut working = pin!(work(child));
        tokio::select! {
            () = &mut listening => working.await,
            ended = &mut working => {
                let _ = timeout(LAST_WORDS, listening).await;
                ended
            }
        }
    };
    let (status, output) = ended?;
    Ok(Ended { status, output, complaint })
}

async fn work(child: &mut Child) -> io::Result<(ExitStatus, Zeroizing<Vec<u8>>)> {
    let mut output = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    if let Some(stdout) = child.stdout.take() {
        stdout.take(LARGEST as u64 + 1).read_to_end(&mut output).await?;
    }
    Ok((child.wait().await?, output))
}

fn judge(program: &str, ended: &Ended) -> Result<SecretString, SourceError> {
    let Ended { status, output, complaint } = ended;
    // One that was cut off does not end well either.
    if status.success() || output.len() > LARGEST {
        return as_secret(output, || label(program));
    }
    let how = match status.code() {
        Some(code) => format!("exited with code {code}"),
        None => "was killed by a signal".to_owned(),
    };
    let said = complaint::first_line(complaint, output);
    Err(failed(program, said.map_or(how.clone(), |it| format!("{how} and said: {it}"))))
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
        let path = [("PATH".into(), "/usr/bin:/bin".into())];
        run("/bin/sh", &arguments, path.into(), limit).await
    }

    #[tokio::test]
    async fn the_output_is_the_secret() {
        let secret = shell("echo secret", LIMIT).await.unwrap();
        assert_eq!(secret.expose_secret(), "secret");
    }

    #[tokio::test]
    async fn a_command_gets_nothing_that_it_is_not_given() {
        let names = shell("env", LIMIT).await.unwrap();
        let inherited = |line: &&str| line.starts_with("CARGO") || line.starts_with("HOME");
        assert_eq!(names.expose_secret().lines().find(inherited), None);
        assert!(names.expose_secret().contains("PATH=/usr/bin:/bin"));
    }

    #[tokio::test]
    async fn a_failure_tells_its_exit_code_and_its_complaint_and_not_its_output() {
        let error = shell("echo CANARY; echo no CANARY >&2; exit 3", LIMIT).await.unwrap_err();
        assert_eq!(error.code().text(), "secret.exec_failed");
        assert!(error.to_string().contains("exited with code 3 and said: no ***;"), "{error}");
        assert!(!format!("{error:?} {error}").contains("CANARY"));
    }

    #[tokio::test]
    async fn neither_a_long_complaint_nor_whoever_still_could_complain_is_waited_for() {
        let begun = Instant::now();
        let script = "sleep 30 >/dev/null & head -c 1000000 /dev/zero >&2; echo secret";
        assert_eq!(shell(script, LIMIT).await.unwrap().expose_secret(), "secret");
        assert!(begun.elapsed() < Duration::from_secs(5));
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
        let error = read(&["/nonexistent/unwrap".to_owned()], Vec::new()).await.unwrap_err();
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
