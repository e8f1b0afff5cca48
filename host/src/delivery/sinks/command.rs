//! A command of the operator's, which gets a text on its standard input. What it prints is thrown away unread: it may
//! repeat the token.

use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin};
use tokio::time::timeout;

use crate::delivery::undelivered::Undelivered;
use crate::model::code::{self, Code};
use crate::vault::source::child::{self, Group};

/// Runs the command to its end. It is killed with all that it has started when it takes longer than `limit`, and when
/// nobody waits for it any more. Of the arguments, which may be secret, nothing is told.
pub async fn run(
    argv: &[String],
    input: &SecretString,
    limit: Duration,
) -> Result<(), Undelivered> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(failed(code::Sink::CommandMissing, "no command is named".to_owned()));
    };
    let mut command = child::command(program, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut group = Group::start(&mut command).map_err(|cause| not_started(program, &cause))?;
    match timeout(limit, finish(group.child(), input)).await {
        Ok(Ok(status)) => judge(program, status),
        Ok(Err(cause)) => Err(not_started(program, &cause)),
        Err(_) => {
            let seconds = limit.as_secs();
            let what =
                format!("the command {program} did not end within {seconds} s and was killed");
            Err(failed(code::Sink::CommandTimeout, what))
        }
    }
}

/// Waits for the command alone: what it has started may hold its input, and never read it.
async fn finish(child: &mut Child, input: &SecretString) -> io::Result<ExitStatus> {
    let mut feeding = pin!(feed(child.stdin.take(), input));
    let mut waiting = pin!(child.wait());
    tokio::select! {
        status = &mut waiting => status,
        () = &mut feeding => waiting.await,
    }
}

/// A command need not read what it does not want: how it ends says whether it is content.
async fn feed(stdin: Option<ChildStdin>, input: &SecretString) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input.expose_secret().as_bytes()).await;
    }
}

fn judge(program: &str, status: ExitStatus) -> Result<(), Undelivered> {
    let how = match status.code() {
        Some(0) => return Ok(()),
        Some(code) => format!("exited with code {code}"),
        None => "was killed by a signal".to_owned(),
    };
    Err(failed(code::Sink::CommandFailed, format!("the command {program} {how}")))
}

fn not_started(program: &str, cause: &io::Error) -> Undelivered {
    let what = format!("the command {program} could not be started: {cause}");
    failed(code::Sink::CommandMissing, what)
}

fn failed(code: code::Sink, what: String) -> Undelivered {
    Undelivered::again(Code::from(code), what)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    async fn shell(script: &str, input: &str, limit: Duration) -> Result<(), Undelivered> {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned);
        run(&argv, &input.into(), limit).await
    }

    /// Whether the process with the number in this file is there.
    fn runs(file: &Path) -> bool {
        let number = fs::read_to_string(file).unwrap();
        let state = fs::read_to_string(format!("/proc/{}/stat", number.trim())).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z")
    }

    #[tokio::test]
    async fn the_text_is_the_input_and_the_input_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("got");
        shell(&format!("cat > {}", file.display()), "a 'token'\n", LIMIT).await.unwrap();
        assert_eq!(fs::read_to_string(file).unwrap(), "a 'token'\n");
    }

    #[tokio::test]
    async fn arguments_are_words_and_no_shell_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a b; $(id)").display().to_string();
        run(&["tee".to_owned(), file.clone()], &"x".into(), LIMIT).await.unwrap();
        assert_eq!(fs::read_to_string(file).unwrap(), "x");
    }

    #[tokio::test]
    async fn a_command_gets_little_of_our_environment() {
        let script = "test -n \"$PATH\" && test -z \"$(env | grep ^CARGO)\"";
        shell(script, "", LIMIT).await.unwrap();
    }

    #[tokio::test]
    async fn what_fails_says_its_exit_code_and_nothing_else() {
        let error = shell("cat >&2; exit 7", "CANARY", LIMIT).await.unwrap_err();
        assert_eq!(error.code.text(), "sink.command_failed");
        assert_eq!(error.message, "the command /bin/sh exited with code 7");
        let error = shell("kill -9 $$", "CANARY", LIMIT).await.unwrap_err();
        assert_eq!(error.message, "the command /bin/sh was killed by a signal");
    }

    #[tokio::test]
    async fn an_input_that_nobody_reads_is_no_failure_if_the_command_ends_well() {
        let large = "x".repeat(1 << 20);
        shell("exit 0", &large, LIMIT).await.unwrap();
        shell("exec <&-; sleep 0.1", &large, LIMIT).await.unwrap();
    }

    #[tokio::test]
    async fn whoever_holds_the_pipes_after_the_command_is_not_waited_for() {
        let begun = Instant::now();
        let large = "x".repeat(1 << 20);
        shell("sleep 30 <&0 & exit 0", &large, LIMIT).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_killed_with_what_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 30 & echo $! > {}; wait", file.display());
        let error = shell(&script, "", Duration::from_millis(500)).await.unwrap_err();
        assert_eq!(error.code.text(), "sink.command_timeout");
        gone(&file).await;
    }

    #[tokio::test]
    async fn a_command_that_nobody_waits_for_any_more_is_killed_with_what_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 30 & echo $! > {}; wait", file.display());
        {
            let running = pin!(shell(&script, "", LIMIT));
            let started = async {
                while !fs::read_to_string(&file).is_ok_and(|it| it.ends_with('\n')) {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::select! {
                _ = running => panic!("it ended by itself"),
                () = started => {}
            }
            assert!(runs(&file));
        }
        gone(&file).await;
    }

    async fn gone(file: &Path) {
        let begun = Instant::now();
        while runs(file) {
            assert!(begun.elapsed() < Duration::from_secs(5), "it is still there");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn a_command_that_is_not_there_is_named_without_its_arguments() {
        let argv = ["/nonexistent/put".to_owned(), "CANARY".to_owned()];
        let error = run(&argv, &"CANARY".into(), LIMIT).await.unwrap_err();
        assert_eq!(error.code.text(), "sink.command_missing");
        assert!(error.message.contains("/nonexistent/put"), "{}", error.message);
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
}
