//! Compiles components, each in a child process. The cost depends on the component, and in this
//! process it would affect everybody: memory is not returned, and a thread cannot be stopped. A
//! child has limits, and ends.
//!
//! The child is this same program, run with an internal verb. It gets a key and the component on
//! standard input, and nothing else: no argument, no environment, no file.

/// What passes between the two.
mod answer;

/// What the child does.
mod child;

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

pub use child::answer_one;

use answer::{Answer, Key};

use crate::model::code::{self, Code};

/// What the program is called with to be the child.
pub const VERB: &str = "compile-component";

/// Children at once: each may take a processor and a gibibyte.
const AT_ONCE: usize = 2;

/// How long a child may take, waiting for a processor included: twice what it may use of one.
const PATIENCE: Duration = Duration::from_secs(2 * child::CPU);

/// Bytes of an answer. That of a whole JavaScript has 45 MiB.
const MAX_ANSWER: u64 = 256 << 20;

/// Addresses that its allocator reserves at a time, in KiB.
const RESERVED_KIB: &str = "65536";

/// Bytes of what a child says before it ends badly; one line of it is used.
const MAX_SAID: u64 = 4 << 10;

/// Why there is no compiled form. Follows the file's name in a sentence.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The compiler does not take it.
    #[error("could not be compiled: {0}")]
    Refused(String),
    /// Over the child's memory.
    #[error("takes more than {limit} MiB of memory to compile; ask its author for a smaller build", limit = child::MEMORY)]
    Memory,
    /// Over the child's processor time.
    #[error("takes more than {limit} s of processor time to compile; ask its author for a smaller build", limit = child::CPU)]
    Cpu,
    /// Over the time on the wall.
    #[error("was not compiled within {limit} s and is not used; when this machine is less busy, reload with SIGHUP or run the command again", limit = .0.as_secs())]
    Time(Duration),
    /// A signal from another process or the kernel.
    #[error(
        "could not be compiled: signal {0} killed the compiler process; if the system is short of memory, add some, then reload with SIGHUP or run the command again"
    )]
    Killed(i32),
    /// There is no child.
    #[error("could not be compiled: {program} cannot be executed ({cause}); allow the service to execute its own binary, then reload with SIGHUP or run the command again", program = .0.display(), cause = .1)]
    NotStarted(PathBuf, io::Error),
    /// It ended by itself, and badly.
    #[error("could not be compiled: the compiler process failed ({0})")]
    GaveUp(String),
    /// Its answer is cut off, or sealed with another key.
    #[error(
        "could not be compiled: the compiler process returned a damaged result, which is not used"
    )]
    Damaged,
}

impl CompileError {
    /// The stable code: `plugin.cause`.
    pub fn code(&self) -> Code {
        let code = match self {
            Self::Refused(_) => code::PluginFile::CompileFailed,
            Self::Memory => code::PluginFile::CompileMemoryExceeded,
            Self::Cpu => code::PluginFile::CompileCpuExceeded,
            Self::Time(_) => code::PluginFile::CompileDeadlineExceeded,
            Self::Killed(_) => code::PluginFile::CompilerKilled,
            Self::NotStarted(..) => code::PluginFile::CompilerNotStarted,
            Self::GaveUp(_) => code::PluginFile::CompilerGaveUp,
            Self::Damaged => code::PluginFile::CompilerDamaged,
        };
        code.into()
    }
}

/// Starts children. A clone is cheap, and shares how many there may be at once.
#[derive(Clone)]
pub struct Compiler {
    program: PathBuf,
    slots: Arc<Semaphore>,
    patience: Duration,
}

/// What was heard of a child that has ended.
struct Heard {
    status: ExitStatus,
    answer: Vec<u8>,
    said: String,
}

impl Compiler {
    /// The program that runs.
    pub fn itself() -> Self {
        Self::at(own_program())
    }

    /// A program of this version elsewhere, for processes that are none: tests and benchmarks.
    pub fn at(program: PathBuf) -> Self {
        Self { program, slots: Arc::new(Semaphore::new(AT_ONCE)), patience: PATIENCE }
    }

    /// The compiled form of `component`, which is to be run only by an engine of this program.
    pub(super) async fn compile(&self, component: &[u8]) -> Result<Vec<u8>, CompileError> {
        let not_started = |error| CompileError::NotStarted(self.program.clone(), error);
        let _slot = self.slots.acquire().await.map_err(|it| not_started(io::Error::other(it)))?;
        let key = Key::random().map_err(not_started)?;
        let mut child = self.command().spawn().map_err(not_started)?;
        let talk = talk(&mut child, &key, component);
        let Ok(heard) = tokio::time::timeout(self.patience, talk).await else {
            // Waits until it is gone, so that there are never more than the slots.
            let _ = child.kill().await;
            return Err(CompileError::Time(self.patience));
        };
        let heard = heard.map_err(|it| CompileError::GaveUp(it.to_string()))?;
        // Off the asynchronous threads: the seal is over tens of mebibytes.
        let conclude = tokio::task::spawn_blocking(move || heard.conclude(&key));
        conclude.await.unwrap_or(Err(CompileError::Damaged))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg0("keepfresh")
            .arg(VERB)
            // Secrets of the manifest may be in this process's.
            .env_clear()
            // The allocator reserves a gigabyte of addresses otherwise, which is all that it may have.
            .env("MIMALLOC_ARENA_RESERVE", RESERVED_KIB)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// The file that this process runs, even if another one was installed in its place meanwhile.
fn own_program() -> PathBuf {
    let link = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") {
        return link;
    }
    // Where it cannot be known, starting it fails and says so.
    std::env::current_exe().unwrap_or(link)
}

async fn talk(child: &mut Child, key: &Key, component: &[u8]) -> io::Result<Heard> {
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let ask = async {
        let Some(mut input) = input else { return };
        // A child that has ended reads no more; its end says why.
        if input.write_all(key.as_bytes()).await.is_ok() {
            let _ = input.write_all(component).await;
        }
    };
    let ((), answer, said) = tokio::join!(ask, hear(output, MAX_ANSWER), hear(errors, MAX_SAID));
    let said = String::from_utf8_lossy(&said?).into_owned();
    Ok(Heard { answer: answer?, said, status: child.wait().await? })
}

/// Reads to the end or to `most`. The pipe closes then, and who goes on writing into it gives up.
async fn hear(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> io::Result<Vec<u8>> {
    let mut heard = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(most).read_to_end(&mut heard).await?;
    }
    Ok(heard)
}

impl Heard {
    fn conclude(self, key: &Key) -> Result<Vec<u8>, CompileError> {
        if !self.status.success() {
            return Err(self.end());
        }
        match Answer::read(key, self.answer) {
            Some(Answer::Code(code)) => Ok(code),
            Some(Answer::Refused(why)) => Err(CompileError::Refused(first_line(&why))),
            Some(Answer::OutOfMemory) => Err(CompileError::Memory),
            None => Err(CompileError::Damaged),
        }
    }

    /// Names an end without an answer.
    fn end(&self) -> CompileError {
        use std::os::unix::process::ExitStatusExt as _;

        use rustix::process::Signal;

        match self.status.signal() {
            Some(signal) if signal == Signal::XCPU.as_raw() => CompileError::Cpu,
            // What the standard library says when memory is refused; there is no other sign of it.
            Some(_) if self.said.contains("memory allocation of ") => CompileError::Memory,
            Some(signal) => CompileError::Killed(signal),
            None if self.said.is_empty() => CompileError::GaveUp(self.status.to_string()),
            None => CompileError::GaveUp(first_line(&self.said)),
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
