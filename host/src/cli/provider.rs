//! `keepfresh provider add NAME`: prints a provider's table for the manifest, which the program itself never
//! writes, and says which plugin file it needs.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::catalogue::{Candidate, Sample};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::manifest;
use crate::manifest::diagnostic::Diagnostic;
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::nearest::nearest;
use crate::sandbox::{Compiler, Sandbox};

pub(super) async fn add(config: &Path, name: &str, plugin: Option<&str>, json: bool) -> Exit {
    let plugin = plugin.unwrap_or(name);
    let plugin = plugin.strip_suffix(".wasm").unwrap_or(plugin);
    let file = manifest::plugin_folder(config).join(format!("{plugin}.wasm"));
    let candidate = match read(&file).await {
        Ok(candidate) => candidate,
        Err(failure) => return render::failure(&failure, json),
    };
    let descriptor = candidate.program().descriptor();
    let sample = Sample::of(name, plugin, descriptor);
    if let Err(problems) = manifest::parse(&sample.text, config) {
        let why = problems.first().map(Diagnostic::sentence).unwrap_or_default();
        return render::fail(code::Command::Usage, &why, json);
    }
    if json {
        render::out_json(&json!({
            "provider": name,
            "plugin": plugin,
            "version": descriptor.version,
            "file": file,
            "table": sample.text,
            "variables": sample.variables,
            "blank": sample.blank,
        }));
        return Exit::Done;
    }
    render::document(&sample.text);
    let version = format!("{} {}", descriptor.name, descriptor.version);
    render::hint(format!("it needs {}, which is there ({version})", file.display()));
    next(config, name, &sample);
    Exit::Done
}

/// What is left to do.
fn next(config: &Path, name: &str, sample: &Sample) {
    let config_file = config.display();
    if manifest::load(config).is_ok_and(|it| it.providers.contains_key(name)) {
        let other = "give this one another name, with --plugin for the plugin";
        render::hint(format!(
            "{config_file} has [providers.{name}] already: compare them, or {other}"
        ));
    }
    let mut steps = vec![format!("paste it into {config_file}")];
    if !sample.blank.is_empty() {
        steps.push(format!("fill in {}", sample.blank.join(", ")));
    }
    if !sample.variables.is_empty() {
        steps.push(format!("set {} where keepfresh is started", sample.variables.join(", ")));
    }
    render::hint(format!("next: {}; then run: keepfresh check", steps.join("; ")));
}

async fn read(file: &Path) -> Result<Candidate, Failure> {
    if !file.exists() {
        return Err(missing(file));
    }
    let sandbox = Sandbox::start(Compiler::itself())
        .map_err(|it| Failure::new(Case::HostFault, code::Internal::Engine, it.to_string()))?;
    Candidate::read(file, &sandbox, Clock::system().now()).await
}

fn missing(file: &Path) -> Failure {
    let folder = file.parent().unwrap_or(Path::new("."));
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let there = plugins_in(folder);
    let near = nearest(&name, there.iter().map(String::as_str));
    let help = match (near, there.as_slice()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => format!("there is no plugin in {} yet", folder.display()),
        (None, there) => format!("these are there: {}; name one with --plugin", there.join(", ")),
    };
    let message = format!(
        "{} is not there: put the plugin of this provider into that place and run this again; {help}",
        file.display()
    );
    Failure::new(Case::Misconfigured, code::PluginFile::Missing, message)
}

/// Names of the plugin files in a folder, without `.wasm`.
fn plugins_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let is_plugin = |it: &PathBuf| it.extension().is_some_and(|it| it == "wasm");
    let files = entries.map(|it| it.path()).filter(is_plugin);
    let mut names =
        files.filter_map(|it| Some(it.file_stem()?.to_str()?.to_owned())).collect::<Vec<_>>();
    names.sort();
    names
}
