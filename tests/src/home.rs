//! The real program in a folder of its own: manifest, key, plugins, database, environment.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::artifacts;
use crate::daemon::Daemon;
use crate::schema;

/// A folder with a manifest and a key; removed when dropped.
pub struct Home {
    dir: TempDir,
    environment: BTreeMap<String, String>,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Run {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Home {
    /// A folder with this manifest, a key and an empty plugin folder.
    ///
    /// # Panics
    /// When the disk fails.
    pub fn new(manifest: &str) -> Self {
        let dir = folder();
        fs::create_dir(dir.path().join("plugins")).expect("a plugin folder");
        let home = Self { dir, environment: BTreeMap::new() };
        home.write_manifest(manifest);
        let made = home.run(&["init"]);
        assert!(home.path("keepfresh.key").exists(), "{made:?}");
        home
    }

    /// Another folder with the same files. Nothing may be at work in this one.
    ///
    /// # Panics
    /// When the disk fails.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self { dir: folder(), environment: self.environment.clone() };
        copy_files(self.dir.path(), copy.dir.path()).expect("the folder is copied");
        copy
    }

    /// A file of this folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Replaces the manifest in one step, as an editor does.
    ///
    /// # Panics
    /// When the disk fails.
    pub fn write_manifest(&self, text: &str) {
        fs::write(self.path("manifest.new"), text).expect("the manifest is written");
        fs::rename(self.path("manifest.new"), self.path("keepfresh.toml"))
            .expect("and put in place");
    }

    /// Puts the component of a plugin into the plugin folder.
    #[must_use]
    pub fn with_plugin(self, name: &str) -> Self {
        self.drop_plugin(&artifacts::plugin(name), name);
        self
    }

    /// Puts an ill-behaved guest into the plugin folder.
    #[must_use]
    pub fn with_guest(self, name: &str) -> Self {
        self.drop_plugin(&artifacts::guest(name), name);
        self
    }

    /// Copies a component into the plugin folder as `name.wasm`, in one step.
    ///
    /// # Panics
    /// When the disk fails.
    pub fn drop_plugin(&self, component: &Path, name: &str) {
        let partial = self.path(&format!("plugins/{name}.partial"));
        fs::copy(component, &partial).expect("the component is copied");
        fs::rename(&partial, self.path(&format!("plugins/{name}.wasm"))).expect("and put in place");
    }

    /// Sets a variable of the environment that commands run in.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.set_env(name, value);
        self
    }

    /// The same, later.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// The program with these arguments, not started. Its environment is this home's alone.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(artifacts::keepfresh());
        command.args(arguments);
        command
    }

    /// Another program that is to run as this one does, not started.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(&self.environment);
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).stdin(Stdio::null()).output();
        Run::of(arguments, &output.expect("the program starts"))
    }

    /// Runs a command to its end with `input` on its standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("its input is a pipe");
        // A command that does not read its input may be gone already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        Run::of(arguments, &child.wait_with_output().expect("the program ends"))
    }

    /// Starts the daemon and waits until it is ready.
    pub fn serve(&self) -> Daemon {
        Daemon::start(
            self.command(&["serve"]),
            &self.path("keepfresh.sock"),
            self.path("serve.log"),
        )
    }
}

impl Run {
    /// What became of a command with these arguments; its JSON is held to its schema.
    pub fn of(arguments: &[&str], output: &Output) -> Self {
        let run = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        schema::hold(arguments, &run);
        run
    }

    /// Its standard output as JSON.
    ///
    /// # Panics
    /// When that is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Itself, if it ended with `code`.
    ///
    /// # Panics
    /// When it did not.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "a check may be all that is wanted"
    )]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("keepfresh-").tempdir().expect("a temporary folder")
}

/// Files with their rights; a socket that a daemon has left is none.
fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let (entry, kind) = entry.and_then(|it| it.file_type().map(|kind| (it, kind)))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&target)?;
            fs::set_permissions(&target, entry.metadata()?.permissions())?;
            copy_files(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

/// The names of an object's members, sorted.
///
/// # Panics
/// When it is no object.
pub fn keys(value: &Value) -> Vec<&str> {
    let members = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let mut keys = members.keys().map(String::as_str).collect::<Vec<_>>();
    keys.sort_unstable();
    keys
}

/// The id of a connection as JSON has it, by what is typed.
pub fn full(id: &str) -> String {
    if id.contains('/') { id.to_owned() } else { format!("{id}/default") }
}

/// Whether it is a time as documented: RFC 3339, in UTC.
pub fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}
