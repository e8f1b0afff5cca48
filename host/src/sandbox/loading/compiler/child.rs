//! What the child does: drops whatever a compiler does not need, reads, compiles, answers. It is
//! this same program, so it compiles with the settings that the code will run with.

use std::io::{self, Read, Write};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, setsid};
use wasmtime::OutOfMemory;

use crate::sandbox::loading::compiler::answer::{self, Answer};
use crate::sandbox::machine::engine;

/// Address space, in MiB. A plugin with a whole Python or JavaScript in it takes about 400.
pub(super) const MEMORY: u64 = 1 << 10;

/// Processor time, in seconds. A plugin with a whole Python or JavaScript in it takes 20 on a server, and
/// some people have a machine that is a fifth as fast.
pub(super) const CPU: u64 = 120;

/// Answers one question and is done.
pub fn answer_one(input: impl Read, output: impl Write) -> io::Result<()> {
    confine()?;
    let (key, component) = answer::read_question(input)?;
    compile(&component).write(&key, output)
}

fn compile(component: &[u8]) -> Answer {
    let compiled = engine::compiling().and_then(|it| it.precompile_component(component));
    match compiled {
        Ok(code) => Answer::Code(code),
        Err(error) if error.is::<OutOfMemory>() => Answer::OutOfMemory,
        Err(error) => Answer::Refused(format!("{error:#}")),
    }
}

/// Before anything of the component is read.
fn confine() -> io::Result<()> {
    // A key on the terminal is not for this process. It fails for whoever leads a group already.
    let _ = setsid();
    end_with_the_parent();
    offer_to_the_kernel();
    limit(Resource::As, MEMORY << 20, MEMORY << 20)?;
    // At the first the kernel tells, with a signal that says why; at the second it ends.
    limit(Resource::Cpu, CPU, CPU + 1)?;
    limit(Resource::Core, 0, 0)?;
    // Nothing is written to files, and beside the three pipes nothing is opened.
    limit(Resource::Fsize, 0, 0)?;
    limit(Resource::Nofile, 3, 3)?;
    // No thread and no process.
    limit(Resource::Nproc, 0, 0)
}

/// Lowers a limit; one that is lower already stays.
fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let before = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let lowered = Rlimit { current: Some(soft.min(before)), maximum: Some(hard.min(before)) };
    Ok(setrlimit(resource, lowered)?)
}

/// Nobody is left to answer when the parent is gone; without this a command that is interrupted would
/// leave a compiler behind until its processor time is used up.
#[cfg(target_os = "linux")]
fn end_with_the_parent() {
    use rustix::process::{Signal, set_parent_process_death_signal};

    let _ = set_parent_process_death_signal(Some(Signal::KILL));
}

/// When memory is short, this process is the one to end, and not the daemon that refreshes tokens.
#[cfg(target_os = "linux")]
fn offer_to_the_kernel() {
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Other systems than Linux have no such switch; the limits hold there too.
#[cfg(not(target_os = "linux"))]
fn end_with_the_parent() {}

#[cfg(not(target_os = "linux"))]
fn offer_to_the_kernel() {}
