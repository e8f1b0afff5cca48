//! Children of every kind: scripts that end as a compiler can end, and none that compiles. What a real
//! one does is shown by `tests/suite/hostile/bombs.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

/// A child that does what `script` says, started by a program that waits for so long.
struct Stub {
    folder: TempDir,
    compiler: Compiler,
}

impl Stub {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("stub");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        Self { compiler: Compiler::at(program), folder }
    }

    async fn compile(&self) -> CompileError {
        self.compiler.compile(b"component").await.unwrap_err()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

/// How a child that does this is spoken of.
async fn check(script: &str, code: &str, text: &str) {
    let error = Stub::new(script).compile().await;
    assert_eq!((error.code().text(), error.to_string().as_str()), (code, text));
}

const DAMAGED: &str =
    "could not be compiled: the compiler process returned a damaged result, which is not used";

#[tokio::test]
async fn an_answer_with_a_wrong_seal_is_not_used() {
    let forged = "cat >/dev/null; head -c 32 /dev/zero; printf cMACHINECODE";
    check(forged, "plugin.compiler_damaged", DAMAGED).await;
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_not_used() {
    check("cat >/dev/null; head -c 20 /dev/zero", "plugin.compiler_damaged", DAMAGED).await;
    check("cat >/dev/null", "plugin.compiler_damaged", DAMAGED).await;
    check("exit 0", "plugin.compiler_damaged", DAMAGED).await;
}

#[tokio::test]
async fn processor_time_that_ran_out_is_named() {
    let text =
        "takes more than 120 s of processor time to compile; ask its author for a smaller build";
    check("kill -XCPU $$", "plugin.compile_cpu_exceeded", text).await;
}

#[tokio::test]
async fn memory_that_was_refused_is_named() {
    let script = "echo 'memory allocation of 4096 bytes failed' >&2; kill -ABRT $$";
    let text = "takes more than 1024 MiB of memory to compile; ask its author for a smaller build";
    check(script, "plugin.compile_memory_exceeded", text).await;
}

#[tokio::test]
async fn a_child_that_somebody_else_ended_is_told_from_one_over_a_limit() {
    let text = "could not be compiled: signal 9 killed the compiler process; if the system is short of memory, add some, then reload with SIGHUP or run the command again";
    check("kill -KILL $$", "plugin.compiler_killed", text).await;
}

#[tokio::test]
async fn a_child_that_gives_up_is_quoted() {
    let text = "could not be compiled: the compiler process failed (no such verb)";
    check("echo no such verb >&2; exit 2", "plugin.compiler_gave_up", text).await;
}

#[tokio::test]
async fn a_child_that_hangs_is_ended_and_waited_for() {
    let mut stub = Stub::new("echo $$ >\"${0%/*}/pid\"; exec sleep 60");
    stub.compiler.patience = Duration::from_secs(1);
    let error = stub.compile().await;
    assert_eq!(error.code().text(), "plugin.compile_deadline_exceeded");
    let text = error.to_string();
    assert!(text.starts_with("was not compiled within 1 s and is not used; "), "{text}");
    let pid = stub.read("pid").trim().parse().ok().and_then(rustix::process::Pid::from_raw);
    assert!(rustix::process::test_kill_process(pid.unwrap()).is_err(), "it is still there");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let compiler = Compiler::at(PathBuf::from("/nowhere/keepfresh"));
    let error = compiler.compile(b"component").await.unwrap_err();
    assert_eq!(error.code().text(), "plugin.compiler_not_started");
    let text = error.to_string();
    assert!(text.contains("/nowhere/keepfresh cannot be executed (No such file"), "{text}");
}

#[tokio::test]
async fn a_child_gets_none_of_the_variables_that_may_hold_secrets() {
    // Variables of a test: whoever runs it sets some, and a shell adds three. Its allocator has one.
    assert!(std::env::vars_os().count() > 3);
    let stub = Stub::new("env >\"${0%/*}/env\"");
    stub.compile().await;
    let variables = stub.read("env");
    let own = ["PWD=", "SHLVL=", "_=", "MIMALLOC_ARENA_RESERVE="];
    let strange = |it: &&str| !own.iter().any(|own| it.starts_with(own));
    assert_eq!(variables.lines().find(strange), None, "{variables}");
}

#[tokio::test]
async fn a_child_gets_the_key_and_the_component_on_standard_input_alone() {
    let stub = Stub::new("cat >\"${0%/*}/input\"; echo \"$@\" >\"${0%/*}/arguments\"");
    stub.compile().await;
    let input = fs::read(stub.folder.path().join("input")).unwrap();
    assert_eq!((input.len(), &input[32..]), (32 + 9, &b"component"[..]));
    assert_eq!(stub.read("arguments"), "compile-component\n");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_child_gets_no_file_that_is_open_here() {
    let stub = Stub::new("for it in /proc/$$/fd/*; do readlink $it; done >\"${0%/*}/files\"");
    let _open = fs::File::create(stub.folder.path().join("database")).unwrap();
    stub.compile().await;
    let files = stub.read("files");
    assert!(files.contains("pipe:") && !files.contains("/database"), "{files}");
}

#[tokio::test]
async fn no_more_than_two_children_run_at_once() {
    let script = "d=\"${0%/*}\"; : >\"$d/$$\"; sleep 0.2; ls \"$d\" | wc -l >>\"$d/../stub-count\"; rm \"$d/$$\"";
    let stub = Stub::new(&script.replace("$d/../stub-count", "$d/.count"));
    let one = || stub.compile();
    tokio::join!(one(), one(), one(), one(), one());
    // The stub itself and at most two marks.
    let most = stub.read(".count").lines().filter_map(|it| it.trim().parse::<u32>().ok()).max();
    assert_eq!(most, Some(3));
}
